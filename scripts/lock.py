"""Writes the lock files from pyproject.toml; run by `make lock`, with UPGRADE=1 for newer versions."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
UV = str(Path(sys.executable).parent / "uv")
COMPILE = [UV, "pip", "compile", "--universal", "--generate-hashes", "--no-header", "--quiet"]
LOCKS = {
    "requirements.lock": ["pyproject.toml"],
    "requirements-dev.lock": ["pyproject.toml", "--group", "dev", "--constraints", "requirements.lock"],
    "requirements-node.lock": ["--group", "node"],
}


def main() -> int:
    """Compile every lock file: pinned, hashed, and without registry addresses."""
    upgrade = ["--upgrade"] if os.environ.get("UPGRADE") else []
    for name, sources in LOCKS.items():
        print(f"lock: {name}", flush=True)
        result = subprocess.run([*COMPILE, *sources, *upgrade, "--output-file", name], cwd=ROOT, check=False)
        if result.returncode != 0:
            return result.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main())
