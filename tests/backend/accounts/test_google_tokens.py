"""What Google says is checked: a provider that lies, forges, stalls or is away signs nobody in."""

import base64
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from typing import Any

import httpx
import jwt
import pytest
from sqlalchemy.orm import Session, sessionmaker

from backend.accounts.models import User
from backend.infra import openid
from tests.backend.accounts.google_flow import (
    CLIENT_ID,
    CLIENT_SECRET,
    OddProvider,
    call_back,
    refused,
    rsa_key,
    start,
)
from tests.conftest import MakeSettings
from tests.servers import LiveServer

Forge = Callable[[OddProvider, dict[str, Any]], str]


@pytest.fixture
def provider() -> Iterator[OddProvider]:
    with OddProvider() as provider:
        yield provider


@pytest.fixture
def server(make_settings: MakeSettings, provider: OddProvider) -> Iterator[LiveServer]:
    with LiveServer(make_settings(**provider.settings())) as server:
        yield server


def test_pkce_state_and_nonce_are_sent_and_the_verifier_is_kept_for_the_end(
    client: httpx.Client, provider: OddProvider
) -> None:
    sent = start(client)
    assert sent["url"].startswith(f"{provider.url}/authorize?")
    assert (sent["response_type"], sent["client_id"]) == ("code", CLIENT_ID)
    assert (sent["code_challenge_method"], sent["scope"]) == ("S256", "openid email profile")
    assert sent["redirect_uri"] == "http://127.0.0.1:8000/api/oauth/google/callback"
    code = provider.consent(sent, provider.sign(provider.claims(sent)))
    assert call_back(client, state=sent["state"], code=code).headers["location"] == "/"
    (form,) = provider.forms
    hashed = base64.urlsafe_b64encode(sha256(form["code_verifier"].encode()).digest()).rstrip(b"=").decode()
    assert (hashed, len(form["code_verifier"])) == (sent["code_challenge"], 43)
    assert (form["code"], form["redirect_uri"]) == (code, sent["redirect_uri"])
    assert len({sent["state"], sent["nonce"], form["code_verifier"], start(client)["state"]}) == 4


def test_a_code_that_was_issued_to_another_sign_in_is_refused(client: httpx.Client, provider: OddProvider) -> None:
    stolen = start(client)
    code = provider.consent(stolen, provider.sign(provider.claims(stolen)))
    refused(call_back(client, state=start(client)["state"], code=code), "google_failed")


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"nonce": ["list"]},
        {"aud": "another-client"},
        {"aud": "another-client", "azp": CLIENT_ID},
        {"aud": None},
        {"aud": []},
        {"aud": [CLIENT_ID, "another"], "azp": "another"},
        {"aud": [CLIENT_ID, "another"]},
        {"azp": "another"},
        {"iss": "https://accounts.google.com"},
        {"iss": None},
        {"iss": "http://127.0.0.1"},
        {"exp": -120},
        {"exp": None},
        {"exp": "never"},
        {"iat": 3600},
        {"iat": None},
        {"nbf": 3600},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"sub": "x" * 256},
        {"sub": "a\x00b"},
        {"at_hash": "wrong"},
    ],
    ids=str,
)
def test_an_id_token_with_a_wrong_claim_is_refused(
    client: httpx.Client, provider: OddProvider, sessions: sessionmaker[Session], claims: dict[str, Any]
) -> None:
    refused(provider.sign_in(client, **claims), "google_failed")
    with sessions() as session:
        assert session.query(User).count() == 0


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": -5},
        {"aud": [CLIENT_ID], "azp": CLIENT_ID},
        {"name": "\ud800 \x00 "},
        {"name": {"first": "Ada"}},
        {"name": "x" * 5000},
        {"sub": "x" * 255},
    ],
    ids=["clock", "list", "unprintable", "no-text", "long", "long-subject"],
)
def test_an_odd_token_that_is_true_is_accepted(
    client: httpx.Client, provider: OddProvider, claims: dict[str, Any]
) -> None:
    assert provider.sign_in(client, **claims).headers["location"] == "/"
    assert 1 <= len(client.get("/api/accounts/me").json()["name"]) <= 100


