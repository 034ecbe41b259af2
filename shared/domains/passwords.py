"""Passwords: argon2id, off the event loop and two at a time, for each takes 64 MiB and four threads.

Checking takes as long for somebody who is not there as for somebody who is.
"""

import asyncio
import base64
import secrets
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from shared.errors import Unavailable

AT_ONCE: Final = 2
MAX_WAITING: Final = 50
RETRY_AFTER_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """`fresh` is the same password hashed by today's parameters, when what is stored was made by others."""

    right: bool
    fresh: str | None = None


class Passwords:
    """Hashes and checks passwords. `cheap` costs next to nothing and protects nothing: for tests."""

    def __init__(self, *, cheap: bool = False) -> None:
        self._hasher = (
            PasswordHasher(time_cost=1, memory_cost=64, parallelism=1) if cheap else PasswordHasher()
        )
        self._room = asyncio.Semaphore(AT_ONCE)
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="argon2")
        self._waiting = 0
        self._nobodys = self._unmatchable()

    async def hash(self, password: str) -> str:
        """What to store. Raises Unavailable when too many wait."""
        return await self._run(lambda: self._hasher.hash(_normal(password)))

    async def check(self, stored: str | None, password: str) -> Verdict:
        """Whether it is the password; never for None, after the same time. Raises Unavailable as `hash` does."""
        return await self._run(lambda: self._check(stored or self._nobodys, password))

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _check(self, stored: str, password: str) -> Verdict:
        try:
            self._hasher.verify(stored, _normal(password))
        except (VerificationError, InvalidHashError):
            return Verdict(False)
        if self._hasher.check_needs_rehash(stored):
            return Verdict(True, self._hasher.hash(_normal(password)))
        return Verdict(True)

    async def _run[Result](self, work: Callable[[], Result]) -> Result:
        if self._waiting >= MAX_WAITING:
            raise Unavailable("Too many people sign in just now; try again.", retry_after_s=RETRY_AFTER_S)
        self._waiting += 1
        try:
            async with self._room:
                return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._waiting -= 1

    def _unmatchable(self) -> str:
        """A hash of nothing by today's parameters: to check against it takes the usual time and fails."""
        of = self._hasher
        salt, digest = (_base64(secrets.token_bytes(size)) for size in (of.salt_len, of.hash_len))
        return f"$argon2id$v=19$m={of.memory_cost},t={of.time_cost},p={of.parallelism}${salt}${digest}"


def _normal(password: str) -> str:
    """The same characters typed on another keyboard are the same password (NIST SP 800-63B, 3.1.1.2)."""
    return unicodedata.normalize("NFKC", password)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).rstrip(b"=").decode()
