"""Encrypts the secrets of specs as App Platform does: clear text becomes EV[1:…], and EV stays unchanged."""

import copy
import secrets
from collections.abc import Callable, Iterator
from typing import Any

from tests.simulators.app_platform.spec import Spec, images, levels_with_envs


class ForeignCiphertextError(Exception):
    """An EV[…] that was not created for this app."""


class Vault:
    """The clear text of each ciphertext, and the app it was created for."""

    def __init__(self) -> None:
        self._clear: dict[str, tuple[str, str]] = {}

    def encrypt(self, app_id: str, spec: Spec) -> Spec:
        """Return the spec with every secret as ciphertext.

        Clear text becomes a new ciphertext each time, even for the same value. EV stays unchanged. An empty value
        silently deletes the secret; the tool must avoid that.
        """
        return mapped(spec, lambda value: self._encrypted(app_id, value))

    def decrypt(self, spec: Spec) -> Spec:
        """Return the spec with clear secrets, as the containers get it."""
        return mapped(spec, lambda value: self._clear[value][1] if value in self._clear else value)

    def _encrypted(self, app_id: str, value: str) -> str:
        if not value:
            return value
        if value.startswith("EV["):
            # Whether EV works in another app is not verified, so the tool must not try it.
            if self._clear.get(value, ("", ""))[0] != app_id:
                raise ForeignCiphertextError(value)
            return value
        ciphertext = f"EV[1:{secrets.token_urlsafe(12)}:{secrets.token_urlsafe(24)}]"
        self._clear[ciphertext] = (app_id, value)
        return ciphertext


def mapped(spec: Spec, change: Callable[[str], str]) -> Spec:
    """Return a copy of the spec with every secret value changed; an empty value is omitted, as in the API's JSON."""
    spec = copy.deepcopy(spec)
    for holder, key in secret_places(spec):
        value = change(holder.get(key, ""))
        if value:
            holder[key] = value
        else:
            holder.pop(key, None)
    return spec


def secret_places(spec: Spec) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield the place of each secret: SECRET envs on every level, and registry credentials."""
    for level in levels_with_envs(spec):
        for env in level.get("envs") or []:
            if env.get("type") == "SECRET":
                yield env, "value"
    for _, image in images(spec):
        if "registry_credentials" in image:
            yield image, "registry_credentials"
