"""An ID token without Google's signature is refused."""

import base64
import json
from collections.abc import Callable
from typing import Any

import httpx
import jwt
import pytest

from tests.backend.accounts.google.flow import CLIENT_SECRET, call_back, refused, start
from tests.backend.accounts.google.provider import OddProvider, rsa_key
from tests.servers import LiveServer

Forge = Callable[[OddProvider, dict[str, Any]], str]


def unsigned(_provider: OddProvider, claims: dict[str, Any]) -> str:
    parts = [{"alg": "none", "kid": "first"}, claims]
    return ".".join(
        [*(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts), ""]
    )


def confused(provider: OddProvider, claims: dict[str, Any]) -> str:
    """Sign with HMAC and the public key. A careless implementation accepts this key as the secret."""
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
def test_a_forged_id_token_is_refused(browser: httpx.Client, provider: OddProvider, forge: Forge) -> None:
    sent = start(browser)
    code = provider.consent(sent, forge(provider, provider.claims(sent)))
    refused(call_back(browser, state=sent["state"], code=code), "google_failed")


def test_a_symmetric_key_in_the_jwks_is_refused(browser: httpx.Client, provider: OddProvider) -> None:
    secret = base64.urlsafe_b64encode(CLIENT_SECRET.encode()).rstrip(b"=").decode()
    provider.responses["/jwks"] = (200, {"keys": [{"kty": "oct", "kid": "first", "k": secret}]})
    sent = start(browser)
    code = provider.consent(sent, by_the_client_secret(provider, provider.claims(sent)))
    refused(call_back(browser, state=sent["state"], code=code), "google_failed")


def test_keys_are_fetched_again_for_an_unknown_key_at_most_once_per_minute(
    google_server: LiveServer, provider: OddProvider
) -> None:
    for _ in range(2):
        with google_server.client() as browser:
            assert provider.sign_in(browser).headers["location"] == "/"
    assert [provider.paths.count(path) for path in ("/.well-known/openid-configuration", "/jwks")] == [1, 1]
    provider.key = rsa_key("second")
    with google_server.client() as browser:
        assert provider.sign_in(browser).headers["location"] == "/"
    assert provider.paths.count("/jwks") == 2
    for _ in range(3):
        sent = start(browser := google_server.client())
        code = provider.consent(sent, by_an_unknown_key(provider, provider.claims(sent)))
        refused(call_back(browser, state=sent["state"], code=code), "google_failed")
    assert provider.paths.count("/jwks") == 2
