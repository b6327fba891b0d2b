"""Requests to S3, and the handling of its errors."""

import time
import traceback
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from moto.core.base_backend import BackendDict
from moto.s3.models import s3_backends

from backend.infra.storage import Storage, StorageError
from backend.infra.storage import s3 as s3_storage
from backend.infra.storage.create import create_storage, storage_origins
from backend.infra.storage.s3 import S3Storage
from backend.settings import load_settings
from scripts.valkey import free_port
from tests.backend.conftest import BUCKET, S3_SECRET, s3_settings
from tests.backend.infra.proxy import Proxy
from tests.backend.infra.recorder import Recorder, Response
from tests.time_limits import scaled

ACCOUNT = "123456789012"
ERROR = "<Error><Code>{}</Code><Message>secret words</Message></Error>"
NOT_DELETED = (
    '<DeleteResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
    "<Error><Key>a</Key><Code>AccessDenied</Code></Error></DeleteResult>"
)
LISTED = "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>a</Key></Contents></ListBucketResult>"


def storage_at(port: int) -> Storage:
    return create_storage(s3_settings(port))


def test_an_upload_link_signs_length_type_and_host(s3: S3Storage) -> None:
    signed = s3.sign_upload("originals/a", content_type="image/jpeg", size=1234, expires_in=90)
    query = parse_qs(urlsplit(signed.url).query)
    assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert query["X-Amz-SignedHeaders"] == ["content-length;content-type;host"]
    assert query["X-Amz-Expires"] == ["90"]
    assert query["X-Amz-Credential"][0].startswith("AKIAKEY/")
    assert signed.method == "PUT"
    assert signed.headers == {"Content-Type": "image/jpeg"}
    assert S3_SECRET not in signed.url


def test_a_download_link_expires(s3: S3Storage) -> None:
    url = s3.sign_download("results/a", filename="a.webp", content_type="image/webp", expires_in=300)
    query = parse_qs(urlsplit(url).query)
    assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert query["X-Amz-Expires"] == ["300"]
    assert query["response-content-type"] == ["image/webp"]


def test_signing_sends_no_requests() -> None:
    storage = storage_at(free_port())
    assert storage.sign_upload("a", content_type="image/png", size=1, expires_in=60).url
    assert storage.sign_download("a", filename="a", content_type="image/png", expires_in=60)


def test_a_file_is_sent_unchanged(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"plain")
    with Recorder(Response(headers={"ETag": '"x"'})) as bucket:
        storage_at(bucket.port).upload(tmp_path / "file", "results/a.webp", content_type="image/webp")
    (request,) = bucket.requests
    names = {name.lower() for name in request.headers}
    assert request.method == "PUT"
    assert request.path == f"/{BUCKET}/results/a.webp"
    assert request.body == b"plain"
    assert request.headers["content-type"] == "image/webp"
    assert not [name for name in names if "checksum" in name or "trailer" in name or "transfer-encoding" in name]
    assert request.headers["content-encoding"] is None
    assert request.headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIAKEY/")


def test_more_keys_than_a_page_holds_are_all_deleted(s3: S3Storage) -> None:
    assert isinstance(s3_backends, BackendDict)
    backend = s3_backends[ACCOUNT]["aws"]
    for number in range(1001):
        backend.put_object(BUCKET, f"many/{number:04}", b"x")
    backend.put_object(BUCKET, "more", b"x")
    s3.delete_prefix("many/")
    assert [key for key in backend.buckets[BUCKET].keys if key.startswith("m")] == ["more"]


def test_an_object_that_was_not_deleted_is_an_error() -> None:
    responses = Response(body=LISTED.encode()), Response(body=NOT_DELETED.encode())
    with Recorder(*responses) as bucket, pytest.raises(StorageError, match="did not delete 1 of 1 objects"):
        storage_at(bucket.port).delete_prefix("a")
    assert [request.method for request in bucket.requests] == ["GET", "POST"]


def test_a_bucket_that_does_not_exist_fails_the_check(moto_port: int, tmp_path: Path) -> None:
    storage = create_storage(s3_settings(moto_port, S3_BUCKET="no-such-bucket"))
    with pytest.raises(StorageError, match="the bucket in S3_BUCKET does not exist"):
        storage.check()
    (tmp_path / "file").write_bytes(b"x")
    with pytest.raises(StorageError):
        storage.upload(tmp_path / "file", "a", content_type="image/png")
    with pytest.raises(StorageError):
        storage.delete_prefix("a")


def assert_every_call_is_a_storage_error(storage: Storage, folder: Path) -> list[StorageError]:
    (folder / "file").write_bytes(b"x")
    calls = [
        storage.check,
        lambda: storage.find_size("originals/a"),
        lambda: storage.download("originals/a", folder / "copy"),
        lambda: storage.upload(folder / "file", "results/a", content_type="image/png"),
        lambda: storage.delete_prefix("results/"),
    ]
    errors = []
    for call in calls:
        with pytest.raises(StorageError) as caught:
            call()
        errors.append(caught.value)
    assert [path.name for path in folder.iterdir()] == ["file"], "a partial copy is left"
    return errors


@pytest.mark.parametrize("code", ["InternalError", "AccessDenied"])
def test_an_error_of_the_storage_is_reported_by_its_code_only(code: str, tmp_path: Path) -> None:
    status = {"InternalError": 500, "AccessDenied": 403}[code]
    started = time.monotonic()
    with Recorder(Response(status, ERROR.format(code).encode())) as bucket:
        errors = assert_every_call_is_a_storage_error(storage_at(bucket.port), tmp_path)
    for error in errors:
        assert_contains_no_secrets(error)
    assert f"the storage returned {code}" in map(str, errors)
    assert time.monotonic() - started < scaled(30)


def test_an_unavailable_storage_is_an_error_within_seconds(tmp_path: Path) -> None:
    started = time.monotonic()
    for error in assert_every_call_is_a_storage_error(storage_at(free_port()), tmp_path):
        assert_contains_no_secrets(error)
    assert time.monotonic() - started < scaled(30)


def test_a_hanging_storage_is_an_error_at_the_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3_storage, "READ_TIMEOUT_SECONDS", 0.1)
    with Proxy(None) as blackhole:
        started = time.monotonic()
        with pytest.raises(StorageError, match="ReadTimeoutError"):
            storage_at(blackhole.port).find_size("a")
    assert time.monotonic() - started < scaled(10)


def assert_contains_no_secrets(error: StorageError) -> None:
    everything = "".join(traceback.format_exception(error))
    assert S3_SECRET not in everything
    assert "X-Amz-Signature" not in everything
    assert "http" not in str(error)
    assert "secret words" not in str(error)


def test_storage_origins_contain_both_host_names_of_the_bucket() -> None:
    assert storage_origins(s3_settings(9000)) == ["http://photos.127.0.0.1:9000", "http://127.0.0.1:9000"]
    amazon = load_settings(S3_BUCKET="photos", S3_REGION="eu-central-1")
    assert "https://photos.s3.eu-central-1.amazonaws.com" in storage_origins(amazon)
    assert storage_origins(load_settings()) == []
