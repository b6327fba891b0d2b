"""What can be wrong with a request of an admin."""

from backend.errors import Conflict, Forbidden, NotFound


class AdminsOnly(Forbidden):
    """The caller is signed in and no admin, or no longer one."""

    code = "admins_only"
    detail = "Only admins may do this."


class UserNotFound(NotFound):
    """The account does not exist, or is being deleted."""

    code = "user_not_found"
    detail = "There is no such user."


class OwnAccount(Conflict):
    """Admins can't lock themselves out."""

    code = "own_account"
    detail = "You can't disable your own account. Another admin can."
