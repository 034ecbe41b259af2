"""The Creative Studio's functions (seed 002): one call makes a thing and brings its address, and its history.

They admit what the core API admits and wait for it, MAX_WAIT_S at most; what takes longer is a 202 with its id. A page
cannot send a key, so the same request again while the first is under way, or within ten seconds, makes nothing new.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import GenericAlias
from typing import Any, Literal
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import Field

from gateway.creative_requests import (
    THEIR_WORDS,
    Asked,
    CreativeAudioRequest,
    CreativeImageRequest,
    CreativeMusicRequest,
    CreativeUpscaleRequest,
    FunctionRequest,
)
from gateway.creative_results import (
    CreativeAccepted,
    CreativeImageResult,
    CreativeSoundResult,
    CreativeUpscaleResult,
    FunctionResult,
    Show,
    accepted,
    failure_of,
    image_result,
    metadata_of,
    sound_result,
    upscale_result,
)
from gateway.file_addresses import reference_of, signed_url
from gateway.generation_request import GenerationRequest, read_request
from gateway.http import Answer, Operation, Reply, Request, operation, reply
from gateway.inline_files import keep_inline
from gateway.pagination import PageQuery, following, position_id
from gateway.resources import Resource, generation_path
from gateway.routes.generations import ADMISSION_ERRORS, idempotency_of, look_again_s
from gateway.waiting import preferred_wait_s, wait_for_end
from gateway.wording import renamed
from shared.domains import creative
from shared.domains.accounts import Scope
from shared.domains.admission import Idempotency, NewGeneration, StoredResponse
from shared.domains.fitting import fit
from shared.domains.states import TERMINAL
from shared.errors import Conflict, ContentBlocked, GenerationFailed, InvalidInput, NotFound, PenstockError
from shared.ids import new_id

TAG = "Creative Studio"
PREFIXES = {"": "/netlify/functions", "_deployed": "/.netlify/functions", "_api": "/api"}
"""As the seed writes it, as its platform serves it, and as its page calls it; behind each operation's name."""
MAX_OFFSET = 1_000_000

type Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Function:
    name: str
    summary: str
    body: type[FunctionRequest]
    result: type[FunctionResult]
    show: Show
    example: Mapping[str, Any]


FUNCTIONS = (
    Function(
        "image", "Make pictures", CreativeImageRequest, CreativeImageResult, image_result,
        {"prompt": "a lighthouse in fog", "model": "flux-2", "style": "watercolor", "dimensions": "1024x768"},
    ),
    Function(
        "audio", "Speak a text", CreativeAudioRequest, CreativeSoundResult, sound_result,
        {"text": "The fog lifts at noon.", "engine": "coqui", "language": "en", "speed": 1.0},
    ),
    Function(
        "music", "Make music", CreativeMusicRequest, CreativeSoundResult, sound_result,
        {"prompt": "waves against a pier", "genre": "ambient", "duration": 15, "tempo": 70, "mood": "calm"},
    ),
    Function(
        "upscale", "Enlarge a picture", CreativeUpscaleRequest, CreativeUpscaleResult, upscale_result,
        {"imageUrl": "https://example.com/lighthouse.png", "scale": 4, "faceRestore": False},
    ),
)  # fmt: skip


def _operation(function: Function, suffix: str, prefix: str) -> Operation:
    async def run(request: Request[Any, None]) -> Reply:
        """Waits until it is made. What the model cannot do is refused with its limit, or left out and told in
        `metadata.warnings`, and a product that nobody here serves is stood in for."""
        asked: Asked = request.body.asked()
        try:
            rows, refused = await _made(request, asked)
        except InvalidInput as error:
            raise renamed(error, lambda field: _in_their_words(asked.kind, field)) from None
        return _answer(request, function, asked, rows, refused)

    run.__name__ = f"creative_{function.name}{suffix}"
    run.__annotations__["request"] = GenericAlias(Request, (function.body, type(None)))
    declare = operation(
        "POST",
        f"{prefix}/creative-{function.name}",
        tag=TAG,
        summary=function.summary,
        scope=Scope.WRITE,
        answers=(
            Answer(200, "What was made", function.result, headers=("Location",)),
            Answer(202, "It takes longer", CreativeAccepted, headers=("Location", "Retry-After")),
        ),
        errors=(*ADMISSION_ERRORS, GenerationFailed, ContentBlocked, Conflict, NotFound),
        parameters=("Idempotency-Key", "Prefer"),
        example=function.example,
        inline_files=True,
        monthly=True,
    )
    return declare(run)


def _in_their_words(kind: str, field: str) -> str:
    name = field.removeprefix("input.")
    return THEIR_WORDS[kind].get(name, name)


async def _made(request: Request[Any, None], asked: Asked) -> tuple[Sequence[Row], PenstockError | None]:
    """What it became, after the wait: one row, or several where the model makes one thing at a time.

    What was admitted is delivered; the error says why the rest was not, where a quota or a budget stopped it.
    """
    limit_s = request.deps.settings.max_wait_s
    preferred_s = preferred_wait_s(request.headers, limit_s)
    wait_s = limit_s if preferred_s is None else preferred_s
    first = idempotency_of(request, implicit=True)
    assert first is not None  # noqa: S101  # without a key it is implicit
    parts = await _read(request, asked)
    keys = [first, *(replace(first, key=f"{first.key}#{n}") for n in range(1, len(parts)))]
    results = await asyncio.gather(
        *(_one(request, part, key, wait_s) for part, key in zip(parts, keys, strict=True)),
        return_exceptions=True,
    )
    rows = [row for row in results if not isinstance(row, BaseException)]
    errors = [error for error in results if isinstance(error, BaseException)]
    for error in errors:
        if not (rows and isinstance(error, PenstockError)):
            raise error
    return rows, next((error for error in errors if isinstance(error, PenstockError)), None)


