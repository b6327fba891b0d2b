"""The presets: decoded size, colours, and result files of each.

web     `web-1600.webp`, `web-800.webp`, `web-320.webp` and `web-1600.avif`, in sRGB. File names contain the preset's
        width. A narrower photo is not enlarged, and a width that would repeat the photo is skipped.
        A photo more than twice as tall as wide is limited by its height instead: 3200, 1600, 640.
social  exactly 1080x1080, 1200x630 and 1080x1920, cropped around the subject, enlarged if needed, in sRGB.
print   at most 3600 pixels on the long side, 300 dpi, RGB or grey in the photo's profile; CMYK becomes sRGB.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import pyvips

from worker.pipeline.decode import on_white, to_srgb
from worker.pipeline.model import Preset, Size

WEB_WIDTHS = (1600, 800, 320)
# The AVIF encoder needs 33 bytes per pixel, more with alpha: taller pictures would exceed 300 MB.
TALLEST = 2
SOCIAL_SIZES = {"Square": Size(1080, 1080), "Link": Size(1200, 630), "Story": Size(1080, 1920)}
SOCIAL_MAX_PIXELS = 16_000_000
PRINT_SIDE = 3600


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture to retouch, and the names of the files to write; each suffix selects a format."""

    names: tuple[str, ...]
    image: pyvips.Image
    label: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """One preset: the box to decode a photo into, the colour conversion, and the pictures created from it."""

    box: Callable[[Size], Size]
    colours: Callable[[pyvips.Image], pyvips.Image]
    pictures: Callable[[pyvips.Image], list[Picture]]


def _web_box(_photo: Size) -> Size:
    return _tall_box(WEB_WIDTHS[0])


def _web_pictures(base: pyvips.Image) -> list[Picture]:
    largest, *smaller = WEB_WIDTHS
    pictures = []
    for width in smaller:
        box = _tall_box(width)
        if base.width > box.width or base.height > box.height:
            image = base.thumbnail_image(box.width, height=box.height)
            pictures.append(Picture((f"web-{width}.webp",), image))
    return [Picture((f"web-{largest}.webp", f"web-{largest}.avif"), base), *pictures]


def _tall_box(width: int) -> Size:
    return Size(width, width * TALLEST)


def _social_box(photo: Size) -> Size:
    """Return the smallest size that every crop fits into; a panorama is limited to SOCIAL_MAX_PIXELS."""
    cover = max(max(size.width / photo.width, size.height / photo.height) for size in SOCIAL_SIZES.values())
    scale = min(1, cover, math.sqrt(SOCIAL_MAX_PIXELS / (photo.width * photo.height)))
    return Size(math.ceil(photo.width * scale), math.ceil(photo.height * scale))


def _social_colours(image: pyvips.Image) -> pyvips.Image:
    return to_srgb(on_white(image))


def _social_pictures(base: pyvips.Image) -> list[Picture]:
    return [
        Picture((f"social-{size.width}x{size.height}.jpg",), _cut(base, size), label)
        for label, size in SOCIAL_SIZES.items()
    ]


def _cut(base: pyvips.Image, size: Size) -> pyvips.Image:
    # Crop before resizing: a thin strip enlarged first could need gigabytes.
    scale = min(base.width / size.width, base.height / size.height)
    width = max(1, round(size.width * scale))
    height = max(1, round(size.height * scale))
    subject = base.smartcrop(width, height, interesting="attention")
    return subject.thumbnail_image(size.width, height=size.height, size="force")


def _print_box(_photo: Size) -> Size:
    return Size(PRINT_SIDE, PRINT_SIDE)


def _print_pictures(base: pyvips.Image) -> list[Picture]:
    return [Picture(("print-300dpi.jpg",), base)]


PLANS: dict[Preset, Plan] = {
    "web": Plan(_web_box, to_srgb, _web_pictures),
    "social": Plan(_social_box, _social_colours, _social_pictures),
    "print": Plan(_print_box, on_white, _print_pictures),
}
