"""One Google sign-in, bound to the browser that started it by a signed cookie.

The cookie holds a random id, the path to open afterwards, and an expiry. State, nonce and PKCE verifier are derived
from the id with JWT_SECRET, so that the cookie does not reveal them.
"""

import base64
import hmac
import re
import secrets
import time
from dataclasses import dataclass

from backend.accounts.errors import GoogleFailed
from backend.settings import Settings

LIFETIME_SECONDS = 600
# Other tokens are signed with the same secret. The audience prevents using one as another.
AUDIENCE = "google-sign-in"
HOME = "/"
MAX_NEXT = 500
# Only paths that no browser or proxy reads as another host: no backslash, no %, no empty or dotted segment.
NEXT = re.compile(r"/(?:[\w~-][\w.~-]*(?:/[\w~-][\w.~-]*)*/?)?(?:\?[\w.~=&+-]*)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Transaction:
    """The values that browser, provider and server must agree on."""

    state: str
    nonce: str
    verifier: str
    next: str


def create_transaction(settings: Settings, next: str) -> tuple[Transaction, str]:
    import jwt

    secret = settings.JWT_SECRET.get_secret_value()
    transaction_id, page = secrets.token_urlsafe(32), local_path(next)
    claims = {"aud": AUDIENCE, "jti": transaction_id, "next": page, "exp": int(time.time()) + LIFETIME_SECONDS}
    cookie = jwt.encode(claims, secret, algorithm=settings.JWT_ALGORITHM)
    return _transaction(secret, transaction_id, page), cookie


def read_transaction(settings: Settings, cookie: str, state: str) -> Transaction:
    """Return this browser's transaction. Raises GoogleFailed when `state` belongs to another transaction."""
    transaction = _read_cookie(settings, cookie)
    if transaction is None or not hmac.compare_digest(transaction.state.encode(), state.encode()):
        raise GoogleFailed
    return transaction


def wanted_page(settings: Settings, cookie: str) -> str:
    transaction = _read_cookie(settings, cookie)
    return transaction.next if transaction else HOME


def local_path(next: str) -> str:
    """Return the path if it safely stays on this site and is a page, else the home page."""
    is_safe = len(next) <= MAX_NEXT and NEXT.fullmatch(next) and not next.startswith("/api/")
    return next if is_safe else HOME


def _read_cookie(settings: Settings, cookie: str) -> Transaction | None:
    import jwt

    for secret in _secrets(settings):
        try:
            claims = jwt.decode(
                cookie,
                secret,
                algorithms=[settings.JWT_ALGORITHM],
                audience=AUDIENCE,
                options={"require": ["aud", "exp", "jti", "next"]},
            )
        except jwt.InvalidTokenError:
            continue
        # Checked again, because a deployment may have changed the rules since.
        return _transaction(secret, claims["jti"], local_path(claims["next"]))
    return None


def _secrets(settings: Settings) -> list[str]:
    both = (settings.JWT_SECRET.get_secret_value(), settings.JWT_SECRET_PREVIOUS.get_secret_value())
    return [secret for secret in both if secret]


def _transaction(secret: str, transaction_id: str, next: str) -> Transaction:
    state, nonce, verifier = (_derive(secret, use, transaction_id) for use in ("state", "nonce", "verifier"))
    return Transaction(state, nonce, verifier, next)


def _derive(secret: str, use: str, transaction_id: str) -> str:
    """Return 256 bits as 43 characters that a PKCE verifier allows (RFC 7636, 4.1)."""
    digest = hmac.digest(secret.encode(), f"{AUDIENCE} {use} {transaction_id}".encode(), "sha256")
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
