"""What a user asks of the CSV pipeline, and the files it reads."""

from typing import Literal

from pydantic import BaseModel


class Recipe(BaseModel):
    """How to read a table."""

    delimiter: Literal[",", ";"] = ","


class FileType(BaseModel):
    """A type of file the pipeline reads."""

    content_type: str
    name: str
    extensions: list[str]


FILE_TYPES = [FileType(content_type="text/csv", name="CSV", extensions=[".csv"])]
