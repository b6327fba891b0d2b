"""The background tasks: their names, and the queue each is sent to. The worker defines what they do."""

from enum import StrEnum

JOBS_QUEUE = "jobs"
HOUSEKEEPING_QUEUE = "housekeeping"


class Task(StrEnum):
    """A task's name. A new task that works for long goes to JOBS_QUEUE, or mails and housekeeping wait behind it."""

    PROCESS_JOB = "process_job"
    REQUEUE_LOST_JOBS = "requeue_lost_jobs"
    EXPIRE = "expire"
    PURGE_DELETED = "purge_deleted"
    SEND_MAIL = "send_mail"
    SEND_DUE_MAILS = "send_due_mails"
    EXPORT_ACCOUNT = "export_account"
    DELETE_ACCOUNT = "delete_account"
    FINISH_ACCOUNT_TASKS = "finish_account_tasks"

    @property
    def queue(self) -> str:
        """The queue its messages are sent to."""
        return JOBS_QUEUE if self is Task.PROCESS_JOB else HOUSEKEEPING_QUEUE
