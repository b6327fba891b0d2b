"""Writes the API's OpenAPI document and the frontend's types from it; behind `make types`."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FRONTEND = ROOT / "frontend"
DOCUMENT = FRONTEND / "openapi.json"


def openapi_document() -> str:
    """Return the document as the code describes it now, whatever the person's settings are."""
    environment = {"PATH": os.environ["PATH"], "ENVIRONMENT": "test"}
    command = [sys.executable, "-m", "backend", "openapi"]
    return subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True).stdout


def main() -> int:
    """Write both files; the tests fail when they differ from what the code says."""
    DOCUMENT.write_text(openapi_document())
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    command = ["npm", "run", "--silent", "types"]
    return subprocess.run(command, cwd=FRONTEND, env={**os.environ, "PATH": path}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
