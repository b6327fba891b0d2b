"""OpenID Connect client: builds the sign-in URL, redeems codes, verifies ID tokens."""

import asyncio
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from joserfc.jwk import KeySet

REQUEST_SECONDS = 5
CACHE_SECONDS = 3600
REFETCH_SECONDS = 60
LEEWAY_SECONDS = 60
SCOPE = "openid email profile"
# Fixed here and never read from the token: with HS256 the public key would be used as the shared secret.
ALGORITHMS = ["RS256"]
ERROR_CODE = re.compile(r"[a-z_]{1,40}")


class OpenIdError(Exception):
    """The provider is unavailable, refused, or sent an invalid response. The message is safe to log."""


@dataclass(frozen=True, slots=True)
class Metadata:
    """The fields we use from a provider's discovery document."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str


class OpenIdProvider:
    """One provider and our client credentials. Connects on first use; caches the provider's documents for an hour."""

    def __init__(self, discovery_url: str, client_id: str, client_secret: str) -> None:
        self._discovery_url = discovery_url
        self._client_id = client_id
        self._client_secret = client_secret
        self._metadata: Metadata | None = None
        self._metadata_at = 0.0
        self._keys: KeySet | None = None
        self._keys_at = 0.0
        self._refetched_at = float("-inf")

    def authorization_url(self, *, redirect_uri: str, state: str, nonce: str, verifier: str) -> str:
        """Return the URL to redirect the browser to. Raises OpenIdError."""
        with _as_openid_error():
            from authlib.oauth2.client import OAuth2Client

            client = OAuth2Client(
                None, self._client_id, scope=SCOPE, redirect_uri=redirect_uri, code_challenge_method="S256"
            )
            endpoint = self._read_metadata().authorization_endpoint
            url, _state = client.create_authorization_url(endpoint, state=state, code_verifier=verifier, nonce=nonce)
            return str(url)

    def redeem(self, code: str, *, redirect_uri: str, nonce: str, verifier: str) -> dict[str, Any]:
        """Exchange a code for the claims of a verified ID token. Raises OpenIdError."""
        with _as_openid_error():
            endpoint = self._read_metadata().token_endpoint
            response = asyncio.run(self._fetch_token(endpoint, code, redirect_uri, verifier))
            return self._verify(response["id_token"], nonce, response.get("access_token"))

    async def _fetch_token(self, endpoint: str, code: str, redirect_uri: str, verifier: str) -> dict[str, Any]:
        from authlib.integrations.httpx_client import AsyncOAuth2Client

        client = AsyncOAuth2Client(
            self._client_id, self._client_secret, "client_secret_post", redirect_uri=redirect_uri
        )
        async with client, asyncio.timeout(REQUEST_SECONDS):
            token = await client.fetch_token(
                endpoint, grant_type="authorization_code", code=code, code_verifier=verifier
            )
        return dict(token)

    def _verify(self, id_token: str, nonce: str, access_token: str | None) -> dict[str, Any]:
        from authlib.oidc.core import CodeIDToken
        from joserfc.errors import InvalidKeyIdError

        try:
            token = _decode(id_token, self._read_keys())
        except InvalidKeyIdError:
            token = _decode(id_token, self._refetch_keys())
        claims = CodeIDToken(
            token.claims,
            token.header,
            options={
                "iss": {"essential": True, "value": self._read_metadata().issuer},
                "aud": {"essential": True, "value": self._client_id},
            },
            params={"nonce": nonce, "client_id": self._client_id, "access_token": access_token},
        )
        claims.validate(leeway=LEEWAY_SECONDS)
        return dict(claims)

    def _read_metadata(self) -> Metadata:
        if self._metadata is None or time.monotonic() - self._metadata_at > CACHE_SECONDS:
            document = _get_json(self._discovery_url)
            self._metadata = _check_metadata(document, self._discovery_url)
            self._metadata_at = time.monotonic()
        return self._metadata

    def _read_keys(self) -> "KeySet":
        if self._keys is None or time.monotonic() - self._keys_at > CACHE_SECONDS:
            from joserfc.jwk import KeySet

            self._keys = KeySet.import_key_set(_get_json(self._read_metadata().jwks_uri))
            self._keys_at = time.monotonic()
        return self._keys

    def _refetch_keys(self) -> "KeySet":
        """Fetch the keys again to find a new one, at most once a minute: forged tokens must not cause more requests."""
        if time.monotonic() - self._refetched_at > REFETCH_SECONDS:
            self._refetched_at = time.monotonic()
            self._keys = None
        return self._read_keys()


@contextmanager
def _as_openid_error() -> Iterator[None]:
    """Turn every exception into an OpenIdError: an invalid response can raise any exception.

    The message contains no text from the provider, because it may quote codes and tokens.
    """
    try:
        yield
    except OpenIdError:
        raise
    except Exception as error:
        code = getattr(error, "error", None)
        known = isinstance(code, str) and ERROR_CODE.fullmatch(code)
        raise OpenIdError(f"{type(error).__name__} {code}" if known else type(error).__name__) from error


def _get_json(url: str) -> Any:
    async def get() -> Any:
        import httpx2

        # httpx timeouts apply to each read. A provider that sends single bytes slowly would never time out.
        async with httpx2.AsyncClient() as client, asyncio.timeout(REQUEST_SECONDS):
            return (await client.get(url)).raise_for_status().json()

    return asyncio.run(get())


def _check_metadata(document: Any, discovery_url: str) -> Metadata:
    """Return the metadata. Raises OpenIdError if the issuer differs or a URL has another scheme than the document's."""
    metadata = Metadata(*(document[name] for name in Metadata.__slots__))
    scheme = discovery_url.partition("://")[0]
    addresses = (metadata.authorization_endpoint, metadata.token_endpoint, metadata.jwks_uri)
    if f"{metadata.issuer}/.well-known/openid-configuration" != discovery_url:
        raise OpenIdError("the discovery document names another issuer")
    if not all(isinstance(address, str) and address.startswith(f"{scheme}://") for address in addresses):
        raise OpenIdError("the discovery document has an unsafe URL")
    return metadata


def _decode(id_token: str, keys: "KeySet") -> Any:
    from joserfc import jwt
    from joserfc.jws import JWSRegistry

    registry = JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
    return jwt.decode(id_token, keys, algorithms=ALGORITHMS, registry=registry)
