"""A worker process's own connections, created on first use and never shared across a fork."""

from functools import cache

from sqlalchemy.orm import Session, sessionmaker

from backend.infra.db import create_engine, create_sessions
from backend.infra.mailer import Mailer, create_mailer
from backend.infra.pubsub import Publisher
from backend.infra.queue import Queue
from backend.infra.storage import Storage
from backend.infra.storage.create import create_storage
from backend.settings import get_settings


@cache
def queue() -> Queue:
    return Queue(get_settings())


@cache
def sessions() -> sessionmaker[Session]:
    """Return the session factory; its sessions enqueue tasks and publish events after commit."""
    settings = get_settings()
    return create_sessions(create_engine(settings), queue=queue(), publisher=Publisher(settings))


@cache
def storage() -> Storage:
    return create_storage(get_settings())


@cache
def mailer() -> Mailer:
    return create_mailer(get_settings())
