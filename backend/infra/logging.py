"""Structured logs with the request id: JSON lines in production, readable lines in a terminal."""

import json
import logging
import logging.config
import re
import sys
from typing import Any

import structlog
from structlog.typing import EventDict, Processor

from backend.settings import Settings

NOISY_LIBRARIES = (
    "alembic",
    "boto3",
    "botocore",
    "celery",
    "httpcore",
    "httpcore2",
    "httpx",
    "httpx2",
    "kombu",
    "s3transfer",
    "urllib3",
)
SECRET_WORDS = ("password", "secret", "token", "authorization", "cookie", "dsn")
# The password in a URL, and the signature of a signed URL.
URL_SECRETS = re.compile(r"(?<=://)([^/\s:@]*:)[^/\s@]+(?=@)|(?<=signature=)()[0-9a-f]+", re.IGNORECASE)


def configure_logging(settings: Settings, process: str) -> None:
    """Write the logs of the application and all libraries to standard output in one format.

    `process` is the value of each line's `process` field, such as web, worker or beat.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _adder(process),
        _redact,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.format_exc_info, _redact_urls, _final(settings)],
        wrapper_class=structlog.make_filtering_bound_logger(settings.LOG_LEVEL),
        logger_factory=NamedPrintLoggerFactory(),
        cache_logger_on_first_use=True,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*shared, structlog.stdlib.PositionalArgumentsFormatter()],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            _redact_urls,
            _final(settings),
        ],
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(formatter)
    logging.root.handlers = [handler]
    logging.root.setLevel(settings.LOG_LEVEL)
    _quiet_libraries()


class NamedPrintLogger:
    """Writes rendered lines to standard output. `add_logger_name` reads its `name`."""

    def __init__(self, name: str) -> None:
        self.name = name

    def msg(self, message: str) -> None:
        """Write a line in one call, so that processes that share a terminal don't mix their lines."""
        sys.stdout.write(message + "\n")
        sys.stdout.flush()

    debug = info = warning = warn = error = critical = exception = log = msg


class NamedPrintLoggerFactory:
    """Creates loggers for `structlog.get_logger(name)`."""

    def __call__(self, *args: Any) -> NamedPrintLogger:
        return NamedPrintLogger(str(args[0]) if args else "app")


def _final(settings: Settings) -> Processor:
    if settings.json_logs:
        return structlog.processors.JSONRenderer(serializer=_dumps)
    return structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty(), exception_formatter=structlog.dev.plain_traceback)


def _dumps(value: Any, **_options: Any) -> str:
    import orjson

    try:
        return orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
    except TypeError:
        # orjson rejects integers over 64 bits and invalid Unicode. Logging must never raise.
        return json.dumps(value, default=str, skipkeys=True)


def _adder(process: str) -> Processor:
    def add_process(_logger: Any, _method: str, event: EventDict) -> EventDict:
        event["process"] = process
        return event

    return add_process


def _redact(_logger: Any, _method: str, event: EventDict) -> EventDict:
    for name, value in event.items():
        event[name] = _without_secrets(name, value)
    return event


def _without_secrets(name: object, value: Any) -> Any:
    if any(word in str(name).lower() for word in SECRET_WORDS):
        return "[redacted]"
    if isinstance(value, dict):
        return {inner: _without_secrets(inner, item) for inner, item in value.items()}
    if isinstance(value, list):
        return [_without_secrets("", item) for item in value]
    return value


def _redact_urls(_logger: Any, _method: str, event: EventDict) -> EventDict:
    for name in ("event", "exception"):
        text = event.get(name)
        if isinstance(text, str) and "://" in text:
            event[name] = URL_SECRETS.sub(r"\1\2[redacted]", text)
    return event


def _quiet_libraries() -> None:
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "gunicorn.error", "gunicorn.access", "celery"):
        logger = logging.getLogger(name)
        logger.handlers = []
        logger.propagate = True
    # Our middleware writes the access log, with the request id.
    logging.getLogger("uvicorn.access").disabled = True
    for name in NOISY_LIBRARIES:
        logging.getLogger(name).setLevel(logging.WARNING)
