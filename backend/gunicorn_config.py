"""Gunicorn's settings: a master that loads the application once, and workers that share its memory."""

from backend.settings import get_settings

_settings = get_settings()

bind = f"127.0.0.1:{_settings.PORT}" if _settings.ENVIRONMENT == "development" else f"0.0.0.0:{_settings.PORT}"
workers = _settings.WEB_CONCURRENCY
worker_class = "uvicorn_worker.UvicornWorker"
preload_app = True
keepalive = 65
timeout = 60
graceful_timeout = 30
max_requests = 50_000
max_requests_jitter = 5_000
logconfig_dict = {"version": 1, "disable_existing_loggers": False}
