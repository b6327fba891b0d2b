"""Tokens: the short-lived JWT that carries an identity, opaque refresh tokens, and other secrets."""

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
    """The access token is forged, altered, expired or not one of ours."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who makes a request, read from the token alone: no query. `expires_at` is the token's, in Unix time."""

    user_id: UUID
    session_id: UUID
    expires_at: float = math.inf


def create_access_token(identity: Identity, settings: Settings) -> str:
    """Return a JWT (RFC 7519) that lives ACCESS_TOKEN_EXPIRE_MINUTES."""
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
    """Return the identity a token proves, signed with JWT_SECRET or the one before it. Raises InvalidToken."""
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
    """Return the identity of a token whose signature is right; a client shows the same one many times."""
    # Imported on first use: with cryptography, which it imports where that is installed, it takes 20 ms.
    import jwt

    try:
        claims = jwt.decode(token, secret, algorithms=[algorithm], options={"require": ["exp", "sub", "sid"]})
        return Identity(UUID(claims["sub"]), UUID(claims["sid"]), float(claims["exp"]))
    except (jwt.InvalidTokenError, ValueError, AttributeError) as error:
        raise InvalidToken from error


def create_refresh_token(family: str | None = None) -> str:
    """Return a token of a family, or the first of a new one.

    All tokens of a session are of one family, so that a stolen one is known however long ago it was replaced. It is
    random and told to nobody else: the session's id, which access tokens carry, would let their readers end sessions.
    """
    return f"{family or secrets.token_urlsafe(FAMILY_BYTES)}.{create_secret()}"


def family_of(refresh_token: str) -> str:
    """Return a token's family. Tokens made before there were families begin one of their own name."""
    return refresh_token.partition(".")[0]


def create_secret() -> str:
    """Return 256 random bits as text."""
    return secrets.token_urlsafe(SECRET_BYTES)


def hash_secret(secret: str) -> str:
    """Return the SHA-256 of a secret: enough for random 256 bits, and a leaked table opens nothing."""
    return hashlib.sha256(secret.encode()).hexdigest()
