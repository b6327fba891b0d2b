"""Checks logins: HTTP Basic as at Fly, or the token flow of Docker's registries as at DigitalOcean."""

import base64
import binascii
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from tests.simulators.registry.errors import RegistryError

Credentials = tuple[str, str]
Grant = tuple[str, str]


@dataclass
class Token:
    """What a token allows, by repository and action, and until when."""

    grants: set[Grant]
    expires: float


@dataclass
class Guard:
    """Knows one account. Without credentials everybody may do everything."""

    credentials: Credentials | None = None
    scheme: Literal["Bearer", "Basic"] = "Bearer"
    # The credentials may pull but not push: 403.
    read_only: bool = False
    lifetime_seconds: int = 300
    service: str = "registry.test"
    tokens: dict[str, Token] = field(default_factory=dict)

    def expire_tokens(self) -> None:
        """End every token that was issued; new ones are issued as before."""
        for token in self.tokens.values():
            token.expires = 0

    def issue(self, authorization: str, scopes: Iterable[str]) -> dict[str, Any]:
        """Return the token endpoint's response; a scope that is not allowed is left out, as the token flow has it."""
        if not self._knows(authorization):
            raise RegistryError("UNAUTHORIZED")
        grants = {grant for scope in scopes for grant in granted(scope) if not (self.read_only and grant[1] == "push")}
        word = secrets.token_urlsafe(24)
        self.tokens[word] = Token(grants, time.time() + self.lifetime_seconds)
        issued_at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return {"token": word, "access_token": word, "expires_in": self.lifetime_seconds, "issued_at": issued_at}

    def check(self, authorization: str, name: str, action: str, url: str) -> None:
        """Raise RegistryError unless the request may do this; `name` is empty for the registry as a whole."""
        if self.credentials is None:
            return
        if self.scheme == "Basic":
            if not self._knows(authorization):
                raise RegistryError("UNAUTHORIZED", headers={"www-authenticate": f'Basic realm="{self.service}"'})
        else:
            self._check_token(authorization, name, action, url)
        if self.read_only and action == "push":
            raise RegistryError("DENIED")

    def _check_token(self, authorization: str, name: str, action: str, url: str) -> None:
        scheme, _, word = authorization.partition(" ")
        token = self.tokens.get(word) if scheme == "Bearer" else None
        if token is None or token.expires <= time.time():
            raise self._challenge(name, action, url, "invalid_token" if scheme == "Bearer" else "")
        denied = self.read_only and action == "push"
        if name and (name, action) not in token.grants and not denied:
            raise self._challenge(name, action, url, "insufficient_scope")

    def _challenge(self, name: str, action: str, url: str, error: str) -> RegistryError:
        actions = "pull,push" if action == "push" else "pull"
        parts = {"realm": f"{url}/token", "service": self.service}
        parts |= {"scope": f"repository:{name}:{actions}"} if name else {}
        parts |= {"error": error} if error else {}
        header = ",".join(f'{key}="{value}"' for key, value in parts.items())
        return RegistryError("UNAUTHORIZED", headers={"www-authenticate": f"Bearer {header}"})

    def _knows(self, authorization: str) -> bool:
        scheme, _, word = authorization.partition(" ")
        try:
            user, _, password = base64.b64decode(word, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return False
        return scheme == "Basic" and self.credentials in (None, (user, password))


def granted(scope: str) -> set[Grant]:
    """Return what `repository:NAME:pull,push` asks for; other kinds of scope ask for nothing."""
    kind, _, rest = scope.partition(":")
    name, _, actions = rest.rpartition(":")
    return {(name, action) for action in actions.split(",")} if kind == "repository" else set()
