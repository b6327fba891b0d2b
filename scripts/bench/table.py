"""Rows of results, and the table they are printed as."""

from collections.abc import Iterable
from dataclasses import astuple, dataclass

TITLES = ("what", "ours", "baseline", "ratio", "goal", "met")


@dataclass(frozen=True, slots=True)
class Row:
    """One measurement; `met` is None without a goal."""

    what: str
    ours: str
    baseline: str = ""
    ratio: str = ""
    goal: str = ""
    met: bool | None = None


def print_table(rows: Iterable[Row]) -> None:
    lines = [TITLES, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(TITLES))]
    print()
    for number, line in enumerate(lines):
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
        if number == 0:
            print("  ".join("-" * width for width in widths))
    print()


def _cells(row: Row) -> tuple[str, ...]:
    *texts, met = astuple(row)
    return (*texts, {None: "", True: "yes", False: "NO"}[met])
