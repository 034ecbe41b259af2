"""Admission: the one way in. Every route that generates calls `Admitter.admit`.

One transaction decides: idempotency, the account's standing, the budget; it writes the generation, its first
event and its reserve. Requests of one account that arrive together are admitted in one transaction. What
leaves the database follows the commit, and the clock sees to it if that fails.
"""

import asyncio
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final
from uuid import UUID

import orjson

from shared.batch import Batcher
from shared.catalog import Catalog
from shared.crashpoints import reach
from shared.db import Database, Tx
from shared.domains.entitlements import ACCOUNT as STANDING
from shared.domains.entitlements import Ask, entitlement
from shared.domains.generations import DISPATCH_GRACE_S
from shared.domains.inputs import find_file
from shared.domains.ledger import ARE_BUDGETED, WRITE_RESERVES, Entry, count_in_budgets
from shared.domains.plans import Limit, feature_of
from shared.domains.projects import closed
from shared.domains.providers import Orders
from shared.domains.routing import Plan, plan_routes
from shared.domains.storage import Rooms
from shared.errors import (
    IdempotencyInProgress,
    IdempotencyMismatch,
    InvalidInput,
    PenstockError,
)
from shared.events import EventType, Publisher, event_frame
from shared.ids import new_id
from shared.kinds import KINDS, Parameters
from shared.log import get_logger
from shared.netguard import check_url
from shared.queue import Bell, BellUnavailable
from shared.settings import Settings

log = get_logger(__name__)

_ROOM_CACHE_S = 1.0
_NO_ROOM_CACHE_S = 0.02
"""Room that is used up may be there again as soon as a step has ended."""
_QUEUED_DATA = orjson.Fragment(b'{"status":"queued","stage":"routing"}')


@dataclass(frozen=True, slots=True)
class NewGeneration:
    """A request that has been read but not yet admitted. `input` is the kind's validated parameters."""

    kind: str
    input: Parameters
    model: str | None = None
    prefer: Mapping[str, Any] | None = None
    priority: int = 0
    start_deadline_s: float | None = None
    deadline_s: float | None = None
    webhook: Mapping[str, Any] | None = None
    """Who is told of it besides the account's endpoints: {url, events}."""
    metadata: Mapping[str, Any] | None = None
    project_id: UUID | None = None
    parent_id: UUID | None = None
    group_id: UUID | None = None
    api_key_id: UUID | None = None
    warnings: Sequence[Mapping[str, Any]] = ()
    """What its reader made of it, told beside the plan's own warnings."""
    feature: str | None = None
    """What it counts as in the account's plan, where that is not its kind's own feature."""


@dataclass(frozen=True, slots=True)
class Idempotency:
    """The caller's key, and the SHA-256 of the canonical body that it stands for.

    An implicit one is made of the request itself, for callers that cannot send one: it stands while what it made is
    under way, and for ten seconds at least.
    """

    route: str
    key: str
    fingerprint: bytes
    implicit: bool = False


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """An answer as it was first given, and what it is about."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    generation_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Admission:
    """The admitted row, or the stored answer of the first request with this key."""

    row: Mapping[str, Any] | None
    replayed: StoredResponse | None = None


@dataclass(frozen=True, slots=True)
class Outlook:
    """Whether a request would be admitted, and what is left for it: of the plan's feature that it counts as (its
    counter and limit, where there are any), of the account's own budget, and of each budget that counts it."""

    refusal: PenstockError | None
    plan: str
    counter: Mapping[str, Any] | None
    limit: Limit | None
    account_left: int | None
    budgets: Sequence[tuple[Mapping[str, Any], int]]


Render = Callable[[Mapping[str, Any]], StoredResponse]


@dataclass(frozen=True, slots=True)
class _Draft:
    """A planned request on its way into the database."""

    id: UUID
    new: NewGeneration
    plan: Plan
    files: Mapping[str, Any]
    idempotency: Idempotency | None
    render: Render | None
    ask: Ask = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "ask", _ask(self.id, self.new, self.plan))

    def without(self, closed: Collection[str]) -> "_Draft":
        """Not to be served at the platform's expense by these providers, unless that leaves nobody."""
        if not closed:
            return self
        plan = self.plan.without(closed)
        return self if plan is None else replace(self, plan=plan)


_ACCOUNT = f"""
SELECT a.storage_limit_bytes, {STANDING} FROM accounts a JOIN plans p ON p.name = a.plan WHERE a.id = $1
"""  # noqa: S608  # constants only

