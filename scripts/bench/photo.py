"""Creates the photo for measured jobs: 1.1 megapixels, with as much detail as a camera's."""

import pyvips

WIDTH, HEIGHT = 1200, 900


def make_photo() -> bytes:
    detail = pyvips.Image.gaussnoise(WIDTH, HEIGHT, mean=0, sigma=40).gaussblur(1.2)
    shapes = pyvips.Image.perlin(WIDTH, HEIGHT, cell_size=200) * 90 + 128
    bands = [shapes + detail, shapes.fliphor() + detail, shapes.flipver() + detail * 0.7]
    picture = bands[0].bandjoin(bands[1:]).cast("uchar").copy(interpretation="srgb")
    return bytes(picture.write_to_buffer(".jpg", Q=88))
