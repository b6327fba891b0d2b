"""An OpenID Connect provider that returns what a test configures."""

import hashlib
import json
import threading
import time
from base64 import urlsafe_b64encode
from contextlib import suppress
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs
from uuid import uuid4

import httpx
import jwt
from joserfc.jwk import RSAKey

from tests.backend.accounts.google.flow import CLIENT_ID, CLIENT_SECRET, call_back, new_google_user, start


@cache
def rsa_key(kid: str) -> RSAKey:
    """Return a key without `alg` and `use`, so that no attack fails for that reason. Cached: creation is slow."""
    return RSAKey.generate_key(2048, parameters={"kid": kid})


class OddProvider:
    """An OpenID Connect provider for one test. It checks PKCE and codes, and returns what the test configures."""

    def __init__(self) -> None:
        self.key = rsa_key("first")
        self.discovery: dict[str, Any] = {}
        self.delay = 0.0
        self.drip = False
        self.responses: dict[str, tuple[int, Any]] = {}
        self.paths: list[str] = []
        self.forms: list[dict[str, str]] = []
        self._codes: dict[str, tuple[str, str]] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "OddProvider":
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def settings(self) -> dict[str, str]:
        """Return the settings that make the application use this provider as Google."""
        return {
            "GOOGLE_CLIENT_ID": CLIENT_ID,
            "GOOGLE_CLIENT_SECRET": CLIENT_SECRET,
            "GOOGLE_DISCOVERY_URL": f"{self.url}/.well-known/openid-configuration",
        }

    def claims(self, sent: dict[str, str], **overrides: Any) -> dict[str, Any]:
        """Return valid claims for a sign-in with overrides. None removes a claim; times are relative to now."""
        claims: dict[str, Any] = {"iss": self.url, "aud": CLIENT_ID, "iat": 0, "exp": 300, "nonce": sent["nonce"]}
        claims |= new_google_user() | overrides
        for name in ("exp", "iat", "nbf"):
            if isinstance(claims.get(name), int):
                claims[name] += int(time.time())
        return {name: value for name, value in claims.items() if value is not None}

    def sign(self, claims: dict[str, Any], **header: Any) -> str:
        headers = {"kid": self.key.kid, **header}
        return jwt.encode(claims, self.key.as_pem(private=True), algorithm="RS256", headers=headers)

    def consent(self, sent: dict[str, str], id_token: str) -> str:
        """Consent as the user. Returns the code for the callback."""
        code = uuid4().hex
        self._codes[code] = (sent["code_challenge"], id_token)
        return code

    def callback_query(self, browser: httpx.Client, next: str | None = None, **overrides: Any) -> dict[str, str]:
        """Start a sign-in and consent. Returns the query of the callback."""
        sent = start(browser, next)
        return {"state": sent["state"], "code": self.consent(sent, self.sign(self.claims(sent, **overrides)))}

    def sign_in(self, browser: httpx.Client, **overrides: Any) -> httpx.Response:
        """Sign in. Returns the callback's response."""
        return call_back(browser, **self.callback_query(browser, **overrides))

    def respond(self, path: str, form: dict[str, str]) -> tuple[int, Any]:
        """Return the status and the body for a request."""
        if path in self.responses:
            return self.responses[path]
        if path == "/jwks":
            return 200, {"keys": [self.key.as_dict(private=False)]}
        if path == "/token":
            self.forms.append(form)
            return self._redeem(form)
        endpoints = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "jwks"}
        document = {name: f"{self.url}/{path}" for name, path in endpoints.items()}
        return 200, document | {"issuer": self.url} | self.discovery

    def _redeem(self, form: dict[str, str]) -> tuple[int, Any]:
        challenge, id_token = self._codes.pop(form["code"], ("", ""))
        hashed = urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest()).rstrip(b"=")
        if hashed.decode() != challenge or form.get("client_secret") != CLIENT_SECRET:
            return 400, {"error": "invalid_grant", "error_description": "<b>the provider's message</b>"}
        return 200, {"access_token": "at", "token_type": "Bearer", "id_token": id_token}


def _handler(provider: OddProvider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._respond({})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            self._respond({name: values[0] for name, values in parse_qs(body).items()})

        def _respond(self, form: dict[str, str]) -> None:
            provider.paths.append(self.path)
            time.sleep(provider.delay)
            status, document = provider.respond(self.path, form)
            body = document if isinstance(document, bytes) else json.dumps(document).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            # The client may have disconnected.
            with suppress(BrokenPipeError, ConnectionResetError):
                self._write(body)

        def _write(self, body: bytes) -> None:
            if not provider.drip:
                self.wfile.write(body)
                return
            for byte in body:
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
                time.sleep(0.3)

        def log_message(self, *_arguments: object) -> None:
            pass

    return Handler
