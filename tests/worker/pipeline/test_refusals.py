"""Unusable photos are refused with the right code; errors of the machine are not reported as bad photos."""

import errno
import struct
import subprocess
import sys
import zlib
from importlib import import_module
from pathlib import Path

import pytest
import pyvips

from worker.pipeline import BadInput, run
from worker.pipeline import source as source_module


def refusal(process, path, preset="print"):
    with pytest.raises(BadInput) as caught:
        process(path, preset)
    return caught.value


def png_header(width, height, interlace=0, depth=8, colour=2):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000)))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("text.jpg", b"hello, I am a photo"),
        ("empty.jpg", b""),
        ("random.png", bytes(i * 7919 % 251 for i in range(5000))),
        (
            "vector.svg",
            b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9"/></svg>',
        ),
        (
            "vector.jpg",
            b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>',
        ),
        ("page.pdf", b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n"),
        ("table.csv", b"1,2,3\n4,5,6\n"),
        ("bitmap.ppm", b"P6 1 1 255\nabc"),
        ("bitmap.bmp", b"BM" + bytes(60)),
        ("page.html", b"<!doctype html><img src=x>"),
        ("archive.zip", b"PK\x03\x04" + bytes(60)),
        ("phone.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(200)),
    ],
)
def test_what_is_not_a_photo_is_refused(name, content, tmp_path, process):
    (tmp_path / name).write_bytes(content)
    assert refusal(process, tmp_path / name).code == "not_an_image"


def test_a_loader_outside_the_allowlist_is_blocked(tmp_path, process, plain):
    plain(10, 10).write_to_file(str(tmp_path / "in.v"))
    assert refusal(process, tmp_path / "in.v").code == "not_an_image"


