"""The files of each preset, their sizes and colours, and no metadata about where they were taken."""

from itertools import pairwise

import pytest
import pyvips

GPS = {
    "exif-ifd3-GPSLatitude": "52/1 31/1 12/1",
    "exif-ifd3-GPSLatitudeRef": "N",
    "exif-ifd0-Make": "Acme",
    "exif-ifd0-Copyright": "Somebody",
}


def sizes(outcome):
    return {name: (picture.width, picture.height) for name, picture in outcome.files.items()}


def test_web_creates_three_webps_and_an_avif(noise, save, process):
    assert sizes(process(save(noise(2000, 1000), "in.jpg"), "web")) == {
        "web-1600.webp": (1600, 800),
        "web-1600.avif": (1600, 800),
        "web-800.webp": (800, 400),
        "web-320.webp": (320, 160),
    }


def test_web_never_enlarges_and_skips_repeated_sizes(noise, save, process):
    assert sizes(process(save(noise(500, 250), "in.jpg"), "web")) == {
        "web-1600.webp": (500, 250),
        "web-1600.avif": (500, 250),
        "web-320.webp": (320, 160),
    }


def test_web_limits_a_long_screenshot_by_its_height(plain, save, process):
    assert sizes(process(save(plain(1000, 20_000), "in.png"), "web"))["web-1600.webp"] == (160, 3200)


