"""Sign-up, log-in, log-out, cookies and tokens."""

import base64
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import httpx
import jwt
import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session, sessionmaker

from backend.accounts.models import LoginSession
from backend.infra.db import transaction, utc_now
from backend.settings import Settings
from tests.actions import PASSWORD, sign_up_and_in
from tests.backend.jobs.test_create_job import refusal
from tests.conftest import TEST_SECRET, MakeSettings
from tests.servers import LiveServer
from tests.time_limits import scaled


def account(**fields: object) -> dict[str, object]:
    return {"email": f"{uuid4().hex}@example.com", "password": PASSWORD, "name": "A user"} | fields


def test_a_new_user_signs_up_in_and_out(client: httpx.Client) -> None:
    body = account(email="New.User@Example.COM")
    created = client.post("/api/accounts", json=body)
    assert created.status_code == 201
    assert created.json()["email"] == "new.user@example.com"
    assert "password" not in created.text.replace("has_password", "")
    credentials = {"email": " new.user@example.com", "password": PASSWORD}
    assert client.post("/api/session", json=credentials).json() == created.json()
    assert client.get("/api/accounts/me").json() == created.json()
    assert client.delete("/api/session").status_code == 204
    refusal(client.get("/api/accounts/me"), 401, "not_authenticated")
    refusal(client.post("/api/session/refresh"), 401, "session_ended")


@pytest.mark.parametrize(
    ("field", "value"),
    [("email", "no address"), ("email", None), ("password", "short"), ("password", "x" * 129), ("name", "  ")],
)
def test_an_error_names_the_invalid_field_without_its_value(client: httpx.Client, field: str, value: object) -> None:
    response = client.post("/api/accounts", json=account(**{field: value}))
    document = refusal(response, 422, "invalid_input")
    assert [error["field"] for error in document["errors"]] == [field]  # type: ignore[attr-defined]
    assert value is None or len(str(value)) < 3 or str(value) not in response.text


def test_an_address_has_one_account_in_any_case(client: httpx.Client) -> None:
    body = account()
    client.post("/api/accounts", json=body)
    taken = client.post("/api/accounts", json=body | {"email": str(body["email"]).upper()})
    refusal(taken, 409, "email_taken")


def test_concurrent_sign_ups_create_one_account(client: httpx.Client) -> None:
    body = account()
    with ThreadPoolExecutor(4) as threads:
        responses = list(threads.map(lambda _n: client.post("/api/accounts", json=body), range(4)))
    assert sorted(response.status_code for response in responses) == [201, 409, 409, 409]


def test_registration_can_be_closed(make_settings: MakeSettings) -> None:
    with LiveServer(make_settings(ENABLE_REGISTRATION=False)) as server, server.client() as client:
        refusal(client.post("/api/accounts", json=account()), 403, "registration_closed")


def test_a_wrong_password_and_an_unknown_address_have_the_same_response(client: httpx.Client) -> None:
    email = str(sign_up_and_in(client)["email"])
    wrong = client.post("/api/session", json={"email": email, "password": "wrong password"})
    unknown = client.post("/api/session", json={"email": "nobody@example.com", "password": "wrong password"})
    documents = [refusal(response, 401, "wrong_credentials") for response in (wrong, unknown)]
    for document in documents:
        del document["request_id"]
    assert documents[0] == documents[1]


def test_cookies_are_not_accessible_to_scripts_and_other_sites(client: httpx.Client) -> None:
    email = str(sign_up_and_in(client)["email"])
    response = client.post("/api/session", json={"email": email, "password": PASSWORD})
    cookies = response.headers.get_list("set-cookie")
    assert len(cookies) == 2
    for cookie in cookies:
        assert "HttpOnly" in cookie
        assert "samesite=lax" in cookie.lower()
        assert "domain" not in cookie.lower()
    assert "Path=/api/session" in cookies[1]


