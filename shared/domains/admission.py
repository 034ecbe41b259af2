"""Admission: the one way in. Every route that generates calls `Admitter.admit`.

One transaction decides: idempotency, the account's standing, the budget; it writes the generation, its first
event and its reserve. Requests of one account that arrive together are admitted in one transaction. What
leaves the database follows the commit, and the clock sees to it if that fails.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

from shared.batch import Batcher
from shared.catalog import Catalog
from shared.crashpoints import reach
from shared.db import Database, Tx
from shared.domains.generations import DISPATCH_GRACE_S
from shared.domains.ledger import Entry, record
from shared.domains.routing import Plan, plan_routes
from shared.errors import (
    BudgetExceeded,
    Forbidden,
    IdempotencyInProgress,
    IdempotencyMismatch,
    InvalidInput,
)
from shared.events import EventType, Publisher, event_frame
from shared.ids import new_id, parse_id
from shared.kinds import KINDS, Parameters
from shared.log import get_logger
from shared.money import Nanos, amount
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
    metadata: Mapping[str, Any] | None = None
    project_id: UUID | None = None
    parent_id: UUID | None = None
    group_id: UUID | None = None
    api_key_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Idempotency:
    """The caller's key, and the SHA-256 of the canonical body that it stands for."""

    route: str
    key: str
    fingerprint: bytes


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """An answer as it was first given."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Admission:
    """The admitted row, or the stored answer of the first request with this key."""

    row: Mapping[str, Any] | None
    replayed: StoredResponse | None = None


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


_ACCOUNT = "SELECT status, budget_nanos, held_nanos, max_running FROM accounts WHERE id = $1"

# Rows that were written before refer to the account, which locks its key for sharing. A plain FOR UPDATE would wait
# for the same lock of another request, which waits for ours.
_ACCOUNT_LOCKED = f"{_ACCOUNT} FOR NO KEY UPDATE"

_FILE = """
SELECT key, mime, bytes, width, height, duration_s FROM uploads WHERE id = $1 AND state = 'ready'
UNION ALL
SELECT key, mime, bytes, width, height, duration_s FROM outputs WHERE generation_id = $1 AND n = 0
"""

_CLAIM_KEYS = """
INSERT INTO idempotency_keys (account_id, route, key, fingerprint, generation_id)
SELECT $1, k.route, k.key, k.fingerprint, k.generation_id
FROM unnest($2::text[], $3::text[], $4::bytea[], $5::uuid[]) AS k(route, key, fingerprint, generation_id)
ON CONFLICT (account_id, route, key) DO UPDATE SET fingerprint = excluded.fingerprint,
    generation_id = excluded.generation_id, status = NULL, headers = NULL, body = NULL, created_at = now(),
    expires_at = now() + interval '24 hours'
    WHERE idempotency_keys.expires_at < now()
