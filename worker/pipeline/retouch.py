"""Retouch a picture: auto levels, a mild sharpen, and a watermark of untrusted text."""

import html
import math

import pyvips

DARK, GREY, WHITE = 20, 128, 255
DARKEST_PERCENT, LIGHTEST_PERCENT = 0.5, 99.5
# A low-contrast picture, such as a white shirt on white, must not turn into noise.
MAX_GAIN = 1.6

MAX_CHARACTERS = 200
SMALLEST_MARKED_SIDE = 48
SHARE_OF_PICTURE = 3
TEXT_HEIGHT_SHARE = 24
MARGIN_SHARE = 40
HALO_STRENGTH = 2.5


def auto_levels(image: pyvips.Image) -> pyvips.Image:
    """Stretch the tones towards the full range, equally in all channels to keep the hue."""
    # On middle grey, so that transparent parts count neither as dark nor as light.
    opaque = image.flatten(background=GREY) if image.hasalpha() else image
    tones = opaque.colourspace("b-w")
    darkest, lightest = tones.percent(DARKEST_PERCENT), tones.percent(LIGHTEST_PERCENT)
    gain = min(MAX_GAIN, WHITE / max(1, lightest - darkest))
    middle, reach = (darkest + lightest) / 2, (lightest - darkest) * gain / 2
    shift = min(max(middle, reach), WHITE - reach) - middle * gain
    alpha = image.bands - opaque.bands
    return image.linear([gain] * opaque.bands + [1] * alpha, [shift] * opaque.bands + [0] * alpha, uchar=True)


def sharpen(image: pyvips.Image) -> pyvips.Image:
    """Sharpen edges mildly; flat areas and alpha do not change."""
    return image.sharpen()


def watermark(image: pyvips.Image, text: str) -> pyvips.Image:
    """Write `text` bottom right, white with a dark halo, within a third of the width and of the height.

    `text` is never read as markup. A picture too small for readable text is returned unchanged.
    """
    shown = _one_line(text)
    if not shown or min(image.width, image.height) < SMALLEST_MARKED_SIDE:
        return image
    margin = max(2, min(image.width, image.height) // MARGIN_SHARE)
    box_width = image.width // SHARE_OF_PICTURE - 2 * margin
    box_height = image.height // SHARE_OF_PICTURE - 2 * margin
    try:
        letters = _letters(shown, box_width, box_height, image.height)
    except pyvips.Error:
        # A missing glyph or font must not fail the job.
        return image
    return _stamp(image, letters, margin)


def _one_line(text: str) -> str:
    """Return the text on one line, without control and text direction characters."""
    visible = "".join(char if char.isprintable() else " " for char in text[:MAX_CHARACTERS])
    return " ".join(visible.split())


def _letters(text: str, width: int, height: int, picture_height: int) -> pyvips.Image:
    """Draw the text as a mask (255 is text), wrapped and shrunk to fit."""
    room = math.sqrt(width * height / len(text))
    size = max(1, min(picture_height // TEXT_HEIGHT_SHARE, round(room)))
    letters = pyvips.Image.text(
        html.escape(text), font=f"sans bold {size}", dpi=72, width=width, wrap="word-char", align="high"
    )
    return letters.thumbnail_image(width, height=height, size="down")


def _stamp(image: pyvips.Image, letters: pyvips.Image, margin: int) -> pyvips.Image:
    width, height = letters.width + 2 * margin, letters.height + 2 * margin
    left, top = image.width - width, image.height - height
    letters = letters.embed(margin, margin, width, height)
    halo = letters.gaussblur(margin / 4).linear(HALO_STRENGTH, 0, uchar=True)
    corner = image.crop(left, top, width, height)
    for mask, tone in ((halo, DARK), (letters, WHITE)):
        ink = [tone] * (image.bands - image.hasalpha()) + [WHITE] * image.hasalpha()
        corner = mask.ifthenelse(ink, corner, blend=True)
    return image.insert(corner, left, top)
