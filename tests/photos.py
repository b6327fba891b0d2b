"""Creates photos for uploads."""

import pyvips


def make_photo(width: int = 640, height: int = 480, suffix: str = ".jpg") -> bytes:
    """Return a photo that is red on the left half and blue on the right."""
    left = pyvips.Image.black(width // 2, height).new_from_image([200, 30, 30])
    right = pyvips.Image.black(width - width // 2, height).new_from_image([30, 30, 200])
    image = left.join(right, "horizontal").copy(interpretation="srgb").cast("uchar")
    return bytes(image.write_to_buffer(suffix))


def make_noise(width: int, height: int) -> bytes:
    """Return a photo of random noise, which takes a second or more to encode."""
    bands = [pyvips.Image.gaussnoise(width, height, mean=128, sigma=60, seed=seed) for seed in (1, 2, 3)]
    image = bands[0].bandjoin(bands[1:]).cast("uchar").copy(interpretation="srgb")
    return bytes(image.write_to_buffer(".jpg"))
