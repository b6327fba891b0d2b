"""A real mail server for tests, with the mails it received and configurable responses."""

from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP

from scripts.valkey import free_port


class Inbox:
    """The mails a server received, and the responses it sends."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.responses: list[str] = []
        self.recipient_response = "250 OK"

    async def handle_RCPT(self, _server: SMTP, _session: Any, envelope: Any, address: str, _options: Any) -> str:  # noqa: N802
        if self.recipient_response.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.recipient_response

    async def handle_DATA(self, server: SMTP, _session: Any, envelope: Any) -> str:  # noqa: N802
        response = self.responses.pop(0) if self.responses else "250 OK"
        if response == "hang up":
            server.transport.close()
            return "421 bye"
        if response.startswith("250"):
            message = message_from_bytes(envelope.content, policy=policy.default)
            assert isinstance(message, EmailMessage)
            self.messages.append(message)
        return response


@contextmanager
def mail_server(inbox: Inbox, **options: Any) -> Iterator[int]:
    """Run a mail server that fills an inbox. Yields its port."""
    controller = Controller(inbox, hostname="127.0.0.1", port=free_port(), **options)
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()
