"""Object storage behind one small interface; files on disk are its twin for development."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


class StorageError(Exception):
    """The storage did not answer, or answered that it can't just now; trying again may help."""


class ObjectMissing(Exception):
    """There is no object under this key."""


@dataclass(frozen=True, slots=True)
class SignedUpload:
    """A request the browser may make: one file, of exactly the size and type that were signed."""

    method: str
    url: str
    headers: dict[str, str]


class Storage(Protocol):
    """What the application asks of object storage. Keys look like paths; sizes are bytes, times are seconds."""

    def sign_upload(self, key: str, *, content_type: str, size: int, expires_in: int) -> SignedUpload:
        """Return a request that stores one file of this size and type."""

    def sign_download(self, key: str, *, filename: str, content_type: str, expires_in: int) -> str:
        """Return a URL that downloads the object as an attachment named `filename`."""

    def find_size(self, key: str) -> int | None:
        """Return an object's size, None when there is none. Raises StorageError."""

    def download(self, key: str, path: Path) -> None:
        """Write an object to a file. Raises ObjectMissing, StorageError."""

    def upload(self, path: Path, key: str, *, content_type: str) -> None:
        """Store a file under `key`, over what was there. Raises StorageError."""

    def delete_prefix(self, prefix: str) -> None:
        """Delete all objects whose key begins with `prefix`. Raises StorageError."""

    def check(self) -> None:
        """Raise StorageError unless the storage answers."""
