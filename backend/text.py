"""Checks and cleans user input: refuses text that databases can't store, removes control characters."""

import re

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


def _check_secret(secret: SecretStr) -> SecretStr:
    check_storable(secret.get_secret_value())
    return secret


Storable = AfterValidator(check_storable)
StorableSecret = AfterValidator(_check_secret)
