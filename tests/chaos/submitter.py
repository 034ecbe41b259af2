"""A process that does with a request what a gateway does, and can be killed at it.

    python -m tests.chaos.submitter ACCOUNT NAME COUNT SECONDS

Admits COUNT requests over about SECONDS, each under an idempotency key of its own, and notes each answer in
NAME.acknowledged: from then on the generation may not be lost. What fails is asked again with the same key,
and a process that is started again goes on where the last one ended.
"""

import asyncio
import hashlib
import random
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import uvloop

from shared import crashpoints
from shared import log as logs
from shared.catalog import Catalog
from shared.db import CONNECTION_ERRORS, Database, Role
from shared.domains.admission import Admitter, Idempotency, NewGeneration, StoredResponse
from shared.errors import PenstockError
from shared.events import Publisher
from shared.kinds import KINDS
from shared.queue import Bell
from shared.settings import Settings

MODEL = "replicate/flux-schnell"
RETRY_S = 0.2
TRY_AGAIN: tuple[type[BaseException], ...] = (*CONNECTION_ERRORS, PenstockError)


async def submit(settings: Settings, account_id: UUID, name: str, count: int, seconds: float) -> None:
    if settings.crash_point is not None:
        crashpoints.arm(settings.crash_point)
    db = await _open(settings)
    bell, publisher = Bell.open(settings), Publisher.open(settings.redis_url)
    admitter = Admitter(db, Catalog(db), bell, publisher, settings)
    book = Path(f"{name}.acknowledged")
    done = set(acknowledged(book))
    try:
        for number in range(count):
            key = f"{name}-{number}"
            if key not in done:
                generation_id = await _insist(admitter, account_id, key)
                _note(book, f"{key} {generation_id}\n")
                await asyncio.sleep(random.uniform(0, 2 * seconds / count))
    finally:
        await admitter.close()
        await publisher.close()
        await bell.close()
        await db.close()


def _note(book: Path, line: str) -> None:
    with book.open("a") as lines:
        lines.write(line)


def acknowledged(book: Path) -> dict[str, UUID]:
    """What was answered, by key. A line that was cut off was not."""
    if not book.exists():
        return {}
    whole, _, _ = book.read_text().rpartition("\n")
    return {
        key: UUID(generation_id)
        for key, _, generation_id in (line.partition(" ") for line in whole.splitlines())
    }


async def _open(settings: Settings) -> Database:
    while True:
        try:
            return await Database.open(settings.database_url, Role.APP, max_size=3)
        except CONNECTION_ERRORS:
            await asyncio.sleep(RETRY_S)


async def _insist(admitter: Admitter, account_id: UUID, key: str) -> str:
    """Asks until there is an answer, always under the same key."""
    while True:
        try:
            return await admit_once(admitter, account_id, key)
        except TRY_AGAIN:
            await asyncio.sleep(RETRY_S)


async def admit_once(admitter: Admitter, account_id: UUID, key: str, **options: Any) -> str:
    """The generation's id, whether it was admitted now or before."""
    parameters = KINDS["image"].parameters.model_validate({"prompt": key})
    fingerprint = hashlib.sha256(key.encode()).digest()
    admission = await admitter.admit(
        account_id,
        NewGeneration("image", parameters, **{"model": MODEL, **options}),
        Idempotency("POST /api/v1/generations", key, fingerprint),
        _render,
    )
    if admission.replayed is not None:
        return str(orjson.loads(admission.replayed.body)["id"])
    assert admission.row is not None
    return str(admission.row["id"])


def _render(row: Mapping[str, Any]) -> StoredResponse:
    return StoredResponse(202, {}, orjson.dumps({"id": str(row["id"])}))


def main() -> int:
    account_id, name, count, seconds = sys.argv[1:]
    settings = Settings()
    logs.configure(settings, "submitter")
    uvloop.run(submit(settings, UUID(account_id), name, int(count), float(seconds)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
