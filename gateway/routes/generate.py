"""The workbench's own way to submit: `POST /api/generate`, in its envelope and with its words."""

from collections.abc import Mapping
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Literal
from uuid import UUID

from pydantic import AliasChoices, Field

from gateway.deps import Deps
from gateway.envelope import enveloped_answer
from gateway.generation_request import GenerationRequest, Name, ProviderPreference, read_request
from gateway.http import Body, Reply, Request, encode, operation
from gateway.inline_files import keep_inline
from gateway.resources import OutputResource, Resource, generation_path, render_generation
from gateway.routes.generations import ADMISSION_ERRORS, admit
from gateway.wording import renamed
from shared.catalog import Catalog
from shared.domains.accounts import Scope
from shared.domains.states import status_of
from shared.errors import InvalidInput
from shared.kinds import KINDS
from shared.money import NANOS_PER_USD, Nanos, cents

TAG = "Generations"

TYPE_OF = {"music": "audio", "upscale": "image", "ebook": "text"}
"""The workbench's type of a kind, where it is not the kind itself."""
STATUS_OF = {"queued": "pending", "running": "processing", "completed": "completed"}
"""The workbench's status; every other end is `failed`."""

EXAMPLE = {
    "generation_type": "image",
    "prompt": "a lighthouse in fog",
    "model": "local",
    "parameters": {"aspect_ratio": "16:9"},
}


class GenerateRequest(Body):
    generation_type: Literal["text", "image", "video", "audio", "music", "upscale"] = Field(
        validation_alias=AliasChoices("generation_type", "type"), description="`type` is understood too."
    )
    prompt: str | None = Field(None, min_length=1, description="In place of the same among the parameters.")
    model: Name | None = None
    provider: Name | None = Field(None, description="The provider to try first.")
    parameters: dict[str, Any] = Field({}, description="The kind's other parameters.")
    project_id: UUID | None = Field(None, strict=False)


class WorkbenchResult(Resource):
    outputs: list[OutputResource]


class WorkbenchLinks(Resource):
    self: str
    events: str
    cancel: str


class WorkbenchGeneration(Resource):
    """A generation in the workbench's words."""

    id: UUID
    project_id: UUID | None
    user_id: UUID
    provider: str | None = Field(description="Null until it is decided.")
    model: str
    generation_type: Literal["text", "image", "video", "audio"]
    prompt: str | None
    parameters: dict[str, Any]
    status: Literal["pending", "processing", "completed", "failed"]
    result: WorkbenchResult | None
    error_message: str | None
    tokens_input: int | None = Field(description="What its model read, where that is counted.")
    tokens_output: int | None
    tokens_total: int | None
    estimate: str = Field(description="About what it costs, as a sentence.")
    estimated_cost_cents: int | None
    cost_cents: int | None
    started_at: datetime | None
    completed_at: datetime | None
    duration_ms: int | None
    created_at: datetime
    updated_at: datetime
    url: str = Field(description="The generation as a resource: poll it, wait for it, cancel it.")
    links: WorkbenchLinks


@operation(
    "POST",
    "/api/generate",
    tag=TAG,
    summary="Submit a generation (workbench)",
    scope=Scope.WRITE,
    answers=(
        enveloped_answer(202, "Admitted", WorkbenchGeneration, headers=("Location", "Retry-After")),
        enveloped_answer(200, "It ended within `Prefer: wait=N`", WorkbenchGeneration),
    ),
    errors=ADMISSION_ERRORS,
    parameters=("Idempotency-Key", "Prefer"),
    example=EXAMPLE,
)
async def generate(request: Request[GenerateRequest, None]) -> Reply:
    """Admits what `POST /api/v1/generations` does. Audio is speech, unless its model makes music. The same request
    again, while the first is under way or within ten seconds, makes nothing new: it gets the first one as it is now.
    """
    asked = request.body
    kind = await _kind_of(request.deps.catalog, asked)
    field = _prompt_field(kind)
    if asked.prompt is not None and field is None:
        raise InvalidInput(f"prompt: {kind} takes none, but parameters.", field="prompt", status=422)
    given = {field: asked.prompt} if field is not None and asked.prompt is not None else {}
    core = GenerationRequest(
        kind=kind,
        input={**asked.parameters, **given},
        model=asked.model,
        provider=ProviderPreference(order=[asked.provider]) if asked.provider is not None else None,
        project_id=asked.project_id,
    )
    try:
        new = read_request(await keep_inline(request.deps, request.account_id, core), request.principal)
        return await admit(request, new, _show, implicit=True)
    except InvalidInput as error:
        raise _in_their_words(error, field) from None