@pytest.mark.parametrize("preset", ["web", "social", "print"])
def test_a_single_pixel_has_the_right_colour(preset, plain, save, process, is_near):
    files = process(save(plain(1, 1, (10, 200, 90)), "in.png"), preset, enhance=True, watermark="Shop").files
    assert len(files) == {"web": 2, "social": 3, "print": 1}[preset]
    for picture in files.values():
        # Enhance may stretch the tones of one flat colour, but not change its hue.
        red, green, blue = picture(picture.width // 2, picture.height // 2)
        assert green > blue + 50 > red + 50


@pytest.mark.parametrize(("width", "height"), [(9000, 1), (1, 9000), (9000, 40)])
@pytest.mark.parametrize("preset", ["web", "social", "print"])
def test_a_thin_strip_is_processed(preset, width, height, plain, save, process, is_near):
    for picture in process(save(plain(width, height), "in.png"), preset).files.values():
        assert is_near(picture, picture.width // 2, picture.height // 2, (220, 30, 30))


def test_smaller_web_files_look_like_the_largest(quarters, save, process, is_near):
    files = process(save(quarters(2000, 1000), "in.jpg", Q=95), "web").files
    for picture in files.values():
        assert is_near(picture, 5, 5, (220, 30, 30))
        assert is_near(picture, picture.width - 5, picture.height - 5, (240, 240, 240))


def test_web_keeps_transparency(plain, save, process):
    files = process(save(plain(400, 400).bandjoin(100), "in.png"), "web").files
    for picture in files.values():
        assert picture.bands == 4
        assert abs(picture(200, 200)[3] - 100) <= 3


@pytest.mark.parametrize(("width", "height"), [(2000, 1500), (300, 900), (64, 64)])
def test_social_sizes_are_exact(width, height, noise, save, process):
    assert sizes(process(save(noise(width, height), "in.jpg"), "social")) == {
        "social-1080x1080.jpg": (1080, 1080),
        "social-1200x630.jpg": (1200, 630),
        "social-1080x1920.jpg": (1080, 1920),
    }


@pytest.mark.parametrize("left", [60, 2300])
def test_social_crops_follow_the_subject(left, plain, save, process):
    subject = plain(500, 500, (230, 40, 30))
    scene = plain(3000, 1200, (120, 130, 125)).insert(subject, left, 400)
    for picture in process(save(scene, "in.jpg"), "social").files.values():
        red, green, _ = picture.bandsplit()
        reddish = (red > 180) & (green < 90)
        shown = reddish.avg() / 255 * picture.width * picture.height
        scale = picture.height / min(1200, 3000 * picture.height / picture.width)
        assert shown > 0.9 * (500 * scale) ** 2


def test_social_puts_transparent_areas_on_white(plain, save, process, is_near):
    for picture in process(save(plain(300, 300).bandjoin(0), "in.png"), "social").files.values():
        assert is_near(picture, 100, 100, (255, 255, 255), tolerance=2)


def test_print_is_3600_on_its_long_side_at_300_dpi(noise, save, process):
    (picture,) = process(save(noise(2500, 4000), "in.jpg")).files.values()
    assert (picture.width, picture.height) == (2250, 3600)
    assert round(picture.xres * 25.4) == round(picture.yres * 25.4) == 300
    assert picture.get("resolution-unit") == "in"


def test_print_has_one_file_header(noise, save, process, tmp_path):
    process(save(noise(), "in.jpg"))
    content = (tmp_path / "out" / "print-300dpi.jpg").read_bytes()
    assert content.count(b"JFIF") == 1
    assert content.index(b"JFIF") == 6


def test_print_does_not_enlarge(noise, save, process):
    assert sizes(process(save(noise(640, 480), "in.jpg"))) == {"print-300dpi.jpg": (640, 480)}


def test_print_keeps_the_colour_profile_and_its_pixels(plain, save, process, is_near):
    wide = plain(300, 300, (200, 100, 50)).icc_transform("p3", input_profile="srgb")
    (picture,) = process(save(wide, "in.jpg", Q=95)).files.values()
    assert picture.get("icc-profile-data") == wide.get("icc-profile-data")
    assert is_near(picture, 100, 100, tuple(wide(100, 100)), tolerance=4)


@pytest.mark.parametrize("preset", ["web", "social"])
def test_web_and_social_convert_to_srgb_and_drop_the_profile(preset, plain, save, process, is_near):
    wide = plain(300, 300, (200, 100, 50)).icc_transform("p3", input_profile="srgb")
    assert not is_near(wide, 100, 100, (200, 100, 50), tolerance=8)
    for picture in process(save(wide, "in.jpg", Q=95), preset).files.values():
        assert not picture.get_typeof("icc-profile-data")
        assert is_near(picture, 100, 100, (200, 100, 50), tolerance=7)


@pytest.mark.parametrize("kind", ["jpg", "png", "webp", "tif", "avif"])
@pytest.mark.parametrize("preset", ["web", "social", "print"])
def test_no_file_contains_the_place_or_the_photographer(preset, kind, noise, save, process):
    photo = noise(400, 300).copy()
    for field, value in GPS.items():
        photo.set_type(pyvips.GValue.gstr_type, field, value)
    for field in ("xmp-data", "iptc-data"):
        photo.set_type(pyvips.GValue.blob_type, field, b"Somebody was here")
    source = save(photo, f"in.{kind}")
    if kind == "jpg":
        assert "exif-ifd3-GPSLatitude" in pyvips.Image.new_from_file(str(source)).get_fields()
    outcome = process(source, preset)
    for picture in outcome.files.values():
        assert not [f for f in picture.get_fields() if f.startswith(("exif", "xmp", "iptc"))]
    for step in outcome.steps:
        if step.result:
            content = step.result.path.read_bytes()
            assert not [mark for mark in (b"GPSLat", b"Acme", b"Somebody", b"Exif\0") if mark in content]


@pytest.mark.parametrize("preset", ["web", "social", "print"])
def test_progress_starts_with_the_original_and_rises_to_100(preset, noise, save, process):
    steps = process(save(noise(2000, 1500), "in.jpg"), preset).steps
    assert steps[0].facts == {"width": 2000, "height": 1500}
    assert all(step.facts is None for step in steps[1:])
    assert all(before.progress <= after.progress for before, after in pairwise(steps))
    assert steps[0].progress >= 0
    assert steps[-1].progress == 100


def test_a_result_describes_its_file(noise, save, process):
    for preset in ("web", "social", "print"):
        for step in process(save(noise(900, 600), "in.jpg"), preset).steps:
            if result := step.result:
                decoded = pyvips.Image.new_from_file(str(result.path))
                loaders = {"image/webp": "webpload", "image/avif": "heifload", "image/jpeg": "jpegload"}
                assert decoded.get("vips-loader") == loaders[result.content_type]
                assert result.facts == {"width": decoded.width, "height": decoded.height}
                assert result.path.name == result.name


@pytest.mark.parametrize(
    ("preset", "labels"),
    [("web", ["WebP", "WebP", "WebP", "AVIF"]), ("social", ["Square", "Link", "Story"]), ("print", ["JPEG"])],
)
def test_every_result_has_a_label(preset, labels, noise, save, process):
    steps = process(save(noise(2000, 1500), "in.jpg"), preset).steps
    assert sorted(step.result.label for step in steps if step.result) == sorted(labels)
