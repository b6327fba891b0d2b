"""What each preset makes: how large to decode, in which colours, and the named pictures taken from that.

web     `web-1600.webp`, `web-800.webp`, `web-320.webp` and `web-1600.avif`, in sRGB. Names carry the preset's
        width; a narrower photo is not enlarged, and a width that would only repeat the photo is left out.
        A photo more than twice as tall as wide is fitted by its height instead: 3200, 1600, 640.
social  exactly 1080x1080, 1200x630 and 1080x1920, cut around the subject, enlarged where needed, in sRGB.
print   at most 3600 on the long side, 300 dpi, RGB or grey in the photo's own profile; CMYK becomes sRGB.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import pyvips

from worker.pipeline.decode import on_white, to_srgb
from worker.pipeline.model import Preset, Size

WEB_WIDTHS = (1600, 800, 320)
# An AVIF encoder takes 33 bytes a pixel and more with alpha: taller pictures would not stay under 300 MB.
TALLEST = 2
SOCIAL_SIZES = {"Square": Size(1080, 1080), "Link": Size(1200, 630), "Story": Size(1080, 1920)}
SOCIAL_MAX_PIXELS = 16_000_000
PRINT_SIDE = 3600


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture still to be finished, and the file names to write it under; a suffix names a format."""

    names: tuple[str, ...]
    image: pyvips.Image
    label: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """One preset: the box to decode a photo into, its colours, and the pictures taken from it."""

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
    """Just large enough to cut every size from; a panorama stays within a budget of pixels."""
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
    # Crop, then resize: a thin strip enlarged before it is cropped could fill gigabytes.
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
