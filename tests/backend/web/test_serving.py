"""/health/serving: how a proxy learns that a process will be stopped, before it is."""

from pathlib import Path

from tests.conftest import MakeSettings
from tests.servers import LiveServer


def test_a_process_says_that_it_wants_no_new_requests_and_goes_on_answering(
    make_settings: MakeSettings, tmp_path: Path
) -> None:
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


def test_without_the_setting_no_file_stops_the_requests(make_settings: MakeSettings) -> None:
    with LiveServer(make_settings()) as server, server.client() as client:
        assert client.get("/health/serving").status_code == 200
