"""The configuration that the frontend reads before sign-in: application name, limits, and the recipe's schema."""

import hashlib
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request, Response
from pydantic import BaseModel

from backend.accounts.schemas import MAX_NAME, MAX_PASSWORD, MIN_PASSWORD
from backend.jobs.recipe import FILE_TYPES, FileType, Recipe
from backend.settings import Settings

router = APIRouter(tags=["config"])

# Browsers may use a copy for a minute, and an older one for a day while they fetch a new one.
CACHE = "public, max-age=60, stale-while-revalidate=86400"


class UploadsConfig(BaseModel):
    """The accepted files; `max_bytes` applies to each file."""

    max_bytes: int
    accepted_types: list[FileType]


class AccountsConfig(BaseModel):
    """Limits of account forms, in characters."""

    password_min_length: int
    password_max_length: int
    name_max_length: int


class ConfigOut(BaseModel):
    """The configuration; `recipe` is the JSON Schema of a job's recipe, with its defaults and limits."""

    app_name: str
    uploads: UploadsConfig
    accounts: AccountsConfig
    recipe: dict[str, Any]


@router.get("/api/config", response_model=ConfigOut, responses={304: {"description": "Not modified"}})
async def read_config(request: Request, if_none_match: Annotated[str | None, Header()] = None) -> Response:
    """Return the configuration. It is the same for all users and only changes with a deployment."""
    body = _config(request.app.state.settings).model_dump_json().encode()
    # Vary: a shared cache must not serve a response without CORS headers to a page of another origin.
    headers = {"ETag": f'"{hashlib.sha256(body).hexdigest()[:32]}"', "Cache-Control": CACHE, "Vary": "Origin"}
    # A proxy that compresses may have changed the tag to a weak one: W/"…".
    if if_none_match and headers["ETag"] in if_none_match:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)


def _config(settings: Settings) -> ConfigOut:
    return ConfigOut(
        app_name=settings.APP_NAME,
        uploads=UploadsConfig(max_bytes=settings.MAX_UPLOAD_BYTES, accepted_types=FILE_TYPES),
        accounts=AccountsConfig(
            password_min_length=MIN_PASSWORD,
            password_max_length=MAX_PASSWORD,
            name_max_length=MAX_NAME,
        ),
        recipe=Recipe.model_json_schema(),
    )
