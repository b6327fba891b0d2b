"""Names and queues of the background tasks. The worker implements them."""

from enum import StrEnum

JOBS_QUEUE = "jobs"
HOUSEKEEPING_QUEUE = "housekeeping"


class Task(StrEnum):
    """A task's name. Send long-running tasks to JOBS_QUEUE, so that mails and housekeeping don't wait for them."""

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
        return JOBS_QUEUE if self is Task.PROCESS_JOB else HOUSEKEEPING_QUEUE
