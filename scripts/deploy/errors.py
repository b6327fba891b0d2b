"""The ways a command of the deploy tool can fail."""


class DeployError(Exception):
    """A message for the user. Exit code 1: the command failed, and the last good release is live."""

    exit_code = 1

    def __init__(self, message: str, log: str = "") -> None:
        super().__init__(message)
        self.log = log


class Refused(DeployError):
    """Exit code 2: a precondition is not met, and nothing was changed."""

    exit_code = 2


class NeedsAttention(DeployError):
    """Exit code 3: the last good release may not be live; check the deployment by hand."""

    exit_code = 3


class ExternalError(DeployError):
    """A request or a program failed. The exit code depends on what was changed before."""

    def __init__(self, message: str, log: str = "", status: int = 0) -> None:
        super().__init__(message, log)
        self.status = status


class ReleaseFailed(DeployError):
    """The platform ended a deployment without making it live; the previous one still is."""
