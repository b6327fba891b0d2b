"""Parses a file of variables strictly: nothing is expanded, and unknown syntax is refused. Pure functions."""

import re

from scripts.deploy.errors import Refused

LINE = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)")
# The escapes of double quotes, as in most tools that read such files.
ESCAPES = {"n": "\n", '"': '"', "\\": "\\", "$": "$"}
LONGEST = 32_000


def parse(text: str, name: str) -> dict[str, str]:
    r"""Return the variables of a file with `NAME=value` lines, comments and empty lines.

    A value is unquoted, in single quotes (taken literally), or in double quotes with the escapes \n \" \\ \$.
    Raises Refused with the line's number, never with its text, which may be a secret.
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
            raise Refused(f"{name}, line {number}: {key} is set twice")
        values[key] = _value(written, f"{name}, line {number}: {key}")
    return values


def _line_problem(line: str) -> str:
    if "\r" in line:
        return "has a Windows line ending (CR LF); save the file with LF"
    if line.startswith("export "):
        return "starts with `export `; write only NAME=value"
    if re.match(r"\s", line):
        return "starts with a space"
    return "is not NAME=value, without spaces around the ="


def _value(written: str, place: str) -> str:
    quote = written[:1]
    if quote in ("'", '"'):
        value = _quoted(written, quote, place)
    elif re.search(r"\s#|^\s|\s$", written):
        raise Refused(f"{place} starts or ends with a space, or has a comment after it; put the value in single quotes")
    else:
        value = written
    if not value:
        raise Refused(f"{place} is empty. To remove the variable, delete the line and set PRUNE=1")
    if "\0" in value:
        raise Refused(f"{place} contains a NUL character")
    if len(value.encode()) > LONGEST:
        raise Refused(f"{place} is longer than {LONGEST} bytes")
    if value.startswith("EV["):
        raise Refused(f"{place} is a value that App Platform encrypted for one app: write the plain value")
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
        raise Refused(rf'{place} has a " or \ that is not written as \" or \\; the only escapes are \n \" \\ \$')
    return re.sub(r"\\(.)", lambda found: ESCAPES[found[1]], inner)