# Those of the named projects that take something new. None of them is deleted before the admission is written.
_ACCOUNT_AND_PROJECTS = f"""
SELECT a.*, ARRAY(
    SELECT p.id FROM projects p WHERE p.id = ANY ($2::uuid[]) AND p.archived_at IS NULL FOR KEY SHARE
) AS open_projects
FROM ({_ACCOUNT}) a
"""  # noqa: S608  # constants only

_KEY_IS_OVER = """(
    idempotency_keys.expires_at <= now()
    OR idempotency_keys.implicit AND idempotency_keys.created_at < now() - interval '10 seconds'
        AND NOT EXISTS (
            SELECT FROM generations g WHERE g.id = idempotency_keys.generation_id AND g.wake_at IS NOT NULL
        )
)"""

_CLAIM_KEYS = f"""
INSERT INTO idempotency_keys (account_id, route, key, fingerprint, generation_id, implicit)
SELECT $1, k.route, k.key, k.fingerprint, k.generation_id, k.implicit
FROM unnest($2::text[], $3::text[], $4::bytea[], $5::uuid[], $6::boolean[])
    AS k(route, key, fingerprint, generation_id, implicit)
ON CONFLICT (account_id, route, key) DO UPDATE SET fingerprint = excluded.fingerprint,
    generation_id = excluded.generation_id, status = NULL, headers = NULL, body = NULL, created_at = now(),
    expires_at = now() + interval '24 hours', implicit = excluded.implicit
    WHERE {_KEY_IS_OVER}
RETURNING route, key
"""  # noqa: S608  # constants only

_STORED_KEY = f"""
SELECT fingerprint, status, headers, body, generation_id FROM idempotency_keys
WHERE account_id = $1 AND route = $2 AND key = $3 AND NOT {_KEY_IS_OVER}
"""  # noqa: S608  # constants only

_KEEP_ANSWERS = """
UPDATE idempotency_keys k SET status = a.status, headers = a.headers, body = a.body
FROM unnest($2::text[], $3::text[], $4::int[], $5::jsonb[], $6::bytea[]) AS a(route, key, status, headers, body)
WHERE k.account_id = $1 AND k.route = a.route AND k.key = a.key
"""

# All rows in one value: asyncpg encodes each element of each array by itself, which costs many times as much.
_INSERT = f"""
WITH d AS (
    SELECT * FROM json_to_recordset($2::text::json) AS d (
        id uuid, api_key_id uuid, kind text, model text, input jsonb, files jsonb, routes jsonb, prefer jsonb,
        priority int, start_deadline_s float8, deadline_s float8, price_id text, estimate_nanos bigint,
        reserved_nanos bigint, warnings jsonb, details jsonb, webhook jsonb, project_id uuid, parent_id uuid,
        group_id uuid, rung boolean, billed_to text, entry_id uuid)
), g AS (
    INSERT INTO generations (id, account_id, api_key_id, kind, model, input, files, routes, prefer, stage, priority,
        wake_at, dispatch_no, rung, start_deadline_at, deadline_at, price_id, estimate_nanos, reserved_nanos,
        warnings, details, webhook, project_id, parent_id, group_id, billed_to)
    SELECT id, $1, api_key_id, kind, model, input, files, routes, prefer, 'routing', priority,
        now() + CASE WHEN rung THEN $3::float8 ELSE 0 END * interval '1 second', rung::int, rung,
        now() + start_deadline_s * interval '1 second', now() + deadline_s * interval '1 second', price_id,
        estimate_nanos, reserved_nanos, warnings, details, webhook, project_id, parent_id, group_id, billed_to
    FROM d
    RETURNING id, created_at, start_deadline_at, deadline_at
), e AS (
    INSERT INTO generation_events (generation_id, seq, account_id, type, data, created_at)
    SELECT id, 1, $1, $4, $5, created_at FROM g
), entries AS (
    SELECT entry_id, $1::uuid, id, NULL::uuid, 'reserve', reserved_nanos, 'account', routes -> 0 ->> 'provider',
        routes -> 0 ->> 'model', kind, price_id, NULL
    FROM d WHERE entry_id IS NOT NULL
), {WRITE_RESERVES}
SELECT id, created_at, start_deadline_at, deadline_at, {ARE_BUDGETED} AS are_budgeted FROM g
"""  # noqa: S608  # constants only

