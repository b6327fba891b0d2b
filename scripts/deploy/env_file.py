"""Reads a file of variables, strictly: nothing is expanded, and what is not understood is refused. Pure functions."""

import re

from scripts.deploy.errors import Refused

LINE = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)")
# Double quotes take these, as in most tools that read such files.
ESCAPES = {"n": "\n", '"': '"', "\\": "\\", "$": "$"}
LONGEST = 32_000


def parse(text: str, name: str) -> dict[str, str]:
    r"""Return the variables of a file: `NAME=value` lines, comments, empty lines.

    A value stands bare, in single quotes as it is, or in double quotes with \n \" \\ \$. Raises Refused with the
    line's number, never with its text, which may be a secret.
    """
    values: dict[str, str] = {}
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        found = LINE.fullmatch(line)
        if not found or "\r" in line:
            raise Refused(f"{name}, line {number}: {_line_problem(line)}")
        key, written = found.groups()
        if key in values:
            raise Refused(f"{name}, line {number}: {key} is there twice")
        values[key] = _value(written, f"{name}, line {number}: {key}")
    return values


def _line_problem(line: str) -> str:
    if "\r" in line:
        return "ends as on Windows (CR LF); save it with LF alone"
    if line.startswith("export "):
        return "begins with `export `; write NAME=value alone"
    if re.match(r"\s", line):
        return "begins with a blank"
    return "is not NAME=value, without blanks around the ="


def _value(written: str, place: str) -> str:
    quote = written[:1]
    if quote in ("'", '"'):
        value = _quoted(written, quote, place)
    elif re.search(r"\s#|^\s|\s$", written):
        raise Refused(f"{place} has a blank at an end, or a comment behind it; put the value into single quotes")
    else:
        value = written
    if not value:
        raise Refused(f"{place} is empty. A variable is never emptied by a file: leave the line out, or PRUNE=1")
    if "\0" in value:
        raise Refused(f"{place} holds a NUL character")
    if len(value.encode()) > LONGEST:
        raise Refused(f"{place} is longer than {LONGEST} bytes")
    if value.startswith("EV["):
        raise Refused(f"{place} is a value that App Platform encrypted, and belongs to one app: write the value itself")
    return value


def _quoted(written: str, quote: str, place: str) -> str:
    inner = written[1:-1]
    if len(written) < 2 or written[-1] != quote:
        raise Refused(f"{place} has a quote that is not closed in its line; a line break in a value is \\n")
    if quote == "'":
        if "'" in inner:
            raise Refused(f"{place} has a single quote inside single quotes; use double quotes")
        return inner
    if not re.fullmatch(r'(?:[^"\\]|\\[n"\\$])*', inner):
        raise Refused(rf'{place} has a " or \ that is not written as \" or \\; only \n \" \\ \$ are known')
    return re.sub(r"\\(.)", lambda found: ESCAPES[found[1]], inner)
