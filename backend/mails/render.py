"""Renders a template into a subject, a text body and an HTML body."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backend.settings import Settings
from backend.text import strip_unprintable

if TYPE_CHECKING:
    from jinja2 import Environment

FOLDER = Path(__file__).parent / "templates"


def render(template: str, context: dict[str, Any], settings: Settings) -> tuple[str, str, str]:
    """Return (subject, text, html). User input is escaped in HTML. The subject has no control characters."""
    values = {**context, "app_name": settings.APP_NAME, "app_url": settings.PUBLIC_URL}
    environment = _environment()
    subject = strip_unprintable(environment.get_template(f"{template}.subject.txt").render(values))
    text = environment.get_template(f"{template}.txt").render(values)
    return subject, text, environment.get_template(f"{template}.html").render({**values, "subject": subject})


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

    return Environment(
        loader=FileSystemLoader(FOLDER), autoescape=select_autoescape(["html"]), undefined=StrictUndefined
    )
