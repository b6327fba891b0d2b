"""The list of accounts for admins: figures, pages and search."""

from datetime import timedelta

import httpx
import pytest
from sqlalchemy.orm import Session, sessionmaker

from backend.accounts.models import User
from backend.infra.db import new_id, transaction, utc_now
from backend.settings import Settings
from tests.backend.admin.conftest import ChangeUser, age, id_of
from tests.backend.jobs.test_create_job import refusal
from tests.conftest import on_one_database
from tests.worker.conftest import MakeJob


def add_users(sessions: sessionmaker[Session], *rows: tuple[str, str]) -> list[str]:
    users = [User(id=new_id(), name=name, email=email, password_hash="-") for name, email in rows]
    with transaction(sessions) as session:
        session.add_all(users)
    return [str(user.id) for user in users]


def search_emails(admin: httpx.Client, search: str) -> list[str]:
    response = admin.get("/api/admin/users", params={"search": search})
    assert response.status_code == 200, response.text
    return [user["email"] for user in response.json()["items"]]


def test_an_account_is_shown_with_what_it_uses(
    admin: httpx.Client, make_job: MakeJob, settings: Settings, change_user: ChangeUser
) -> None:
    job = make_job(size=1234)
    make_job()
    seen = admin.get(f"/api/admin/users/{job.user_id}").raise_for_status().json()
    assert seen["bytes_stored"] >= 1234
    del seen["email"], seen["created_at"], seen["bytes_stored"]
    defaults = {
        "jobs_running": settings.QUOTA_JOBS_RUNNING,
        "jobs_per_day": settings.QUOTA_JOBS_PER_DAY,
        "bytes": settings.QUOTA_BYTES,
    }
    assert seen == {
        "id": str(job.user_id),
        "name": "A user",
        "email_verified_at": None,
        "is_admin": False,
        "disabled_at": None,
        "jobs": 1,
        "quotas": {"effective": defaults, "overridden": dict.fromkeys(defaults)},
        "last_seen_at": None,
    }


def test_last_seen_is_the_time_of_the_latest_session(admin: httpx.Client) -> None:
    seen = admin.get(f"/api/admin/users/{id_of(admin)}").json()
    assert seen["is_admin"] is True
    assert abs(age(seen["last_seen_at"])) < timedelta(seconds=30)


def test_accounts_are_listed_newest_first_in_pages_without_gaps(
    admin: httpx.Client, sessions: sessionmaker[Session]
) -> None:
    ids = add_users(sessions, *((f"U{n}", f"{n}@example.org") for n in range(7)))
    listed: list[str] = []
    cursor: str | None = None
    while True:
        page = admin.get("/api/admin/users", params={"limit": 3, **({"cursor": cursor} if cursor else {})}).json()
        listed += [user["id"] for user in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
        assert len(page["items"]) == 3
    assert listed == [*reversed(ids), id_of(admin)]


@pytest.mark.parametrize(
    ("search", "expected"),
    [
        ("ada", ["ada@example.org"]),
        ("ADA@", ["ada@example.org"]),
        ("lovelace", ["ada@example.org"]),
        ("hopper@", ["grace.hopper@example.org"]),
        ("example.org", ["tom@example.org", "100_percent@example.org", "grace.hopper@example.org", "ada@example.org"]),
        ("%", ["tom@example.org"]),
        ("_", ["100_percent@example.org"]),
        ("\\", ["100_percent@example.org"]),
        ("/", ["100_percent@example.org"]),
        ("' OR 1=1 --", []),
        ("a'; DROP TABLE users; --", []),
        ("ada%", []),
        ("%ada", []),
        ("a_a", []),
        ("Ünïcode ☃", []),
    ],
)
def test_a_search_finds_parts_of_names_and_addresses_without_wildcards(
    search: str, expected: list[str], admin: httpx.Client, sessions: sessionmaker[Session], change_user: ChangeUser
) -> None:
    change_user(id_of(admin), email="root@localhost.test", name="Root")
    add_users(
        sessions,
        ("Ada Lovelace", "ada@example.org"),
        ("Grace Hopper", "grace.hopper@example.org"),
        ("A back\\slash and a sl/ash", "100_percent@example.org"),
        ("Tom 100%", "tom@example.org"),
    )
    assert search_emails(admin, search) == expected


@on_one_database  # refused before any query
@pytest.mark.parametrize(
    "query",
    [
        {"search": "a\x00b"},
        {"search": "x" * 255},
        {"limit": "0"},
        {"limit": "101"},
        {"cursor": "1' OR '1'='1"},
    ],
)
def test_a_hostile_query_is_refused(query: dict[str, str], admin: httpx.Client) -> None:
    refusal(admin.get("/api/admin/users", params=query), 422, "invalid_input")


def test_an_account_that_is_being_deleted_is_not_shown(
    admin: httpx.Client, user: httpx.Client, change_user: ChangeUser
) -> None:
    user_id = id_of(user)
    change_user(user_id, deleted_at=utc_now())
    assert user_id not in [item["id"] for item in admin.get("/api/admin/users").json()["items"]]
    refusal(admin.get(f"/api/admin/users/{user_id}"), 404, "user_not_found")
    for action in ("disable", "enable", "end-sessions"):
        refusal(admin.post(f"/api/admin/users/{user_id}/{action}"), 404, "user_not_found")
    refusal(admin.patch(f"/api/admin/users/{user_id}/quotas", json={"bytes": 5}), 404, "user_not_found")
