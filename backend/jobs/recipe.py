"""The recipe: the user's options for the pipeline, and the file types that the pipeline reads.

Replace this file together with `worker/pipeline/` and `frontend/src/features/jobs/recipe/`. No other code depends on
what the pipeline does.
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field

from backend.text import strip_unprintable


def _clean(text: str | None) -> str | None:
    return strip_unprintable(text) or None if text else None


class Recipe(BaseModel):
    """The options for one photo. Every field has a default, so `{}` is valid."""

    preset: Literal["web", "social", "print"] = "web"
    enhance: bool = False
    watermark: Annotated[str | None, Field(max_length=80), AfterValidator(_clean)] = None


class FileType(BaseModel):
    """A file type that the pipeline reads; `extensions` are for systems that don't know the content type."""

    content_type: str
    name: str
    extensions: list[str]


FILE_TYPES = [
    FileType(content_type="image/jpeg", name="JPEG", extensions=[".jpg", ".jpeg"]),
    FileType(content_type="image/png", name="PNG", extensions=[".png"]),
    FileType(content_type="image/webp", name="WebP", extensions=[".webp"]),
    FileType(content_type="image/avif", name="AVIF", extensions=[".avif"]),
    FileType(content_type="image/tiff", name="TIFF", extensions=[".tif", ".tiff"]),
    FileType(content_type="image/gif", name="GIF", extensions=[".gif"]),
]
