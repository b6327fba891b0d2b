"""Which digests a registry holds, and which tags name them."""

from dataclasses import dataclass, field


@dataclass
class Repositories:
    """Repositories by name; in each the digests, in the order they were pushed, with their tags."""

    repositories: dict[str, dict[str, set[str]]] = field(default_factory=dict)

    def push(self, repository: str, digest: str, *tags: str) -> str:
        """Add an image; a tag that named another digest moves."""
        manifests = self.repositories.setdefault(repository, {})
        for others in manifests.values():
            others.difference_update(tags)
        manifests.setdefault(digest, set()).update(tags)
        return digest

    def delete(self, repository: str, digest: str) -> None:
        """Delete an image, as garbage collection does with untagged ones."""
        del self.repositories[repository][digest]
