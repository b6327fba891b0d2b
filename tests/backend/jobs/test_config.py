"""GET /api/config: names and limits for the frontend."""

import httpx

from backend.accounts.schemas import MIN_PASSWORD
from backend.jobs.recipe import FILE_TYPES
from tests.conftest import MakeSettings, on_one_database
from tests.servers import LiveServer


@on_one_database  # the route runs no query
def test_names_and_limits_follow_the_settings(make_settings: MakeSettings) -> None:
    settings = make_settings(APP_NAME="Photo Shop", MAX_UPLOAD_BYTES=123)
    with LiveServer(settings) as server, server.client() as client:
        config = client.get("/api/config").json()
    assert config["app_name"] == "Photo Shop"
    assert config["uploads"]["max_bytes"] == 123


def test_the_api_accepts_the_published_types_and_limits(client: httpx.Client, user: httpx.Client) -> None:
    config = client.get("/api/config").json()
    types = [item["content_type"] for item in config["uploads"]["accepted_types"]]
    assert types == [item.content_type for item in FILE_TYPES]
    size = config["uploads"]["max_bytes"]
    for content_type in types:
        upload = {"filename": "a", "content_type": content_type, "size": size}
        assert user.post("/api/uploads", json=upload).status_code == 201
        assert user.post("/api/uploads", json=upload | {"size": size + 1}).json()["code"] == "file_too_large"
    assert config["accounts"]["password_min_length"] == MIN_PASSWORD
    assert config["recipe"]["properties"]["preset"]["enum"] == ["web", "social", "print"]
    assert config["recipe"]["properties"]["preset"]["default"] == "web"


@on_one_database
def test_an_unchanged_configuration_returns_304(client: httpx.Client) -> None:
    first = client.get("/api/config")
    assert "max-age" in first.headers["cache-control"]
    assert "Origin" in first.headers["vary"]
    for tag in (first.headers["etag"], f"W/{first.headers['etag']}"):
        again = client.get("/api/config", headers={"If-None-Match": tag})
        assert again.status_code == 304
        assert again.content == b""
    other = client.get("/api/config", headers={"If-None-Match": '"another"'})
    assert other.status_code == 200
