"""Dependencies of admin routes.

Each request reads the database: admin rights must end immediately, not when the access token expires.
"""

from typing import Annotated

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool
from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.accounts.dependencies import CurrentUser
from backend.accounts.models import LoginSession, User
from backend.accounts.sessions import MAX_ADDRESS, usable
from backend.accounts.tokens import Identity
from backend.admin.audit import Actor
from backend.admin.errors import AdminsOnly
from backend.errors import Unauthorized
from backend.web.dependencies import ReadSessionsDep
from backend.web.problems import request_id_of


async def get_admin(request: Request, user: CurrentUser, read_sessions: ReadSessionsDep) -> Actor:
    """Return the signed-in admin. Raises Unauthorized, AdminsOnly."""

    def read_admin() -> Actor:
        with read_sessions() as session:
            address = request.client.host if request.client else ""
            return require_admin(session, user, address=address, request_id=request_id_of(request))

    return await run_in_threadpool(read_admin)


AdminUser = Annotated[Actor, Depends(get_admin)]


def require_admin(session: Session, identity: Identity, *, address: str, request_id: str) -> Actor:
    """Return the admin. Raises Unauthorized when the session has ended, AdminsOnly when the user is no admin."""
    signed_in = (LoginSession.id == identity.session_id, User.id == identity.user_id, *usable())
    user = session.execute(
        select(User.id, User.email, User.is_admin).join(LoginSession).where(*signed_in)
    ).one_or_none()
    if user is None:
        raise Unauthorized("Your session has ended. Sign in again.")
    if not user.is_admin:
        raise AdminsOnly
    return Actor(user.id, user.email, address[:MAX_ADDRESS], request_id)
