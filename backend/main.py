"""Creates the web application `backend.main:app`: routers, middleware, error handlers, lifespan."""

import asyncio
import gc
import signal
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from types import FrameType
from typing import Any

from anyio.to_thread import current_default_thread_limiter
from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from backend import __version__
from backend.accounts.dependencies import find_user_id
from backend.accounts.google.routes import router as google_router
from backend.accounts.google.service import google_provider
from backend.accounts.routes import router as accounts_router
from backend.accounts.session_routes import router as sessions_router
from backend.admin.routes import router as admin_router
from backend.infra.db import create_engine, create_read_sessions, create_sessions
from backend.infra.logging import configure_logging
from backend.infra.pubsub import Publisher, Subscriber
from backend.infra.queue import Queue
from backend.infra.rate_limit import AttemptLimiter, Counters
from backend.infra.request_counter import RequestCounter
from backend.infra.sentry import configure_sentry
from backend.infra.storage.create import create_storage, storage_origins
from backend.infra.storage.disk import URL_PREFIX, DiskStorage
from backend.jobs.config import router as config_router
from backend.jobs.routes import router as jobs_router
from backend.settings import Settings, get_settings
from backend.web.api_document import describe_api
from backend.web.browser_policy import OriginCheck, SecurityHeaders
from backend.web.client_address import ClientAddress
from backend.web.disk_storage import storage_router
from backend.web.health import HealthChecks
from backend.web.health import router as health_router
from backend.web.metrics import HttpMetrics
from backend.web.middleware import BodyLimit, RequestContext, UnhandledErrors
from backend.web.problems import install_error_handlers
from backend.web.rate_limits import HEADERS, RequestLimit


def create_app(settings: Settings) -> FastAPI:
    """Return the application. It opens no connections yet, so a master process can create it and fork."""
    configure_logging(settings, "web")
    docs = settings.ENABLE_DOCS or settings.ENVIRONMENT == "development"
    app = FastAPI(
        title=settings.APP_NAME,
        version=__version__,
        debug=settings.DEBUG,
        lifespan=_lifespan,
        docs_url="/docs" if docs else None,
        redoc_url=None,
        openapi_url="/openapi.json" if docs else None,
    )
    _install_state(app, settings)
    _install_middleware(app, settings, docs)
    install_error_handlers(app)
    _include_routers(app)
    if settings.FRONTEND_DIR.is_dir():
        app.frontend("/", directory=settings.FRONTEND_DIR, fallback="index.html")
    describe_api(app)
    return app


def _install_state(app: FastAPI, settings: Settings) -> None:
    queue, publisher = Queue(settings), Publisher(settings)
    engine = create_engine(settings)
    app.state.settings = settings
    app.state.engine = engine
    app.state.sessions = create_sessions(engine, queue=queue, publisher=publisher)
    app.state.read_sessions = create_read_sessions(engine)
    app.state.storage = create_storage(settings)
    app.state.subscriber = Subscriber(settings)
    app.state.queue = queue
    app.state.counters = Counters(settings)
    app.state.requests = RequestCounter(app.state.counters, settings.RATE_LIMIT_PER_MINUTE)
    app.state.attempts = AttemptLimiter(app.state.counters, settings.AUTH_RATE_LIMIT_PER_MINUTE)
    app.state.google = google_provider(settings)
    app.state.health_checks = HealthChecks(settings, engine, queue, app.state.storage, app.state.counters)


def _install_middleware(app: FastAPI, settings: Settings, docs: bool) -> None:
    """Add middleware. The last one added handles the request first."""
    app.add_middleware(BodyLimit, exempt_prefix=URL_PREFIX)
    app.add_middleware(OriginCheck, allowed_origins=[settings.PUBLIC_URL, *settings.ALLOWED_ORIGINS])
    app.add_middleware(RequestLimit, counter=app.state.requests, find_user_id=find_user_id)
    sentry = bool(settings.SENTRY_DSN.get_secret_value())
    app.add_middleware(UnhandledErrors, sentry=sentry)
    if settings.ALLOWED_ORIGINS:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.ALLOWED_ORIGINS,
            allow_credentials=True,
            allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=["Authorization", "Content-Type", "Idempotency-Key", "X-Request-ID"],
            expose_headers=["X-Request-ID", "Retry-After", *HEADERS],
        )
    app.add_middleware(
        SecurityHeaders, storage_origins=storage_origins(settings), https=settings.secure_cookies, docs=docs
    )
    app.add_middleware(RequestContext, traces_sample_rate=settings.SENTRY_TRACES_SAMPLE_RATE if sentry else 0)
    if settings.CLIENT_ADDRESS_HEADER:
        app.add_middleware(ClientAddress, header=settings.CLIENT_ADDRESS_HEADER, trusted=settings.FORWARDED_ALLOW_IPS)
    if settings.METRICS_PORT:
        app.add_middleware(HttpMetrics)


def _include_routers(app: FastAPI) -> None:
    app.include_router(health_router)
    app.include_router(jobs_router)
    app.include_router(config_router)
    app.include_router(accounts_router)
    app.include_router(sessions_router)
    app.include_router(google_router)
    app.include_router(admin_router)
    if isinstance(app.state.storage, DiskStorage):
        app.include_router(storage_router(app.state.storage))


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    settings: Settings = app.state.settings
    configure_sentry(settings, "web")
    # More threads than database connections would only wait for a connection.
    connections = settings.DATABASE_POOL_SIZE + settings.DATABASE_MAX_OVERFLOW
    current_default_thread_limiter().total_tokens = connections
    # Reserve two connections for requests that need one only briefly, so that they never wait for a slot.
    app.state.read_slots = asyncio.Semaphore(max(1, connections - 2))
    sqlite = app.state.engine.dialect.name == "sqlite"
    app.state.write_slots = asyncio.Semaphore(1) if sqlite else app.state.read_slots
    subscriber: Subscriber = app.state.subscriber
    _on_stop(subscriber.end_streams)
    yield
    await subscriber.close()
    app.state.engine.dispose()


def _on_stop(callback: Callable[[], None]) -> None:
    """Run `callback` on SIGTERM and SIGINT: the server waits for open streams, which never end otherwise."""
    if threading.current_thread() is not threading.main_thread():
        return
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        previous = signal.getsignal(number)

        def handle(received: int, frame: FrameType | None, previous: Any = previous) -> None:
            loop.call_soon_threadsafe(callback)
            if callable(previous):
                previous(received, frame)

        signal.signal(number, handle)


app = create_app(get_settings())
# Objects created so far live until exit. Freezing them skips GC scans, and keeps their memory shared after forks.
gc.freeze()
