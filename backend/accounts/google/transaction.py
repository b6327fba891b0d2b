"""One attempt to sign in with Google, bound to the browser that began it by a signed cookie.

The cookie holds a random id, where to go next, and an end. State, nonce and PKCE verifier are derived from the id
with JWT_SECRET, so that whoever reads the cookie learns none of them.
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
# Tokens for other uses are signed with the same secret; the audience keeps each from passing for another.
AUDIENCE = "google-sign-in"
HOME = "/"
MAX_NEXT = 500
# Only what can't be read as another host by any browser or proxy: no backslash, no %, no empty or dotted segment.
NEXT = re.compile(r"/(?:[\w~-][\w.~-]*(?:/[\w~-][\w.~-]*)*/?)?(?:\?[\w.~=&+-]*)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Transaction:
    """What the browser, the provider and we must agree on."""

    state: str
    nonce: str
    verifier: str
    next: str


def begin_transaction(settings: Settings, next: str) -> tuple[Transaction, str]:
    """Return a new transaction and the cookie that keeps it."""
    import jwt

    secret = settings.JWT_SECRET.get_secret_value()
    transaction_id, page = secrets.token_urlsafe(32), local_path(next)
    claims = {"aud": AUDIENCE, "jti": transaction_id, "next": page, "exp": int(time.time()) + LIFETIME_SECONDS}
    cookie = jwt.encode(claims, secret, algorithm=settings.JWT_ALGORITHM)
    return _transaction(secret, transaction_id, page), cookie


def read_transaction(settings: Settings, cookie: str, state: str) -> Transaction:
    """Return the transaction of this browser. Raises GoogleFailed unless it began the sign-in that `state` is of."""
    transaction = _read_cookie(settings, cookie)
    if transaction is None or not hmac.compare_digest(transaction.state.encode(), state.encode()):
        raise GoogleFailed
    return transaction


def wanted_page(settings: Settings, cookie: str) -> str:
    """Return where the sign-in that this browser began was to end, whoever it comes back with; else the home page."""
    transaction = _read_cookie(settings, cookie)
    return transaction.next if transaction else HOME


def local_path(next: str) -> str:
    """Return the path when it surely stays on this site and leads to a page, else the home page."""
    fine = len(next) <= MAX_NEXT and NEXT.fullmatch(next) and not next.startswith("/api/")
    return next if fine else HOME


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
        # Checked again: what was fine when it was signed may not be since a deploy.
        return _transaction(secret, claims["jti"], local_path(claims["next"]))
    return None


def _secrets(settings: Settings) -> list[str]:
    both = (settings.JWT_SECRET.get_secret_value(), settings.JWT_SECRET_PREVIOUS.get_secret_value())
    return [secret for secret in both if secret]


def _transaction(secret: str, transaction_id: str, next: str) -> Transaction:
    state, nonce, verifier = (_derive(secret, use, transaction_id) for use in ("state", "nonce", "verifier"))
    return Transaction(state, nonce, verifier, next)


def _derive(secret: str, use: str, transaction_id: str) -> str:
    """Return 256 bits as 43 characters, all of them allowed in a PKCE verifier (RFC 7636, 4.1)."""
    digest = hmac.digest(secret.encode(), f"{AUDIENCE} {use} {transaction_id}".encode(), "sha256")
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
