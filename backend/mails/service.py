"""Queues, claims and finishes mails. A mail is queued in its event's transaction, and never sent twice."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, exists, func, select, update
from sqlalchemy.orm import Session

from backend.infra.db import new_id, utc_now
from backend.infra.queue import enqueue
from backend.mails.models import UNSENT, Mail, MailStatus
from backend.tasks import Task

MAX_ATTEMPTS = 8
SENDING_SECONDS = 300
KEPT_DAYS = 7
BATCH = 200


def queue_mail(
    session: Session, *, event: str, recipient: str, template: str, context: dict[str, Any], request_id: str
) -> None:
    """Queue a mail in the caller's transaction. The worker sends it after the commit. Ignores a known event."""
    if session.scalar(select(exists().where(Mail.event == event))):
        return
    mail = Mail(
        id=new_id(), event=event, recipient=recipient, template=template, context=context, request_id=request_id
    )
    session.add(mail)
    session.flush()
    enqueue(session, Task.SEND_MAIL, mail.id)


def count_mails(session: Session, recipient: str, *, since: datetime) -> int:
    """Return the number of mails queued for an address since a time, at most KEPT_DAYS ago."""
    queued = (Mail.recipient == recipient, Mail.created_at > since)
    return session.scalar(select(func.count()).select_from(Mail).where(*queued)) or 0


def oldest_unsent_seconds(session: Session) -> float:
    """Return the age of the oldest unsent mail in seconds, 0 if there is none."""
    oldest = session.scalar(select(func.min(Mail.created_at)).where(UNSENT))
    return max(0.0, (utc_now() - oldest).total_seconds()) if oldest is not None else 0.0


def claim_mail(session: Session, mail_id: UUID) -> Mail | None:
    """Claim a mail to send it. Returns None if it is not due, or another worker claimed it."""
    due = (Mail.id == mail_id, Mail.status == MailStatus.QUEUED, Mail.send_after <= utc_now())
    values = {"status": MailStatus.SENDING, "attempts": Mail.attempts + 1, "send_after": utc_now()}
    statement = update(Mail).where(*due).values(**values).returning(Mail)
    return session.scalar(statement, execution_options={"synchronize_session": False, "populate_existing": True})


def finish_mail(session: Session, mail_id: UUID, status: MailStatus) -> None:
    """Store the final status, and delete the context, because it may contain a secret link."""
    values = {"status": status, "sent_at": utc_now(), "context": {}}
    session.execute(update(Mail).where(Mail.id == mail_id).values(**values))


def postpone_mail(session: Session, mail: Mail, wait: timedelta) -> bool:
    """Queue a mail again after `wait`. After MAX_ATTEMPTS, mark it as failed and return False."""
    if mail.attempts >= MAX_ATTEMPTS:
        finish_mail(session, mail.id, MailStatus.FAILED)
        return False
    values = {"status": MailStatus.QUEUED, "send_after": utc_now() + wait}
    session.execute(update(Mail).where(Mail.id == mail.id).values(**values))
    return True


def send_due_mails(session: Session) -> int:
    """Send tasks for overdue mails, and mark mails as uncertain whose worker died while sending.

    An uncertain mail may have been delivered, so it is not sent again. Returns the number of tasks.
    """
    silent_since = utc_now() - timedelta(seconds=SENDING_SECONDS)
    stuck = (Mail.status == MailStatus.SENDING, Mail.send_after < silent_since)
    session.execute(update(Mail).where(*stuck).values(status=MailStatus.UNCERTAIN, context={}))
    due = (Mail.status == MailStatus.QUEUED, Mail.send_after < utc_now())
    ids = session.scalars(select(Mail.id).where(*due).order_by(Mail.send_after).limit(BATCH)).all()
    for mail_id in ids:
        enqueue(session, Task.SEND_MAIL, mail_id)
    ended = (Mail.status.not_in((MailStatus.QUEUED, MailStatus.SENDING)),)
    session.execute(delete(Mail).where(*ended, Mail.created_at < utc_now() - timedelta(days=KEPT_DAYS)))
    return len(ids)
