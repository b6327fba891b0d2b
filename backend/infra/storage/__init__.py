"""Object storage interface, implemented by an S3 bucket and, for development, by files on disk."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


class StorageError(Exception):
    """The storage is unavailable or returned an error. A retry may succeed."""


class ObjectMissing(Exception):
    """There is no object with this key."""


@dataclass(frozen=True, slots=True)
class SignedUpload:
    """A signed request for the browser. It uploads one file of exactly the signed size and type."""

    method: str
    url: str
    headers: dict[str, str]


class Storage(Protocol):
    """Object storage. Keys look like paths; sizes are in bytes, times in seconds."""

    def sign_upload(self, key: str, *, content_type: str, size: int, expires_in: int) -> SignedUpload:
        """Return a request that stores one file of this size and type."""

    def sign_download(self, key: str, *, filename: str, content_type: str, expires_in: int) -> str:
        """Return a URL that downloads the object as an attachment named `filename`."""

    def find_size(self, key: str) -> int | None:
        """Return an object's size, or None if there is no object. Raises StorageError."""

    def download(self, key: str, path: Path) -> None:
        """Write an object to `path`. Raises ObjectMissing, StorageError."""

    def upload(self, path: Path, key: str, *, content_type: str) -> None:
        """Store a file under `key`, replacing any existing object. Raises StorageError."""

    def delete_prefix(self, prefix: str) -> None:
        """Delete all objects whose key starts with `prefix`. Raises StorageError."""

    def check(self) -> None:
        """Raise StorageError unless the storage is available."""