def unsigned(_provider: OddProvider, claims: dict[str, Any]) -> str:
    parts = [{"alg": "none", "kid": "first"}, claims]
    return ".".join(
        [*(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts), ""]
    )


def confused(provider: OddProvider, claims: dict[str, Any]) -> str:
    """Sign with HMAC and the public key, which a careless reader takes for the secret."""
    header, payload = (
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=")
        for part in ({"alg": "HS256", "kid": "first"}, claims)
    )
    key = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
    signature = base64.urlsafe_b64encode(key.sign(header + b"." + payload, provider.key.as_pem(private=False)))
    return b".".join([header, payload, signature.rstrip(b"=")]).decode()


def by_the_client_secret(_provider: OddProvider, claims: dict[str, Any]) -> str:
    return jwt.encode(claims, CLIENT_SECRET, algorithm="HS256", headers={"kid": "first"})


def by_another_key(_provider: OddProvider, claims: dict[str, Any]) -> str:
    return jwt.encode(claims, rsa_key("another").as_pem(private=True), algorithm="RS256", headers={"kid": "first"})


def by_a_key_it_brings(_provider: OddProvider, claims: dict[str, Any]) -> str:
    key = rsa_key("another")
    headers = {"kid": "first", "jwk": key.as_dict(private=False)}
    return jwt.encode(claims, key.as_pem(private=True), algorithm="RS256", headers=headers)


def by_another_algorithm(provider: OddProvider, claims: dict[str, Any]) -> str:
    return jwt.encode(claims, provider.key.as_pem(private=True), algorithm="RS512", headers={"kid": "first"})


def by_an_unknown_key(provider: OddProvider, claims: dict[str, Any]) -> str:
    return provider.sign(claims, kid="unknown")


def altered(provider: OddProvider, claims: dict[str, Any]) -> str:
    header, _payload, signature = provider.sign(claims | {"sub": "mallory"}).split(".")
    return ".".join([header, provider.sign(claims).split(".")[1], signature])


@pytest.mark.parametrize(
    "forge",
    [
        unsigned,
        confused,
        by_the_client_secret,
        by_another_key,
        by_a_key_it_brings,
        by_another_algorithm,
        by_an_unknown_key,
        altered,
        lambda _provider, _claims: "garbage",
        lambda _provider, _claims: "x" * 1_000_000,
    ],
    ids=["none", "confused", "secret", "key", "jwk", "RS512", "kid", "altered", "garbage", "huge"],
)
def test_a_forged_id_token_is_refused(client: httpx.Client, provider: OddProvider, forge: Forge) -> None:
    sent = start(client)
    code = provider.consent(sent, forge(provider, provider.claims(sent)))
    refused(call_back(client, state=sent["state"], code=code), "google_failed")


def test_documents_are_fetched_once_and_keys_again_for_an_unknown_one_at_most_once_a_minute(
    server: LiveServer, provider: OddProvider
) -> None:
    for _ in range(2):
        with server.client() as client:
            assert provider.sign_in(client).headers["location"] == "/"
    assert [provider.paths.count(path) for path in ("/.well-known/openid-configuration", "/jwks")] == [1, 1]
    provider.key = rsa_key("second")
    with server.client() as client:
        assert provider.sign_in(client).headers["location"] == "/"
    assert provider.paths.count("/jwks") == 2
    for _ in range(3):
        sent = start(client := server.client())
        code = provider.consent(sent, by_an_unknown_key(provider, provider.claims(sent)))
        refused(call_back(client, state=sent["state"], code=code), "google_failed")
    assert provider.paths.count("/jwks") == 2


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/token", (500, {"error": "server_error"})),
        ("/token", (200, b"<html>")),
        ("/token", (200, [])),
        ("/token", (200, {"access_token": "at"})),
        ("/token", (200, {"id_token": {"not": "text"}})),
        ("/jwks", (503, {})),
        ("/jwks", (200, {"keys": "none"})),
        ("/jwks", (200, {"keys": [{"kty": "RSA", "kid": "first", "n": "!", "e": 1}]})),
        ("/jwks", (200, b"[" * 100_000)),
    ],
    ids=str,
)
def test_nonsense_from_the_provider_is_a_failed_sign_in(
    client: httpx.Client, provider: OddProvider, path: str, answer: tuple[int, Any]
) -> None:
    provider.answers[path] = answer
    refused(provider.sign_in(client), "google_failed")


