"""The mailer trusts no unknown mail server, and prevents header injection."""

import ssl
from pathlib import Path
from typing import Any

import pytest
import trustme

from backend.infra.mailer import MailDeferred, MailRefused, SmtpMailer, build_message
from backend.settings import load_settings
from tests.worker.inbox import Inbox, mail_server


@pytest.mark.parametrize("security", ["starttls", "tls"])
@pytest.mark.parametrize("trusted", [True, False])
def test_a_mail_server_needs_a_trusted_certificate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, security: str, trusted: bool
) -> None:
    inbox = Inbox()
    ca, context = trustme.CA(), ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ca.issue_cert("127.0.0.1").configure_cert(context)
    authority = tmp_path / "ca.pem"
    (ca if trusted else trustme.CA()).cert_pem.write_to_path(str(authority))
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    options: dict[str, Any] = {"ssl_context": context} if security == "tls" else {"tls_context": context}
    with mail_server(inbox, **options) as port:
        mailer = SmtpMailer(load_settings(SMTP_HOST="127.0.0.1", SMTP_PORT=port, SMTP_SECURITY=security))
        mail = {"id": "1", "recipient": "a@example.com", "subject": "S", "text": "t", "html": "<p>t</p>"}
        if trusted:
            mailer.send(**mail)
        else:
            with pytest.raises(MailDeferred):
                mailer.send(**mail)
    assert len(inbox.messages) == trusted


@pytest.mark.parametrize(
    ("recipient", "subject"),
    [
        ("a@example.com\r\nBcc: b@example.com", "S"),
        ("a@example.com, b@example.com", "S"),
        ("not an address", "S"),
        ("a@example.com", "S\r\nBcc: b@example.com"),
    ],
)
def test_headers_can_not_be_injected_into_a_mail(recipient: str, subject: str) -> None:
    with pytest.raises(MailRefused):
        build_message(load_settings(), id="1", recipient=recipient, subject=subject, text="t", html="t")
