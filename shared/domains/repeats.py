"""Doing it again: a retry of what did not succeed, and a rerun of anything with changes.

Both are new generations whose `parent_id` names the first; they are admitted and paid like any other.
"""

import secrets
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from shared.domains.admission import NewGeneration
from shared.errors import Conflict
from shared.kinds import KINDS

RETRIABLE = frozenset({"failed", "canceled", "expired"})
SEEDS = 2**32


def retry_of(
    row: Mapping[str, Any], *, provider: str | None = None, api_key_id: UUID | None = None
) -> NewGeneration:
    """The same request again, with `provider` tried first. Raises Conflict unless it ended without success."""
    if row["state"] not in RETRIABLE:
        why = "has completed; use rerun" if row["state"] == "completed" else "has not ended; cancel it first"
        raise Conflict(f"This generation {why}.", state=row["state"])
    prefer = dict(row["prefer"])
    if provider is not None:
        others = [name for name in prefer.get("order", []) if name != provider]
        prefer["order"] = [provider, *others]
    return _again(row, special(row), prefer, api_key_id)


def rerun_of(
    row: Mapping[str, Any], *, new_seed: bool, overrides: Mapping[str, Any], api_key_id: UUID | None = None
) -> NewGeneration:
    """A variation of any generation, whose `outputs` are in `row`. Overrides replace parameters; null removes one.
    Without `new_seed` one whose seed nobody gave takes the one that its maker drew.

    Raises pydantic's ValidationError when the result is not valid for its kind.
    """
    merged = {**special(row), **overrides}
    parameters = {name: value for name, value in merged.items() if value is not None}
    if "seed" in KINDS[row["kind"]].parameters.model_fields and "seed" not in overrides:
        if new_seed:
            parameters["seed"] = secrets.randbelow(SEEDS)
        elif "seed" not in parameters and (drawn := drawn_seed(row)) is not None:
            parameters["seed"] = drawn
    return _again(row, parameters, dict(row["prefer"]), api_key_id)


def special(row: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that are not the kind's defaults: those are kept with the row as well, but nobody asked for
    them."""
    fields = KINDS[row["kind"]].parameters.model_fields
    return {name: value for name, value in row["input"].items() if value != fields[name].default}


def drawn_seed(row: Mapping[str, Any]) -> int | None:
    """The seed of the first output, unless it is one that cannot be asked for."""
    seed = row["outputs"][0]["details"].get("seed") if row["outputs"] else None
    return seed if isinstance(seed, int) and not isinstance(seed, bool) and 0 <= seed < SEEDS else None


def _again(
    row: Mapping[str, Any], parameters: Mapping[str, Any], prefer: dict[str, Any], api_key_id: UUID | None
) -> NewGeneration:
    return NewGeneration(
        kind=row["kind"],
        input=KINDS[row["kind"]].parameters.model_validate(parameters),
        model=row["model"],
        prefer=prefer,
        priority=row["priority"],
        webhook=row["webhook"],
        metadata=row["details"],
        project_id=row["project_id"],
        parent_id=row["id"],
        group_id=row["group_id"],
        api_key_id=api_key_id,
    )
