"""Tokens: JWT access tokens, opaque refresh tokens, and other secrets."""

import hashlib
import math
import secrets
import time
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from backend.settings import Settings

SECRET_BYTES = 32
FAMILY_BYTES = 16


class InvalidToken(Exception):
    """The access token is forged, altered, expired or from another issuer."""


@dataclass(frozen=True, slots=True)
class Identity:
    """The user and session of a request, read from the token without a query. `expires_at` is in Unix time."""

    user_id: UUID
    session_id: UUID
    expires_at: float = math.inf


def create_access_token(identity: Identity, settings: Settings) -> str:
    now = int(time.time())
    claims = {
        "sub": identity.user_id.hex,
        "sid": identity.session_id.hex,
        "iat": now,
        "exp": now + settings.ACCESS_TOKEN_EXPIRE_MINUTES * 60,
    }
    import jwt

    return jwt.encode(claims, settings.JWT_SECRET.get_secret_value(), algorithm=settings.JWT_ALGORITHM)


def read_access_token(token: str, settings: Settings) -> Identity:
    """Return a token's identity. Accepts signatures by JWT_SECRET and JWT_SECRET_PREVIOUS. Raises InvalidToken."""
    try:
        identity = _verify(token, settings.JWT_SECRET.get_secret_value(), settings.JWT_ALGORITHM)
    except InvalidToken:
        previous = settings.JWT_SECRET_PREVIOUS.get_secret_value()
        if not previous:
            raise
        identity = _verify(token, previous, settings.JWT_ALGORITHM)
    if identity.expires_at <= time.time():
        raise InvalidToken
    return identity


@lru_cache(maxsize=1024)
def _verify(token: str, secret: str, algorithm: str) -> Identity:
    """Return the identity of a correctly signed token. Cached, because clients send the same token many times."""
    # Imported on first use, because the import takes 20 ms if cryptography is installed.
    import jwt

    try:
        claims = jwt.decode(token, secret, algorithms=[algorithm], options={"require": ["exp", "sub", "sid"]})
        return Identity(UUID(claims["sub"]), UUID(claims["sid"]), float(claims["exp"]))
    except (jwt.InvalidTokenError, ValueError, AttributeError) as error:
        raise InvalidToken from error


def create_refresh_token(family: str | None = None) -> str:
    """Return a token of a family, or the first token of a new family.

    All tokens of a session share one family, so that a stolen token is recognised however often it was replaced. The
    family is random and secret. It is not the session's id, because anyone who can read an access token knows that id.
    """
    return f"{family or secrets.token_urlsafe(FAMILY_BYTES)}.{create_secret()}"


def family_of(refresh_token: str) -> str:
    """Return a token's family. Tokens from before families existed start a family with their own value."""
    return refresh_token.partition(".")[0]


def create_secret() -> str:
    return secrets.token_urlsafe(SECRET_BYTES)


def hash_secret(secret: str) -> str:
    """Return the SHA-256 of a secret. This is enough for 256 random bits: a leaked hash can't be reversed."""
    return hashlib.sha256(secret.encode()).hexdigest()