_AT_FIRST: Final[Mapping[str, Any]] = {
    "state": "queued", "stage": "routing", "seq": 1, "progress": None, "provider": None,
    "provider_model": None, "decision": {}, "cost_nanos": None, "cost_status": "reserved",
    "error": None, "started_at": None, "completed_at": None, "deleted_at": None,
    "provider_queue_position": None, "cancel_requested_at": None, "attempts": 0, "moderation": {},
    "waiting_for": None, "wake_at": None, "owner": None,
}  # fmt: skip
"""The other columns of a new row that a resource shows."""

_SILENT_BELLS = (
    "UPDATE generations SET wake_at = now(), rung = false WHERE id = ANY ($1) AND owner IS NULL AND rung"
)


class Admitter:
    """Admits requests for the gateway, on the app role's pool."""

    def __init__(
        self, db: Database, catalog: Catalog, bell: Bell, publisher: Publisher, settings: Settings
    ) -> None:
        self.orders = Orders(db)
        self._db = db
        self._catalog = catalog
        self._bell = bell
        self._publisher = publisher
        self._settings = settings
        self._rooms = Rooms()
        self._room: dict[str, int] = {}
        self._room_read_at = float("-inf")
        self._announcing: set[asyncio.Task[None]] = set()
        self._batches: Batcher[UUID, _Draft, Admission] = Batcher(self._admit_all, max_items=100)

    async def plan(self, account_id: UUID, new: NewGeneration) -> Plan:
        """The routes and price of a request; writes nothing. Raises InvalidInput, ModelRetired or NoProvider."""
        if new.input.simulate is not None and self._settings.is_production:
            raise InvalidInput("simulate is for demonstrations only.", field="input.simulate", status=422)
        wishes = await self.orders.of(account_id)
        return await plan_routes(self._catalog, new.kind, new.model, new.input, new.prefer or {}, wishes)

    async def refusal(self, account_id: UUID, new: NewGeneration, plan: Plan) -> PenstockError | None:
        """The error that `admit` would raise for this account's standing, plan, quota or budget now, or None."""
        return (await self.outlook(account_id, new, plan)).refusal

    async def outlook(self, account_id: UUID, new: NewGeneration, plan: Plan) -> Outlook:
        """What `admit` would say now, and what the account has left before the request; writes nothing."""
        async with self._db.transaction(account_id) as tx:
            account = await tx.fetchrow(_ACCOUNT, account_id)
            ask = _ask(new_id(), new, plan)
            allowed = await entitlement(tx, account_id, account, [ask], lock=False)
            full = await self._rooms.refusal(tx, account, account_id)
        settled = _ask(ask.id, new, plan.without(allowed.closed(ask)) or plan)
        return Outlook(
            allowed.refusal(settled) or full,
            allowed.plan.label,
            allowed.counters.rows.get(ask.feature),
            allowed.plan.limit(ask.feature),
            allowed.left,
            [(row, allowed.watch.left(row)) for row in allowed.counting(settled)],
        )

    async def admit(
        self, account_id: UUID, new: NewGeneration, idempotency: Idempotency | None = None,
        render: Render | None = None,
    ) -> Admission:  # fmt: skip
        """Raises InvalidInput, ModelRetired, NoProvider, BudgetExceeded, QuotaExceeded, Forbidden,
        IdempotencyMismatch, IdempotencyInProgress; CONNECTION_ERRORS when Postgres is away. Nothing is half-written."""
        if idempotency is not None:
            stored = await self._stored(account_id, idempotency)
            if stored is not None:
                return Admission(None, stored)
        plan = await self.plan(account_id, new)
        files = await self.resolve_files(account_id, new)
        if new.webhook is not None:
            allow_private = self._settings.allow_private_urls
            await check_url(new.webhook["url"], field="webhook.url", allow_private=allow_private)
        draft = _Draft(new_id(), new, plan, files, idempotency, render)
        return await self._batches(account_id, draft)

    async def _stored(self, account_id: UUID, idempotency: Idempotency) -> StoredResponse | None:
        async with self._db.transaction(account_id) as tx:
            return await _stored_answer(tx, account_id, idempotency)

    async def resolve_files(self, account_id: UUID, new: NewGeneration) -> Mapping[str, Any]:
        """Where each file input lies: {field: {key, mime, …} or {url}}. Raises InvalidInput."""
        files: dict[str, Any] = {}
        lengths = KINDS[new.kind].file_seconds
        for name, family in KINDS[new.kind].file_fields.items():
            given = getattr(new.input, name)
            if given is None:
                continue
            several = given if isinstance(given, list) else ()
            named = {f"{name}.{n}": reference for n, reference in enumerate(several)} or {name: given}
            for key, reference in named.items():
                files[key] = await find_file(
                    self._db, account_id, reference, field=f"input.{key}", family=family,
                    allow_private=self._settings.allow_private_urls, base_url=self._settings.base_url,
                )  # fmt: skip
                _check_length(f"input.{key}", files[key].get("duration_s"), lengths.get(name))
        return files

    async def _admit_all(self, account_id: UUID, drafts: list[_Draft]) -> list[Admission | BaseException]:
        direct = await self._take_room(drafts)
        results: dict[UUID, Admission | BaseException] = {}
        async with self._db.transaction(account_id) as tx:
            fresh, repeated = await self._unseen(tx, account_id, drafts)
            account = await self._account(tx, account_id, fresh, results)
            affordable = await self._affordable(tx, account_id, account, fresh, results)
            if account is not None and account["max_running"] is not None:
                # What a limited account has running is counted in one place only, which is dispatch.
                direct = set()
            rows = await self._insert(tx, account_id, affordable, direct)
            await _keep_answers(tx, account_id, affordable, rows)
            # Only now is the first one's answer there, if it came in this very batch.
            for draft in repeated:
                results[draft.id] = await _answer_of_first(tx, account_id, draft)
            reach("before_admitted")
        reach("after_admitted")
        results |= {draft.id: Admission(rows[draft.id]) for draft in affordable}
        self._announce_soon(account_id, [rows[draft.id] for draft in affordable], direct)
        return [results[draft.id] for draft in drafts]

    async def _account(
        self,
        tx: Tx,
        account_id: UUID,
        drafts: Sequence[_Draft],
        results: dict[UUID, Admission | BaseException],
    ) -> Mapping[str, Any] | None:
        """The account's row. Drafts for a project that is closed to the account are refused in `results`."""
        named = {draft.new.project_id for draft in drafts if draft.new.project_id is not None}
        if not named:
            return await tx.fetchrow(_ACCOUNT, account_id)
        account = await tx.fetchrow(_ACCOUNT_AND_PROJECTS, account_id, list(named))
        shut = named.difference(account["open_projects"] if account is not None else ())
        for draft in drafts:
            if draft.new.project_id in shut:
                results[draft.id] = closed(draft.new.project_id)
        return account

    async def _unseen(
        self, tx: Tx, account_id: UUID, drafts: Sequence[_Draft]
    ) -> tuple[list[_Draft], list[_Draft]]:
        """The drafts that are first with their key or have none, and those whose key was used before."""
        keyed: dict[tuple[str, str], _Draft] = {}
        for draft in drafts:
            if draft.idempotency is not None:
                keyed.setdefault((draft.idempotency.route, draft.idempotency.key), draft)
        if not keyed:
            return list(drafts), []
        ordered = sorted(keyed.items())
        won = await tx.fetch(
            _CLAIM_KEYS,
            account_id,
            [route for (route, _), _ in ordered],
            [key for (_, key), _ in ordered],
            [draft.idempotency.fingerprint for _, draft in ordered if draft.idempotency],
            [draft.id for _, draft in ordered],
            [draft.idempotency.implicit for _, draft in ordered if draft.idempotency],
        )
        firsts = {keyed[row["route"], row["key"]].id for row in won}
        fresh = [draft for draft in drafts if draft.idempotency is None or draft.id in firsts]
        return fresh, [draft for draft in drafts if draft not in fresh]

    async def _affordable(
        self,
        tx: Tx,
        account_id: UUID,
        account: Mapping[str, Any] | None,
        drafts: Sequence[_Draft],
        results: dict[UUID, Admission | BaseException],
    ) -> list[_Draft]:
        """The drafts that the account may have, in their order, without routes whose provider's budget is used up.

        What decides is locked until the transaction ends.
        """
        asks = [draft.ask for draft in drafts if draft.id not in results]
        allowed = await entitlement(tx, account_id, account, asks)
        full = await self._rooms.refusal(tx, account, account_id)
        granted: list[_Draft] = []
        for draft in drafts:
            if draft.id in results:
                continue
            open_draft = draft.without(allowed.closed(draft.ask))
            refusal = allowed.refusal(open_draft.ask) or full
            if refusal is None:
                granted.append(open_draft)
                allowed.take(open_draft.ask)
            else:
                results[draft.id] = refusal
        await allowed.write(tx, account_id, self._publisher)
        refused = [draft for draft in drafts if draft.id in results and draft.idempotency is not None]
        for draft in refused:
            # A refusal is not an answer worth keeping: the same key may succeed once the budget allows it.
            assert draft.idempotency is not None  # noqa: S101  # selected above
            await tx.execute(
                "DELETE FROM idempotency_keys WHERE account_id = $1 AND route = $2 AND key = $3",
                account_id, draft.idempotency.route, draft.idempotency.key,
            )  # fmt: skip
        return granted

    async def _insert(
        self, tx: Tx, account_id: UUID, drafts: Sequence[_Draft], direct: set[UUID]
    ) -> dict[UUID, Mapping[str, Any]]:
        """Writes the generations with their first events and their reserves; the rows as a resource shows them."""
        if not drafts:
            return {}
        given = [_columns(draft, draft.id in direct) for draft in drafts]
        written = await tx.fetch(
            _INSERT, account_id, orjson.dumps(given, default=str).decode(), DISPATCH_GRACE_S,
            EventType.QUEUED.value, _QUEUED_DATA,
        )  # fmt: skip
        if written[0]["are_budgeted"]:
            reserves = [_reserve(account_id, draft) for draft in drafts if draft.plan.reserve]
            await count_in_budgets(tx, reserves, self._publisher)
        times = {row["id"]: row for row in written}
        return {
            row["id"]: {**_AT_FIRST, **row, "account_id": account_id, **times[row["id"]]} for row in given
        }

    async def _take_room(self, drafts: Sequence[_Draft]) -> set[UUID]:
        """The drafts whose bells may be rung at once: as many as free slots, while nobody waits before them."""
        now = time.monotonic()
        left = all(self._room.get(draft.new.kind, 0) > 0 for draft in drafts)
        if now - self._room_read_at > (_ROOM_CACHE_S if left else _NO_ROOM_CACHE_S):
            self._room_read_at = now
            rows = await self._db.fetch("SELECT kind, room FROM auth.queue_room($1)", list(KINDS))
            self._room = {row["kind"]: row["room"] for row in rows}
        direct = set()
        for draft in drafts:
            if self._room.get(draft.new.kind, 0) > 0:
                self._room[draft.new.kind] -= 1
                direct.add(draft.id)
        return direct

    def _announce_soon(self, account_id: UUID, rows: Sequence[Mapping[str, Any]], direct: set[UUID]) -> None:
        """Whoever asked need not wait for the bell: it is the clock that sees to what was admitted."""
        task = asyncio.create_task(self._announce(account_id, rows, direct))
        self._announcing.add(task)
        task.add_done_callback(self._announcing.discard)

    async def close(self) -> None:
        """Returns when all bells have rung."""
        if self._announcing:
            await asyncio.wait(self._announcing)

    async def _announce(self, account_id: UUID, rows: Sequence[Mapping[str, Any]], direct: set[UUID]) -> None:
        self._publisher.publish_soon(
            account_id,
            [
                event_frame({"generation_id": row["id"], "seq": 1, "created_at": row["created_at"],
                             "type": EventType.QUEUED, "data": _QUEUED_DATA})
                for row in rows
            ],
        )  # fmt: skip
        for kind in {row["kind"] for row in rows if row["id"] in direct}:
            bells = [(row["id"], 1) for row in rows if row["kind"] == kind and row["id"] in direct]
            try:
                await self._bell.ring(kind, bells)
            except BellUnavailable:
                self._room[kind] = 0
                self._room_read_at = time.monotonic() + _ROOM_CACHE_S
                await self._silent(account_id, [generation_id for generation_id, _ in bells])
        reach("after_announced")

    async def _silent(self, account_id: UUID, generation_ids: Sequence[UUID]) -> None:
        """Without a bell the workers' own dispatch takes them, so they are due at once."""
        try:
            async with self._db.transaction(account_id) as tx:
                await tx.execute(_SILENT_BELLS, list(generation_ids))
        except Exception:
            # The generations are admitted; their clock rings in a few seconds whatever happened here.
            log.exception("bells_not_silenced", generations=len(generation_ids))


