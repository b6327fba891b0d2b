"""Celery tasks: each passes an id to the function that does the work."""

from uuid import UUID

from backend.accounts.deletion import requeue_lost_deletions
from backend.accounts.exports import requeue_lost_exports
from backend.accounts.links import delete_old_tokens
from backend.accounts.sessions import delete_expired_sessions
from backend.infra.db import transaction
from backend.jobs import upkeep
from backend.mails.service import send_due_mails as send_due
from backend.settings import get_settings
from backend.tasks import Task
from worker import resources
from worker.app import app
from worker.delete_account import delete_account as run_deletion
from worker.export_account import delete_expired_exports
from worker.export_account import export_account as run_export
from worker.process_job import process_job as run_job
from worker.send_mail import send_mail as deliver


@app.task(name=str(Task.PROCESS_JOB))
def process_job(job_id: str) -> None:
    """Process one job; do nothing when the message is late or a duplicate."""
    run_job(UUID(job_id), get_settings(), resources.sessions(), resources.storage())


@app.task(name=str(Task.REQUEUE_LOST_JOBS))
def requeue_lost_jobs() -> None:
    """Send jobs again that have no message or lost their worker."""
    upkeep.requeue_lost_jobs(resources.sessions(), get_settings(), resources.queue().depth())


@app.task(name=str(Task.EXPIRE))
def expire() -> None:
    """Hide expired jobs; delete expired exports, tokens and sessions."""
    upkeep.expire(resources.sessions(), resources.storage())
    delete_expired_exports(resources.sessions(), resources.storage())
    with transaction(resources.sessions()) as session:
        delete_old_tokens(session)
        delete_expired_sessions(session)


@app.task(name=str(Task.PURGE_DELETED))
def purge_deleted() -> None:
    """Delete the files and rows of hidden jobs."""
    upkeep.purge_deleted(resources.sessions(), get_settings(), resources.storage())


@app.task(name=str(Task.SEND_MAIL))
def send_mail(mail_id: str) -> None:
    deliver(UUID(mail_id), get_settings(), resources.sessions(), resources.mailer())


@app.task(name=str(Task.SEND_DUE_MAILS))
def send_due_mails() -> None:
    """Send unsent mails again that have no message."""
    with transaction(resources.sessions()) as session:
        send_due(session)


@app.task(name=str(Task.EXPORT_ACCOUNT))
def export_account(export_id: str) -> None:
    run_export(UUID(export_id), resources.sessions(), resources.storage())


@app.task(name=str(Task.DELETE_ACCOUNT))
def delete_account(user_id: str) -> None:
    """Delete the data of a closed account."""
    run_deletion(UUID(user_id), resources.sessions(), resources.storage())


@app.task(name=str(Task.FINISH_ACCOUNT_TASKS))
def finish_account_tasks() -> None:
    """Send exports and account deletions again whose message was lost."""
    with transaction(resources.sessions()) as session:
        requeue_lost_exports(session)
        requeue_lost_deletions(session)
