"""Open an untrusted photo: allow few formats, and check its header before decoding any pixel."""

from dataclasses import dataclass
from pathlib import Path

import pyvips

from worker.pipeline.model import BadInput

MAX_PIXELS = 100_000_000
MAX_SIDE = 30_000
# Some decoders keep the whole picture in memory; a small file must not use up the worker's memory.
MAX_HELD_BYTES = 310_000_000

NOT_AN_IMAGE = (
    "not_an_image",
    "This file is not a photo in one of the formats JPEG, PNG, WebP, AVIF, TIFF and GIF.",
)
HEIC = (
    "not_an_image",
    "HEIC photos are not supported. Export the photo as JPEG. "
    "On an iPhone, choose Settings, Camera, Formats, Most Compatible.",
)
TOO_MANY_PIXELS = (
    "too_many_pixels",
    "This photo has too many pixels. Make it smaller and try again.",
)
TRUNCATED = ("truncated", "This photo is damaged or incomplete. Please upload it again.")

HEADER_ERRORS = {
    "not in a known format": NOT_AN_IMAGE,
    "samples out of range": NOT_AN_IMAGE,
    "width/height out of range": TOO_MANY_PIXELS,
    "image dimension": TOO_MANY_PIXELS,
}
HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx")
TIFF_STARTS = (b"II*\0", b"MM\0*")
# Not "warning": libjpeg warns about harmless errors in photos from cameras that every viewer shows.
FAIL_ON = "error"
FIRST_SIDEWAYS_ORIENTATION = 5
BYTES_PER_SAMPLE = {"uchar": 1, "char": 1, "ushort": 2, "short": 2}

# An allowlist: the libvips of the wheel also reads SVG, CSV and raw data, and a later version may read more.
pyvips.operation_block_set("VipsForeignLoad", True)
for _loader in ("Jpeg", "Png", "Webp", "Heif", "Tiff", "Nsgif"):
    pyvips.operation_block_set(f"VipsForeignLoad{_loader}", False)
# No operation runs twice: the cache would only keep finished photos in memory.
pyvips.cache_set_max(0)


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo whose header was accepted. `width` and `height` are in pixels, after orientation."""

    path: Path
    header: pyvips.Image
    width: int
    height: int


def open_photo(path: Path) -> Photo:
    """Read and check the header of `path` without decoding pixels.

    Raises BadInput when it is not a photo or too large, OSError when the file can't be read.
    """
    with path.open("rb") as file:
        start = file.read(12)
    if start[4:8] == b"ftyp" and start[8:12] in HEIC_BRANDS:
        raise BadInput(*HEIC)
    try:
        header = load(path)
    except pyvips.Error as error:
        # A TIFF's directory may be at its end, so libvips does not recognise a truncated TIFF.
        reason = TRUNCATED if start.startswith(TIFF_STARTS) else _header_error(error)
        raise BadInput(*reason) from error
    _check_size(header)
    width, height = header.width, header.height
    if header.get_typeof("orientation") and header.get("orientation") >= FIRST_SIDEWAYS_ORIENTATION:
        width, height = height, width
    return Photo(path, header, width, height)


def load(path: Path) -> pyvips.Image:
    """Return the picture in `path`. Its pixels are read later, from top to bottom and only once."""
    return pyvips.Image.new_from_source(byte_source(path), "", access="sequential", fail_on=FAIL_ON)


def byte_source(path: Path) -> pyvips.Source:
    """Return `path` as a source: libvips would read options from a file name such as `photo[page=2].tif`."""
    return pyvips.Source.new_from_file(str(path))


def colour_channels(image: pyvips.Image) -> int:
    """Return the number of colour bands; the other bands are alpha or unknown."""
    return {"b-w": 1, "grey16": 1, "cmyk": 4}.get(image.interpretation, 3)


def _header_error(error: pyvips.Error) -> tuple[str, str]:
    return next((reason for phrase, reason in HEADER_ERRORS.items() if phrase in str(error)), TRUNCATED)


def _check_size(header: pyvips.Image) -> None:
    pixels = header.width * header.height
    held = pixels * _held_bytes_per_pixel(header)
    if pixels > MAX_PIXELS or max(header.width, header.height) > MAX_SIDE or held > MAX_HELD_BYTES:
        raise BadInput(*TOO_MANY_PIXELS)


def _held_bytes_per_pixel(header: pyvips.Image) -> int:
    """Return the decoder's memory per pixel, as measured; 0 when it streams."""
    decoded: int = header.bands * BYTES_PER_SAMPLE.get(header.format, 4)
    match header.get("vips-loader").removesuffix("load_source"):
        case "jpeg" if header.get("jpeg-multiscan"):
            halved_colours = header.get("jpeg-chroma-subsample") == "4:2:0"
            held = 3 if halved_colours else 2 * decoded
        case "jpeg":
            held = 0
        case "png":
            held = decoded if header.get_typeof("interlaced") else 0
        case "tiff":
            held = decoded  # a strip may be as tall as the picture
        case "heif":
            held = 5 * decoded
        case "webp":
            held = 5
        case _:
            held = 8
    return held
