"""Storage in an S3 bucket: Amazon S3, DigitalOcean Spaces, Tigris, MinIO and compatible services."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from backend.infra.storage import ObjectMissing, SignedUpload, StorageError
from backend.settings import Settings

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_s3.type_defs import ObjectIdentifierTypeDef

CONNECT_TIMEOUT_SECONDS = 3
READ_TIMEOUT_SECONDS = 20
MAX_ATTEMPTS = 3


class S3Storage:
    """Stores objects in S3_BUCKET. Signs requests with Signature Version 4."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._bucket = settings.S3_BUCKET

    @cached_property
    def _client(self) -> "S3Client":
        # Importing boto3 and creating a client takes 150 ms, and most web requests need neither.
        import boto3
        from botocore.config import Config

        settings = self._settings
        return boto3.client(
            "s3",
            endpoint_url=settings.S3_ENDPOINT_URL or None,
            region_name=settings.S3_REGION,
            aws_access_key_id=settings.S3_ACCESS_KEY_ID or None,
            aws_secret_access_key=settings.S3_SECRET_ACCESS_KEY.get_secret_value() or None,
            config=Config(
                signature_version="s3v4",
                s3={"addressing_style": settings.S3_ADDRESSING_STYLE},
                # Services other than Amazon S3 reject the checksum trailers that boto3 sends by default since 1.36.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
                connect_timeout=CONNECT_TIMEOUT_SECONDS,
                read_timeout=READ_TIMEOUT_SECONDS,
                retries={"total_max_attempts": MAX_ATTEMPTS, "mode": "standard"},
            ),
        )

    def sign_upload(self, key: str, *, content_type: str, size: int, expires_in: int) -> SignedUpload:
        """Return a PUT request whose signature covers the length and the type."""
        url = self._client.generate_presigned_url(
            "put_object",
            Params={"Bucket": self._bucket, "Key": key, "ContentType": content_type, "ContentLength": size},
            ExpiresIn=expires_in,
        )
        return SignedUpload("PUT", url, {"Content-Type": content_type})

    def sign_download(self, key: str, *, filename: str, content_type: str, expires_in: int) -> str:
        return self._client.generate_presigned_url(
            "get_object",
            Params={
                "Bucket": self._bucket,
                "Key": key,
                "ResponseContentDisposition": f"attachment; filename*=UTF-8''{quote(filename, safe='')}",
                "ResponseContentType": content_type,
            },
            ExpiresIn=expires_in,
        )

    def find_size(self, key: str) -> int | None:
        try:
            with _translate_errors():
                return self._client.head_object(Bucket=self._bucket, Key=key)["ContentLength"]
        except ObjectMissing:
            return None

    def download(self, key: str, path: Path) -> None:
        with _translate_errors():
            self._client.download_file(self._bucket, key, str(path))

    def upload(self, path: Path, key: str, *, content_type: str) -> None:
        with _translate_errors():
            self._client.upload_file(str(path), self._bucket, key, ExtraArgs={"ContentType": content_type})

    def delete_prefix(self, prefix: str) -> None:
        """Delete page by page, because one request can delete at most 1000 keys."""
        with _translate_errors():
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
            for page in pages:
                keys: list[ObjectIdentifierTypeDef] = [{"Key": item["Key"]} for item in page.get("Contents", [])]
                if not keys:
                    continue
                response = self._client.delete_objects(Bucket=self._bucket, Delete={"Objects": keys, "Quiet": True})
                if response.get("Errors"):
                    raise StorageError(f"the storage did not delete {len(response['Errors'])} of {len(keys)} objects")

    def check(self) -> None:
        try:
            with _translate_errors():
                self._client.head_bucket(Bucket=self._bucket)
        except ObjectMissing as error:
            raise StorageError("the bucket in S3_BUCKET does not exist") from error


@contextmanager
def _translate_errors() -> Iterator[None]:
    """Turn boto3's errors into StorageError or ObjectMissing, without the URLs they contain."""
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        if code in ("404", "NoSuchKey"):
            raise ObjectMissing(code) from error
        raise StorageError(f"the storage returned {code}") from error
    except (BotoCoreError, Boto3Error) as error:
        raise StorageError(type(error).__name__) from error
