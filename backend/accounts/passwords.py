"""Passwords: argon2id hashes with a bounded cost.

The parameters are OWASP's second recommendation (m=19 MiB, t=2, p=1): 16 ms of CPU. A 256 MB machine can
handle a burst of log-ins when few of them run at a time (see `dependencies.password_slot`).
"""

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pwdlib import PasswordHash

MEMORY_KIB = 19 * 1024
TIME_COST = 2
PARALLELISM = 1


@cache
def _hasher() -> "PasswordHash":
    from pwdlib import PasswordHash
    from pwdlib.hashers.argon2 import Argon2Hasher

    return PasswordHash((Argon2Hasher(time_cost=TIME_COST, memory_cost=MEMORY_KIB, parallelism=PARALLELISM),))


@cache
def _dummy_hash() -> str:
    return hash_password("no account has this password")


def hash_password(password: str) -> str:
    return _hasher().hash(password)


def verify_password(password: str, password_hash: str | None) -> bool:
    """Whether the password is correct. An unknown account (no hash) takes as long as a known one."""
    if password_hash is None:
        _hasher().verify(password, _dummy_hash())
        return False
    return _hasher().verify(password, password_hash)
