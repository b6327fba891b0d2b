"""Every kind of uploaded photo looks the same in the results."""

import pytest
import pyvips

RED, GREEN, BLUE, WHITE = (220, 30, 30), (30, 200, 40), (30, 40, 210), (240, 240, 240)
SALMON = (200, 100, 50)

# The colours seen top left, top right, bottom left and bottom right after each orientation.
# They are stored as red, green, blue and white.
SEEN = {
    1: (RED, GREEN, BLUE, WHITE),
    2: (GREEN, RED, WHITE, BLUE),
    3: (WHITE, BLUE, GREEN, RED),
    4: (BLUE, WHITE, RED, GREEN),
    5: (RED, BLUE, GREEN, WHITE),
    6: (BLUE, RED, WHITE, GREEN),
    7: (WHITE, GREEN, BLUE, RED),
    8: (GREEN, WHITE, RED, BLUE),
}


def corners(picture):
    right, bottom = picture.width - 8, picture.height - 8
    return [(8, 8), (right, 8), (8, bottom), (right, bottom)]


@pytest.mark.parametrize("kind", ["jpg", "png", "webp", "tif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied(orientation, kind, quarters, save, process, is_near):
    photo = quarters(600, 400).copy()
    photo.set_type(pyvips.GValue.gint_type, "orientation", orientation)
    outcome = process(save(photo, f"in.{kind}"))
    (picture,) = outcome.files.values()
    seen = (400, 600) if orientation >= 5 else (600, 400)
    assert outcome.steps[0].facts == {"width": seen[0], "height": seen[1]}
    assert (picture.width, picture.height) == seen
    assert not picture.get_typeof("orientation")
    for (x, y), colour in zip(corners(picture), SEEN[orientation], strict=True):
        assert is_near(picture, x, y, colour)


def test_a_rotated_photo_is_upright_in_every_web_file(quarters, save, process, is_near):
    photo = quarters(4000, 2000).copy()
    photo.set_type(pyvips.GValue.gint_type, "orientation", 6)
    for picture in process(save(photo, "in.jpg"), "web").files.values():
        assert picture.height == 2 * picture.width
        assert is_near(picture, 8, 8, BLUE)


@pytest.mark.parametrize("kind", ["jpg", "png", "webp", "tif", "gif", "avif"])
def test_every_allowed_format_is_read(kind, quarters, save, process, is_near):
    (picture,) = process(save(quarters(), f"in.{kind}")).files.values()
    for (x, y), colour in zip(corners(picture), SEEN[1], strict=True):
        assert is_near(picture, x, y, colour)


def salmon_in(kind, salmon):
    """Return the same colour as each kind of file stores it."""
    grey = salmon[1].copy(interpretation="b-w")
    cmyk = salmon.icc_transform("cmyk", input_profile="srgb")
    bare = cmyk.copy()
    bare.remove("icc-profile-data")
    deep = (salmon * 257).cast("ushort").copy(interpretation="rgb16")
    deep_grey = (grey * 257).cast("ushort").copy(interpretation="grey16")
    return {
        "16-bit.png": deep,
        "16-bit.tif": deep,
        "palette.png": salmon,
        "cmyk.jpg": cmyk,
        "cmyk.tif": cmyk,
        "cmyk-without-profile.jpg": bare,
        "cmyk-16-bit.tif": (bare * 257).cast("ushort").copy(interpretation="cmyk"),
        "cmyk-alpha.tif": cmyk.bandjoin(255).copy(interpretation="cmyk"),
        "lab.tif": salmon.colourspace("lab"),
        "float.tif": salmon.colourspace("scrgb"),
        "two-alphas.tif": salmon.bandjoin([255, 90]),
        "grey.jpg": grey,
        "grey-16-bit.png": deep_grey,
        "grey-alpha.png": grey.bandjoin(255).copy(interpretation="b-w"),
        "grey-float.tif": salmon.colourspace("scrgb")[1].copy(interpretation="b-w"),
    }[kind]


COLOURED = ["16-bit.png", "16-bit.tif", "palette.png", "cmyk.jpg", "cmyk.tif", "cmyk-without-profile.jpg"]
COLOURED += ["cmyk-16-bit.tif", "cmyk-alpha.tif", "lab.tif", "float.tif", "two-alphas.tif"]
GREY = ["grey.jpg", "grey-16-bit.png", "grey-alpha.png", "grey-float.tif"]


@pytest.mark.parametrize("preset", ["web", "social", "print"])
@pytest.mark.parametrize("kind", COLOURED + GREY)
def test_every_kind_of_colour_is_right(kind, preset, plain, save, process, is_near):
    options = {"palette": True} if kind == "palette.png" else {}
    source = save(salmon_in(kind, plain(300, 200, SALMON)), kind, **options)
    wanted = SALMON if kind in COLOURED else (SALMON[1],) * 3
    for picture in process(source, preset).files.values():
        assert is_near(picture.colourspace("srgb")[:3], 100, 80, wanted, tolerance=8)


@pytest.mark.parametrize("kind", COLOURED + GREY)
def test_every_kind_of_colour_can_be_retouched(kind, plain, save, process, is_near):
    scene = plain(400, 300, (250, 250, 250)).insert(plain(200, 300, SALMON), 0, 0)
    scene = scene.insert(plain(20, 300, (3, 3, 3)), 380, 0)
    source = save(salmon_in(kind, scene), kind)
    wanted = SALMON if kind in COLOURED else (SALMON[1],) * 3
    (picture,) = process(source, enhance=True, watermark="Shop").files.values()
    assert is_near(picture.colourspace("srgb"), 100, 80, wanted, tolerance=40)


def test_print_of_a_grey_photo_stays_grey(plain, save, process):
    grey = plain(200, 200)[0].copy(interpretation="b-w")
    (picture,) = process(save(grey, "in.jpg"), watermark="Shop", enhance=True).files.values()
    assert picture.bands == 1


def test_print_of_cmyk_has_no_cmyk_profile(plain, save, process):
    cmyk = plain(200, 200, SALMON).icc_transform("cmyk", input_profile="srgb")
    (picture,) = process(save(cmyk, "in.jpg")).files.values()
    assert picture.interpretation == "srgb"
    assert not picture.get_typeof("icc-profile-data")


def test_a_profile_that_no_longer_describes_the_pixels_is_dropped(plain, save, process, is_near):
    salmon = plain(200, 200, SALMON)
    lab = salmon.colourspace("lab")
    profile = salmon.icc_transform("p3", input_profile="srgb").get("icc-profile-data")
    lab.set_type(pyvips.GValue.blob_type, "icc-profile-data", profile)
    source = save(lab, "in.tif")
    for preset in ("web", "print"):
        for picture in process(source, preset).files.values():
            assert is_near(picture, 100, 100, SALMON, tolerance=5)
            assert not picture.get_typeof("icc-profile-data")


@pytest.mark.parametrize("kind", ["gif", "webp"])
def test_the_first_frame_of_an_animation_is_used(kind, plain, save, process, is_near):
    frames = pyvips.Image.arrayjoin([plain(100, 80, RED), plain(100, 80, GREEN), plain(100, 80, BLUE)], across=1)
    frames = frames.copy()
    frames.set_type(pyvips.GValue.gint_type, "page-height", 80)
    outcome = process(save(frames, f"in.{kind}"))
    (picture,) = outcome.files.values()
    assert outcome.steps[0].facts == {"width": 100, "height": 80}
    assert (picture.width, picture.height) == (100, 80)
    assert is_near(picture, 50, 40, RED)


@pytest.mark.parametrize("preset", ["web", "print"])
@pytest.mark.parametrize("kind", ["jpg", "png", "webp", "tif"])
@pytest.mark.parametrize("damage", ["rubbish", "cut", "of another colour space", "hollow"])
def test_a_corrupt_colour_profile_does_not_fail_the_job(damage, kind, preset, plain, save, process, is_near):
    photo = plain(200, 200, SALMON)
    good = photo.icc_transform("p3", input_profile="srgb").get("icc-profile-data")
    profile = {
        "rubbish": b"rubbish" * 40,
        "cut": good[:200],
        "of another colour space": photo.icc_transform("cmyk", input_profile="srgb").get("icc-profile-data"),
        "hollow": good[:200] + b"\xff" * (len(good) - 200),
    }[damage]
    photo.set_type(pyvips.GValue.blob_type, "icc-profile-data", profile)
    for picture in process(save(photo, f"in.{kind}"), preset).files.values():
        assert is_near(picture, 100, 100, SALMON)


@pytest.mark.parametrize("name", ["a b.jpg", "photo[page=2].jpg", "фото 写真 😀.jpg", "-x.jpg", "no-suffix"])
def test_the_name_of_the_file_does_not_matter(name, quarters, tmp_path, process, is_near):
    source = tmp_path / name
    source.write_bytes(quarters().jpegsave_buffer())
    (picture,) = process(source).files.values()
    assert is_near(picture, 8, 8, RED)
