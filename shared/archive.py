"""`python -m shared.archive`: what is in the archive of generations, and moving its months.

ls                  each month: attached or detached, how many generations, how many bytes
run                 moves now what is older than GENERATIONS_HOT_MONTHS, as maintenance does every hour
detach YYYY-MM      makes a month a table of its own; it is read as before
attach YYYY-MM      makes it a partition again
"""

import argparse
import asyncio
import sys
from datetime import date, datetime

import asyncpg

from shared.db import Database, Role
from shared.domains import archive
from shared.errors import PenstockError
from shared.settings import Settings


def _month(text: str) -> date:
    """The first day of a month. Raises ValueError, which argparse puts into words."""
    return datetime.strptime(text, "%Y-%m").date()  # noqa: DTZ007  # a month has no zone


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m shared.archive", description="The archive of generations.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("ls", help="list its months")
    verbs.add_parser("run", help="move what is old enough now")
    for verb in ("detach", "attach"):
        verbs.add_parser(verb, help=f"{verb} a month").add_argument("month", type=_month, metavar="YYYY-MM")
    return parser.parse_args(argv)


async def _list(db: Database) -> None:
    async with db.transaction() as tx:
        for month in await archive.months(tx):
            where = "attached" if month.attached else "detached"
            print(f"{month.first:%Y-%m}  {where}  {month.generations:>12,}  {month.bytes:>16,} bytes")  # noqa: T201  # a command's answer


async def _move(db: Database, hot_months: int) -> None:
    if not hot_months:
        print("GENERATIONS_HOT_MONTHS is 0: nothing is ever moved.")  # noqa: T201
        return
    async with db.transaction() as tx:
        await archive.make_months(tx)
    moved = 0
    while batch := await archive.move(db, hot_months):
        moved += batch
    print(f"{moved} generations moved.")  # noqa: T201


async def main(settings: Settings, argv: list[str] | None = None) -> int:
    """The exit code."""
    asked = _arguments(argv)
    db = await Database.open(settings.worker_url, Role.WORKER, max_size=1)
    try:
        if asked.verb == "ls":
            await _list(db)
        elif asked.verb == "run":
            await _move(db, settings.generations_hot_months)
        else:
            async with db.transaction() as tx:
                await (archive.detach if asked.verb == "detach" else archive.attach)(tx, asked.month)
            print(f"{asked.month:%Y-%m} is {asked.verb}ed.")  # noqa: T201
    except PenstockError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    except asyncpg.LockNotAvailableError:
        print("Somebody reads the archive just now; try again.", file=sys.stderr)  # noqa: T201
        return 1
    finally:
        await db.close()
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(Settings())))
