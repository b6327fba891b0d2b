"""Generated and repeated files are up to date: API document, frontend types, version, lock files."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

from backend import __version__
from scripts.api_types import DOCUMENT, FRONTEND, openapi_document

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-node.lock")


def test_the_committed_api_document_matches_the_code() -> None:
    assert json.loads(DOCUMENT.read_text()) == json.loads(openapi_document()), "run: make types"


def test_the_frontend_types_match_the_committed_api_document(tmp_path: Path) -> None:
    written = tmp_path / "schema.d.ts"
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    npx = shutil.which("npx", path=path)
    assert npx is not None, "npx is missing; run: make setup"
    command = [npx, "--no-install", "openapi-typescript", str(DOCUMENT), "-o", str(written)]
    subprocess.run(command, cwd=FRONTEND, env={**os.environ, "PATH": path}, check=True, capture_output=True)
    assert written.read_text() == (FRONTEND / "src/api/schema.d.ts").read_text(), "run: make types"


def test_all_files_have_the_same_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    package = json.loads((FRONTEND / "package.json").read_text())
    assert __version__ == project["version"] == package["version"]


def test_locks_are_pinned_and_hashed_and_contain_no_registry_url() -> None:
    for name in LOCKS:
        text = (ROOT / name).read_text()
        assert "://" not in text, f"{name} contains a URL"
        entries = re.split(r"\n(?=\S)", text.strip())
        for entry in (entry for entry in entries if not entry.startswith("#")):
            assert re.match(r"[a-z0-9._-]+(\[[a-z,]+\])?==", entry), entry
            assert "--hash=sha256:" in entry, entry
    assert '"resolved"' not in (FRONTEND / "package-lock.json").read_text()
