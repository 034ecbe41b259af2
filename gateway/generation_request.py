"""What a caller says to have something made, and how that is read."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal
from uuid import UUID

import orjson
from pydantic import AfterValidator, Field

from gateway.auth import Principal
from gateway.http import Body, validate
from gateway.resources import PRIORITIES
from shared.domains.admission import NewGeneration
from shared.domains.deliveries import ENDED, GENERATION_TYPES
from shared.kinds import KINDS, Parameters
from shared.netguard import MAX_URL_LENGTH

MAX_METADATA_BYTES = 16 << 10
DAY_S = 86_400

EXAMPLE = {"kind": "image", "model": "local", "input": {"prompt": "a lighthouse in fog", "seed": 7}}

Name = Annotated[str, Field(min_length=1, max_length=200)]


def _known_kind(name: str) -> str:
    if name not in KINDS:
        raise ValueError(f"must be one of {', '.join(KINDS)}")
    return name


def _small(metadata: dict[str, Any]) -> dict[str, Any]:
    if len(orjson.dumps(metadata)) > MAX_METADATA_BYTES:
        raise ValueError(f"must not be larger than {MAX_METADATA_BYTES >> 10} kB")
    return metadata


def _known_event(name: str) -> str:
    if name not in GENERATION_TYPES:
        raise ValueError(f"must be one of {', '.join(GENERATION_TYPES)}")
    return name


KindName = Annotated[str, AfterValidator(_known_kind), Field(json_schema_extra={"enum": list(KINDS)})]
GenerationEvent = Annotated[
    str, AfterValidator(_known_event), Field(json_schema_extra={"enum": list(GENERATION_TYPES)})
]
Metadata = Annotated[dict[str, Any], AfterValidator(_small)]
INPUT_SCHEMA: dict[str, Any] = {
    "anyOf": [{"$ref": f"#/components/schemas/{kind.parameters.__name__}"} for kind in KINDS.values()]
}


class ProviderPreference(Body):
    order: list[Name] = Field([], max_length=20, description="Providers to try first, in this order.")
    fallbacks: bool | None = Field(
        None,
        description="Whether another provider may serve when the first cannot; else your settings say it.",
    )


class WebhookTarget(Body):
    url: str = Field(max_length=MAX_URL_LENGTH, description="https, at a public address.")
    events: list[GenerationEvent] = Field(
        list(ENDED), min_length=1, max_length=len(GENERATION_TYPES), description="What it is told of."
    )


class GenerationRequest(Body):
    """Only `kind` and `input` are required; the model defaults to the kind's first available one."""

    kind: KindName
    input: dict[str, Any] = Field(
        description="The kind's parameters; `GET /api/v1/models` has each model's schema.",
        json_schema_extra=INPUT_SCHEMA,
    )
    model: Name | None = None
    project_id: UUID | None = Field(None, strict=False)
    priority: Literal["low", "normal", "high"] = "normal"
    provider: ProviderPreference | None = None
    start_deadline_s: float | None = Field(
        None, gt=0, le=7 * DAY_S, description="Expire when it has not started by then."
    )
    deadline_s: float | None = Field(
        None, gt=0, le=8 * DAY_S, description="Fail when it is not done by then, counted from now."
    )
    metadata: Metadata | None = Field(
        None, description="Any JSON object of up to 16 kB, given back as it is."
    )
    webhook: WebhookTarget | None = Field(
        None,
        description="Who is told of this generation besides the account's endpoints; signed with the secret of "
        "`GET /api/v1/webhooks/default/secret`.",
    )


def read_request(asked: GenerationRequest, caller: Principal) -> NewGeneration:
    """The request with its input checked by its kind.

    Raises InvalidInput (422, dotted field), and Forbidden for what the caller's key is not for.
    """
    caller.require_kind(asked.kind)
    return new_generation(asked, validate(KINDS[asked.kind].parameters, asked.input, prefix="input"), caller)


def new_generation(asked: GenerationRequest, parameters: Parameters, caller: Principal) -> NewGeneration:
    """The request with its input as it was read. Raises Forbidden for a project that the caller's key is not for."""
    return NewGeneration(
        kind=asked.kind,
        input=parameters,
        model=asked.model,
        prefer=_preference(asked.provider),
        priority=PRIORITIES[asked.priority],
        start_deadline_s=asked.start_deadline_s,
        deadline_s=asked.deadline_s,
        webhook=asked.webhook.model_dump() if asked.webhook is not None else None,
        metadata=asked.metadata,
        project_id=caller.project_for(asked.project_id),
        api_key_id=caller.api_key_id,
    )


def _preference(asked: ProviderPreference | None) -> Mapping[str, Any] | None:
    return None if asked is None else asked.model_dump(exclude_none=True)
