"""What the Creative Studio's functions answer: the address of what was made, in seed 002's flat shape."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_camel

from gateway.deps import Deps
from gateway.file_addresses import signed_url
from gateway.http import encode
from gateway.resources import Resource, generation_path, money
from shared.domains.states import status_of
from shared.errors import Conflict, ContentBlocked, GenerationFailed, PenstockError
from shared.kinds import KINDS

type Row = Mapping[str, Any]
type Show = Callable[[Deps, Sequence[Row]], dict[str, Any]]


class FunctionResult(Resource):
    model_config = ConfigDict(extra="forbid", alias_generator=to_camel)

    success: Literal[True]
    url: str = Field(description="Good for a day without credentials.")
    metadata: dict[str, Any] = Field(
        description="`generationId`, the model that ran, what was asked for, the cost, `warnings` and the like."
    )


class Picture(Resource):
    url: str
    thumbnail: str


class CreativeImageResult(FunctionResult):
    thumbnail: str
    images: list[Picture] = Field(description="All of them, the first one too.")


class CreativeSoundResult(FunctionResult):
    duration: float | None = Field(description="Seconds.")


class PixelSize(Resource):
    width: int
    height: int


class CreativeUpscaleResult(FunctionResult):
    thumbnail: str
    original_size: PixelSize | None
    new_size: PixelSize | None


class CreativeAccepted(Resource):
    """It takes longer than a page waits."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel)

    success: Literal[True]
    generation_id: UUID
    job_id: UUID = Field(description="The same, in the words of other clients.")
    generation_ids: list[UUID] = Field(description="All of them, where several were needed.")
    status: Literal["queued", "running", "completed"]
    url: str = Field(description="Poll the generation here.")
    message: str
    warnings: list[dict[str, Any]] = Field(description="Why fewer are made than were asked for, if so.")


def accepted(
    deps: Deps, rows: Sequence[Row], wanted: int | None = None, refused: PenstockError | None = None
) -> bytes:
    """The body of a 202; `refused` says why it is not all of what was wanted."""
    taken = sum(row["input"].get("count", 1) for row in rows)
    first = next((row for row in rows if row["completed_at"] is None), rows[0])
    shown = {
        "success": True,
        "generationId": first["id"],
        "jobId": first["id"],
        "generationIds": [row["id"] for row in rows],
        "status": status_of(first["state"]),
        "url": deps.settings.base_url + generation_path(first["id"]),
        "message": "It is not done yet: ask for the generation, or send the same request again.",
        "warnings": [] if refused is None else [_incomplete(wanted or taken, taken, refused)],
    }
    return encode(shown)


def image_result(deps: Deps, rows: Sequence[Row]) -> dict[str, Any]:
    pictures = [_picture(deps, output) for row in rows for output in row["outputs"]]
    return {**pictures[0], "images": pictures}


def sound_result(deps: Deps, rows: Sequence[Row]) -> dict[str, Any]:
    output = rows[0]["outputs"][0]
    return {"url": signed_url(deps.settings, output["key"]), "duration": output["duration_s"]}


def upscale_result(deps: Deps, rows: Sequence[Row]) -> dict[str, Any]:
    output, file = rows[0]["outputs"][0], rows[0]["files"].get("image", {})
    new, scale = _size(output), rows[0]["input"].get("scale", 4)
    # What lies elsewhere was measured by nobody here; the enlarged one tells.
    told = {name: round(side / scale) for name, side in new.items()} if new is not None else None
    return {**_picture(deps, output), "originalSize": _size(file) or told, "newSize": new}


def metadata_of(
    rows: Sequence[Row], product: str, wanted: int, missing: PenstockError | None
) -> dict[str, Any]:
    """What is known of how it was made; `model` is the name that ran, `requestedModel` the one asked for.

    Where fewer than `wanted` were made, a warning says why, by what the others were refused for or failed with.
    """
    row, output = rows[0], rows[0]["outputs"][0]
    kind = KINDS[row["kind"]]
    prompt_field = None if kind.prompt_field in kind.file_fields else kind.prompt_field
    warnings = list({encode(one): one for row in rows for one in row["warnings"]}.values())
    if missing is not None:
        warnings.append(_incomplete(wanted, sum(len(row["outputs"]) for row in rows), missing))
    return {
        "generationId": row["id"],
        "jobId": row["id"],
        "requestedModel": product,
        "model": row["model"],
        "provider": row["provider"],
        "providerModel": row["provider_model"],
        "prompt": row["input"].get(prompt_field) if prompt_field is not None else None,
        "settings": {name: value for name, value in row["input"].items() if name != prompt_field},
        "width": output["width"],
        "height": output["height"],
        "duration": output["duration_s"],
        "mime": output["mime"],
        "bytes": output["bytes"],
        "seed": output["details"].get("seed", row["input"].get("seed")),
        "cost": money(sum(row["cost_nanos"] or 0 for row in rows)),
        "warnings": warnings,
        "createdAt": row["created_at"],
    }


def _incomplete(wanted: int, made: int, why: PenstockError) -> dict[str, Any]:
    return {
        "code": "QUANTITY_INCOMPLETE",
        "parameter": "quantity",
        "requested": wanted,
        "made": made,
        "cause": why.code,
        "message": why.message,
    }


def failure_of(row: Row) -> PenstockError:
    """Why it ended with nothing to show; `details` has the generation's own error."""
    status, error = status_of(row["state"]), row["error"] or {}
    told = {"generationId": row["id"], "ended": status, "cause": error}
    if status == "canceled":
        return Conflict("It was canceled before it was done.", **told)
    failed = ContentBlocked if error.get("code") == ContentBlocked.code else GenerationFailed
    return failed(error.get("message", "It ended without a result."), **told)


def _picture(deps: Deps, output: Row) -> dict[str, str]:
    url = signed_url(deps.settings, output["key"])
    small = output["thumbnail_key"]
    return {"url": url, "thumbnail": signed_url(deps.settings, small) if small else url}


def _size(file: Row) -> dict[str, int] | None:
    width, height = file.get("width"), file.get("height")
    return {"width": width, "height": height} if width and height else None
