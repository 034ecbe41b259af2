"""Logins are limited per e-mail address and per network address, in Postgres, for all processes together; and so
are sign-ups, per network address.

An attempt is counted before its password is looked at, and given back when the password was right. Whether an
e-mail address is known here makes no difference.
"""

import hmac
import ipaddress
from dataclasses import dataclass, field
from typing import Final

from shared.crypto import derived_key
from shared.db import Database
from shared.errors import RateLimited

WINDOW_S: Final = 15 * 60.0
SIGNUP_WINDOW_S: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Attempts:
    """`per_account` and `per_address` are how many may fail within 15 minutes, `signups` how many may sign up at one
    network address within an hour."""

    db: Database
    server_key: str = field(repr=False)
    per_account: int
    per_address: int
    signups: int

    async def take(self, email: str, address: str) -> None:
        """Raises RateLimited, whose `retry_after_s` is when to try again."""
        wait_s = await self.db.fetchval(
            "SELECT auth.take_login_attempt($1, $2, $3)",
            [self._account(email), self._address(address)],
            [self.per_account, self.per_address],
            WINDOW_S,
        )
        if wait_s is not None:
            raise RateLimited("Too many logins have failed; try again later.", retry_after_s=wait_s)

    async def take_signup(self, address: str) -> None:
        """Counts whatever its outcome is. Raises RateLimited."""
        wait_s = await self.db.fetchval(
            "SELECT auth.take_login_attempt($1, $2, $3)",
            [self._subject(f"signup:{network_of(address)}")],
            [self.signups],
            SIGNUP_WINDOW_S,
        )
        if wait_s is not None:
            raise RateLimited(
                "Too many have signed up from this network address; try again later.", retry_after_s=wait_s
            )

    async def forgive(self, email: str, address: str) -> None:
        """It succeeded."""
        await self.db.execute(
            "SELECT auth.forgive_login_attempt($1, $2)", self._account(email), self._address(address)
        )

    def _account(self, email: str) -> bytes:
        return self._subject(f"account:{email.lower()}")

    def _address(self, address: str) -> bytes:
        return self._subject(f"address:{network_of(address)}")

    def _subject(self, text: str) -> bytes:
        """Keyed, so that the table tells nobody what was typed."""
        return hmac.digest(derived_key(self.server_key, "login-attempts"), text.encode(), "sha256")


def network_of(address: str) -> str:
    """The address itself, or the /64 of an IPv6 address, which belongs to one customer as a whole."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, 64), strict=False).network_address)
