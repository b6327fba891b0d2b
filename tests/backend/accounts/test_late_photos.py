"""Photos sent to a signed URL after their account was deleted: none stays in storage."""

from datetime import timedelta
from uuid import UUID

import httpx
from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from backend.accounts.models import User
from backend.infra.db import transaction, utc_now
from backend.infra.storage.disk import DiskStorage
from backend.jobs.models import Upload
from backend.jobs.quotas import ABANDONED_AFTER
from tests.actions import PASSWORD
from tests.backend.jobs.test_create_job import refusal
from worker.delete_account import delete_account


def test_a_photo_sent_after_the_account_deletion_is_deleted(
    user: httpx.Client, storage: DiskStorage, sessions: sessionmaker[Session], photo: bytes
) -> None:
    email = user.get("/api/accounts/me").json()["email"]
    user_id = UUID(user.get("/api/accounts/me").json()["id"])
    signed = user.post(
        "/api/uploads", json={"filename": "a.jpg", "content_type": "image/jpeg", "size": len(photo)}
    ).json()
    key = f"originals/{user_id.hex}/{UUID(signed['upload_id']).hex}"

    def send() -> int:
        return user.put(signed["url"], content=photo, headers=signed["headers"]).status_code

    send()
    user.request("DELETE", "/api/accounts/me", json={"password": PASSWORD})
    delete_account(user_id, sessions, storage)
    assert storage.find_size(key) is None, "the deletion removes the existing file"
    assert send() == 200, "a signed URL can't be revoked"
    delete_account(user_id, sessions, storage)
    assert storage.find_size(key) is None
    refusal(user.post("/api/session", json={"email": email, "password": PASSWORD}), 401, "wrong_credentials")

    send()
    for expired, left in ((timedelta(0), [user_id]), (ABANDONED_AFTER, [])):
        with transaction(sessions) as session:
            session.execute(update(Upload).values(expires_at=utc_now() - expired))
        delete_account(user_id, sessions, storage)
        assert storage.find_size(key) is None
        with sessions() as session:
            assert session.scalars(select(User.id)).all() == left, "a late upload may still arrive"
