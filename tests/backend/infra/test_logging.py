"""Log output of a process in the production and development formats."""

import json
import subprocess
import sys
from typing import Any

import pytest

from tests.servers import ROOT
from tests.time_limits import scaled

CANARY = "c4n4ry"
START = """
import logging, sys
import structlog
from backend.infra.logging import configure_logging
from backend.settings import load_settings
configure_logging(load_settings(), "worker")
ours, theirs = structlog.get_logger("ours"), logging.getLogger("theirs")
"""
FAILING = """
def fail():
    try:
        raise KeyError("inner")
    except KeyError as error:
        raise ValueError("redis://:c4n4ry@valkey:6379/0 https://s3/x?X-Amz-Signature=c4f3 failed") from error
try:
    fail()
except ValueError as error:
    caught = error
    theirs.exception("theirs failed")
    ours.exception("ours failed")
ours.error("later", exc_info=caught)
theirs.error("later too", exc_info=(ValueError, caught, caught.__traceback__))
"""


def output_of(code: str, **settings: str) -> str:
    """Return the standard output of a process with these settings. Its standard error must be empty."""
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", START + code],
        env={"PYTHONPATH": str(ROOT), "ENVIRONMENT": "test", **settings},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=scaled(30),
    )
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    return result.stdout


def lines_of(code: str, **settings: str) -> list[dict[str, Any]]:
    """Return the JSON lines that a process writes."""
    return [json.loads(line) for line in output_of(code, **settings).splitlines()]


def test_every_line_is_json_with_logger_time_and_level() -> None:
    lines = lines_of('ours.info("one\\ntwo", x=1); theirs.warning("three %s\\r\\n", "four")')
    assert [line["event"] for line in lines] == ["one\ntwo", "three four\r\n"]
    assert [line["logger"] for line in lines] == ["ours", "theirs"]
    assert [line["level"] for line in lines] == ["info", "warning"]
    for line in lines:
        assert line["process"] == "worker"
        assert line["timestamp"].endswith("Z")
    assert lines[0]["x"] == 1


def test_an_exception_is_one_line_with_its_whole_traceback() -> None:
    lines = lines_of(FAILING)
    assert [line["event"] for line in lines] == ["theirs failed", "ours failed", "later", "later too"]
    for line in lines:
        assert "Traceback (most recent call last)" in line["exception"]
        assert "KeyError: 'inner'" in line["exception"]
        assert "in fail" in line["exception"]


def test_passwords_in_urls_and_signatures_are_not_written() -> None:
    output = output_of(FAILING)
    assert "redis://:[redacted]@valkey:6379/0" in output
    assert "X-Amz-Signature=[redacted]" in output
    assert CANARY not in output
    assert "c4f3" not in output


@pytest.mark.parametrize("format", ["json", "console"])
def test_values_with_secret_names_are_not_written(format: str) -> None:
    code = f"""
ours.info("kept words", password="{CANARY}", JWT_SECRET="{CANARY}", sentry_dsn="{CANARY}", access_token="{CANARY}")
ours.info("nested", headers={{"Authorization": "{CANARY}", "inner": [{{"cookie": "{CANARY}"}}]}}, kept="a value")
theirs.info("stdlib", extra={{"password": "{CANARY}"}})
"""
    output = output_of(code, LOG_FORMAT=format)
    assert CANARY not in output
    assert "[redacted]" in output
    assert "a value" in output


def test_a_line_is_written_whatever_its_values_are() -> None:
    code = 'ours.info("odd", big=2**70, broken="\\udcff", keys={1: 2}, odd=object(), raw=b"x", nan=float("nan"))'
    (line,) = lines_of(code)
    assert line["event"] == "odd"
    assert line["big"] == 2**70


def test_levels_below_the_setting_are_not_written() -> None:
    code = 'ours.info("low"); theirs.info("low"); ours.warning("high"); theirs.warning("high")'
    assert [line["event"] for line in lines_of(code, LOG_LEVEL="WARNING")] == ["high", "high"]
    assert len(lines_of(code)) == 4


def test_noisy_libraries_only_log_warnings() -> None:
    code = """
for name in ("httpx", "httpcore", "botocore.auth", "celery.app.trace", "alembic", "urllib3", "uvicorn.access"):
    logging.getLogger(name).info("https://s3/x?signature=1")
    if name != "uvicorn.access":
        logging.getLogger(name).warning(name)
"""
    names = ["httpx", "httpcore", "botocore.auth", "celery.app.trace", "alembic", "urllib3"]
    assert [line["event"] for line in lines_of(code, LOG_LEVEL="DEBUG")] == names


def test_development_logs_are_readable_text() -> None:
    output = output_of(FAILING + 'ours.info("hello", x="a b")', ENVIRONMENT="development")
    with pytest.raises(json.JSONDecodeError):
        json.loads(output.splitlines()[-1])
    assert "hello" in output.splitlines()[-1]
    assert "x='a b'" in output.splitlines()[-1]
    assert "Traceback (most recent call last)" in output
    assert "\x1b[" not in output, "no colours in a file"
    assert CANARY not in output


@pytest.mark.parametrize(("format", "is_json"), [("json", True), ("console", False)])
def test_the_format_can_be_set_in_every_environment(format: str, is_json: bool) -> None:
    environment = "development" if is_json else "test"
    assert output_of('ours.info("hello")', LOG_FORMAT=format, ENVIRONMENT=environment).startswith("{") is is_json
