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
    """A token: the allowed repositories with actions, and the expiry time."""

    grants: set[Grant]
    expires: float


@dataclass
class Guard:
    """Checks the logins of one account. Without credentials, everything is allowed for everyone."""

    credentials: Credentials | None = None
    scheme: Literal["Bearer", "Basic"] = "Bearer"
    # The credentials may pull but not push: 403.
    read_only: bool = False
    lifetime_seconds: int = 300
    service: str = "registry.test"
    tokens: dict[str, Token] = field(default_factory=dict)

    def expire_tokens(self) -> None:
        """Expire every issued token; new ones are issued as before."""
        for token in self.tokens.values():
            token.expires = 0

    def issue(self, authorization: str, scopes: Iterable[str]) -> dict[str, Any]:
        """Return the token endpoint's response; scopes that are not allowed are omitted, as in Docker's token flow."""
        if not self._is_account(authorization):
            raise RegistryError("UNAUTHORIZED")
        grants = {grant for scope in scopes for grant in granted(scope) if not (self.read_only and grant[1] == "push")}
        token = secrets.token_urlsafe(24)
        self.tokens[token] = Token(grants, time.time() + self.lifetime_seconds)
        issued_at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return {"token": token, "access_token": token, "expires_in": self.lifetime_seconds, "issued_at": issued_at}

    def check(self, authorization: str, name: str, action: str, url: str) -> None:
        """Raise RegistryError unless the action is allowed; an empty `name` means the registry as a whole."""
        if self.credentials is None:
            return
        if self.scheme == "Basic":
            if not self._is_account(authorization):
                raise RegistryError("UNAUTHORIZED", headers={"www-authenticate": f'Basic realm="{self.service}"'})
        else:
            self._check_token(authorization, name, action, url)
        if self.read_only and action == "push":
            raise RegistryError("DENIED")

    def _check_token(self, authorization: str, name: str, action: str, url: str) -> None:
        scheme, _, value = authorization.partition(" ")
        token = self.tokens.get(value) if scheme == "Bearer" else None
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

    def _is_account(self, authorization: str) -> bool:
        scheme, _, value = authorization.partition(" ")
        try:
            user, _, password = base64.b64decode(value, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return False
        return scheme == "Basic" and self.credentials in (None, (user, password))


def granted(scope: str) -> set[Grant]:
    """Return the grants of `repository:NAME:pull,push`; other kinds of scope grant nothing."""
    kind, _, rest = scope.partition(":")
    name, _, actions = rest.rpartition(":")
    return {(name, action) for action in actions.split(",")} if kind == "repository" else set()
