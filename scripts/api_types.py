"""Generates the OpenAPI document and the frontend's types; run by `make types`."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FRONTEND = ROOT / "frontend"
DOCUMENT = FRONTEND / "openapi.json"


def openapi_document() -> str:
    """Return the document of the current code, independent of the developer's settings."""
    environment = {"PATH": os.environ["PATH"], "ENVIRONMENT": "test"}
    command = [sys.executable, "-m", "backend", "openapi"]
    return subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True).stdout


def main() -> int:
    """Write both files; the tests fail when they differ from the code."""
    DOCUMENT.write_text(openapi_document())
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    command = ["npm", "run", "--silent", "types"]
    return subprocess.run(command, cwd=FRONTEND, env={**os.environ, "PATH": path}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
