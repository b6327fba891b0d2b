"""Memory: a 50-megapixel photo needs less than 300 MB, and a long-running worker does not grow."""

import os
import subprocess
import sys

import pytest
import pyvips

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc/self/status")

MEASURE = """
import sys
from pathlib import Path
from worker.pipeline import run
def megabytes(field):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field)) // 1024
source, target, presets, rounds = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3].split(), int(sys.argv[4])
settled = 0
for turn in range(rounds):
    for preset in presets:
        list(run(source, {"preset": preset, "enhance": True, "watermark": "© Example Shop"}, target))
    settled = settled or (megabytes("VmRSS") if turn >= rounds // 3 else 0)
print(megabytes("VmHWM"), megabytes("VmRSS") - settled)
"""
MALLOC = {"MALLOC_ARENA_MAX": "1"}


def measure(source, tmp_path, presets, rounds=1):
    """Return the peak and, over the last two thirds of the rounds, the growth, both in MB."""
    command = [sys.executable, "-c", MEASURE, str(source), str(tmp_path / "out"), presets, str(rounds)]
    done = subprocess.run(
        command, env={**os.environ, **MALLOC}, capture_output=True, text=True, timeout=120, check=True
    )
    peak, growth = map(int, done.stdout.split())
    return peak, growth


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("in.jpg", {"orientation": 6}),
        ("in.jpg", {"interlace": True, "subsample_mode": "on"}),
        ("in.png", {"compression": 1}),
        ("in.png", {"compression": 1, "interlace": True}),
        ("in.webp", {"effort": 0}),
    ],
    ids=["rotated jpeg", "progressive jpeg", "png", "interlaced png", "webp"],
)
def test_a_50_megapixel_photo_stays_under_300_megabytes(name, options, noise, save, tmp_path):
    photo = noise(866, 578).gaussblur(4).copy_memory().replicate(10, 11).crop(0, 0, 8660, 5774).copy()
    if orientation := options.pop("orientation", None):
        photo.set_type(pyvips.GValue.gint_type, "orientation", orientation)
    peak, _ = measure(save(photo, name, **options), tmp_path, "web social print")
    assert 40 < peak < 300


def test_fifty_photos_in_one_process_do_not_leak_memory(noise, save, tmp_path):
    _, growth = measure(save(noise(400, 300), "in.jpg"), tmp_path, "web print", rounds=50)
    assert growth < 15