def test_cookies_are_prefixed_and_secure_on_https(make_settings: MakeSettings) -> None:
    with LiveServer(make_settings(PUBLIC_URL="https://studio.example")) as server, server.client() as client:
        body = account()
        client.post("/api/accounts", json=body)
        response = client.post("/api/session", json={"email": body["email"], "password": PASSWORD})
        access, refresh = response.headers.get_list("set-cookie")
        assert access.startswith("__Host-access=")
        assert refresh.startswith("__Secure-refresh=")
        assert all("Secure" in cookie for cookie in (access, refresh))


def test_the_access_token_works_as_a_bearer_header_too(server: LiveServer, user: httpx.Client) -> None:
    token = user.cookies["access"]
    response = httpx.get(f"{server.url}/api/accounts/me", headers={"Authorization": f"bearer {token}"})
    assert response.status_code == 200


def forged(claims: dict[str, object], secret: str = TEST_SECRET, algorithm: str = "HS256") -> str:
    return jwt.encode(claims, secret, algorithm=algorithm)


def unsigned(claims: dict[str, object]) -> str:
    parts = [{"alg": "none", "typ": "JWT"}, claims]
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return ".".join([*encoded, ""])


GOOD = {"sub": uuid4().hex, "sid": uuid4().hex, "exp": int(time.time()) + 3600}


@pytest.mark.parametrize(
    "token",
    [
        "garbage",
        forged(GOOD, secret="another secret of at least 32 bytes length"),
        forged(GOOD, algorithm="HS512"),
        unsigned(GOOD),
        forged(GOOD | {"exp": int(time.time()) - 1}),
        forged({"sub": GOOD["sub"], "sid": GOOD["sid"]}),
        forged({"sub": GOOD["sub"], "exp": GOOD["exp"]}),
        forged(GOOD | {"sub": "not an id"}),
        forged(GOOD | {"sub": "1' OR '1'='1"}),
    ],
    ids=["garbage", "secret", "algorithm", "unsigned", "expired", "endless", "sessionless", "no-id", "injection"],
)
def test_a_forged_or_expired_token_is_refused(server: LiveServer, token: str) -> None:
    response = httpx.get(f"{server.url}/api/jobs", headers={"Authorization": f"Bearer {token}"})
    refusal(response, 401, "not_authenticated")


def test_an_accepted_token_is_refused_after_it_expires(server: LiveServer) -> None:
    token = forged(GOOD | {"exp": int(time.time()) + 2})
    headers = {"Authorization": f"Bearer {token}"}
    assert httpx.get(f"{server.url}/api/jobs", headers=headers).status_code == 200
    time.sleep(2.1)
    refusal(httpx.get(f"{server.url}/api/jobs", headers=headers), 401, "not_authenticated")


def test_tokens_of_the_previous_secret_are_accepted_until_they_expire(make_settings: MakeSettings) -> None:
    before = "the secret of before the change, 32 bytes and more"
    settings = make_settings(JWT_SECRET_PREVIOUS=before)
    with LiveServer(settings) as server:

        def status(token: str) -> int:
            headers = {"Authorization": f"Bearer {token}"}
            return httpx.get(f"{server.url}/api/jobs", headers=headers).status_code

        assert status(forged(GOOD)) == 200
        assert status(forged(GOOD, secret=before)) == 200
        assert status(forged(GOOD, secret="neither of the two, but long enough anyway")) == 401
        assert status(forged(GOOD | {"exp": int(time.time()) - 1}, secret=before)) == 401


def test_a_new_token_is_signed_with_the_new_secret(make_settings: MakeSettings) -> None:
    settings = make_settings(JWT_SECRET_PREVIOUS="the secret of before the change, 32 bytes and more")
    with LiveServer(settings) as server, server.client() as client:
        sign_up_and_in(client)
        assert jwt.decode(client.cookies["access"], TEST_SECRET, algorithms=["HS256"])["sub"]


