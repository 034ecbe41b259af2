"""How rows look to callers. Plain dicts for speed; the models beside them document the same shapes."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from gateway.charges import explain
from gateway.forms import with_forms
from gateway.price_words import in_words
from gateway.remedies import trouble_of
from shared.buckets import Bucket
from shared.catalog import ModelCard, is_retired
from shared.db import Tx
from shared.domains import history
from shared.domains.archive import ALL, HOT
from shared.domains.eta import Eta, Etas, guess
from shared.domains.providers import NO_WISHES, Order
from shared.domains.states import TERMINAL, status_of
from shared.kinds import KINDS
from shared.links import file_path
from shared.money import Nanos, as_json
from shared.tables import ApiKey, LedgerEntry, Upload

API = "/api/v1"
PRIORITY_NAMES = {-10: "low", 0: "normal", 10: "high"}
PRIORITIES = {name: number for number, name in PRIORITY_NAMES.items()}


class Resource(BaseModel):
    """Base of documented answers."""

    model_config = ConfigDict(extra="forbid")


class Money(Resource):
    nanos: int = Field(description="Nano-dollars (1e-9 USD).")
    amount: str = Field(description="The same in dollars, nine places.")


class Cost(Resource):
    status: Literal["reserved", "final", "released", "unpriced", "reconciling"]
    estimated: Money | None
    actual: Money | None
    currency: Literal["USD"]
    price_id: str | None
    billed_to: Literal["platform", "byok"]
    explanation: str = Field(description="What is charged and why, in a sentence for people.")


class OutputResource(Resource):
    n: int
    kind: str
    url: str
    thumbnail_url: str | None
    poster_url: str | None
    peaks_url: str | None
    mime: str
    bytes: int
    width: int | None
    height: int | None
    duration_s: float | None
    sha256: str
    text: str | None = Field(description="Texts of up to 64 kB stand here too.")
    metadata: dict[str, Any] = Field(
        description="What its maker says of how it was made, where it does: `seed`, `tempo`, `key` and the like."
    )
    expires_at: datetime | None
    asset_id: UUID | None = Field(
        description="What it is in the library; null in the trash, and until it is there."
    )
    favorite: bool = Field(
        description="As the asset is marked; `PATCH /api/v1/generations/{id}` marks all of them."
    )
    rating: int | None = Field(description="1 to 5.")
    tags: list[str]


class Resolved(Resource):
    provider: str
    model: str
    reason: str | None
    fallbacks: list[str]


class Links(Resource):
    self: str
    events: str
    cancel: str
    ws_topic: str


class JobErrorResource(Resource):
    code: str
    message: str
    retryable: bool
    details: dict[str, Any] | None = None


class Trouble(Resource):
    """What becomes of a generation after a failure."""

    will_retry: bool = Field(description="Penstock tries again by itself.")
    next_try_at: datetime | None
    last_error: JobErrorResource | None = Field(
        description="Why it is tried again; after the end see `error`."
    )
    can_retry: bool = Field(description="`POST …/retry` makes another one of it.")
    other_providers: list[str] = Field(description="Others that could serve it: `…/retry?provider=`.")
    advice: str = Field(description="What can be done, in a sentence for people.")


class WaitResource(Resource):
    reason: Literal["cooldown", "limit", "doubt", "retry", "paused"] = Field(
        description="`cooldown`: every provider that is left is to be left alone for now; `limit`: one has as many "
        "calls as it may have; `doubt`: a call got no clear answer, and the provider is asked; `retry`: something "
        "failed and is tried again; `paused`: the queue is."
    )
    until: datetime | None = Field(description="When it is looked at again; null is now, or unknown.")


class GenerationResource(Resource):
    """One request for media, from admission to its end."""

    id: UUID
    object: Literal["generation"]
    kind: str
    status: Literal["queued", "running", "completed", "failed", "canceled", "expired"]
    stage: str | None = Field(description="The finer word: routing, submitting, provider_queued, …")
    progress: float | None = Field(description="0 to 1.")
    queue_position: int | None
    provider_queue_position: int | None
    eta_seconds: float | None = Field(description="Seconds that are left, most likely; null is unknown.")
    eta_p90_seconds: float | None = Field(description="Seconds that nine in ten do not exceed.")
    waiting_for: WaitResource | None = Field(
        description="Why nobody works on it just now; null while somebody does, or while it only waits for its turn."
    )
    cancel_requested_at: datetime | None = Field(
        description="Somebody asked for it to be canceled; until it has ended, that is being tried."
    )
    seq: int = Field(description="Grows by one with every change.")
    model: str
    resolved: Resolved | None
    input: dict[str, Any]
    project_id: UUID | None
    parent_id: UUID | None
    group_id: UUID | None
    priority: Literal["low", "normal", "high"]
    outputs: list[OutputResource]
    cost: Cost
    error: JobErrorResource | None
    trouble: Trouble | None = Field(description="Null while all is well and after a good end.")
    warnings: list[dict[str, Any]]
    moderation: dict[str, Any] = Field(
        description="What moderation found in the `input` and in the `output`, where it looked."
    )
    metadata: dict[str, Any]
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    deadline_at: datetime
    links: Links


class SubmissionResource(Resource):
    """One paid call to a provider."""

    id: UUID
    n: int
    provider: str
    model: str
    billed_to: Literal["platform", "byok"]
    state: str
    remote_id: str | None
    intent_at: datetime
    accepted_at: datetime | None
    ended_at: datetime | None
    usage: dict[str, Any] | None
    cost: Money | None
    error: dict[str, Any] | None


class ModelResource(Resource):
    id: str
    object: Literal["model"]
    provider: str
    model: str
    kind: str
    kinds: list[str]
    label: str
    description: str
    aliases: list[str]
    parameters: dict[str, Any] = Field(
        description="JSON Schema of `input`; in each property, `x-form` says how a page asks for it."
    )
    price: dict[str, Any] | None = Field(description="Nano-dollars per unit; null is unknown, not free.")
    price_text: str = Field(
        description="In short, for people: `$0.04 per picture`; without caches and long prompts."
    )
    limits: dict[str, Any]
    expected_s: float
    licence: str | None
    shutdown_date: date | None
    successor: str | None
    available: bool
    reason: str | None = Field(description="Why it is not available.")


class UploadResource(Resource):
    id: UUID
    object: Literal["upload"]
    status: Literal["pending", "ready", "rejected"]
    filename: str
    mime: str
    bytes: int
    sha256: str | None
    width: int | None
    height: int | None
    duration_s: float | None
    thumbnail_url: str | None
    poster_url: str | None
    peaks_url: str | None
    created_at: datetime
    completed_at: datetime | None


class LedgerResource(Resource):
    id: UUID
    generation_id: UUID | None
    submission_id: UUID | None
    kind: Literal["reserve", "settle", "release", "adjust"]
    nanos: int
    amount: str
    payer: Literal["account", "platform", "byok"]
    provider: str | None
    model: str | None
    note: str | None
    created_at: datetime


class KeyResource(Resource):
    id: UUID
    object: Literal["api_key"]
    key_id: str = Field(description="The public part of the key.")
    name: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None = Field(description="Set on a rotated key: when it ends.")
    last_used_at: datetime | None
    project_id: UUID | None = Field(description="Where what is made with it belongs.")
    kinds: list[str] = Field(description="What it may have made; empty for all kinds.")
    budget_nanos: int | None = Field(
        description="What it may spend per `budget_period`, together with the keys that it succeeded; null is no limit."
    )
    budget_period: Literal["day", "week", "month", "total"]


def generation_path(generation_id: UUID | str) -> str:
    return f"{API}/generations/{generation_id}"


def render_generation(
    row: Mapping[str, Any],
    outputs: Sequence[Mapping[str, Any]],
    base_url: str,
    *,
    queue_position: int | None = None,
    eta: Eta | None = None,
) -> dict[str, Any]:
    """The resource of a row of `generations`; `outputs` are its rows of `outputs`.

    Without an `eta` the models' own guesses are told.
    """
    generation_id, state = str(row["id"]), row["state"]
    ended = state in TERMINAL
    if eta is None:
        eta = guess(row)
    link = base_url + generation_path(generation_id)
    return {
        "id": generation_id,
        "object": "generation",
        "kind": row["kind"],
        "status": status_of(state),
        "stage": row["stage"],
        "progress": row["progress"],
        "queue_position": queue_position,
        "provider_queue_position": row["provider_queue_position"],
        "eta_seconds": eta.seconds,
        "eta_p90_seconds": eta.p90_seconds,
        "waiting_for": eta.wait and eta.wait._asdict(),
        "cancel_requested_at": row["cancel_requested_at"],
        "seq": row["seq"],
        "model": row["model"],
        "resolved": _resolved(row),
        "input": row["input"],
        "project_id": _id(row["project_id"]),
        "parent_id": _id(row["parent_id"]),
        "group_id": _id(row["group_id"]),
        "priority": PRIORITY_NAMES.get(row["priority"], "normal"),
        "outputs": [_render_output(output, link) for output in outputs],
        "cost": _cost(row),
        "error": row["error"] if ended else None,
        "trouble": trouble_of(row),
        "warnings": row["warnings"],
        "moderation": row["moderation"],
        "metadata": row["details"],
        "created_at": row["created_at"],
        "started_at": row["started_at"],
        "completed_at": row["completed_at"],
        "deadline_at": row["deadline_at"],
        "links": {
            "self": link,
            "events": f"{link}/events",
            "cancel": f"{link}/cancel",
            "ws_topic": f"generation:{generation_id}",
        },
    }


async def render_rows(
    tx: Tx, rows: Sequence[Mapping[str, Any]], base_url: str, etas: Etas | None = None
) -> list[dict[str, Any]]:
    """The resources of rows of one account, their outputs read in the same transaction."""
    files: dict[UUID, list[dict[str, Any]]] = {}
    for tables, archived in ((HOT, False), (ALL, True)):
        ids = [
            row["id"]
            for row in rows
            if row["state"] == "completed" and row.get("archived", False) == archived
        ]
        files |= await history.outputs(tx, ids, tables) if ids else {}
    return [
        render_generation(row, files.get(row["id"], ()), base_url, eta=etas.of(row) if etas else None)
        for row in rows
    ]


def _id(value: UUID | None) -> str | None:
    return None if value is None else str(value)


def _resolved(row: Mapping[str, Any]) -> dict[str, Any] | None:
    if row["provider"] is None:
        return None
    decision = row["decision"]
    return {
        "provider": row["provider"],
        "model": row["provider_model"],
        "reason": decision.get("reason"),
        "fallbacks": decision.get("fallbacks", []),
    }


def _cost(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "status": row["cost_status"],
        "estimated": money(row["estimate_nanos"]),
        "actual": money(row["cost_nanos"]),
        "currency": "USD",
        "price_id": row["price_id"],
        "billed_to": row["billed_to"],
        "explanation": explain(row),
    }


def money(nanos: int | None) -> dict[str, int | str] | None:
    return None if nanos is None else as_json(Nanos(nanos))


def _render_output(output: Mapping[str, Any], link: str) -> dict[str, Any]:
    url = f"{link}/outputs/{output['n']}"
    return {
        "n": output["n"],
        "kind": output["kind"],
        "url": url,
        "thumbnail_url": f"{url}/thumbnail" if output["thumbnail_key"] else None,
        "poster_url": f"{url}/poster" if output["poster_key"] else None,
        "peaks_url": f"{url}/peaks" if output["peaks_key"] else None,
        "mime": output["mime"],
        "bytes": output["bytes"],
        "width": output["width"],
        "height": output["height"],
        "duration_s": output["duration_s"],
        "sha256": output["sha256"],
        "text": output["text"],
        "metadata": output["details"],
        "expires_at": None,
        "asset_id": _id(output["asset_id"]),
        "favorite": bool(output["favorite"]),
        "rating": output["rating"] or None,
        "tags": output["tags"] or [],
    }


def render_submission(row: Mapping[str, Any]) -> dict[str, Any]:
    """Without the request, the provider's answer and the credential: they may hold what is not the caller's."""
    return {
        "id": row["id"],
        "n": row["n"],
        "provider": row["provider"],
        "model": row["model"],
        "billed_to": "platform" if row["credential"].startswith("platform") else "byok",
        "state": row["state"],
        "remote_id": row["remote_id"],
        "intent_at": row["intent_at"],
        "accepted_at": row["accepted_at"],
        "ended_at": row["ended_at"],
        "usage": row["usage"],
        "cost": money(row["cost_nanos"]),
        "error": row["error"],
    }


def render_model(card: ModelCard, order: Order = NO_WISHES) -> dict[str, Any]:
    """`order` holds the keys that the caller brought along: with one, it is available to them alone."""
    retired, obstacle = is_retired(card), order.obstacle(card)
    return {
        "id": card.id,
        "object": "model",
        "provider": card.provider,
        "model": card.model,
        "kind": card.kind,
        "kinds": [card.kind],
        "label": card.label,
        "description": card.description,
        "aliases": list(card.aliases),
        "parameters": with_forms(card.kind, card.schema),
        "price": card.price.as_json() if card.price else None,
        "price_text": in_words(card.price),
        "limits": {
            "parameters": {name: dict(limit) for name, limit in card.limits.items()},
            "deadline_s": KINDS[card.kind].deadline_s,
        },
        "expected_s": card.expected_s,
        "licence": card.licence,
        "shutdown_date": card.shutdown_on,
        "successor": card.successor,
        "available": obstacle is None and not retired,
        "reason": "retired" if retired else obstacle,
    }


def render_upload(row: Upload, base_url: str) -> dict[str, Any]:
    return {
        "id": row.id,
        "object": "upload",
        "status": row.state,
        "filename": row.filename,
        "mime": row.mime,
        "bytes": row.bytes,
        "sha256": row.sha256,
        "width": row.width,
        "height": row.height,
        "duration_s": row.duration_s,
        "thumbnail_url": _file_url(base_url, row.thumbnail_key),
        "poster_url": _file_url(base_url, row.poster_key),
        "peaks_url": _file_url(base_url, row.peaks_key),
        "created_at": row.created_at,
        "completed_at": row.completed_at,
    }


def _file_url(base_url: str, key: str | None) -> str | None:
    return None if key is None else base_url + file_path(Bucket.ASSETS, key)


def render_ledger_entry(row: LedgerEntry) -> dict[str, Any]:
    return {
        "id": row.id,
        "generation_id": row.generation_id,
        "submission_id": row.submission_id,
        "kind": row.kind,
        **as_json(Nanos(row.nanos)),
        "payer": row.payer,
        "provider": row.provider,
        "model": row.model,
        "note": row.note,
        "created_at": row.created_at,
    }


def render_key(row: ApiKey) -> dict[str, Any]:
    return {
        "id": row.id,
        "object": "api_key",
        "key_id": row.key_id,
        "name": row.name,
        "scopes": row.scopes,
        "created_at": row.created_at,
        "expires_at": row.expires_at,
        "revoked_at": row.revoked_at,
        "last_used_at": row.last_used_at,
        "project_id": row.project_id,
        "kinds": row.kinds,
        "budget_nanos": row.budget_nanos,
        "budget_period": row.budget_period,
    }
