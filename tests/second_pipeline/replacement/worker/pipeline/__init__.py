"""The CSV pipeline: reads a table, and writes its statistics as JSON and Markdown."""

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any


@dataclass(frozen=True, slots=True)
class Result:
    name: str
    path: Path
    label: str
    content_type: str
    facts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Step:
    """Progress from 0 to 100, with new facts about the table or a finished file."""

    progress: int
    facts: dict[str, Any] | None = None
    result: Result | None = None


class BadInput(Exception):
    """The file can't be used."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message


def run(source: Path, recipe: Mapping[str, Any], target: Path) -> Iterator[Step]:
    """Write the mean of each numeric column. Raises BadInput `not_a_table`."""
    try:
        with source.open(newline="", encoding="utf-8") as file:
            header, *rows = csv.reader(file, delimiter=recipe["delimiter"])
    except (UnicodeDecodeError, ValueError) as error:
        raise BadInput("not_a_table", "This file has no header row in UTF-8. Export it as CSV again.") from error
    yield Step(10, facts={"rows": len(rows), "columns": len(header)})
    means = {
        name: mean(float(row[place]) for row in rows) for place, name in enumerate(header) if _numeric(rows, place)
    }
    yield Step(60, result=_write(target / "statistics.json", "JSON", "application/json", json.dumps(means)))
    table = "".join(f"| {name} | {value:g} |\n" for name, value in means.items())
    markdown = f"| Spalte | Größe ⌀ |\n|---|---|\n{table}"
    yield Step(100, result=_write(target / "statistics.md", "Report", "text/markdown; charset=utf-8", markdown))


def _numeric(rows: list[list[str]], place: int) -> bool:
    return bool(rows) and all(row[place].replace(".", "", 1).isdigit() for row in rows)


def _write(path: Path, label: str, content_type: str, text: str) -> Result:
    path.write_text(text, encoding="utf-8")
    return Result(path.name, path, label, content_type, {"lines": text.count("\n")})