def _ask(id_: UUID, new: NewGeneration, plan: Plan) -> Ask:
    """What an account must be entitled to for this request."""
    return Ask(
        id_, new.feature or feature_of(new.kind), max(1, getattr(new.input, "count", None) or 1), plan.reserve,
        plan.payees, new.project_id, new.api_key_id,
    )  # fmt: skip


async def _stored_answer(tx: Tx, account_id: UUID, idempotency: Idempotency) -> StoredResponse | None:
    """The kept answer for this key; None when the key is new. Raises for another body, or while it runs."""
    row = await tx.fetchrow(_STORED_KEY, account_id, idempotency.route, idempotency.key)
    if row is None:
        return None
    if row["fingerprint"] != idempotency.fingerprint:
        raise IdempotencyMismatch(
            "This Idempotency-Key was used with another request.", field="Idempotency-Key"
        )
    if row["status"] is None:
        raise IdempotencyInProgress("The first request with this key is still running.", retry_after_s=1)
    return StoredResponse(row["status"], row["headers"], row["body"], row["generation_id"])


async def _answer_of_first(tx: Tx, account_id: UUID, draft: _Draft) -> Admission | BaseException:
    assert draft.idempotency is not None  # noqa: S101  # only keyed drafts are repeated
    try:
        stored = await _stored_answer(tx, account_id, draft.idempotency)
    except (IdempotencyMismatch, IdempotencyInProgress) as error:
        return error
    if stored is None:
        return IdempotencyInProgress("The first request with this key was refused just now.", retry_after_s=1)
    return Admission(None, stored)


