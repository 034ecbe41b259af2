"""Who follows which generation, and how far each has come."""

import asyncio
from dataclasses import dataclass, field
from uuid import UUID

from gateway.live.connections import Connection, Follow
from gateway.live.texts import Texts

PENDING = -2
"""The position of a follower that first needs a snapshot: every event is beyond its next one."""

UNKNOWN = -1

ANYWHERE = 1 << 62
"""Beyond every position: whoever waits is to look."""


@dataclass(slots=True, eq=False)
class Watch:
    """One generation that somebody follows. A settled one changes no more and is not checked."""

    id: str
    account_id: UUID
    followers: dict[Connection, Follow] = field(default_factory=dict)
    waiters: dict[asyncio.Future[bool], int] = field(default_factory=dict)
    settled: bool = False

    @property
    def known(self) -> int:
        """The position from which somebody still needs events; a pending follower needs none."""
        positions = [follow.seq for follow in self.followers.values() if follow.seq != PENDING]
        return min((*positions, *self.waiters.values()), default=ANYWHERE)

    @property
    def behind(self) -> int:
        """Any position above this one is news to somebody."""
        if any(follow.seq == PENDING for follow in self.followers.values()):
            return UNKNOWN
        return self.known

    @property
    def idle(self) -> bool:
        return not self.followers and not self.waiters

    def release(self) -> None:
        """Let the long-polls go without a change."""
        for waiter in self.waiters:
            if not waiter.done():
                waiter.set_result(False)

    def wake(self, seq: int) -> None:
        """Tell the long-polls that wait for something beyond their position."""
        for waiter, after in self.waiters.items():
            if seq > after and not waiter.done():
                waiter.set_result(True)


@dataclass(slots=True, eq=False)
class Channel:
    """One account's live connections and what they follow.

    `feeds` are the connections that follow generations as they appear: all of the account's, or a project's. As a rule
    there are none, and an empty dictionary takes a third of an empty set.
    """

    account_id: UUID
    watches: dict[str, Watch] = field(default_factory=dict)
    connections: set[Connection] = field(default_factory=set)
    feeds: dict[Connection, None] = field(default_factory=dict)
    texts: Texts = field(default_factory=Texts)
    guests: int = 0
    leaving: asyncio.TimerHandle | None = None

    @property
    def idle(self) -> bool:
        return not self.connections and self.guests == 0
