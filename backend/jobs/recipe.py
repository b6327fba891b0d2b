"""What a user asks of the pipeline, and the files it reads.

Replace this file together with `worker/pipeline/` and `frontend/src/features/jobs/recipe/`; nothing else knows
what the pipeline does.
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field

from backend.text import strip_unprintable


def _clean(text: str | None) -> str | None:
    return strip_unprintable(text) or None if text else None


class Recipe(BaseModel):
    """What to make of a photo. Every field has a default, so `{}` is a recipe too."""

    preset: Literal["web", "social", "print"] = "web"
    enhance: bool = False
    watermark: Annotated[str | None, Field(max_length=80), AfterValidator(_clean)] = None


class FileType(BaseModel):
    """A type of file the pipeline reads; `extensions` are for systems that don't know the type."""

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