RETURNING route, key
"""

_STORED_KEY = """
SELECT fingerprint, status, headers, body FROM idempotency_keys WHERE account_id = $1 AND route = $2 AND key = $3
"""

_KEEP_ANSWERS = """
UPDATE idempotency_keys k SET status = a.status, headers = a.headers, body = a.body
FROM unnest($2::text[], $3::text[], $4::int[], $5::jsonb[], $6::bytea[]) AS a(route, key, status, headers, body)
WHERE k.account_id = $1 AND k.route = a.route AND k.key = a.key
"""

_INSERT = """
WITH d AS (
    SELECT * FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::jsonb[], $7::jsonb[], $8::jsonb[],
        $9::jsonb[], $10::int[], $11::float8[], $12::float8[], $13::text[], $14::bigint[], $15::bigint[],
        $16::jsonb[], $17::jsonb[], $18::jsonb[], $19::uuid[], $20::uuid[], $21::uuid[], $22::boolean[])
    AS d(id, api_key_id, kind, model, input, files, routes, prefer, priority, start_deadline_s, deadline_s,
        price_id, estimate, reserve, warnings, details, webhook, project_id, parent_id, group_id, rung)
), g AS (
    INSERT INTO generations (id, account_id, api_key_id, kind, model, input, files, routes, prefer, stage, priority,
        wake_at, dispatch_no, rung, start_deadline_at, deadline_at, price_id, estimate_nanos, reserved_nanos,
        warnings, details, webhook, project_id, parent_id, group_id)
    SELECT id, $1, api_key_id, kind, model, input, files, routes, prefer, 'routing', priority,
        now() + CASE WHEN rung THEN $23::float8 ELSE 0 END * interval '1 second', rung::int, rung,
        now() + start_deadline_s * interval '1 second', now() + deadline_s * interval '1 second', price_id,
        estimate, reserve, warnings, details, webhook, project_id, parent_id, group_id
    FROM d
    RETURNING id, created_at, start_deadline_at, deadline_at
), e AS (
    INSERT INTO generation_events (generation_id, seq, account_id, type, data, created_at)
    SELECT id, 1, $1, $24, $25, created_at FROM g
)
SELECT id, created_at, start_deadline_at, deadline_at FROM g
"""

_LISTS = frozenset({"routes", "warnings"})
"""Columns of `_INSERT` whose JSON value is a list."""

_SILENT_BELLS = (
    "UPDATE generations SET wake_at = now(), rung = false WHERE id = ANY ($1) AND owner IS NULL AND rung"
)


class Admitter:
    """Admits requests for the gateway, on the app role's pool."""

    def __init__(
        self, db: Database, catalog: Catalog, bell: Bell, publisher: Publisher, settings: Settings
    ) -> None:
        self._db = db
        self._catalog = catalog
        self._bell = bell
        self._publisher = publisher
        self._settings = settings
        self._room: dict[str, int] = {}
        self._room_read_at = float("-inf")
        self._batches: Batcher[UUID, _Draft, Admission] = Batcher(self._admit_all, max_items=100)

    async def plan(self, new: NewGeneration) -> Plan:
        """The routes and price of a request. Raises InvalidInput, ModelRetired or NoProvider; writes nothing."""
        if new.input.simulate is not None and self._settings.is_production:
            raise InvalidInput("simulate is for demonstrations only.", field="input.simulate", status=422)
        return await plan_routes(self._catalog, new.kind, new.model, new.input, new.prefer or {})

    async def refusal(self, account_id: UUID, plan: Plan) -> BudgetExceeded | Forbidden | None:
        """The error that `admit` would raise for this account's standing or budget now, or None."""
        async with self._db.transaction(account_id) as tx:
            account = await tx.fetchrow(_ACCOUNT, account_id)
        return _refusal(account, 0, plan.reserve)

    async def admit(
        self, account_id: UUID, new: NewGeneration, idempotency: Idempotency | None = None,
        render: Render | None = None,
    ) -> Admission:  # fmt: skip
        """Raises InvalidInput, ModelRetired, NoProvider, BudgetExceeded, Forbidden, IdempotencyMismatch,
        IdempotencyInProgress; CONNECTION_ERRORS when Postgres is away. Nothing is half-written."""
        if idempotency is not None:
            stored = await self._stored(account_id, idempotency)
            if stored is not None:
                return Admission(None, stored)
        plan = await self.plan(new)
        files = await self.resolve_files(account_id, new)
        draft = _Draft(new_id(), new, plan, files, idempotency, render)
        return await self._batches(account_id, draft)

    async def _stored(self, account_id: UUID, idempotency: Idempotency) -> StoredResponse | None:
        async with self._db.transaction(account_id) as tx:
            return await _stored_answer(tx, account_id, idempotency)

    async def resolve_files(self, account_id: UUID, new: NewGeneration) -> Mapping[str, Any]:
        """Where each file input lies: {field: {key, mime, …} or {url}}. Raises InvalidInput."""
        files: dict[str, Any] = {}
        for name, family in KINDS[new.kind].file_fields.items():
            reference = getattr(new.input, name)
            if reference is not None:
                files[name] = await self._resolve_file(account_id, f"input.{name}", reference, family)
        return files

    async def _resolve_file(
        self, account_id: UUID, field: str, reference: str, family: str
    ) -> dict[str, Any]:
        file_id = parse_id(reference)
        if file_id is None:
            if "://" not in reference:
                raise InvalidInput(
                    "Give the id of an upload, the id of a generation, or an https URL.",
                    field=field,
                    status=422,
                )
            await check_url(reference, field=field, allow_private=self._settings.allow_private_urls)
            return {"url": reference}
        async with self._db.transaction(account_id) as tx:
            row = await tx.fetchrow(_FILE, file_id)
        if row is None:
            raise InvalidInput(
                "There is no such upload, and no finished generation with an output.", field=field, status=422
            )
        if not row["mime"].startswith(f"{family}/"):
            raise InvalidInput(f"This must be {family}, but it is {row['mime']}.", field=field, status=422)
        return dict(row)

    async def _admit_all(self, account_id: UUID, drafts: list[_Draft]) -> list[Admission | BaseException]:
        direct = await self._take_room(drafts)
        results: dict[UUID, Admission | BaseException] = {}
        async with self._db.transaction(account_id) as tx:
            fresh, repeated = await self._unseen(tx, account_id, drafts)
            account = await tx.fetchrow(_ACCOUNT, account_id)
            affordable = await self._affordable(tx, account_id, account, fresh, results)
            if account is not None and account["max_running"] is not None:
                # What a limited account has running is counted in one place only, which is dispatch.
                direct = set()
            rows = await _insert(tx, account_id, affordable, direct)
            await record(tx, [_reserve(account_id, draft) for draft in affordable if draft.plan.reserve])
            await _keep_answers(tx, account_id, affordable, rows)
            # Only now is the first one's answer there, if it came in this very batch.
            for draft in repeated:
                results[draft.id] = await _answer_of_first(tx, account_id, draft)
            reach("before_admitted")
        reach("after_admitted")
        results |= {draft.id: Admission(rows[draft.id]) for draft in affordable}
        await self._announce(account_id, [rows[draft.id] for draft in affordable], direct)
        reach("after_announced")
        return [results[draft.id] for draft in drafts]

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
        """The drafts that the account may have, in their order; the row is locked while a budget decides."""
        if account is not None and account["budget_nanos"] is not None:
            account = await tx.fetchrow(_ACCOUNT_LOCKED, account_id)
        granted: list[_Draft] = []
        taken = 0
        for draft in drafts:
            refusal = _refusal(account, taken, draft.plan.reserve)
            if refusal is None:
                granted.append(draft)
                taken += draft.plan.reserve
            else:
                results[draft.id] = refusal
        refused = [draft for draft in drafts if draft.id in results and draft.idempotency is not None]
        for draft in refused:
            # A refusal is not an answer worth keeping: the same key may succeed once the budget allows it.
            assert draft.idempotency is not None  # noqa: S101  # selected above
            await tx.execute(
                "DELETE FROM idempotency_keys WHERE account_id = $1 AND route = $2 AND key = $3",
                account_id, draft.idempotency.route, draft.idempotency.key,
            )  # fmt: skip
        return granted

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

    async def _silent(self, account_id: UUID, generation_ids: Sequence[UUID]) -> None:
        """Without a bell the workers' own dispatch takes them, so they are due at once."""
        try:
            async with self._db.transaction(account_id) as tx:
                await tx.execute(_SILENT_BELLS, list(generation_ids))
        except Exception:
            # The generations are admitted; their clock rings in a few seconds whatever happened here.
            log.exception("bells_not_silenced", generations=len(generation_ids))


