"""Who is an admin: asked of the database each time, since such rights must end at once and not with a token."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.accounts.models import LoginSession, User
from backend.accounts.sessions import MAX_ADDRESS, usable
from backend.accounts.tokens import Identity
from backend.admin.audit import Actor
from backend.admin.errors import AdminsOnly
from backend.errors import Unauthorized


def require_admin(session: Session, identity: Identity, *, address: str, request_id: str) -> Actor:
    """Return the admin who asks. Raises Unauthorized when his session is over, AdminsOnly when he is none."""
    signed_in = (LoginSession.id == identity.session_id, User.id == identity.user_id, *usable())
    user = session.execute(
        select(User.id, User.email, User.is_admin).join(LoginSession).where(*signed_in)
    ).one_or_none()
    if user is None:
        raise Unauthorized("Your session has ended. Sign in again.")
    if not user.is_admin:
        raise AdminsOnly
    return Actor(user.id, user.email, address[:MAX_ADDRESS], request_id)
