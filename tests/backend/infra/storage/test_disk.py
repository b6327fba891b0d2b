"""Disk storage refuses forged links, bodies that differ from the signed upload, and keys outside its folder."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
import pytest

from backend.infra.storage import StorageError
from backend.infra.storage.disk import DiskStorage
from tests.servers import LiveServer
from tests.time_limits import scaled

KEY = "originals/abc/def"
DATA = b"0123456789"
TYPE = {"Content-Type": "image/jpeg"}


@pytest.fixture
def browser(disk_server: LiveServer) -> Iterator[httpx.Client]:
    with disk_server.client() as client:
        yield client


def upload_url(disk: DiskStorage, key: str = KEY, expires_in: int = 60) -> str:
    return disk.sign_upload(key, content_type="image/jpeg", size=len(DATA), expires_in=expires_in).url


def download_url(disk: DiskStorage, key: str = KEY, expires_in: int = 60) -> str:
    return disk.sign_download(key, filename="a b.jpg", content_type="text/x; charset=utf-8", expires_in=expires_in)


def altered(url: str, **changes: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{urlencode(dict(parse_qsl(parts.query, keep_blank_values=True)) | changes)}"


def files_of(disk: DiskStorage) -> list[Path]:
    return [path for path in disk._root.rglob("*") if path.is_file()]


CHANGES = [
    {"size": "11"},
    {"size": "10.0"},
    {"size": ""},
    {"type": "text/html"},
    {"name": "other.exe"},
    {"expires": "99999999999"},
    {"expires": "never"},
    {"expires": ""},
    {"signature": "0" * 64},
    {"signature": ""},
    {"signature": "ü"},
]


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_an_altered_upload_link_is_refused(change: dict[str, str], disk: DiskStorage, browser: httpx.Client) -> None:
    response = browser.put(altered(upload_url(disk), **change), content=DATA, headers=TYPE)
    assert response.status_code == 403
    assert response.json()["code"] == "forbidden"
    assert files_of(disk) == []


@pytest.mark.parametrize(
    "change",
    [{"type": "text/html"}, {"type": "text/x;\ncharset=utf-8"}, {"name": "a\nb.jpg"}, {"name": "a.exe"}, {"size": "1"}],
    ids=str,
)
def test_an_altered_download_link_is_refused(change: dict[str, str], disk: DiskStorage, browser: httpx.Client) -> None:
    assert browser.put(upload_url(disk), content=DATA, headers=TYPE).status_code == 200
    url = download_url(disk)
    assert browser.get(altered(url)).status_code == 200
    assert browser.get(altered(url, **change)).status_code == 403


def test_a_link_is_valid_for_one_key_only(disk: DiskStorage, browser: httpx.Client) -> None:
    url = upload_url(disk).replace(KEY, "originals/abc/other")
    assert browser.put(url, content=DATA, headers=TYPE).status_code == 403


def test_a_link_is_valid_for_one_method_only(disk: DiskStorage, browser: httpx.Client) -> None:
    assert browser.put(download_url(disk), content=DATA, headers=TYPE).status_code == 403
    assert browser.put(upload_url(disk), content=DATA, headers=TYPE).status_code == 200
    assert browser.get(upload_url(disk)).status_code == 403
    for method in ("POST", "DELETE", "PATCH"):
        assert browser.request(method, upload_url(disk), content=DATA).status_code == 405


def test_a_link_of_another_installation_is_refused(tmp_path: Path, browser: httpx.Client) -> None:
    other = DiskStorage(tmp_path, b"another-secret")
    assert browser.put(upload_url(other), content=DATA, headers=TYPE).status_code == 403


def test_a_link_expires(disk: DiskStorage, browser: httpx.Client) -> None:
    assert browser.put(upload_url(disk, expires_in=-1), content=DATA, headers=TYPE).status_code == 403
    assert browser.get(download_url(disk, expires_in=-1)).status_code == 403


@pytest.mark.parametrize(
    "key", ["../secret", "a/../../secret", "/etc/passwd", "a//b", "a/./b", "a\x00b", ".hidden", ""]
)
@pytest.mark.parametrize("encoded", [False, True])
def test_no_key_leads_out_of_the_folder(key: str, encoded: bool, disk: DiskStorage, browser: httpx.Client) -> None:
    (disk._root.parent / "secret").write_text("c4n4ry")
    path = "".join(f"%{ord(letter):02x}" for letter in key) if encoded else key.replace("\x00", "%00")
    for query in (urlsplit(upload_url(disk)).query, urlsplit(download_url(disk)).query):
        response = browser.get(f"/storage/{path}?{query}")
        assert response.status_code in (403, 404)
        assert "c4n4ry" not in response.text
        assert browser.put(f"/storage/{path}?{query}", content=DATA, headers=TYPE).status_code in (403, 404, 405)
    for use in (disk.path, disk.find_size, lambda key: upload_url(disk, key), lambda key: download_url(disk, key)):
        with pytest.raises(ValueError, match="unsafe storage key"):
            use(key)


@pytest.mark.parametrize("body", [b"", DATA[:-1], DATA + b"x", DATA * 100_000], ids=len)
@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_of_another_length_is_refused_and_leaves_no_file(
    body: bytes, chunked: bool, disk: DiskStorage, browser: httpx.Client
) -> None:
    content = iter([body]) if chunked else body
    response = browser.put(upload_url(disk), content=content, headers=TYPE)
    assert response.status_code == 422
    assert response.json()["code"] == "upload_refused"
    assert files_of(disk) == []


@pytest.mark.parametrize("headers", [{}, {"Content-Type": "text/html"}, {"Content-Type": "image/jpeg; x=y"}])
def test_another_content_type_is_refused(headers: dict[str, str], disk: DiskStorage, browser: httpx.Client) -> None:
    response = browser.put(upload_url(disk), content=DATA, headers=headers)
    assert response.status_code == 422
    assert files_of(disk) == []


def test_a_refused_body_keeps_the_existing_file(disk: DiskStorage, browser: httpx.Client) -> None:
    assert browser.put(upload_url(disk), content=DATA, headers=TYPE).status_code == 200
    assert browser.put(upload_url(disk), content=DATA[:-1], headers=TYPE).status_code == 422
    assert [path.read_bytes() for path in files_of(disk)] == [DATA]


def test_an_interrupted_upload_leaves_no_file(
    disk: DiskStorage, disk_server: LiveServer, capsys: pytest.CaptureFixture[str]
) -> None:
    host, _, port = disk_server.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port))) as connection:
        head = (
            f"PUT {upload_url(disk)} HTTP/1.1\r\nHost: {host}\r\nContent-Type: image/jpeg\r\nContent-Length: 10\r\n\r\n"
        )
        connection.sendall(head.encode() + DATA[:5])
        deadline = time.monotonic() + scaled(5)
        while not list(disk._root.rglob("*.part")):
            assert time.monotonic() < deadline, "the upload did not start"
            time.sleep(0.01)
    while files_of(disk):
        assert time.monotonic() < deadline, files_of(disk)
        time.sleep(0.01)
    time.sleep(0.05)
    assert "unhandled_error" not in capsys.readouterr().out


def test_a_disk_error_is_a_storage_error_and_leaves_no_partial_file(disk: DiskStorage, tmp_path: Path) -> None:
    blocker = disk._root / "originals"
    blocker.parent.mkdir(parents=True, exist_ok=True)
    blocker.write_text("a file instead of a folder")
    (tmp_path / "source").write_bytes(DATA)
    with pytest.raises(StorageError, match="can't write"):
        disk.upload(tmp_path / "source", KEY, content_type="image/jpeg")
    with pytest.raises(StorageError, match="can't write"):
        disk.upload(tmp_path / "absent", "results/x", content_type="image/jpeg")
    with pytest.raises(StorageError, match="can't read"):
        disk.download(KEY, tmp_path / "copy")
    assert files_of(disk) == [blocker]
    assert disk.find_size(KEY) is None


def test_a_folder_that_can_not_be_created_fails_the_check(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="can't use"):
        DiskStorage(tmp_path / "file" / "storage", b"secret").check()
