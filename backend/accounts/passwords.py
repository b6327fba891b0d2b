"""Passwords: argon2id hashes with a bounded cost.

Parameters are OWASP's second choice (m=19 MiB, t=2, p=1): 16 ms of CPU, and small enough that a
256 MB machine survives a burst of log-ins when few run at once (see `dependencies.password_slot`).
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
def _hash_of_nothing() -> str:
    return hash_password("no account has this password")


def hash_password(password: str) -> str:
    """Return an argon2id hash in PHC format."""
    return _hasher().hash(password)


def verify_password(password: str, password_hash: str | None) -> bool:
    """Whether the password is right. Without a hash (unknown account) the same work is done for nothing."""
    if password_hash is None:
        _hasher().verify(password, _hash_of_nothing())
        return False
    return _hasher().verify(password, password_hash)
