"""Write one picture as WebP, AVIF or JPEG, without metadata except its ICC profile."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyvips

from worker.pipeline.model import Result

# JFIF's header segment with 300 dpi: libvips writes a density only as EXIF, and results contain no EXIF.
JFIF_300_DPI = b"\xff\xe0\x00\x10JFIF\x00\x01\x01\x01\x01\x2c\x01\x2c\x00\x00"
START_OF_IMAGE = 2


@dataclass(frozen=True, slots=True)
class Encoder:
    name: str
    content_type: str
    encode: Callable[[pyvips.Image], bytes]


def write(picture: pyvips.Image, path: Path, label: str | None = None) -> Result:
    """Write `picture` to `path` in the format of its suffix. The default label is the format's name.

    Raises OSError when the file can't be written.
    """
    encoder = ENCODERS[path.suffix]
    # Python writes the file, so that a full disk is an OSError and not reported as a bad photo.
    path.write_bytes(encoder.encode(picture))
    facts = {"width": picture.width, "height": picture.height}
    return Result(path.name, path, label or encoder.name, encoder.content_type, facts)


def _webp(picture: pyvips.Image) -> bytes:
    return bytes(picture.webpsave_buffer(Q=80, effort=2, keep="icc"))


def _avif(picture: pyvips.Image) -> bytes:
    return bytes(picture.heifsave_buffer(compression="av1", Q=55, effort=1, keep="icc"))


def _jpeg(picture: pyvips.Image) -> bytes:
    content = bytes(picture.jpegsave_buffer(Q=90, optimize_coding=True, keep="icc"))
    return content[:START_OF_IMAGE] + JFIF_300_DPI + content[START_OF_IMAGE:]


ENCODERS = {
    ".webp": Encoder("WebP", "image/webp", _webp),
    ".avif": Encoder("AVIF", "image/avif", _avif),
    ".jpg": Encoder("JPEG", "image/jpeg", _jpeg),
}
