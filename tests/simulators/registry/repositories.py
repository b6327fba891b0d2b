"""The digests in a registry, and their tags."""

from dataclasses import dataclass, field


@dataclass
class Repositories:
    """Maps each repository to its digests, in the order they were pushed, with their tags."""

    repositories: dict[str, dict[str, set[str]]] = field(default_factory=dict)

    def push(self, repository: str, digest: str, *tags: str) -> str:
        """Add an image; a tag of another digest moves."""
        manifests = self.repositories.setdefault(repository, {})
        for others in manifests.values():
            others.difference_update(tags)
        manifests.setdefault(digest, set()).update(tags)
        return digest

    def delete(self, repository: str, digest: str) -> None:
        """Delete an image, as garbage collection does with untagged images."""
        del self.repositories[repository][digest]
