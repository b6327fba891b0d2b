"""Storage in a folder, for development. Signed URLs point to the backend, so the browser code is the same as for S3.

The URLs are relative, so they work on both localhost and 127.0.0.1.
"""

import hashlib
import hmac
import json
import re
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlencode
from uuid import uuid4

from backend.infra.storage import ObjectMissing, SignedUpload, StorageError

URL_PREFIX = "/storage/"
SAFE_KEY = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")


class InvalidSignature(Exception):
    """A storage URL is invalid or has expired."""


@dataclass(frozen=True, slots=True)
class Grant:
    """The permission in a signed URL: one method on one key until `expires` (Unix time)."""

    method: str
    key: str
    expires: int
    content_type: str
    size: int = 0
    filename: str = ""


class DiskStorage:
    """Stores each object as a file under `root`. Signs URLs with HMAC-SHA256."""

    def __init__(self, root: Path, secret: bytes) -> None:
        self._root = root
        self._secret = hashlib.sha256(b"disk-storage:" + secret).digest()

    def sign_upload(self, key: str, *, content_type: str, size: int, expires_in: int) -> SignedUpload:
        grant = Grant("PUT", key, int(time.time()) + expires_in, content_type, size=size)
        return SignedUpload("PUT", self._url(grant), {"Content-Type": content_type})

    def sign_download(self, key: str, *, filename: str, content_type: str, expires_in: int) -> str:
        return self._url(Grant("GET", key, int(time.time()) + expires_in, content_type, filename=filename))

    def find_size(self, key: str) -> int | None:
        try:
            return self.path(key).stat().st_size
        except (FileNotFoundError, NotADirectoryError):
            return None

    def download(self, key: str, path: Path) -> None:
        try:
            shutil.copyfile(self.path(key), path)
        except FileNotFoundError as error:
            raise ObjectMissing(key) from error
        except OSError as error:
            raise StorageError(f"can't read {key}: {error.strerror}") from error

    def upload(self, path: Path, key: str, *, content_type: str) -> None:
        """Copy a file into the storage atomically: readers never see a partial file."""
        target = self.path(key)
        part = target.with_name(f"{target.name}.{uuid4().hex}.part")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, part)
            part.replace(target)
        except OSError as error:
            with suppress(OSError):
                part.unlink()
            raise StorageError(f"can't write {key}: {error.strerror}") from error

    def delete_prefix(self, prefix: str) -> None:
        """Delete the file or folder. The prefix must end at a path segment."""
        path = self.path(prefix.rstrip("/"))
        try:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        except OSError as error:
            raise StorageError(f"can't delete {prefix}: {error.strerror}") from error

    def check(self) -> None:
        """Raise StorageError if the folder can't be created."""
        try:
            self._root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(f"can't use {self._root}: {error.strerror}") from error

    def path(self, key: str) -> Path:
        """Return the path of a key's file. Raises ValueError for a key that could leave the folder."""
        if not SAFE_KEY.fullmatch(key):
            raise ValueError("unsafe storage key")
        return self._root / key

    def verify(self, method: str, key: str, query: str) -> Grant:
        """Return the grant of a signed URL. Raises InvalidSignature."""
        values = {name: items[-1] for name, items in parse_qs(query).items()}
        try:
            grant = Grant(
                method,
                key,
                int(values["expires"]),
                values.get("type", ""),
                int(values.get("size", "0")),
                values.get("name", ""),
            )
            signature = values["signature"].encode()
        except (KeyError, ValueError) as error:
            raise InvalidSignature from error
        if not hmac.compare_digest(signature, self._sign(grant).encode()) or grant.expires < time.time():
            raise InvalidSignature
        return grant

    def _url(self, grant: Grant) -> str:
        self.path(grant.key)
        query = urlencode(
            {
                "expires": grant.expires,
                "type": grant.content_type,
                "size": grant.size,
                "name": grant.filename,
                "signature": self._sign(grant),
            }
        )
        return f"{URL_PREFIX}{grant.key}?{query}"

    def _sign(self, grant: Grant) -> str:
        fields = (grant.method, grant.key, grant.expires, grant.content_type, grant.size, grant.filename)
        return hmac.new(self._secret, json.dumps(fields).encode(), hashlib.sha256).hexdigest()