def _refusal(
    account: Mapping[str, Any] | None, taken: int, reserve: Nanos
) -> BudgetExceeded | Forbidden | None:
    if account is None or account["status"] != "active":
        return Forbidden("This account is suspended.")
    if account["budget_nanos"] is None:
        return None
    left = account["budget_nanos"] - account["held_nanos"] - taken
    if reserve <= left:
        return None
    return BudgetExceeded(
        f"${amount(Nanos(max(left, 0)))} of the budget is left; this may cost ${amount(reserve)}.",
        remaining_nanos=max(left, 0),
        needed_nanos=reserve,
        scope="account",
    )


async def _stored_answer(tx: Tx, account_id: UUID, idempotency: Idempotency) -> StoredResponse | None:
    """The kept answer for this key; None when the key is new. Raises for another body, or while it runs."""
    row = await tx.fetchrow(
        f"{_STORED_KEY} AND expires_at > now()", account_id, idempotency.route, idempotency.key
    )
    if row is None:
        return None
    if row["fingerprint"] != idempotency.fingerprint:
        raise IdempotencyMismatch(
            "This Idempotency-Key was used with another request.", field="Idempotency-Key"
        )
    if row["status"] is None:
        raise IdempotencyInProgress("The first request with this key is still running.", retry_after_s=1)
    return StoredResponse(row["status"], row["headers"], row["body"])


