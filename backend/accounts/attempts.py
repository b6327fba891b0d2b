"""The limit on attempts to access an account: passwords, mailed secrets, requests for mails."""

import hashlib
import json

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import TypeAdapter, ValidationError

from backend.accounts.dependencies import find_user_id
from backend.accounts.schemas import LoginName
from backend.errors import RateLimited
from backend.infra.rate_limit import AttemptLimiter, Verdict
from backend.web.rate_limits import REFUSED_ATTEMPTS, address_key, caller_key

FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")

_login_name: TypeAdapter[str] = TypeAdapter(LoginName)


async def count_attempt(request: Request) -> None:
    """Count an attempt for the client's address, the signed-in account and the account that the body names.

    This limits one address that tries many accounts, and many addresses that try one account. Raises RateLimited.
    """
    limiter: AttemptLimiter = request.app.state.attempts
    keys = {address_key(request), caller_key(request, find_user_id(request))}
    name = await _name_in_body(request)
    if name:
        keys.add(f"email:{hashlib.sha256(name.encode()).hexdigest()[:32]}")
    verdict = await run_in_threadpool(limiter.hit, *sorted(keys))
    request.state.rate_limit = min(verdict, request.state.rate_limit, key=_strictness)
    if not verdict.allowed:
        REFUSED_ATTEMPTS.inc()
        raise RateLimited(verdict.reset_seconds)


# For every route that checks a password or a mailed secret, or sends a mail.
AttemptLimit = Depends(count_attempt)


def _strictness(verdict: Verdict) -> tuple[bool, int]:
    return verdict.allowed, verdict.remaining


async def _name_in_body(request: Request) -> str | None:
    # FastAPI has already read the body; the request caches it.
    if request.headers.get("content-type", "").lower().startswith(FORMS):
        given: object = (await request.form()).get("username")
    else:
        given = _email_in(await request.body())
    return _canonical(given) if isinstance(given, str) else None


def _email_in(body: bytes) -> object:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return document.get("email") if isinstance(document, dict) else None


def _canonical(given: str) -> str | None:
    """Return one spelling of an address. Otherwise each spelling would have its own limit."""
    try:
        return _login_name.validate_python(given)
    except ValidationError:
        return None
