"""Comparing: one request, made by several models side by side."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import BeforeValidator, Field

from gateway.generation_request import INPUT_SCHEMA, KindName, Metadata, Name
from gateway.http import Answer, Body, Reply, Request, operation
from gateway.idempotency import key_of
from gateway.resources import Resource
from gateway.routes.batches import BatchAdmission, BatchResult
from gateway.routes.generations import ADMISSION_ERRORS
from shared.domains.accounts import Scope
from shared.ids import derived_id, new_id

TAG = "Generations"
MAX_MODELS = 8


def _named(value: Any) -> Any:
    return {"model": value} if isinstance(value, str) else value


class Contender(Body):
    """A model, and what is different for it alone."""

    model: Name
    provider: Name | None = Field(None, description="Only there, for one model of several providers.")
    input: dict[str, Any] = Field(
        {}, description="Parameters to change; null leaves one out that it does not take."
    )

    def request(self, asked: "CompareRequest") -> dict[str, Any]:
        """What a single submit would be."""
        merged = {**asked.input, **self.input}
        request = asked.model_dump(mode="json", include={"kind", "project_id", "metadata"}, exclude_none=True)
        request |= {
            "model": self.model,
            "input": {name: value for name, value in merged.items() if value is not None},
        }
        if self.provider is not None:
            request["provider"] = {"order": [self.provider], "fallbacks": False}
        return request


class CompareRequest(Body):
    kind: KindName
    input: dict[str, Any] = Field(
        description="The parameters that all of them get; with the same `seed`, where they take one.",
        json_schema_extra=INPUT_SCHEMA,
    )
    models: list[Annotated[Contender, BeforeValidator(_named, json_schema_input_type=str | Contender)]] = (
        Field(min_length=2, max_length=MAX_MODELS, description="Names, or objects that say more.")
    )
    project_id: UUID | None = Field(None, strict=False)
    metadata: Metadata | None = None


class Comparison(BatchResult, Resource):
    group_id: UUID = Field(description="`GET /api/v1/generations?group=` shows them.")


@operation(
    "POST",
    "/api/v1/compare",
    tag=TAG,
    summary="Have several models make the same",
    scope=Scope.WRITE,
    answers=(Answer(200, "One result per model, in order", Comparison),),
    errors=ADMISSION_ERRORS,
    parameters=("Idempotency-Key",),
    example={
        "kind": "image",
        "input": {"prompt": "a lighthouse in fog", "seed": 7},
        "models": ["local", "flux-2"],
    },
)
async def compare(request: Request[CompareRequest, None]) -> Reply:
    """Each is admitted or refused by itself, and paid like any other."""
    key = key_of(request.headers)
    group = new_id() if key is None else derived_id("compare", request.account_id, key)
    items = [contender.request(request.body) for contender in request.body.models]
    return await BatchAdmission(request, group).all(items, group_id=group)


operations = (compare,)
