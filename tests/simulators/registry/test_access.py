"""The simulator checks logins as DigitalOcean and Fly do, produces faults on demand, and stores no credentials."""

from collections.abc import Iterator

import httpx
import pytest

from tests.simulators.registry.client import Client, codes
from tests.simulators.registry.server import DIGITALOCEAN, FLY, OciRegistry, oci_registry

TAGS = "/tags/list"


@pytest.fixture
def guarded() -> Iterator[OciRegistry]:
    with oci_registry(credentials=DIGITALOCEAN) as registry:
        registry.push_image("slipway-app", git_sha="a" * 40, tags=("sha-a",))
        yield registry


@pytest.fixture
def guest(guarded: OciRegistry) -> Client:
    return Client(guarded)


def test_a_challenge_leads_to_a_valid_token(guarded: OciRegistry, guest: Client) -> None:
    refused = guest.get(TAGS)
    assert refused.status_code == 401
    assert codes(refused) == ["UNAUTHORIZED"]
    assert refused.headers["www-authenticate"] == (
        f'Bearer realm="{guarded.url}/token",service="registry.test",scope="repository:slipway-app:pull"'
    )
    token = guest.log_in(refused, DIGITALOCEAN).json()
    assert token["token"] == token["access_token"]
    assert token["expires_in"] == 300
    assert guest.get(TAGS).json()["tags"] == ["sha-a"]
    assert [(seen.path, seen.authorised, seen.status) for seen in guarded.seen("GET")] == [
        ("/v2/slipway-app/tags/list", False, 401),
        ("/token", True, 200),
        ("/v2/slipway-app/tags/list", True, 200),
    ]


@pytest.mark.parametrize("credentials", [("x", DIGITALOCEAN[1]), (DIGITALOCEAN[0], "wrong"), ("", "")])
def test_wrong_credentials_get_no_token(guest: Client, credentials: tuple[str, str]) -> None:
    assert guest.log_in(guest.get(TAGS), credentials).status_code == 401


@pytest.mark.parametrize("authorization", ["Bearer wrong", "Basic wrong", "wrong"])
def test_a_wrong_token_is_refused(guest: Client, authorization: str) -> None:
    assert guest.get(TAGS, Authorization=authorization).status_code == 401


def test_a_token_is_valid_only_for_the_requested_scope(guest: Client) -> None:
    guest.log_in(guest.get(TAGS), DIGITALOCEAN)
    refused = guest.copy_tag("sha-a", "tested-a")
    assert refused.status_code == 401
    assert 'scope="repository:slipway-app:pull,push",error="insufficient_scope"' in refused.headers["www-authenticate"]
    guest.log_in(refused, DIGITALOCEAN)
    assert guest.copy_tag("sha-a", "tested-a").status_code == 201
    assert guest.http.get("/v2/slipway-web/tags/list").status_code == 401


def test_a_token_expires(guarded: OciRegistry, guest: Client) -> None:
    guest.log_in(guest.get(TAGS), DIGITALOCEAN)
    guarded.faults.call("GET", TAGS, guarded.guard.expire_tokens, skip=1)
    statuses = [guest.get(TAGS).status_code for _ in range(2)]
    refused = guest.get(TAGS)
    assert statuses == [200, 401]
    assert refused.status_code == 401
    assert 'error="invalid_token"' in refused.headers["www-authenticate"]
    guest.log_in(refused, DIGITALOCEAN)
    assert guest.get(TAGS).status_code == 200


def test_read_only_credentials_can_not_push(guarded: OciRegistry, guest: Client) -> None:
    guarded.guard.read_only = True
    guest.log_in(guest.put("x", b""), DIGITALOCEAN)
    refused = guest.copy_tag("sha-a", "tested-a")
    assert refused.status_code == 403
    assert codes(refused) == ["DENIED"]
    assert set(guarded.tags("slipway-app")) == {"sha-a"}


def test_fly_accepts_its_token_with_every_request() -> None:
    with oci_registry(credentials=FLY, scheme="Basic") as registry:
        registry.push_image("slipway-app", git_sha="a" * 40, tags=("sha-a",))
        client = Client(registry)
        refused = client.get(TAGS)
        assert refused.status_code == 401
        assert refused.headers["www-authenticate"] == 'Basic realm="registry.test"'
        client.http.auth = FLY
        assert client.copy_tag("sha-a", "tested-a").status_code == 201
        registry.guard.read_only = True
        assert client.copy_tag("sha-a", "production-a").status_code == 403
        client.http.auth = ("x", "wrong")
        assert client.get(TAGS).status_code == 401


def test_recorded_requests_contain_no_credentials(guarded: OciRegistry, guest: Client) -> None:
    token = guest.log_in(guest.get(TAGS), DIGITALOCEAN).json()["token"]
    guest.get(TAGS)
    assert len(guarded.http.seen) == 3
    assert not any(secret in repr(guarded.http.seen) for secret in (token, *DIGITALOCEAN))


@pytest.mark.parametrize(("status", "code"), [(404, "NAME_UNKNOWN"), (500, "UNKNOWN"), (503, "UNAVAILABLE")])
def test_errors_are_simulated_the_given_number_of_times(
    registry: OciRegistry, client: Client, status: int, code: str
) -> None:
    registry.push_image("slipway-app", git_sha="a" * 40, tags=("sha-a",))
    registry.faults.fail("GET", TAGS, status, times=2)
    responses = [client.get(TAGS) for _ in range(3)]
    assert [response.status_code for response in responses] == [status, status, 200]
    assert codes(responses[0]) == [code]


def test_a_rate_limited_response_has_retry_after(registry: OciRegistry, client: Client) -> None:
    registry.faults.rate_limit("GET", "/v2/", retry_after=7)
    response = client.get(TAGS)
    assert response.status_code == 429
    assert response.headers["retry-after"] == "7"
    assert codes(response) == ["TOOMANYREQUESTS"]


@pytest.mark.parametrize("executed", [True, False])
def test_a_connection_is_closed_without_a_response(registry: OciRegistry, client: Client, executed: bool) -> None:
    registry.push_image("slipway-app", git_sha="a" * 40, tags=("sha-a",))
    lose = registry.faults.lose_response if executed else registry.faults.lose_request
    lose("PUT", "/manifests/tested-a")
    with pytest.raises(httpx.RemoteProtocolError):
        client.copy_tag("sha-a", "tested-a")
    assert ("tested-a" in registry.tags("slipway-app")) == executed
    assert [seen.status for seen in registry.seen("PUT")] == [0]
