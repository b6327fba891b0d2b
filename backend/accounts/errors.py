"""What can be wrong with a request about accounts and sessions."""

from backend.errors import Conflict, Forbidden, Unauthorized


class EmailTaken(Conflict):
    """An account has this address."""

    code = "email_taken"
    title = "Address in use"
    detail = "An account with this e-mail address exists already."


class RegistrationClosed(Forbidden):
    """ENABLE_REGISTRATION is off."""

    code = "registration_closed"
    title = "Registration closed"
    detail = "New accounts can't be made at the moment."


class WrongCredentials(Unauthorized):
    """The address or the password is wrong; which of the two is not said."""

    code = "wrong_credentials"
    title = "Wrong credentials"
    detail = "The e-mail address or the password is wrong."


class SessionEnded(Unauthorized):
    """The refresh token is unknown, used up or too old."""

    code = "session_ended"
    title = "Session ended"
    detail = "Sign in again."
