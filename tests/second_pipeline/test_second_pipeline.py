"""Replaces three things in a copy of the photo studio to create another product, and runs a job in it.

The folder `replacement/` holds `worker/pipeline/`, `backend/jobs/recipe.py` and `frontend/src/features/jobs/recipe/`.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from scripts.valkey import free_port
from tests.actions import sign_up_and_in, wait_for_job
from tests.conftest import MakeSettings, on_one_database
from tests.servers import ROOT, WorkerProcess, web_process
from tests.time_limits import scaled

REPLACEMENT = Path(__file__).parent / "replacement"
REPLACED = ("worker/pipeline", "backend/jobs/recipe.py", "frontend/src/features/jobs/recipe")
NEEDED = ("backend", "worker", "scripts", "frontend", "docker", "Procfile", "pyproject.toml")
TABLE = b"name;weight\nbolt;2\nnut;1\n"


@pytest.fixture(scope="session")
def product(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy the application with another pipeline, generate its API types, check and build its frontend."""
    folder = tmp_path_factory.mktemp("product")
    ignored = shutil.ignore_patterns("node_modules", "dist", "__pycache__", "tests")
    for name in NEEDED:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name, **({"ignore": ignored} if (ROOT / name).is_dir() else {}))
    (folder / "frontend" / "node_modules").symlink_to(ROOT / "frontend" / "node_modules")
    for name in REPLACED:
        if (folder / name).is_dir():
            shutil.rmtree(folder / name)
        copy = shutil.copytree if (REPLACEMENT / name).is_dir() else shutil.copy
        copy(REPLACEMENT / name, folder / name)
    _run(folder, sys.executable, "-m", "scripts.api_types")
    _run(folder / "frontend", "npx", "tsc", "--noEmit")
    _run(folder / "frontend", "npm", "run", "--silent", "build")
    return folder


@on_one_database  # the pipeline does not see it
def test_a_table_becomes_statistics(product: Path, make_settings: MakeSettings, tmp_path: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    settings = make_settings(PORT=port, PUBLIC_URL=url, FRONTEND_DIR=product / "frontend" / "dist")
    with (
        web_process(settings, tmp_path / "web.log", root=product),
        WorkerProcess(settings, tmp_path, root=product) as worker,
        httpx.Client(base_url=url, timeout=scaled(10)) as client,
    ):
        assert '<div id="root">' in client.get("/").text
        config = client.get("/api/config").json()
        assert config["uploads"]["accepted_types"][0]["name"] == "CSV"
        assert config["recipe"]["properties"]["delimiter"]["enum"] == [",", ";"]
        sign_up_and_in(client)
        job = _make_job(client, TABLE, {"delimiter": ";"})
        assert job["status"] == "completed", worker.log.read_text()
        assert job["recipe"] == {"delimiter": ";"}
        assert job["original"]["facts"] == {"rows": 2, "columns": 2}
        found = {result["label"]: client.get(result["url"], follow_redirects=True) for result in job["results"]}
        assert found["JSON"].json() == {"weight": 1.5}
        assert found["Report"].headers["content-type"] == "text/markdown; charset=utf-8"
        assert "Größe" in found["Report"].text
        failed = _make_job(client, b"\xff\xfe", {})
        assert failed["failure"] == {
            "code": "not_a_table",
            "message": "This file has no header row in UTF-8. Export it as CSV again.",
        }
        _run(product, sys.executable, "-m", "scripts.smoke", url)


def _make_job(client: httpx.Client, content: bytes, recipe: dict[str, str]) -> dict[str, object]:
    announced = {"filename": "table.csv", "content_type": "text/csv", "size": len(content)}
    upload = client.post("/api/uploads", json=announced).raise_for_status().json()
    client.request(upload["method"], upload["url"], content=content, headers=upload["headers"]).raise_for_status()
    response = client.post("/api/jobs", json={"upload_id": upload["upload_id"], "recipe": recipe}).raise_for_status()
    return wait_for_job(client, response.json()["id"])


def _run(folder: Path, *command: str) -> None:
    environment = {**os.environ, "ENVIRONMENT": "test", "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    environment |= {"SMOKE_EMAIL": "", "SMOKE_PASSWORD": ""}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
