"""The event stream: a snapshot, then changes. It ends when the process stops."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from queue import Queue
from typing import Any

import httpx
import jwt
import pytest

from backend.jobs import events
from tests.actions import create_job, send_photo
from tests.conftest import TEST_SECRET
from tests.servers import LiveServer
from tests.time_limits import scaled

Event = tuple[str, dict[str, Any]]


@contextmanager
def open_stream(client: httpx.Client) -> Iterator["Queue[Event | None]"]:
    """Read the stream in a thread. The queue gets each event, and None at the end."""
    received: Queue[Event | None] = Queue()
    connected = threading.Event()

    def read() -> None:
        # The end of the test closes the socket while this thread reads it.
        with suppress(httpx.TransportError), client.stream("GET", "/api/jobs/events", timeout=scaled(20)) as response:
            assert response.headers["content-type"].startswith("text/event-stream")
            connected.set()
            name = ""
            for line in response.iter_lines():
                if line.startswith("event: "):
                    name = line.removeprefix("event: ")
                elif line.startswith("data: "):
                    received.put((name, json.loads(line.removeprefix("data: "))))
            received.put(None)

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    assert connected.wait(scaled(5))
    yield received


def next_event(received: "Queue[Event | None]", seconds: float = 5) -> Event:
    event = received.get(timeout=scaled(seconds))
    assert event is not None, "the stream ended"
    return event


def test_a_stream_starts_with_the_recent_jobs_oldest_first(user: httpx.Client, photo: bytes) -> None:
    created = [create_job(user, send_photo(user, photo))["id"] for _ in range(2)]
    with open_stream(user) as received:
        assert [next_event(received)[1]["id"] for _ in created] == created


def test_a_stream_sends_changes_of_the_users_own_jobs_only(
    user: httpx.Client, other_user: httpx.Client, photo: bytes
) -> None:
    with open_stream(user) as received:
        create_job(other_user, send_photo(other_user, photo))
        job = create_job(user, send_photo(user, photo))
        assert next_event(received) == ("job", job)
        user.post(f"/api/jobs/{job['id']}/cancel")
        assert next_event(received)[1]["status"] == "cancelled"
        user.delete(f"/api/jobs/{job['id']}")
        assert next_event(received) == ("job-deleted", {"id": job["id"]})


def test_open_streams_hold_no_database_connection(server: LiveServer, user: httpx.Client) -> None:
    with open_stream(user), open_stream(user), open_stream(user), open_stream(user):
        time.sleep(0.2)
        assert server.app.state.engine.pool.checkedout() == 0


def test_a_stream_ends_when_the_process_stops(server: LiveServer, user: httpx.Client) -> None:
    with open_stream(user) as received:
        server.call(server.app.state.subscriber.end_streams)
        assert received.get(timeout=scaled(2)) is None


def test_a_stream_ends_after_its_maximum_duration(user: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "STREAM_SECONDS", 0.3)
    started = time.monotonic()
    with open_stream(user) as received:
        assert received.get(timeout=scaled(5)) is None
    assert time.monotonic() - started < scaled(3)


def test_a_stream_ends_with_the_access_token_that_opened_it(user: httpx.Client) -> None:
    claims = jwt.decode(user.cookies["access"], TEST_SECRET, algorithms=["HS256"])
    token = jwt.encode(claims | {"exp": int(time.time()) + 2}, TEST_SECRET, algorithm="HS256")
    started = time.monotonic()
    with httpx.Client(base_url=user.base_url, headers={"Authorization": f"Bearer {token}"}) as client:
        with open_stream(client) as received:
            assert received.get(timeout=scaled(10)) is None
        assert time.monotonic() - started < scaled(5)
        assert client.get("/api/jobs/events").status_code == 401
