"""Dependencies of routes for signed-in users and of routes that check passwords."""

from collections.abc import AsyncIterator
from functools import cache
from typing import Annotated
from uuid import UUID

from anyio import CapacityLimiter
from fastapi import Depends, Request

from backend.accounts.cookies import access_cookie_name
from backend.accounts.sessions import Device, is_active
from backend.accounts.tokens import Identity, InvalidToken, read_access_token
from backend.errors import Unauthorized
from backend.settings import Settings
from backend.web.dependencies import SessionDep

PASSWORDS_AT_ONCE = 2
BEARER = "bearer "


async def get_current_user(request: Request) -> Identity:
    return identify(request)


def identify(request: Request) -> Identity:
    """Return the user of the access token, from the cookie or the Bearer header. Raises Unauthorized."""
    known: Identity | None = request.scope["state"].get("identity")
    if known is not None:
        return known
    identity = request.scope["state"]["identity"] = _read_token(request)
    return identity


def _read_token(request: Request) -> Identity:
    settings: Settings = request.app.state.settings
    header = request.headers.get("authorization", "")
    if header[: len(BEARER)].lower() == BEARER:
        token = header[len(BEARER) :].strip()
    else:
        token = request.cookies.get(access_cookie_name(settings), "")
    if not token:
        raise Unauthorized
    try:
        return read_access_token(token, settings)
    except InvalidToken as error:
        raise Unauthorized("The access token is invalid or expired. Refresh the session, or sign in again.") from error


CurrentUser = Annotated[Identity, Depends(get_current_user)]


def find_user_id(request: Request) -> UUID | None:
    try:
        return identify(request).user_id
    except Unauthorized:
        return None


def get_active_user(user: CurrentUser, session: SessionDep) -> Identity:
    """Return the signed-in user. Raises Unauthorized when the session has ended or the account is disabled."""
    if not is_active(session, user):
        raise Unauthorized
    return user


# For routes that write. Reads may continue until the access token expires, writes must not.
ActiveUser = Annotated[Identity, Depends(get_active_user)]


async def get_device(request: Request) -> Device:
    address = request.client.host if request.client else ""
    return Device(request.headers.get("user-agent", ""), address)


DeviceDep = Annotated[Device, Depends(get_device)]


@cache
def _password_limiter() -> CapacityLimiter:
    return CapacityLimiter(PASSWORDS_AT_ONCE)


async def password_slot() -> AsyncIterator[None]:
    """Hash at most two passwords at a time. Other requests wait here, without holding a thread or memory."""
    async with _password_limiter():
        yield


PasswordSlot = Depends(password_slot, scope="function")
