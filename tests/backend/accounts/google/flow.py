"""The steps of a browser in a Google sign-in."""

from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit
from uuid import uuid4

import httpx
import jwt
from sqlalchemy.orm import Session, sessionmaker

from backend.accounts.models import User
from tests.conftest import TEST_SECRET

CLIENT_ID = "client-of-the-tests.apps.example"
CLIENT_SECRET = "c4n4ry-of-the-client-of-32-bytes"
CALLBACK = "/api/oauth/google/callback"


def start(client: httpx.Client, next: str | None = None) -> dict[str, str]:
    """Start a sign-in. Returns the query of the redirect to the provider; `url` is the whole URL."""
    response = client.get("/api/oauth/google/start", params={} if next is None else {"next": next})
    assert response.status_code == 302, response.text
    url = response.headers["location"]
    return {"url": url, **dict(parse_qsl(urlsplit(url).query))}


def call_back(client: httpx.Client, **query: str) -> httpx.Response:
    return client.get(CALLBACK, params=query)


def refused(response: httpx.Response, code: str, next: str = "/") -> None:
    """Check that the response redirects to the log-in page, with the error code and `next`, without a session."""
    query = {"error": code} | ({} if next == "/" else {"next": next})
    assert response.status_code == 302
    assert response.headers["location"] == f"/login?{urlencode(query)}"
    cookies = response.headers.get_list("set-cookie")
    assert [cookie.partition("=")[0] for cookie in cookies] == ["google"]
    assert "Max-Age=0" in cookies[0]


def claims_of(browser: httpx.Client) -> dict[str, Any]:
    """Return the claims of the browser's sign-in cookie."""
    return dict(jwt.decode(browser.cookies["google"], TEST_SECRET, algorithms=["HS256"], audience="google-sign-in"))


def new_google_user(**claims: Any) -> dict[str, Any]:
    """Return the claims of a new Google user."""
    name = uuid4().hex
    return {"sub": f"sub-{name}", "email": f"{name}@example.com", "email_verified": True, "name": "Ada L"} | claims


def subject_of(sessions: sessionmaker[Session], google_user: dict[str, Any]) -> str | None:
    """Return the Google identity that is linked to the account with this address."""
    with sessions() as session:
        return session.query(User).filter_by(email=google_user["email"]).one().google_subject
