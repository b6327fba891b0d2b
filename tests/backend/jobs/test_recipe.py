"""The recipe's validation. Replace this file together with backend/jobs/recipe.py."""

from uuid import uuid4

import httpx
import pytest

from tests.actions import create_job, send_photo
from tests.backend.jobs.test_create_job import refusal


@pytest.mark.parametrize(
    "recipe",
    [
        {"preset": "poster"},
        {"preset": "web", "enhance": "perhaps"},
        {"preset": "web", "watermark": "x" * 81},
        "web",
    ],
)
def test_an_invalid_recipe_is_refused_with_the_name_of_the_field(user: httpx.Client, recipe: object) -> None:
    response = user.post("/api/jobs", json={"upload_id": str(uuid4()), "recipe": recipe})
    document = refusal(response, 422, "invalid_input")
    assert str(document["errors"][0]["field"]).startswith("recipe")  # type: ignore[index]


def test_a_recipe_has_defaults(user: httpx.Client, photo: bytes) -> None:
    job = create_job(user, send_photo(user, photo))
    assert job["recipe"] == {"preset": "web", "enhance": False, "watermark": None}


def test_control_characters_are_removed_from_a_watermark(user: httpx.Client, photo: bytes) -> None:
    job = create_job(user, send_photo(user, photo), watermark="  \x00©\r\nStudio\u202e ")
    assert job["recipe"]["watermark"] == "©Studio"
    assert create_job(user, send_photo(user, photo), watermark=" \x00 ")["recipe"]["watermark"] is None