async def _read(request: Request[Any, None], asked: Asked) -> list[NewGeneration]:
    """The request in as many parts as its model needs. Raises InvalidInput, NoProvider, Forbidden."""
    deps, account_id = request.deps, request.account_id
    core = GenerationRequest(kind=asked.kind, input=_own_files(request, asked))
    core = await keep_inline(deps, account_id, core)
    wishes = await deps.admitter.orders.of(account_id)
    fitted = await fit(deps.catalog, asked.kind, asked.products, core.input, asked.hints, wishes)
    core = core.model_copy(update={"model": fitted.model, "input": fitted.given})
    new = replace(read_request(core, request.principal), warnings=fitted.warnings)
    count = getattr(new.input, "count", 1)
    if count <= fitted.at_once:
        return [new]
    group = new_id()
    sizes = [min(fitted.at_once, count - made) for made in range(0, count, fitted.at_once)]
    return [
        replace(new, input=new.input.model_copy(update={"count": size}), group_id=group) for size in sizes
    ]


def _own_files(request: Request[Any, None], asked: Asked) -> dict[str, Any]:
    """The input with a reference in place of an address of ours: what was just made is enlarged next."""
    if "image" not in asked.input:
        return asked.input
    host = request.raw.host
    base = urlsplit(request.deps.settings.base_url)
    origins = {f"{base.scheme}://{base.netloc}", f"http://{host}", f"https://{host}"}
    return {**asked.input, "image": reference_of(asked.input["image"], origins)}


async def _one(request: Request[Any, None], new: NewGeneration, key: Idempotency, wait_s: int) -> Row:
    """Admits it, or finds what the same request made, and waits for its end."""
    deps, account_id = request.deps, request.account_id

    def keep(row: Row) -> StoredResponse:
        return StoredResponse(202, {"Location": generation_path(row["id"])}, accepted(deps, [row]))

    admission = await deps.admitter.admit(account_id, new, key, keep)
    deps.metrics.admitted(admission)
    generation_id: UUID | None = (
        admission.row["id"] if admission.row is not None
        else admission.replayed.generation_id if admission.replayed is not None
        else None
    )  # fmt: skip
    row = await wait_for_end(deps, account_id, generation_id, wait_s) if generation_id is not None else None
    if row is None:
        raise NotFound("What this request made has been deleted.")
    return row


def _answer(
    request: Request[Any, None],
    function: Function,
    asked: Asked,
    rows: Sequence[Row],
    refused: PenstockError | None,
) -> Reply:
    """200 with what was made, 202 while something is under way. Raises what the first came to when none was made."""
    deps, headers = request.deps, {"Location": generation_path(rows[0]["id"])}
    running = [row for row in rows if row["state"] not in TERMINAL]
    wanted = asked.input.get("count", 1)
    if running:
        headers = {"Location": generation_path(running[0]["id"]), "Retry-After": look_again_s(running[0])}
        return Reply(accepted(deps, rows, wanted, refused), 202, headers)
    made = [row for row in rows if row["outputs"]]
    if not made:
        raise failure_of(rows[0])
    failed = next((failure_of(row) for row in rows if not row["outputs"]), None)
    metadata = metadata_of(made, asked.products[0], wanted, refused or failed)
    shown = {"success": True, **function.show(deps, made), "metadata": metadata}
    return reply(shown, 200, headers)


class HistoryQuery(PageQuery):
    type: Literal["image", "audio", "music", "video"] | None = None
    offset: int = Field(
        0, ge=0, le=MAX_OFFSET, description="How many to leave out; `after` is the better way."
    )


class CreativeGenerationResource(Resource):
    """A row of `creative_generations`, with addresses in place of keys."""

    id: UUID
    user_id: UUID
    generation_id: UUID
    type: Literal["image", "audio", "music", "video"]
    prompt: str
    model: str
    settings: dict[str, Any]
    result_url: str = Field(description="Good for a day without credentials.")
    thumbnail_url: str | None
    metadata: dict[str, Any]
    created_at: datetime
    updated_at: datetime


class CreativeHistory(Resource):
    success: Literal[True]
    generations: list[CreativeGenerationResource]
    limit: int
    offset: int
    has_more: bool = Field(alias="hasMore")
    next: str | None


@operation(
    "GET",
    "/api/creative/history",
    tag=TAG,
    summary="What was made, newest first",
    scope=Scope.READ,
    answers=(Answer(200, "A page", CreativeHistory, headers=("Link",)),),
    errors=(InvalidInput,),
)
async def creative_history(request: Request[None, HistoryQuery]) -> Reply:
    """One entry per file, an upscale among the images. What is deleted is not there, until it is restored."""
    asked, after = request.query, position_id(request)
    offset = asked.offset if after is None else 0
    async with request.deps.db.transaction(request.account_id) as tx:
        rows = await creative.page(tx, asked.limit + 1, offset=offset, after=after, of_type=asked.type)
    shown = rows[: asked.limit]
    cursor, headers = following(request, [str(shown[-1]["id"])] if len(rows) > asked.limit else None)
    settings = request.deps.settings
    entries = [
        {
            **row,
            "result_url": signed_url(settings, row["result_url"]),
            "thumbnail_url": signed_url(settings, row["thumbnail_url"]) if row["thumbnail_url"] else None,
        }
        for row in shown
    ]
    page = {"success": True, "generations": entries, "limit": asked.limit, "offset": offset}
    return reply({**page, "hasMore": cursor is not None, "next": cursor}, headers=headers)


operations = (
    *(_operation(function, suffix, prefix) for suffix, prefix in PREFIXES.items() for function in FUNCTIONS),
    creative_history,
)
