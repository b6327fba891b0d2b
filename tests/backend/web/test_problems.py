"""Every error is an RFC 9457 problem document without the request's values."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.actions import sign_up_and_in
from tests.conftest import make_database, settings_for
from tests.servers import LiveServer

CANARY = "c4n4ry"
FIELDS = {"type", "title", "status", "detail", "code", "request_id"}


@pytest.fixture(scope="module")
def problem_server(
    request: pytest.FixtureRequest, valkey_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveServer]:
    """Run one server for all tests of this file."""
    folder = tmp_path_factory.mktemp("problems")
    with LiveServer(settings_for(make_database(request, "sqlite", folder), valkey_url, folder)) as server:
        yield server


@pytest.fixture(scope="module")
def user(problem_server: LiveServer) -> Iterator[httpx.Client]:
    """Return a signed-in client."""
    with problem_server.client() as client:
        sign_up_and_in(client)
        yield client


def check(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    document: dict[str, Any] = response.json()
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert document["status"] == status
    assert document["code"] == code
    assert document["request_id"] == response.headers["x-request-id"]
    assert document.keys() - {"errors"} == FIELDS
    assert document["title"]
    assert document["detail"]
    return document


@pytest.mark.parametrize("path", ["/", "/nowhere", "/api/nowhere", "/api/jobs/x/y/z", "/%00", "/api/%ff"])
def test_an_unknown_path_is_not_found(path: str, user: httpx.Client) -> None:
    check(user.get(path), 404, "not_found")


def test_a_wrong_method_returns_the_allowed_ones(user: httpx.Client) -> None:
    response = user.delete("/api/version")
    check(response, 405, "method_not_allowed")
    assert response.headers["allow"] == "GET"


def test_a_signed_out_caller_is_not_authenticated(problem_server: LiveServer) -> None:
    with problem_server.client() as client:
        check(client.get("/api/jobs"), 401, "not_authenticated")


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"email", "password", "name"}),
        ({"email": f"{CANARY}@@x", "password": CANARY, "name": ""}, {"email", "password", "name"}),
        ({"email": [CANARY], "password": {"x": CANARY}, "name": CANARY * 100}, {"email", "password", "name"}),
        ({"email": f"{CANARY} {CANARY}@example.org", "password": f"{CANARY}-{CANARY}", "name": CANARY}, {"email"}),
    ],
)
def test_invalid_fields_are_named_without_their_values(
    body: dict[str, Any], fields: set[str], user: httpx.Client
) -> None:
    response = user.post("/api/accounts", json=body)
    document = check(response, 422, "invalid_input")
    assert {error["field"] for error in document["errors"]} == fields
    assert all(error["message"] for error in document["errors"])
    assert CANARY not in response.text


def test_an_invalid_nested_field_is_named_by_its_path(user: httpx.Client) -> None:
    body = {"upload_id": CANARY, "recipe": {"preset": CANARY, "watermark": CANARY * 100}}
    response = user.post("/api/jobs", json=body)
    document = check(response, 422, "invalid_input")
    assert {error["field"] for error in document["errors"]} == {"upload_id", "recipe.preset", "recipe.watermark"}
    assert CANARY not in response.text


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=c4n4ry", "cursor=c4n4ry"])
def test_an_invalid_parameter_is_named(query: str, user: httpx.Client) -> None:
    response = user.get(f"/api/jobs?{query}")
    document = check(response, 422, "invalid_input")
    assert [error["field"] for error in document["errors"]] == [query.partition("=")[0]]
    assert CANARY not in response.text


@pytest.mark.parametrize(
    "content", [b"", b"{", b'{"email": c4n4ry}', b"\xff\xfe", b"[]", b'"c4n4ry"', b"null", b"c4n4ry=1"]
)
def test_a_body_that_is_not_valid_json_is_refused(content: bytes, user: httpx.Client) -> None:
    response = user.post("/api/session", content=content, headers={"Content-Type": "application/json"})
    assert response.status_code in (400, 422)
    check(response, response.status_code, "invalid_input" if response.status_code == 422 else "bad_request")
    assert CANARY not in response.text


def test_other_content_types_are_not_parsed_as_json(user: httpx.Client) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded"):
        response = user.post(
            "/api/session", content=b'{"email":"a@b.org","password":"x"}', headers={"Content-Type": kind}
        )
        check(response, 422, "invalid_input")
