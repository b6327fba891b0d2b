"""Behaviour of all storages, tested on disk and on S3 through the URLs that browsers use."""

from pathlib import Path
from urllib.parse import unquote, urlsplit
from uuid import uuid4

import httpx
import pytest

from backend.infra.storage import ObjectMissing, Storage

DATA = b"\x00\xff\r\n photo" * 1000
FILENAMES = [
    "photo.jpg",
    "Größe 10×15 – 写真.jpg",
    'quote".jpg; filename=evil.exe',
    "line\r\nSet-Cookie: evil=1\r\n\r\n<script>",
    "../../etc/passwd",
    "100%25 & more?.jpg#x",
    "🙈.png",
]


@pytest.fixture
def key() -> str:
    return f"originals/{uuid4().hex}/{uuid4().hex}"


def put(browser: httpx.Client, storage: Storage, key: str, data: bytes = DATA) -> httpx.Response:
    signed = storage.sign_upload(key, content_type="image/jpeg", size=len(data), expires_in=60)
    return browser.request(signed.method, signed.url, content=data, headers=signed.headers)


def get(browser: httpx.Client, storage: Storage, key: str, filename: str = "photo.jpg") -> httpx.Response:
    return browser.get(storage.sign_download(key, filename=filename, content_type="image/webp", expires_in=60))


def test_a_download_returns_the_uploaded_file(
    any_storage: Storage, browser: httpx.Client, key: str, tmp_path: Path
) -> None:
    assert any_storage.find_size(key) is None
    assert put(browser, any_storage, key).status_code == 200
    assert any_storage.find_size(key) == len(DATA)
    any_storage.download(key, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == DATA
    response = get(browser, any_storage, key)
    assert response.status_code == 200
    assert response.content == DATA
    assert response.headers["content-type"] == "image/webp"
    assert response.headers["content-length"] == str(len(DATA))


def test_a_result_of_the_worker_can_be_downloaded(
    any_storage: Storage, browser: httpx.Client, key: str, tmp_path: Path
) -> None:
    (tmp_path / "result.webp").write_bytes(DATA)
    any_storage.upload(tmp_path / "result.webp", key, content_type="image/webp")
    assert any_storage.find_size(key) == len(DATA)
    assert get(browser, any_storage, key).content == DATA


def test_a_second_upload_replaces_the_first(
    any_storage: Storage, browser: httpx.Client, key: str, tmp_path: Path
) -> None:
    assert put(browser, any_storage, key).status_code == 200
    (tmp_path / "new").write_bytes(b"new")
    any_storage.upload(tmp_path / "new", key, content_type="image/webp")
    assert get(browser, any_storage, key).content == b"new"


@pytest.mark.parametrize("filename", FILENAMES)
def test_a_download_is_an_attachment_with_its_file_name(
    any_storage: Storage, browser: httpx.Client, key: str, filename: str
) -> None:
    put(browser, any_storage, key, b"x")
    response = get(browser, any_storage, key, filename)
    disposition = response.headers["content-disposition"]
    kind, _, encoded = disposition.partition("; filename*=UTF-8''")
    assert kind == "attachment"
    assert unquote(encoded) == filename
    assert not set(encoded) & set("\"'();/ \r\n")
    assert "set-cookie" not in response.headers
    assert response.content == b"x"


def test_a_missing_object_raises_object_missing(
    any_storage: Storage, browser: httpx.Client, key: str, tmp_path: Path
) -> None:
    with pytest.raises(ObjectMissing):
        any_storage.download(key, tmp_path / "copy")
    assert any_storage.find_size(key) is None
    assert any_storage.find_size(f"{key}/below") is None
    # S3 returns 403 to clients without permission to list the bucket.
    assert get(browser, any_storage, key).status_code in (403, 404)


def test_delete_prefix_deletes_all_keys_with_the_prefix_only(any_storage: Storage, tmp_path: Path) -> None:
    top = uuid4().hex
    (tmp_path / "file").write_bytes(b"x")
    keys = [f"{top}/deleted/1/web.webp", f"{top}/deleted/2/web.webp", f"{top}/deleted/2/large.webp"]
    for one in [*keys, f"{top}/kept/1/web.webp"]:
        any_storage.upload(tmp_path / "file", one, content_type="image/webp")
    any_storage.delete_prefix(f"{top}/deleted/")
    assert [any_storage.find_size(one) for one in keys] == [None, None, None]
    assert any_storage.find_size(f"{top}/kept/1/web.webp") == 1
    any_storage.delete_prefix(f"{top}/deleted/")
    any_storage.delete_prefix(f"{top}/kept/1/web.webp")
    assert any_storage.find_size(f"{top}/kept/1/web.webp") is None


def test_a_download_of_a_missing_object_leaves_no_partial_file(any_storage: Storage, key: str, tmp_path: Path) -> None:
    with pytest.raises(ObjectMissing):
        any_storage.download(key, tmp_path / "copy")
    assert list(tmp_path.glob("copy*")) == []


def test_the_check_passes(any_storage: Storage) -> None:
    any_storage.check()


def test_the_addressing_style_sets_the_position_of_the_bucket(s3: Storage, virtual_s3: Storage, key: str) -> None:
    in_path = urlsplit(s3.sign_upload(key, content_type="image/png", size=1, expires_in=60).url)
    in_host = urlsplit(virtual_s3.sign_upload(key, content_type="image/png", size=1, expires_in=60).url)
    assert in_path.hostname == "127.0.0.1"
    assert in_path.path == f"/photos/{key}"
    assert in_host.hostname == "photos.localhost"
    assert in_host.path == f"/{key}"
