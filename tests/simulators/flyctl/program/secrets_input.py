"""Parses the input of `fly secrets import` with all of flyctl's pitfalls."""

from collections.abc import Iterator

LINE_LIMIT = 64 * 1024


def parse_secrets(text: str, *, older: bool = False) -> dict[str, str]:
    """Return the secrets that flyctl reads; `older` versions (before 2026) support fewer quotes."""
    secrets: dict[str, str] = {}
    lines = iter(text.split("\n"))
    for line in lines:
        if len(line.encode(errors="surrogateescape")) >= LINE_LIMIT:
            # Go's scanner stops at a line that is too long, and flyctl ignores the error.
            return secrets
        if line.startswith("#") or not line.strip():
            continue
        key, equals, value = line.partition("=")
        if not equals:
            # flyctl repeats the line, although it may contain a secret.
            raise ValueError(f"Secrets must be provided as NAME=VALUE pairs ({line} is invalid)")
        value = value.lstrip(" ")
        before, sign, _ = value.partition("#")
        if sign and before.count('"') % 2 == 0:
            value = before.rstrip(" ")
        if not older and len(value) >= 6 and value.startswith('"""') and value.endswith('"""'):
            value = value[3:-3]
        elif value.startswith('"""'):
            value = multiline(value[3:], lines)
        elif value[:1] == value[-1:] and value[:1] in (('"',) if older else ('"', "'")):
            value = value[1:-1]
        secrets[key.strip()] = value
    return secrets


def multiline(first: str, lines: Iterator[str]) -> str:
    """Return a value in triple quotes; without closing quotes it is lost, as in flyctl."""
    value = [first]
    for line in lines:
        if line.endswith('"""'):
            return "\n".join([*value, line[:-3]])
        value.append(line)
    return ""
