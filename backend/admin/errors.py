"""Errors of admin requests."""

from backend.errors import Conflict, Forbidden, NotFound


class AdminsOnly(Forbidden):
    code = "admins_only"
    detail = "Only admins can do this. Sign in as an admin, or ask one."


class UserNotFound(NotFound):
    code = "user_not_found"
    detail = "This user does not exist. Reload the list of users."


class OwnAccount(Conflict):
    code = "own_account"
    detail = "You can't disable your own account. Ask another admin to do it."
