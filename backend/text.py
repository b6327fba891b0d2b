"""Checks and cleans user input: refuses text that databases can't store, removes control characters."""

import math
import re
from typing import Any

from pydantic import AfterValidator, SecretStr

# Control characters, line and paragraph separators, and Unicode direction overrides.
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def check_storable(text: str) -> str:
    """Return the text. Raises ValueError for NUL and for lone surrogates, which JSON can contain."""
    if "\x00" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("has characters that can't be stored")
    return text


def strip_unprintable(text: str) -> str:
    """Return the text without control characters and surrounding spaces."""
    return UNPRINTABLE.sub("", text).strip()


def clean_json(value: Any) -> Any:
    """Return JSON data that every database stores: its text without NUL and without halves of surrogate pairs.

    Raises ValueError for NaN and infinity, TypeError for what JSON does not have.
    """
    match value:
        case str():
            return value.replace("\x00", "").encode(errors="ignore").decode()
        case dict():
            return {clean_json(key): clean_json(item) for key, item in value.items()}
        case list() | tuple():
            return [clean_json(item) for item in value]
        case float() if not math.isfinite(value):
            raise ValueError("JSON has no NaN and no infinity")
        case None | bool() | int() | float():
            return value
        case _:
            raise TypeError(f"JSON has no {type(value).__name__}")


def _check_secret(secret: SecretStr) -> SecretStr:
    check_storable(secret.get_secret_value())
    return secret


Storable = AfterValidator(check_storable)
StorableSecret = AfterValidator(_check_secret)
