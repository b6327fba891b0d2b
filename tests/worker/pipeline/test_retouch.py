"""Enhance and watermark: what they change, and what they keep."""

import os
import subprocess
import sys

import pytest
import pyvips

from tests.time_limits import scaled

HOSTILE = [
    "<span size='900000'>big</span>",
    "</span><b>&amp;&lt;",
    "&#0;&undefined;",
    "one\x00two\x07\x1b[31m\ud800\ufffe",
    "\u202eevil\u2066 שלום עולם مرحبا",
    "😀👩‍👩‍👧‍👦🏳️‍🌈",
    "W" * 200,
    "word " * 4000,
    "a\u0301\u0489" * 60,
    "line\nline\r\n\tline",
]


def difference(one, other):
    return (one.cast("int") - other.cast("int")).abs().bandmean()


@pytest.mark.parametrize("preset", ["web", "social", "print"])
def test_a_watermark_is_only_at_the_bottom_right(preset, plain, save, process):
    source = save(plain(1200, 900, (120, 120, 120)), "in.png")
    bare, marked = process(source, preset).files, process(source, preset, watermark="© Example").files
    for name, picture in marked.items():
        changed = difference(picture, bare[name]) > 20
        left, top, width, height = changed.find_trim(background=0, threshold=1)
        assert picture.width - 3 - picture.width // 3 <= left < left + width < picture.width
        assert picture.height // 2 < top < top + height < picture.height


@pytest.mark.parametrize("ground", [(0, 0, 0), (255, 255, 255), (128, 128, 128)])
def test_a_watermark_is_readable_on_dark_and_light(ground, plain, save, process):
    (picture,) = process(save(plain(1200, 900, ground), "in.png"), watermark="© Example").files.values()
    grey = picture.colourspace("b-w")
    assert grey.max() - grey.min() > 110


def test_a_watermark_is_visible_on_a_transparent_background(plain, save, process):
    files = process(save(plain(600, 600).bandjoin(0), "in.png"), "web", watermark="© Example").files
    for picture in files.values():
        assert picture[3].max() > 240
        assert picture(5, 5)[3] < 5


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_drawn_small_and_breaks_nothing(text, plain, save, process):
    source = save(plain(900, 700, (120, 120, 120)), "in.png")
    (bare,) = process(source).files.values()
    (marked,) = process(source, watermark=text).files.values()
    changed = difference(marked, bare) > 20
    left, top, width, height = changed.find_trim(background=0, threshold=1)
    assert 0 < width <= 302
    assert 0 < height <= 235
    assert left >= 597
    assert top >= 464


def test_markup_is_drawn_as_plain_text(plain, save, process):
    source = save(plain(1800, 1200, (120, 120, 120)), "in.png")
    (bare,) = process(source).files.values()
    (typed,) = process(source, watermark="<b>A</b>").files.values()
    (letter,) = process(source, watermark="A").files.values()
    ink = [(difference(picture, bare) > 40).avg() for picture in (typed, letter)]
    assert ink[0] > 3 * ink[1]


@pytest.mark.parametrize("text", ["", "   ", "\x00\n\u202e", None])
def test_a_blank_watermark_does_not_change_the_picture(text, noise, save, process):
    source = save(noise(), "in.png")
    (bare,) = process(source).files.values()
    (marked,) = process(source, watermark=text).files.values()
    assert difference(bare, marked).max() == 0


def test_text_that_cannot_be_drawn_does_not_fail_the_job(noise, save, process, monkeypatch):
    def no_font(*_args, **_options):
        raise pyvips.Error("no text to render")

    source = save(noise(), "in.png")
    (bare,) = process(source).files.values()
    monkeypatch.setattr(pyvips.Image, "text", no_font)
    (marked,) = process(source, watermark="Shop").files.values()
    assert difference(bare, marked).max() == 0


def test_a_machine_without_fonts_finishes_the_job(tmp_path, noise, save):
    config = tmp_path / "fonts.conf"
    config.write_text("<fontconfig><dir>/nowhere</dir></fontconfig>")
    source = save(noise(600, 400), "in.jpg")
    code = (
        "import sys; from pathlib import Path; from worker.pipeline import run;"
        "steps = run(Path(sys.argv[1]), {'preset': 'print', 'watermark': 'Shop é 漢'}, Path(sys.argv[2]));"
        "print([step.progress for step in steps])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(source), str(tmp_path / "out")],
        env={**os.environ, "FONTCONFIG_FILE": str(config), "HOME": "/nowhere"},
        capture_output=True,
        text=True,
        timeout=scaled(60),
        check=False,
    )
    assert done.stdout.strip().endswith("100]"), done.stderr


def test_enhance_stretches_dull_tones(noise, save, process):
    dull = (noise(400, 300) * 0.5 + 60).cast("uchar").copy(interpretation="srgb")
    source = save(dull, "in.png")
    (before,) = process(source).files.values()
    (after,) = process(source, enhance=True).files.values()
    assert after.colourspace("b-w").deviate() > 1.3 * before.colourspace("b-w").deviate()


def test_enhance_keeps_a_neutral_grey_neutral(noise, save, process):
    grey = noise(400, 300)[0]
    dull = (grey.bandjoin([grey, grey]) * 0.5 + 60).cast("uchar").copy(interpretation="srgb")
    (after,) = process(save(dull, "in.png"), enhance=True).files.values()
    red, green, blue = after.bandsplit()
    assert max((red - green).abs().avg(), (green - blue).abs().avg()) < 3


def test_enhance_does_not_turn_a_flat_picture_into_noise(noise, save, process):
    flat = (noise(400, 300) * 0.02 + 225).cast("uchar").copy(interpretation="srgb")
    source = save(flat, "in.png")
    (before,) = process(source).files.values()
    (after,) = process(source, enhance=True).files.values()
    assert abs(after.avg() - before.avg()) < 12
    assert after.deviate() < 3 * before.deviate() + 1


def test_enhance_sharpens_an_edge(plain, save, process):
    scene = plain(300, 300, (60, 60, 60)).insert(plain(150, 300, (190, 190, 190)), 150, 0)
    scene = scene.insert(plain(300, 20, (0, 0, 0)), 0, 0).insert(plain(300, 20, (255, 255, 255)), 0, 280)
    source = save(scene.gaussblur(0.6), "in.png")
    steepest = [
        max(abs(picture(x + 1, 150)[0] - picture(x, 150)[0]) for x in range(140, 160))
        for recipe in (False, True)
        for picture in process(source, enhance=recipe).files.values()
    ]
    assert steepest[1] > 1.1 * steepest[0]


def test_enhance_ignores_the_colour_of_transparent_areas(noise, plain, save, process):
    subject = (noise(200, 300) * 0.3 + 150).cast("uchar").bandjoin(255).copy(interpretation="srgb")
    cutout = plain(200, 300, (0, 0, 0)).bandjoin(0).join(subject, "horizontal")
    alone = process(save(subject, "in.png"), "web", enhance=True).files["web-1600.webp"]
    beside = process(save(cutout, "in.png"), "web", enhance=True).files["web-1600.webp"]
    assert beside(50, 150)[3] == 0
    ratio = beside.crop(220, 20, 160, 260)[0].deviate() / alone.crop(20, 20, 160, 260)[0].deviate()
    assert 0.9 < ratio < 1.1