def _check_length(field: str, duration_s: float | None, limits: tuple[float, float] | None) -> None:
    """Raises InvalidInput. What nobody has measured yet, a URL or a file without a length, is let through: the
    worker measures it before anything is paid."""
    if limits is None or not duration_s:
        return
    low, high = limits
    if not low <= round(duration_s, 1) <= high:
        text = f"This must play for {low:g} to {high:g} seconds, but it plays for {duration_s:.1f}."
        raise InvalidInput(text, field=field, status=422)


def _columns(draft: _Draft, rung: bool) -> dict[str, Any]:
    """What `_INSERT` takes of a draft."""
    new, plan = draft.new, draft.plan
    kind = KINDS[new.kind]
    start_deadline_s = new.start_deadline_s or kind.start_deadline_s
    deadline_s = new.deadline_s or start_deadline_s + kind.deadline_s
    return {
        "id": draft.id, "api_key_id": new.api_key_id, "kind": new.kind,
        "model": plan.model, "input": new.input.model_dump(mode="json", exclude_none=True), "files": draft.files,
        "routes": [route.as_json() for route in plan.routes], "prefer": dict(new.prefer or {}),
        "priority": new.priority, "start_deadline_s": min(start_deadline_s, deadline_s),
        "deadline_s": deadline_s, "price_id": plan.routes[0].card.price_id,
        "estimate_nanos": plan.estimate, "reserved_nanos": plan.reserve, "warnings": [*new.warnings, *plan.warnings],
        "details": dict(new.metadata or {}), "webhook": dict(new.webhook) if new.webhook else None,
        "project_id": new.project_id, "parent_id": new.parent_id, "group_id": new.group_id, "rung": rung,
        "billed_to": plan.billed_to, "entry_id": new_id() if plan.reserve else None,
    }  # fmt: skip


async def _keep_answers(
    tx: Tx, account_id: UUID, drafts: Sequence[_Draft], rows: Mapping[UUID, Mapping[str, Any]]
) -> None:
    keyed = [(draft.idempotency, draft.render(rows[draft.id])) for draft in drafts
             if draft.idempotency is not None and draft.render is not None]  # fmt: skip
    if keyed:
        await tx.execute(
            _KEEP_ANSWERS,
            account_id,
            [idempotency.route for idempotency, _ in keyed],
            [idempotency.key for idempotency, _ in keyed],
            [answer.status for _, answer in keyed],
            [dict(answer.headers) for _, answer in keyed],
            [answer.body for _, answer in keyed],
        )


def _reserve(account_id: UUID, draft: _Draft) -> Entry:
    card = draft.plan.routes[0].card
    return Entry(
        new_id(), account_id, draft.id, None, "reserve", draft.plan.reserve, provider=card.provider,
        model=card.model, media_kind=draft.new.kind, price_id=card.price_id,
    )  # fmt: skip
