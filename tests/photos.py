"""Pictures to send."""

import pyvips


def make_photo(width: int = 640, height: int = 480, suffix: str = ".jpg") -> bytes:
    """Return a picture, red on its left half and blue on its right."""
    left = pyvips.Image.black(width // 2, height).new_from_image([200, 30, 30])
    right = pyvips.Image.black(width - width // 2, height).new_from_image([30, 30, 200])
    picture = left.join(right, "horizontal").copy(interpretation="srgb").cast("uchar")
    return bytes(picture.write_to_buffer(suffix))
