"""Pictures to send."""

import pyvips


def make_photo(width: int = 640, height: int = 480, suffix: str = ".jpg") -> bytes:
    """Return a picture, red on its left half and blue on its right."""
    left = pyvips.Image.black(width // 2, height).new_from_image([200, 30, 30])
    right = pyvips.Image.black(width - width // 2, height).new_from_image([30, 30, 200])
    picture = left.join(right, "horizontal").copy(interpretation="srgb").cast("uchar")
    return bytes(picture.write_to_buffer(suffix))


def make_noise(width: int, height: int) -> bytes:
    """Return a picture without any order, which takes an encoder a second or more."""
    bands = [pyvips.Image.gaussnoise(width, height, mean=128, sigma=60, seed=seed) for seed in (1, 2, 3)]
    picture = bands[0].bandjoin(bands[1:]).cast("uchar").copy(interpretation="srgb")
    return bytes(picture.write_to_buffer(".jpg"))
