"""The application follows FastAPI's conventions: routers are included, and dependencies can be overridden."""

from uuid import uuid4

import pytest
from fastapi import Depends, FastAPI
from fastapi.testclient import TestClient

from backend.accounts.dependencies import get_current_user
from backend.accounts.tokens import Identity
from backend.infra.storage import Storage, StorageError
from backend.main import create_app
from backend.settings import Settings
from backend.web.dependencies import get_storage
from tests.actions import PASSWORD
from tests.backend.jobs.test_create_job import refusal
from tests.conftest import on_one_database


@pytest.fixture
def app(settings: Settings) -> FastAPI:
    """Return the application before its lifespan starts."""
    return create_app(settings)


@on_one_database  # tests only the FastAPI setup
def test_a_dependency_can_be_overridden(app: FastAPI) -> None:
    user = Identity(uuid4(), uuid4())
    app.dependency_overrides[get_current_user] = lambda: user
    with TestClient(app) as client:
        assert client.get("/api/jobs").json() == {"items": [], "next_cursor": None}
        app.dependency_overrides.clear()
        refusal(client.get("/api/jobs"), 401, "not_authenticated")


@on_one_database
def test_a_nested_dependency_can_be_overridden(app: FastAPI) -> None:
    class Broken:
        def sign_upload(self, *_args: object, **_options: object) -> None:
            raise StorageError("replaced")

    async def broken_storage() -> Storage:
        return Broken()  # type: ignore[return-value]

    app.dependency_overrides[get_storage] = broken_storage
    with TestClient(app) as client:
        account = {"email": "a@example.org", "password": PASSWORD, "name": "A"}
        assert client.post("/api/accounts", json=account).status_code == 201
        assert client.post("/api/session", json=account).status_code == 200
        upload = {"filename": "a.jpg", "content_type": "image/jpeg", "size": 1}
        refusal(client.post("/api/uploads", json=upload), 503, "unavailable")


@on_one_database
def test_added_routes_use_the_error_handlers(app: FastAPI) -> None:
    async def unavailable() -> None:
        raise StorageError("down")

    @app.get("/api/own", dependencies=[Depends(unavailable)])
    async def own() -> None: ...

    with TestClient(app) as client:
        refusal(client.get("/api/own"), 503, "unavailable")
