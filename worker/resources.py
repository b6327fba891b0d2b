"""What a worker process works with: its own connections, made on first use, never shared across a fork."""

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
    """Return the queue that follow-up tasks are sent to."""
    return Queue(get_settings())


@cache
def sessions() -> sessionmaker[Session]:
    """Return the factory of sessions, which enqueue and publish after commit."""
    settings = get_settings()
    return create_sessions(create_engine(settings), queue=queue(), publisher=Publisher(settings))


@cache
def storage() -> Storage:
    """Return the object storage."""
    return create_storage(get_settings())


@cache
def mailer() -> Mailer:
    """Return what sends mails."""
    return create_mailer(get_settings())
