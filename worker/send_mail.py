"""Sends one mail from its row to the mail server."""

import random
from datetime import timedelta
from uuid import UUID

import structlog
from sqlalchemy.orm import Session, sessionmaker

from backend.infra.db import transaction
from backend.infra.mailer import MailDeferred, Mailer, MailRefused, MailUncertain
from backend.infra.queue import enqueue
from backend.mails.models import Mail, MailStatus
from backend.mails.render import render
from backend.mails.service import claim_mail, finish_mail, postpone_mail
from backend.settings import Settings
from backend.tasks import Task
from worker.metrics import count_mail

log = structlog.get_logger(__name__)

FIRST_WAIT_SECONDS = 30.0
LONGEST_WAIT_SECONDS = 3600.0


def send_mail(mail_id: UUID, settings: Settings, sessions: sessionmaker[Session], mailer: Mailer) -> None:
    """Send a queued mail; do nothing when it was sent, is being sent, or is not due.

    The mail is marked as being sent before the server gets it. After a crash in between it is not sent again,
    so that no event is mailed twice.
    """
    with transaction(sessions) as session:
        mail = claim_mail(session, mail_id)
    if mail is None:
        return
    structlog.contextvars.bind_contextvars(request_id=mail.request_id, mail_id=str(mail_id))
    status = _try(mail, settings, mailer)
    with transaction(sessions) as session:
        count_mail(session, status or "deferred")
        if status is not None:
            finish_mail(session, mail.id, status)
            return
        wait = min(FIRST_WAIT_SECONDS * 2.0 ** (mail.attempts - 1), LONGEST_WAIT_SECONDS) * random.uniform(0.75, 1)
        if postpone_mail(session, mail, timedelta(seconds=wait)):
            # One second after the due time, because a task that runs too early is dropped.
            enqueue(session, Task.SEND_MAIL, mail.id, delay=wait + 1)
        else:
            log.error("mail_failed", template=mail.template, attempts=mail.attempts)


def _try(mail: Mail, settings: Settings, mailer: Mailer) -> MailStatus | None:
    """Return the mail's final status, or None when it may be retried."""
    try:
        subject, text, html = render(mail.template, mail.context, settings)
        mailer.send(id=mail.id.hex, recipient=mail.recipient, subject=subject, text=text, html=html)
    except MailDeferred as error:
        log.warning("mail_deferred", template=mail.template, attempt=mail.attempts, error=str(error))
        return None
    except MailRefused as error:
        log.warning("mail_refused", template=mail.template, error=str(error))
        return MailStatus.FAILED
    except MailUncertain as error:
        log.error("mail_uncertain", template=mail.template, error=str(error))
        return MailStatus.UNCERTAIN
    log.info("mail_sent", template=mail.template)
    return MailStatus.SENT