async def _answer_of_first(tx: Tx, account_id: UUID, draft: _Draft) -> Admission | BaseException:
    assert draft.idempotency is not None  # noqa: S101  # only keyed drafts are repeated
    try:
        stored = await _stored_answer(tx, account_id, draft.idempotency)
    except (IdempotencyMismatch, IdempotencyInProgress) as error:
        return error
    if stored is None:
        return IdempotencyInProgress("The first request with this key was refused just now.", retry_after_s=1)
    return Admission(None, stored)


async def _insert(
    tx: Tx, account_id: UUID, drafts: Sequence[_Draft], direct: set[UUID]
) -> dict[UUID, Mapping[str, Any]]:
    if not drafts:
        return {}
    rows = [_row(account_id, draft, draft.id in direct) for draft in drafts]
    written = await tx.fetch(
        _INSERT,
        account_id,
        *(
            [_one_value(row[column]) if column in _LISTS else row[column] for row in rows]
            for column in (
                "id", "api_key_id", "kind", "model", "input", "files", "routes", "prefer", "priority",
                "start_deadline_s", "deadline_s", "price_id", "estimate_nanos", "reserved_nanos", "warnings",
                "details", "webhook", "project_id", "parent_id", "group_id", "rung",
            )
        ),
        DISPATCH_GRACE_S,
        EventType.QUEUED.value,
        _QUEUED_DATA,
    )  # fmt: skip
    times = {row["id"]: row for row in written}
    return {row["id"]: row | dict(times[row["id"]]) for row in rows}


def _one_value(value: list[Any]) -> orjson.Fragment:
    """A list that is one JSON value: asyncpg would take it for one more dimension of the array around it."""
    return orjson.Fragment(orjson.dumps(value))


def _row(account_id: UUID, draft: _Draft, rung: bool) -> dict[str, Any]:
    """The generation's row as it is inserted, with the columns that a resource shows."""
    new, plan = draft.new, draft.plan
    kind = KINDS[new.kind]
    start_deadline_s = new.start_deadline_s or kind.start_deadline_s
    deadline_s = new.deadline_s or start_deadline_s + kind.deadline_s
    return {
        "id": draft.id, "account_id": account_id, "api_key_id": new.api_key_id, "kind": new.kind,
        "model": plan.model, "input": new.input.model_dump(mode="json", exclude_none=True), "files": draft.files,
        "routes": [route.as_json() for route in plan.routes], "prefer": dict(new.prefer or {}),
        "priority": new.priority, "start_deadline_s": min(start_deadline_s, deadline_s),
        "deadline_s": deadline_s, "price_id": plan.routes[0].card.price_id,
        "estimate_nanos": plan.estimate, "reserved_nanos": plan.reserve, "warnings": list(plan.warnings),
        "details": dict(new.metadata or {}), "webhook": dict(new.webhook) if new.webhook else None,
        "project_id": new.project_id, "parent_id": new.parent_id, "group_id": new.group_id, "rung": rung,
        "state": "queued", "stage": "routing", "seq": 1, "progress": None, "provider": None,
        "provider_model": None, "decision": {}, "cost_nanos": None, "cost_status": "reserved",
        "billed_to": "platform", "error": None, "started_at": None, "completed_at": None, "deleted_at": None,
        "provider_queue_position": None, "cancel_requested_at": None, "attempts": 0,
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
