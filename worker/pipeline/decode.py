"""Decode a photo once, small and upright, and convert its colours."""

import contextlib

import pyvips

from worker.pipeline.model import BadInput, Size
from worker.pipeline.source import FAIL_ON, TRUNCATED, Photo, byte_source, colour_channels, load

PROFILE = "icc-profile-data"
WHITE = 255
SAME_CHANNELS_AFTER_DECODING = ("srgb", "rgb", "rgb16", "b-w", "grey16")


def decode(photo: Photo, box: Size) -> pyvips.Image:
    """Return the photo's first frame in memory: inside `box`, never enlarged, upright, 8-bit RGB or grey.

    CMYK becomes sRGB. Alpha stays. The ICC profile stays while it describes the pixels.
    Raises BadInput `truncated` when the data ends early or is damaged.
    """
    try:
        image = _shrunk(photo, box).copy_memory()
    except pyvips.Error as error:
        raise BadInput(*TRUNCATED) from error
    if photo.header.interpretation in SAME_CHANNELS_AFTER_DECODING:
        return image
    return _without_profile(image)


def to_srgb(image: pyvips.Image) -> pyvips.Image:
    """Return the image in sRGB without a profile, as browsers assume."""
    if image.get_typeof(PROFILE):
        with contextlib.suppress(pyvips.Error):
            image = image.icc_transform("srgb", embedded=True, black_point_compensation=True)
    return _without_profile(image).colourspace("srgb")


def on_white(image: pyvips.Image) -> pyvips.Image:
    """Return the image without alpha, on white: JPEG has no alpha, and shop pages are white."""
    return image.flatten(background=WHITE) if image.hasalpha() else image


def _shrunk(photo: Photo, box: Size) -> pyvips.Image:
    fit = {"height": box.height, "size": "down"}
    if photo.header.get("vips-loader") == "tiffload_source":
        return _ordinary(load(photo.path)).thumbnail_image(box.width, **fit)
    # An option string, because thumbnail_source ignores its own fail_on (libvips issue 5195).
    strict = {"option_string": f"[fail_on={FAIL_ON}]"}
    return pyvips.Image.thumbnail_source(byte_source(photo.path), box.width, **fit, **strict)


def _ordinary(image: pyvips.Image) -> pyvips.Image:
    """Convert TIFFs that libvips misreads: extra channels after alpha, and grey as floats from 0 to 1."""
    channels = colour_channels(image)
    if image.bands > channels + 1:
        image = image.extract_band(0, n=channels)
    if channels == 1 and image.format == "float":
        grey = image.extract_band(0)
        image = grey.bandjoin([grey, image]).copy(interpretation="scrgb")
    return image


def _without_profile(image: pyvips.Image) -> pyvips.Image:
    image = image.copy()
    image.remove(PROFILE)
    return image
