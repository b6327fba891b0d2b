"""Log-ins with another spelling of the address than the stored one."""

import httpx
import pytest

from tests.actions import PASSWORD
from tests.backend.jobs.test_create_job import refusal

IDN = ["user@bücher.example.com", "user@xn--bcher-kva.example.com", "USER@BÜCHER.example.com"]
ACCENT = ["jose\u0301@example.com", "jos\u00e9@example.com", "JOSE\u0301@EXAMPLE.com"]


@pytest.mark.parametrize("spellings", [IDN, ACCENT], ids=["international-domain", "composed-character"])
@pytest.mark.parametrize("typed", range(3))
def test_every_spelling_of_the_address_can_log_in(client: httpx.Client, spellings: list[str], typed: int) -> None:
    body = {"email": spellings[typed], "password": PASSWORD, "name": "A user"}
    assert client.post("/api/accounts", json=body).status_code == 201
    for spelling in (*spellings, f"  {spellings[typed]}\t"):
        assert client.post("/api/session", json={"email": spelling, "password": PASSWORD}).status_code == 200
        form = {"grant_type": "password", "username": spelling, "password": PASSWORD}
        assert client.post("/api/session/token", data=form).status_code == 200


@pytest.mark.parametrize("name", ["", "no address", "@", "a@b@c", "x" * 254])
def test_an_invalid_address_has_the_response_of_an_unknown_one(client: httpx.Client, name: str) -> None:
    refusal(client.post("/api/session", json={"email": name, "password": PASSWORD}), 401, "wrong_credentials")
