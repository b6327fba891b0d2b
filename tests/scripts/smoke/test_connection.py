"""scripts/smoke when the site can't be reached, hangs, or has a wrong certificate."""

import socket
import ssl
import threading
import time
from pathlib import Path

import pytest
import trustme

import scripts.smoke
from scripts.valkey import free_port
from tests.scripts.smoke.site import ALL, SHA, Smoke, fake_site


def test_an_unreachable_site_fails_at_once_and_skips_all_other_steps(smoke: Smoke) -> None:
    result = smoke(f"http://127.0.0.1:{free_port()}")
    assert result.status == 1
    assert "127.0.0.1 can't be reached" in result.line("version")
    assert result.steps == {"version": "FAIL"} | dict.fromkeys(ALL[1:], "skip")


def test_a_site_that_hangs_fails_with_a_message(smoke: Smoke, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scripts.smoke, "REQUEST_SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        line = smoke(f"http://127.0.0.1:{silent.getsockname()[1]}").line("version")
    assert "did not respond within 0.5 s" in line


def test_a_site_that_sends_bytes_endlessly_fails(smoke: Smoke, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scripts.smoke, "REQUEST_SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as slow:
        threading.Thread(target=drip, args=(slow,), daemon=True).start()
        line = smoke(f"http://127.0.0.1:{slow.getsockname()[1]}", "--timeout", "0").line("version")
    assert "Not finished after 1 s" in line


def drip(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    with connection:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(40):
            time.sleep(0.1)
            try:
                connection.sendall(b".")
            except OSError:
                return


def test_another_application_at_the_address_is_reported(smoke: Smoke) -> None:
    with fake_site({"/api/version": lambda: "<html>"}) as url:
        assert "is this the site's address?" in smoke(url).line("version")


def test_tls_is_verified_and_a_private_ca_can_be_named(smoke: Smoke, tmp_path: Path) -> None:
    ca = trustme.CA()
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ca.issue_cert("localhost").configure_cert(context)
    with fake_site({"/api/version": lambda: {"git_sha": SHA}}, tls=context) as url:
        refused = smoke(url).line("version")
        trusted = smoke(url, "--ca-file", str(tmp_path / "ca.pem"))
    assert "CERTIFICATE_VERIFY_FAILED" in refused
    assert "--ca-file" in refused
    assert trusted.steps["version"] == "ok"
    assert "lacks strict-transport-security" in trusted.line("headers")
