"""Builds the frontend into frontend/dist when its sources have changed since the last build."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FRONTEND = ROOT / "frontend"
STAMP = FRONTEND / "dist" / ".built-from"
SOURCES = ("src", "public", "index.html", "vite.config.ts", "tsconfig.json", "package-lock.json")


def build_frontend() -> None:
    """Build unless the sources are unchanged. On failure prints the output and exits with 1."""
    sources = _digest_of_sources()
    if STAMP.exists() and STAMP.read_text() == sources:
        return
    print("build: building the frontend …", flush=True)
    environment = {
        **os.environ,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
    }
    result = subprocess.run(
        ["npm", "run", "--silent", "build"], cwd=FRONTEND, env=environment, capture_output=True, text=True, check=False
    )
    if result.returncode != 0:
        print(result.stdout + result.stderr, file=sys.stderr)
        sys.exit("build: the frontend was not built; fix the errors above, then: make run")
    STAMP.write_text(sources)


def _digest_of_sources() -> str:
    digest = hashlib.sha256()
    for source in SOURCES:
        root = FRONTEND / source
        for path in sorted(root.rglob("*")) if root.is_dir() else [root]:
            if path.is_file():
                digest.update(str(path.relative_to(FRONTEND)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


if __name__ == "__main__":
    build_frontend()