@pytest.mark.parametrize(
    ("overrides", "open_"), [({}, False), ({"ENABLE_DOCS": True}, True), ({"ENVIRONMENT": "development"}, True)]
)
def test_the_api_docs_are_available_in_development_or_when_enabled(
    make_settings: MakeSettings, overrides: dict[str, object], open_: bool
) -> None:
    with LiveServer(make_settings(**overrides)) as server:
        assert (httpx.get(f"{server.url}/docs").status_code == 200) is open_
        document = httpx.get(f"{server.url}/openapi.json")
        assert (document.status_code == 200) is open_
        if open_:
            flow = document.json()["components"]["securitySchemes"]["token"]["flows"]["password"]
            assert flow["tokenUrl"] == "/api/session/token"
            assert document.json()["paths"]["/api/jobs"]["get"]["security"]
            assert "security" not in document.json()["paths"]["/api/session"]["post"]


def test_a_refresh_rotates_the_token_and_signs_in_again(user: httpx.Client) -> None:
    before = dict(user.cookies)
    assert user.post("/api/session/refresh").status_code == 204
    assert user.cookies["refresh"] != before["refresh"]
    user.cookies.delete("access")
    refusal(user.get("/api/accounts/me"), 401, "not_authenticated")
    assert user.post("/api/session/refresh").status_code == 204
    assert user.get("/api/accounts/me").status_code == 200


def test_two_tabs_that_refresh_concurrently_stay_signed_in(server: LiveServer, user: httpx.Client) -> None:
    jar = dict(user.cookies)
    start = threading.Barrier(2)

    def refresh(_tab: int) -> int:
        start.wait()
        return httpx.post(f"{server.url}/api/session/refresh", cookies=jar).status_code

    with ThreadPoolExecutor(2) as threads:
        assert list(threads.map(refresh, range(2))) == [204, 204]


def test_a_reused_refresh_token_ends_the_session(
    server: LiveServer, user: httpx.Client, sessions: sessionmaker[Session]
) -> None:
    stolen = {"refresh": user.cookies["refresh"]}
    assert user.post("/api/session/refresh").status_code == 204
    with transaction(sessions) as session:
        session.execute(update(LoginSession).values(rotated_at=utc_now() - timedelta(minutes=1)))
    refusal(httpx.post(f"{server.url}/api/session/refresh", cookies=stolen), 401, "session_ended")
    refusal(user.post("/api/session/refresh"), 401, "session_ended")


def test_an_expired_session_cannot_be_refreshed(user: httpx.Client, sessions: sessionmaker[Session]) -> None:
    with transaction(sessions) as session:
        session.execute(update(LoginSession).values(expires_at=utc_now() - timedelta(seconds=1)))
    refusal(user.post("/api/session/refresh"), 401, "session_ended")


def test_refresh_tokens_are_stored_as_hashes(user: httpx.Client, sessions: sessionmaker[Session]) -> None:
    with sessions() as session:
        stored = session.query(LoginSession).one().refresh_token_hash
    assert stored != user.cookies["refresh"]
    assert len(stored) == 64


def test_a_deleted_account_is_signed_out(user: httpx.Client, sessions: sessionmaker[Session]) -> None:
    from backend.accounts.models import User

    with transaction(sessions) as session:
        session.delete(session.query(User).one())
    refusal(user.get("/api/accounts/me"), 401, "not_authenticated")


def test_many_concurrent_log_ins_leave_the_api_responsive(
    server: LiveServer, user: httpx.Client, settings: Settings
) -> None:
    assert settings.JWT_SECRET.get_secret_value() == TEST_SECRET
    body = {"email": "nobody@example.com", "password": "wrong password"}
    with ThreadPoolExecutor(24) as threads:
        attempts = [
            threads.submit(httpx.post, f"{server.url}/api/session", json=body, timeout=scaled(30)) for _ in range(24)
        ]
        assert user.get("/api/jobs").status_code == 200
        assert {attempt.result().status_code for attempt in attempts} == {401}
