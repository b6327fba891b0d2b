"""Read the mails that the web application has queued."""

from datetime import timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from backend.accounts.models import AccountToken
from backend.infra.db import transaction, utc_now
from backend.mails.models import Mail
from tests.servers import LiveServer


class Mailed:
    def __init__(self, server: LiveServer, sessions: sessionmaker[Session]) -> None:
        self._server = server
        self._sessions = sessions

    def templates(self, recipient: str | None = None) -> list[str]:
        """Return the templates of the mails, oldest first, of one recipient or of all."""
        return [mail.template for mail in self._all() if recipient in (None, mail.recipient)]

    def secret(self, template: str) -> str:
        """Return the secret of the last link mailed with a template."""
        mails = [mail for mail in self._all() if mail.template == template]
        assert mails, f"no {template} was mailed"
        return str(mails[-1].context["link"]).partition("#token=")[2]

    def age_links(self) -> None:
        """Set the creation time of all links to five minutes ago."""
        self._server.settle()
        with transaction(self._sessions) as session:
            session.execute(update(AccountToken).values(created_at=utc_now() - timedelta(minutes=5)))

    def _all(self) -> list[Mail]:
        self._server.settle()
        with self._sessions() as session:
            return list(session.scalars(select(Mail).order_by(Mail.id)))
