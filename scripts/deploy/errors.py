"""How a command of the deploy tool may end, other than well."""


class DeployError(Exception):
    """A sentence for the person at the terminal; 1: it failed, and the last good release serves."""

    exit_code = 1

    def __init__(self, message: str, log: str = "") -> None:
        super().__init__(message)
        self.log = log


class Refused(DeployError):
    """2: something is not as it must be, and nothing was changed."""

    exit_code = 2


class NeedsAttention(DeployError):
    """3: it is not sure that the last good release serves; a person must look."""

    exit_code = 3


class ExternalError(DeployError):
    """A server or a program outside gave no useful answer; what that means depends on what was under way."""

    def __init__(self, message: str, log: str = "", status: int = 0) -> None:
        super().__init__(message, log)
        self.status = status


class ReleaseFailed(DeployError):
    """The platform ended a deployment without giving it the traffic: what served before still does."""
