"""Hides optional packages from an import that would load them and never use them."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import cast


@contextmanager
def hidden(*packages: str) -> Iterator[None]:
    """Let imports in the block find none of the packages, unless somebody imported them before."""
    absent = [name for name in packages if name not in sys.modules]
    # None in sys.modules makes an import raise ModuleNotFoundError: the Python reference, section 5.3.1.
    sys.modules.update(dict.fromkeys(absent, cast(ModuleType, None)))
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]
