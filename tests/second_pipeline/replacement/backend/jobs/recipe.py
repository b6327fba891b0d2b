"""The options of the CSV pipeline, and the files it accepts."""

from typing import Literal

from pydantic import BaseModel


class Recipe(BaseModel):
    """The user's options for reading a table."""

    delimiter: Literal[",", ";"] = ","


class FileType(BaseModel):
    """A file type that the pipeline accepts."""

    content_type: str
    name: str
    extensions: list[str]


FILE_TYPES = [FileType(content_type="text/csv", name="CSV", extensions=[".csv"])]
