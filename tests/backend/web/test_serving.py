"""/health/serving reports that a process will stop, before it stops."""

from pathlib import Path

from tests.conftest import MakeSettings
from tests.servers import LiveServer


def test_a_draining_process_is_not_serving_but_still_responds(make_settings: MakeSettings, tmp_path: Path) -> None:
    drain = tmp_path / "drain"
    with (
        LiveServer(make_settings(DRAIN_FILE=str(drain))) as server,
        server.client() as client,
    ):
        assert client.get("/health/serving").json() == {"status": "ok"}
        drain.touch()
        refused = client.get("/health/serving")
        assert refused.status_code == 503
        assert refused.json()["code"] == "unavailable"
        assert client.get("/health/ready").status_code == 200
        assert client.get("/api/version").status_code == 200
        drain.unlink()
        assert client.get("/health/serving").status_code == 200


def test_without_a_drain_file_a_process_is_always_serving(make_settings: MakeSettings) -> None:
    with LiveServer(make_settings()) as server, server.client() as client:
        assert client.get("/health/serving").status_code == 200
