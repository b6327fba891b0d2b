"""Errors of requests about accounts and sessions."""

from backend.errors import Conflict, Forbidden, InvalidInput, NotFound, Unauthorized


class EmailTaken(Conflict):
    code = "email_taken"
    detail = "An account with this e-mail address already exists. Log in, or use another address."


class RegistrationClosed(Forbidden):
    code = "registration_closed"
    detail = "Registration is closed. Ask an admin for an account."


class WrongCredentials(Unauthorized):
    """The address or the password is wrong. The response does not say which one."""

    code = "wrong_credentials"
    detail = "The e-mail address or the password is wrong. Try again, or reset your password."


class SessionEnded(Unauthorized):
    code = "session_ended"
    detail = "Your session has ended. Sign in again."


class AccountDisabled(Forbidden):
    """An admin disabled the account. Only callers with valid credentials see this error."""

    code = "account_disabled"
    detail = "This account is disabled. Contact an admin."


class SessionNotFound(NotFound):
    code = "session_not_found"
    detail = "This session does not exist. Reload the list of your devices."


class InvalidMailToken(InvalidInput):
    code = "invalid_token"
    detail = "This link is invalid or has expired. Request a new one."


class WrongPassword(InvalidInput):
    code = "wrong_password"
    detail = "The password is wrong. Try again."


class ExportPending(Conflict):
    code = "export_pending"
    detail = "A copy of your data is already in progress. Wait until it is ready."


class ExportNotFound(NotFound):
    code = "export_not_found"
    detail = "This copy of your data is not ready or has expired. Reload the list of your copies."


class GoogleDenied(Forbidden):
    code = "google_denied"
    detail = "Google sign-in was cancelled. Try again, or log in with your password."


class GoogleFailed(Unauthorized):
    """Google is unavailable, or its response can't be trusted. The response does not say which."""

    code = "google_failed"
    detail = "Google sign-in failed. Try again."


class GoogleUnverified(Forbidden):
    code = "google_unverified"
    detail = "Google has not verified your e-mail address. Verify it in your Google account, then try again."


class GoogleConflict(Conflict):
    code = "google_conflict"
    detail = "An account with your address already exists. Log in with its password and verify the address first."