@pytest.mark.parametrize(
    "discovery",
    [
        {"issuer": "https://accounts.google.com"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"token_endpoint": "ftp://127.0.0.1/token"},
        {"jwks_uri": None},
    ],
    ids=str,
)
def test_a_discovery_document_that_can_not_be_trusted_ends_the_sign_in_at_its_start(
    client: httpx.Client, provider: OddProvider, discovery: dict[str, Any]
) -> None:
    provider.discovery = discovery
    refused(client.get("/api/oauth/google/start"), "google_failed")


def test_a_provider_that_is_away_fails_the_sign_in(make_settings: MakeSettings, provider: OddProvider) -> None:
    values = provider.settings()
    with LiveServer(make_settings(**values)) as server, server.client() as client:
        sent = start(client)
        provider.__exit__()
        refused(call_back(client, state=sent["state"], code="x"), "google_failed")
    with LiveServer(make_settings(**values)) as server, server.client() as client:
        refused(client.get("/api/oauth/google/start"), "google_failed")


@pytest.mark.parametrize("how", ["silent", "dripping"])
def test_a_slow_provider_takes_bounded_time_and_leaves_the_api_alone(
    server: LiveServer, provider: OddProvider, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr(openid, "REQUEST_SECONDS", 2)
    sent = [start(client := server.client()) | {"client": client} for _ in range(4)]
    provider.delay, provider.drip = (30, False) if how == "silent" else (0, True)
    begun = time.monotonic()
    with ThreadPoolExecutor(4) as threads:
        calls = [threads.submit(call_back, one["client"], state=one["state"], code="x") for one in sent]
        time.sleep(0.3)
        assert httpx.get(f"{server.url}/health/ready").status_code == 200
        assert not any(call.done() for call in calls)
        for call in calls:
            refused(call.result(), "google_failed")
    assert time.monotonic() - begun < 8


def test_a_slow_discovery_ends_the_sign_in_at_its_start(
    client: httpx.Client, provider: OddProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openid, "REQUEST_SECONDS", 1)
    provider.drip = True
    begun = time.monotonic()
    refused(client.get("/api/oauth/google/start"), "google_failed")
    assert time.monotonic() - begun < 4


def test_secrets_are_neither_logged_nor_sent_to_the_browser(
    client: httpx.Client, provider: OddProvider, capsys: pytest.CaptureFixture[str]
) -> None:
    sent = start(client)
    id_token = provider.sign(provider.claims(sent))
    code = provider.consent(sent, id_token)
    answers = [call_back(client, state=sent["state"], code=code) for _ in range(2)]
    sent = start(client)
    answers.append(call_back(client, state=sent["state"], code="refused-code"))
    refused(answers[-1], "google_failed")
    logged = capsys.readouterr().out
    assert "google_sign_in_failed" in logged
    told = "".join(str(answer.headers.multi_items()) + answer.text for answer in answers) + sent["url"]
    secret = [CLIENT_SECRET, id_token, *(form["code_verifier"] for form in provider.forms)]
    for word in secret:
        assert word not in logged
        assert word not in told
    for word in (code, "refused-code", sent["state"], "provider's own words"):
        assert word not in logged
    assert all("provider's own words" not in answer.text for answer in answers)
