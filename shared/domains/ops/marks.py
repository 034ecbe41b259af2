"""Marks: one for each part of what operators look at, which changes when that has changed."""

from shared.db import Database

_READ = "SELECT part, mark FROM auth.ops_marks($1)"

PARTS = ("queues", "throughput", "workers", "providers", "jobs", "audit")

type Marks = dict[str, str]


async def read(db: Database, lease_ttl_s: float) -> Marks:
    """In one cheap statement over what is unfinished. Raises CONNECTION_ERRORS."""
    return {row["part"]: row["mark"] for row in await db.fetch(_READ, lease_ttl_s)}


def changed(before: Marks, after: Marks) -> frozenset[str]:
    """The parts whose marks differ."""
    return frozenset(part for part, mark in after.items() if before.get(part) != mark)
