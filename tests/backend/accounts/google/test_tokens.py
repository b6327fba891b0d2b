"""An ID token is refused if its claims are for another sign-in or another client."""

import base64
from hashlib import sha256
from typing import Any

import httpx
import pytest
from sqlalchemy.orm import Session, sessionmaker

from backend.accounts.models import User
from tests.backend.accounts.google.flow import CLIENT_ID, call_back, refused, start
from tests.backend.accounts.google.provider import OddProvider


def test_the_pkce_verifier_is_sent_with_the_code_only(browser: httpx.Client, provider: OddProvider) -> None:
    sent = start(browser)
    assert sent["url"].startswith(f"{provider.url}/authorize?")
    assert sent["response_type"] == "code"
    assert sent["client_id"] == CLIENT_ID
    assert sent["code_challenge_method"] == "S256"
    assert sent["scope"] == "openid email profile"
    assert sent["redirect_uri"] == "http://127.0.0.1:8000/api/oauth/google/callback"
    code = provider.consent(sent, provider.sign(provider.claims(sent)))
    assert call_back(browser, state=sent["state"], code=code).headers["location"] == "/"
    (form,) = provider.forms
    hashed = base64.urlsafe_b64encode(sha256(form["code_verifier"].encode()).digest()).rstrip(b"=").decode()
    assert hashed == sent["code_challenge"]
    assert len(form["code_verifier"]) == 43
    assert form["code"] == code
    assert form["redirect_uri"] == sent["redirect_uri"]
    assert len({sent["state"], sent["nonce"], form["code_verifier"], start(browser)["state"]}) == 4


def test_a_code_of_another_sign_in_is_refused(browser: httpx.Client, provider: OddProvider) -> None:
    stolen = start(browser)
    code = provider.consent(stolen, provider.sign(provider.claims(stolen)))
    refused(call_back(browser, state=start(browser)["state"], code=code), "google_failed")


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
        {"sub": "\u00fc"},
        {"at_hash": "wrong"},
    ],
    ids=lambda claims: str(claims)[:60],
)
def test_an_id_token_with_a_wrong_claim_is_refused(
    browser: httpx.Client, provider: OddProvider, sessions: sessionmaker[Session], claims: dict[str, Any]
) -> None:
    refused(provider.sign_in(browser, **claims), "google_failed")
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
def test_an_unusual_but_valid_token_is_accepted(
    browser: httpx.Client, provider: OddProvider, claims: dict[str, Any]
) -> None:
    assert provider.sign_in(browser, **claims).headers["location"] == "/"
    assert 1 <= len(browser.get("/api/accounts/me").json()["name"]) <= 100
