"""What every storage promises, tried on files on disk and on S3, through the URLs a browser would use."""

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


def test_what_a_browser_sends_is_what_it_gets(
    any_storage: Storage, browser: httpx.Client, key: str, tmp_path: Path
) -> None:
    assert any_storage.find_size(key) is None
    assert put(browser, any_storage, key).status_code == 200
    assert any_storage.find_size(key) == len(DATA)
    any_storage.download(key, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == DATA
    answer = get(browser, any_storage, key)
    assert answer.status_code == 200
    assert answer.content == DATA
    assert answer.headers["content-type"] == "image/webp"
    assert answer.headers["content-length"] == str(len(DATA))


def test_what_the_worker_stores_can_be_downloaded(
    any_storage: Storage, browser: httpx.Client, key: str, tmp_path: Path
) -> None:
    (tmp_path / "result.webp").write_bytes(DATA)
    any_storage.upload(tmp_path / "result.webp", key, content_type="image/webp")
    assert any_storage.find_size(key) == len(DATA)
    assert get(browser, any_storage, key).content == DATA


def test_a_second_file_takes_the_place_of_the_first(
    any_storage: Storage, browser: httpx.Client, key: str, tmp_path: Path
) -> None:
    assert put(browser, any_storage, key).status_code == 200
    (tmp_path / "new").write_bytes(b"new")
    any_storage.upload(tmp_path / "new", key, content_type="image/webp")
    assert get(browser, any_storage, key).content == b"new"


@pytest.mark.parametrize("filename", FILENAMES)
def test_a_download_is_an_attachment_of_exactly_this_name(
    any_storage: Storage, browser: httpx.Client, key: str, filename: str
) -> None:
    put(browser, any_storage, key, b"x")
    answer = get(browser, any_storage, key, filename)
    disposition = answer.headers["content-disposition"]
    kind, _, encoded = disposition.partition("; filename*=UTF-8''")
    assert kind == "attachment"
    assert unquote(encoded) == filename
    assert not set(encoded) & set("\"'();/ \r\n")
    assert "set-cookie" not in answer.headers
    assert answer.content == b"x"


def test_a_missing_object_is_told_as_missing(
    any_storage: Storage, browser: httpx.Client, key: str, tmp_path: Path
) -> None:
    with pytest.raises(ObjectMissing):
        any_storage.download(key, tmp_path / "copy")
    assert any_storage.find_size(key) is None
    assert any_storage.find_size(f"{key}/below") is None
    # S3 says 403 to whoever may not list the bucket.
    assert get(browser, any_storage, key).status_code in (403, 404)


def test_a_prefix_is_deleted_with_all_below_it_and_nothing_else(any_storage: Storage, tmp_path: Path) -> None:
    top = uuid4().hex
    (tmp_path / "file").write_bytes(b"x")
    keys = [f"{top}/gone/1/web.webp", f"{top}/gone/2/web.webp", f"{top}/gone/2/large.webp"]
    for one in [*keys, f"{top}/kept/1/web.webp"]:
        any_storage.upload(tmp_path / "file", one, content_type="image/webp")
    any_storage.delete_prefix(f"{top}/gone/")
    assert [any_storage.find_size(one) for one in keys] == [None, None, None]
    assert any_storage.find_size(f"{top}/kept/1/web.webp") == 1
    any_storage.delete_prefix(f"{top}/gone/")
    any_storage.delete_prefix(f"{top}/kept/1/web.webp")
    assert any_storage.find_size(f"{top}/kept/1/web.webp") is None


def test_a_download_over_an_absent_file_leaves_no_half_copy(any_storage: Storage, key: str, tmp_path: Path) -> None:
    with pytest.raises(ObjectMissing):
        any_storage.download(key, tmp_path / "copy")
    assert list(tmp_path.glob("copy*")) == []


def test_the_check_passes(any_storage: Storage) -> None:
    any_storage.check()


def test_the_bucket_stands_where_the_style_says(s3: Storage, virtual_s3: Storage, key: str) -> None:
    in_path = urlsplit(s3.sign_upload(key, content_type="image/png", size=1, expires_in=60).url)
    in_host = urlsplit(virtual_s3.sign_upload(key, content_type="image/png", size=1, expires_in=60).url)
    assert (in_path.hostname, in_path.path) == ("127.0.0.1", f"/photos/{key}")
    assert (in_host.hostname, in_host.path) == ("photos.localhost", f"/{key}")
