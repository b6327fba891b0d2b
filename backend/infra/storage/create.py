"""Creates the storage selected by the settings."""

from urllib.parse import urlsplit

from backend.infra.storage import Storage
from backend.settings import Settings


def create_storage(settings: Settings) -> Storage:
    """Return storage in S3_BUCKET, or in a folder if S3_BUCKET is empty."""
    if settings.S3_BUCKET:
        from backend.infra.storage.s3 import S3Storage

        return S3Storage(settings)
    from backend.infra.storage.disk import DiskStorage

    return DiskStorage(settings.DATA_DIR / "storage", settings.JWT_SECRET.get_secret_value().encode())


def storage_origins(settings: Settings) -> list[str]:
    """Return the origins that pages upload to and download from, for the Content-Security-Policy."""
    if not settings.S3_BUCKET:
        return []
    endpoint = settings.S3_ENDPOINT_URL or f"https://s3.{settings.S3_REGION}.amazonaws.com"
    parts = urlsplit(endpoint)
    hosts = (f"{settings.S3_BUCKET}.{parts.netloc}", parts.netloc)
    amazon = () if settings.S3_ENDPOINT_URL else (f"{settings.S3_BUCKET}.s3.amazonaws.com",)
    return [f"{parts.scheme}://{host}" for host in (*hosts, *amazon)]