def _prompt_field(kind: str) -> str | None:
    """The parameter that the prompt is; None where that would be a file."""
    field = KINDS[kind].prompt_field
    return None if field in KINDS[kind].file_fields else field


async def _kind_of(catalog: Catalog, asked: GenerateRequest) -> str:
    """The kind of this type that has the model; the type itself when none has."""
    kinds = [asked.generation_type, *(kind for kind in KINDS if TYPE_OF.get(kind) == asked.generation_type)]
    for kind in kinds:
        if asked.model is None or any(asked.model in card.names for card in await catalog.cards(kind)):
            return kind
    return asked.generation_type


def _in_their_words(error: InvalidInput, prompt_field: str | None) -> InvalidInput:
    """The same refusal, its fields named as this route has them."""

    def named(field: str) -> str:
        if field == f"input.{prompt_field}":
            return "prompt"
        return "parameters" + field.removeprefix("input") if field.startswith("input") else field

    return renamed(error, named)


def _show(deps: Deps, row: Mapping[str, Any]) -> bytes:
    """The envelope around the row."""
    status = STATUS_OF.get(status_of(row["state"]), "failed")
    outputs = render_generation(row, row.get("outputs", ()), deps.settings.base_url)["outputs"]
    error, started, ended = row["error"], row["started_at"], row["completed_at"]
    prompt_field, tokens, link = (
        _prompt_field(row["kind"]),
        _tokens(row),
        deps.settings.base_url + generation_path(row["id"]),
    )
    estimate = estimate_of(row["estimate_nanos"])
    shown = {
        "id": row["id"],
        "project_id": row["project_id"],
        "user_id": row["account_id"],
        "provider": row["provider"],
        "model": row["provider_model"] or row["model"],
        "generation_type": TYPE_OF.get(row["kind"], row["kind"]),
        "prompt": row["input"].get(prompt_field) if prompt_field is not None else None,
        "parameters": {name: value for name, value in row["input"].items() if name != prompt_field},
        "status": status,
        "result": {"outputs": outputs} if status == "completed" else None,
        "error_message": error["message"] if error is not None and ended is not None else None,
        "tokens_input": tokens[0] if tokens else None,
        "tokens_output": tokens[1] if tokens else None,
        "tokens_total": sum(tokens) if tokens else None,
        "estimate": estimate,
        "estimated_cost_cents": _cents(row["estimate_nanos"]),
        "cost_cents": _cents(row["cost_nanos"]),
        "started_at": started,
        "completed_at": ended,
        "duration_ms": round((ended - started).total_seconds() * 1000) if started and ended else None,
        "created_at": row["created_at"],
        "updated_at": row.get("updated_at") or row["created_at"],
        "url": link,
        "links": {"self": link, "events": f"{link}/events", "cancel": f"{link}/cancel"},
    }
    words = {
        "completed": "It is done.",
        "failed": "It failed.",
        "processing": f"It is being made. {estimate}",
    }
    return encode({"success": True, "data": shown, "message": words.get(status, f"It is queued. {estimate}")})


def _tokens(row: Mapping[str, Any]) -> tuple[int, int] | None:
    """Those in and out that providers counted, for all tries together; None where nobody did."""
    outputs = row.get("outputs")
    usages = outputs[0]["usages"] if outputs else ()
    counted = [(name, Decimal(n)) for usage in usages for name, n in usage.items() if "token" in name]
    if not counted:
        return None
    written = sum(int(n) for name, n in counted if "output" in name)
    return sum(int(n) for _, n in counted) - written, written


def estimate_of(nanos: int | None) -> str:
    """Rounded half up to hundredths of a cent, or to one digit when it is less than one of them."""
    if nanos is None:
        return "What this will cost is not known yet."
    if not nanos:
        return "This is free."
    dollars = Decimal(nanos) / NANOS_PER_USD
    finest = Decimal("0.0001") if dollars >= Decimal("0.0001") else Decimal(1).scaleb(dollars.adjusted())
    whole, _, places = f"{dollars.quantize(finest, ROUND_HALF_UP):f}".partition(".")
    return f"This will cost approximately ${whole}.{places.rstrip('0').ljust(2, '0')}"


def _cents(nanos: int | None) -> int | None:
    return None if nanos is None else cents(Nanos(nanos))


operations = (generate,)
