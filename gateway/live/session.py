"""What a websocket client may say: subscribe, unsubscribe, ping. Its mistakes are answered, not punished."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import orjson
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from gateway.instants import in_utc
from gateway.live.connections import Connection
from gateway.live.frames import control, error
from gateway.live.hub import OPS, LiveHub, not_for_users, not_found
from gateway.live.watches import PENDING
from gateway.wording import sentence
from shared.domains import live
from shared.domains.accounts import Role
from shared.ids import parse_id

PAGE = 50
MAX_TOPICS = 1_000
MAX_SINCE = 5_000
MAX_NAMED = 10_000
MAX_MESSAGE_BYTES = 512 << 10

ALL = "generations"
LOWEST_ID = UUID(int=0)
NEVER = datetime.max.replace(tzinfo=UTC)

type Topic = Annotated[str, Field(max_length=64)]
type Position = Annotated[int, Field(ge=0, lt=1 << 62)]


class Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Subscribe(Message):
    """`since` has the last position that the client saw of each generation.

    `changed_after` is for `generations` and projects: what changed since then is shown as it is now.
    """

    op: Literal["subscribe"]
    topics: list[Topic] = Field(min_length=1, max_length=MAX_TOPICS)
    since: dict[str, Position] = Field(default_factory=dict, max_length=MAX_SINCE)
    changed_after: Annotated[datetime, AfterValidator(in_utc)] | None = None


class Unsubscribe(Message):
    """Without `topics`, from everything."""

    op: Literal["unsubscribe"]
    topics: list[Topic] | None = Field(None, max_length=MAX_TOPICS)


class Ping(Message):
    op: Literal["ping"]


MESSAGES: dict[str, type[Message]] = {"subscribe": Subscribe, "unsubscribe": Unsubscribe, "ping": Ping}


@dataclass(slots=True)
class Topics:
    """What a message names, sorted; each once."""

    generations: dict[str, None] = field(default_factory=dict)
    projects: dict[UUID, None] = field(default_factory=dict)
    everything: bool = False
    ops: bool = False

    @property
    def names(self) -> list[str]:
        return [
            *[ALL] * self.everything,
            *(f"generation:{id_}" for id_ in self.generations),
            *(f"project:{id_}" for id_ in self.projects),
            *[OPS] * self.ops,
        ]


class Session:
    """One connection's conversation. Messages are handled one after another. `role` is the caller's."""

    __slots__ = ("_connection", "_role", "hub")

    def __init__(self, hub: LiveHub, connection: Connection, role: Role = Role.USER) -> None:
        self.hub = hub
        self._connection = connection
        self._role = role

    async def handle(self, text: str) -> None:
        message = self._read(text)
        match message:
            case Subscribe():
                await self.subscribe(message.topics, message.since, message.changed_after)
            case Unsubscribe():
                self._unsubscribe(message.topics)
            case Ping():
                self._connection.control(control("pong"))

    def refuse(self, why: str, **context: Any) -> None:
        self._connection.control(error("INVALID_INPUT", why, **context))

    async def subscribe(
        self, topics: Sequence[str], since: dict[str, int], changed_after: datetime | None
    ) -> None:
        """Follow the topics; returns when the client has been given all that it lacks."""
        asked = self._sort(topics)
        if len(self._connection.explicit) + len(asked.generations) > MAX_NAMED:
            self.refuse(f"One connection follows at most {MAX_NAMED} generations by name.", field="topics")
            return
        if asked.ops and not self._role.covers(Role.VIEWER):
            self._connection.control(not_for_users())
            asked.ops = False
        known = {str(id_): seq for text, seq in since.items() if (id_ := parse_id(text)) is not None}
        now = control("subscribed", {"topics": asked.names})
        self._connection.feed |= asked.everything
        if asked.projects:
            self._connection.projects |= {str(project) for project in asked.projects}
        self.hub.feed(self._connection)
        self._connection.explicit |= set(asked.generations)
        named = list(dict.fromkeys([*asked.generations, *(known if asked.everything else ())]))
        await self._follow_named(named, known, set(asked.generations))
        after = changed_after if changed_after is not None else NEVER
        if asked.everything:
            await self._follow_feed(after, None, known)
        for project in asked.projects:
            await self._follow_feed(after, project, known)
        if asked.ops:
            await self.hub.ops.join(self._connection)
        await self.hub.repaired()
        self._connection.control(now)

    def _read(self, text: str) -> Message | None:
        try:
            body = orjson.loads(text)
        except orjson.JSONDecodeError as broken:
            self.refuse(f"The message is not valid JSON: {broken.msg}.")
            return None
        model = MESSAGES.get(str(body.get("op"))) if isinstance(body, dict) else None
        if model is None:
            self.refuse(f"Send an object whose `op` is one of {', '.join(MESSAGES)}.", field="op")
            return None
        try:
            return model.model_validate(body)
        except ValidationError as invalid:
            first = invalid.errors(include_url=False, include_input=False)[0]
            field = ".".join(str(part) for part in first["loc"])
            self.refuse(f"{field}: {sentence(first['type'], first['msg'])}", field=field)
            return None

    def _sort(self, topics: Iterable[str]) -> Topics:
        asked = Topics()
        for topic in topics:
            name, _, text = topic.partition(":")
            id_ = parse_id(text)
            if topic == ALL:
                asked.everything = True
            elif topic == OPS:
                asked.ops = True
            elif name == "generation" and id_ is not None:
                asked.generations[str(id_)] = None
            elif name == "project" and id_ is not None:
                asked.projects[id_] = None
            else:
                self.refuse(f"There is no topic {topic!r}.", field="topics", topic=topic)
        return asked

    async def _follow_named(self, ids: Sequence[str], since: dict[str, int], explicit: set[str]) -> None:
        """Follow generations by name: from the position that the client knows, else from a snapshot."""
        hub, connection = self.hub, self._connection
        for start in range(0, len(ids), PAGE):
            page = ids[start : start + PAGE]
            for id_ in page:
                hub.follow(connection, id_, since.get(id_, PENDING))
                hub.tell_text(connection, id_)
            async with hub.db.transaction(connection.account_id) as tx:
                rows = {str(row["id"]): row for row in await live.current(tx, page)}
                fresh = [row for id_, row in rows.items() if since.get(id_, PENDING) == PENDING]
                ahead = [row for id_, row in rows.items() if since.get(id_, PENDING) > row["seq"]]
                resources = await hub.render(tx, fresh)
                resets = await hub.render(tx, ahead)
            for resource in resources:
                hub.show(connection, resource)
            for resource in resets:
                hub.show(connection, resource, reset=True)
            for id_ in page:
                if id_ in rows:
                    hub.repair(connection, id_)
                    continue
                hub.unfollow(connection, id_)
                connection.explicit -= {id_}
                if id_ in explicit:
                    connection.control(not_found(id_))
            await self._settle()

    async def _follow_feed(
        self, changed_after: datetime, project: UUID | None, since: dict[str, int]
    ) -> None:
        """Show what is unfinished or changed since, page by page, as fast as the client reads."""
        hub, connection, after = self.hub, self._connection, LOWEST_ID
        while not connection.closed:
            async with hub.db.transaction(connection.account_id) as tx:
                rows = await live.feed_page(
                    tx,
                    connection.account_id,
                    changed_after=changed_after,
                    project_id=project,
                    after=after,
                    limit=PAGE,
                )
                resources = await hub.render(tx, rows)
            for resource in resources:
                if str(resource["id"]) not in since:
                    hub.show(connection, resource)
            if len(rows) < PAGE:
                return
            after = rows[-1]["id"]
            await self._settle()

    async def _settle(self) -> None:
        """Returns when what was marked has been sent and the client has room for more."""
        await self.hub.repaired()
        await self._connection.room()

    def _unsubscribe(self, topics: Sequence[str] | None) -> None:
        connection = self._connection
        if topics is None:
            asked = Topics(dict.fromkeys(connection.explicit), everything=True, ops=True)
            connection.projects = frozenset()
        else:
            asked = self._sort(topics)
        connection.explicit -= set(asked.generations)
        connection.projects -= {str(project) for project in asked.projects}
        connection.feed &= not asked.everything
        if asked.ops:
            self.hub.ops.leave(connection)
        self.hub.feed(connection)
        if not connection.feed and not connection.projects:
            kept = connection.explicit
            for id_ in [id_ for id_ in connection.follows if id_ not in kept]:
                self.hub.unfollow(connection, id_)
        connection.control(control("unsubscribed", {"topics": list(topics or ())}))