def test_heic_has_its_own_message_for_iphone_users(tmp_path, process):
    (tmp_path / "in.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(200))
    assert "HEIC" in refusal(process, tmp_path / "in.heic").message


@pytest.mark.parametrize(("width", "height"), [(10_001, 10_000), (100_000, 100_000), (30_001, 1), (1, 30_001)])
def test_a_decompression_bomb_is_refused_before_decoding(width, height, tmp_path, process, monkeypatch):
    (tmp_path / "in.png").write_bytes(png_header(width, height))
    monkeypatch.setattr(import_module("worker.pipeline.run"), "decode", lambda *_: pytest.fail("the bomb was decoded"))
    assert refusal(process, tmp_path / "in.png").code == "too_many_pixels"


def test_a_jpeg_larger_than_its_decoder_can_read_has_too_many_pixels(tmp_path, plain, process):
    photo = bytearray(plain(64, 64).jpegsave_buffer())
    frame = photo.index(b"\xff\xc0")
    photo[frame + 5 : frame + 9] = struct.pack(">HH", 65535, 65535)
    (tmp_path / "in.jpg").write_bytes(photo)
    assert refusal(process, tmp_path / "in.jpg").code == "too_many_pixels"


def test_a_photo_at_the_limit_passes_the_header_check(tmp_path, process):
    (tmp_path / "in.png").write_bytes(png_header(10_000, 10_000))
    assert refusal(process, tmp_path / "in.png").code == "truncated"


@pytest.mark.parametrize(
    ("name", "options", "held"),
    [
        ("in.jpg", {}, 0),
        ("in.jpg", {"interlace": True, "subsample_mode": "on"}, 3),
        ("in.jpg", {"interlace": True, "subsample_mode": "off"}, 6),
        ("in.png", {}, 0),
        ("in.png", {"interlace": True}, 3),
        ("in.webp", {}, 5),
        ("in.tif", {}, 3),
        ("in.gif", {}, 8),
        ("in.avif", {}, 15),
    ],
)
def test_a_format_that_cannot_be_streamed_has_its_own_limit(name, options, held, noise, save, process, monkeypatch):
    path = save(noise(100, 100), name, **options)
    monkeypatch.setattr(source_module, "MAX_HELD_BYTES", held * 100 * 100)
    assert process(path).steps[-1].progress == 100
    monkeypatch.setattr(source_module, "MAX_HELD_BYTES", held * 100 * 100 - 1)
    assert refusal(process, path).code == "too_many_pixels"


@pytest.mark.parametrize("share", [0.05, 0.3, 0.6, 0.9, 0.99])
@pytest.mark.parametrize("kind", ["jpg", "png", "webp", "tif", "gif", "avif"])
def test_a_cut_photo_is_truncated(kind, share, noise, save, process):
    path = save(noise(120, 90), f"in.{kind}")
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    for preset in ("web", "social", "print"):
        assert refusal(process, path, preset).code == "truncated"


@pytest.mark.parametrize("kind", ["jpg", "png"])
def test_a_cut_interlaced_photo_is_truncated(kind, noise, save, process):
    path = save(noise(), f"in.{kind}", interlace=True)
    path.write_bytes(path.read_bytes()[:-400])
    assert refusal(process, path).code == "truncated"


def test_a_cut_photo_that_is_shrunk_while_loading_is_truncated(noise, save, process):
    path = save(noise(4000, 3000), "in.jpg")
    path.write_bytes(path.read_bytes()[:-2000])
    assert refusal(process, path, "web").code == "truncated"


@pytest.mark.parametrize("code", ["not_an_image", "too_many_pixels", "truncated"])
def test_a_refusal_is_a_sentence_without_internals(code, tmp_path, process, noise, save):
    (tmp_path / "not_an_image").write_bytes(b"hello")
    (tmp_path / "too_many_pixels").write_bytes(png_header(90_000, 90_000))
    (tmp_path / "truncated").write_bytes(noise().jpegsave_buffer()[:900])
    fault = refusal(process, tmp_path / code)
    assert fault.code == code
    assert fault.message[0].isupper()
    assert fault.message.endswith(".")
    assert not [word for word in ("vips", "libjpeg", "loader", str(tmp_path)) if word in fault.message.lower()]
    assert str(fault) == f"{code}: {fault.message}"


def test_nothing_happens_before_the_first_step_is_requested(tmp_path):
    steps = run(tmp_path / "missing.jpg", {"preset": "web"}, tmp_path / "out")
    with pytest.raises(FileNotFoundError):
        next(steps)


def test_a_missing_target_folder_is_created(tmp_path, noise, save):
    target = tmp_path / "not" / "yet"
    list(run(save(noise(), "in.jpg"), {"preset": "print"}, target))
    assert [path.name for path in target.iterdir()] == ["print-300dpi.jpg"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full is a Linux device")
def test_a_full_disk_is_not_reported_as_a_bad_photo(tmp_path, noise, save):
    (tmp_path / "print-300dpi.jpg").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left") as caught:
        list(run(save(noise(), "in.jpg"), {"preset": "print"}, tmp_path))
    assert caught.value.errno == errno.ENOSPC


def test_a_target_that_is_a_file_is_not_reported_as_a_bad_photo(tmp_path, noise, save):
    (tmp_path / "target").write_bytes(b"")
    with pytest.raises(FileExistsError):
        list(run(save(noise(), "in.jpg"), {"preset": "print"}, tmp_path / "target"))


FUZZ = """
import random, sys
from pathlib import Path
from worker.pipeline import BadInput, run
folder, dice = Path(sys.argv[1]), random.Random(5)
for seed in sorted(folder.glob("seed.*")):
    content = seed.read_bytes()
    for turn in range(40):
        damaged = bytearray(content)
        for _ in range(dice.choice((1, 3, 20))):
            damaged[dice.randrange(dice.choice((60, len(content))))] = dice.randrange(256)
        (folder / "damaged").write_bytes(damaged)
        try:
            list(run(folder / "damaged", {"preset": "print"}, folder / "out"))
        except BadInput:
            pass
print("survived")
"""


def test_damaged_bytes_never_crash_the_process(tmp_path, noise):
    for kind in ("jpg", "png", "webp", "avif", "tif", "gif"):
        (tmp_path / f"seed.{kind}").write_bytes(noise(90, 60).write_to_buffer(f".{kind}"))
    command = [sys.executable, "-c", FUZZ, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.stdout.strip() == "survived", (done.returncode, done.stderr[-2000:])
    assert pyvips.cache_get_max() == 0
