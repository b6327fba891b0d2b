"""What can be wrong with a request about accounts and sessions."""

from backend.errors import Conflict, Forbidden, InvalidInput, NotFound, Unauthorized


class EmailTaken(Conflict):
    """An account has this address."""

    code = "email_taken"
    detail = "An account with this e-mail address exists already."


class RegistrationClosed(Forbidden):
    """ENABLE_REGISTRATION is off."""

    code = "registration_closed"
    detail = "New accounts can't be made at the moment."


class WrongCredentials(Unauthorized):
    """The address or the password is wrong; which of the two is not said."""

    code = "wrong_credentials"
    detail = "The e-mail address or the password is wrong."


class SessionEnded(Unauthorized):
    """The refresh token is unknown, used up or too old."""

    code = "session_ended"
    detail = "Sign in again."


class AccountDisabled(Forbidden):
    """An admin disabled the account; said only to those who know its password."""

    code = "account_disabled"
    detail = "This account was disabled."


class SessionNotFound(NotFound):
    """The user has no such session."""

    code = "session_not_found"
    detail = "There is no such session."


class InvalidMailToken(InvalidInput):
    """The secret of a mailed link is unknown, used or too old."""

    code = "invalid_token"
    detail = "This link is not valid any more. Ask for a new one."


class WrongPassword(InvalidInput):
    """The password that was to confirm a change is wrong."""

    code = "wrong_password"
    detail = "The password is wrong."


class ExportPending(Conflict):
    """An export is being made already."""

    code = "export_pending"
    detail = "A copy of your data is being made already."


class ExportNotFound(NotFound):
    """The user has no such export, or it is not ready."""

    code = "export_not_found"
    detail = "There is no such copy of your data."


class GoogleDenied(Forbidden):
    """The person told Google not to tell us who they are."""

    code = "google_denied"
    detail = "You cancelled signing in with Google."


class GoogleFailed(Unauthorized):
    """Google is away, or what came back can't be trusted; forgers are not told which."""

    code = "google_failed"
    detail = "Signing in with Google did not work. Try again."


class GoogleUnverified(Forbidden):
    """Google has not verified the person's address."""

    code = "google_unverified"
    detail = "Google has not verified your e-mail address. Verify it there first."


class GoogleConflict(Conflict):
    """An account has this address, and nothing proves that it is the same person's."""

    code = "google_conflict"
    detail = "An account with your address exists already. Log in with its password and verify the address first."
