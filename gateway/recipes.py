"""How something was made, as its maker may keep it beside the file, or within it."""

from collections.abc import Mapping
from typing import Any

from shared.domains.repeats import RETRIABLE, drawn_seed, special

VERSION = 1
ENDING = ".penstock.json"
"""Of a recipe's file, which the studio knows by it."""


def recipe_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """What makes the generation `row`, which has its `outputs`, again, and what made it; to be encoded."""
    given = special(row)
    if "seed" not in given and row["state"] not in RETRIABLE and (drawn := drawn_seed(row)) is not None:
        given["seed"] = drawn
    details = [output["details"] for output in row["outputs"]]
    return {
        "object": "recipe",
        "version": VERSION,
        "generation_id": row["id"],
        "request": {"kind": row["kind"], "model": row["model"], "input": given},
        "made": {
            "provider": row["provider"],
            "model": row["provider_model"],
            "at": row["completed_at"],
            "seeds": [made["seed"] for made in details if isinstance(made.get("seed"), int)],
            "sha256": [output["sha256"] for output in row["outputs"]],
        },
    }
