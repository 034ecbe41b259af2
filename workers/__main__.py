"""`python -m workers KIND …`: serves the queues of these kinds. `maintenance` does the housekeeping."""

import argparse
import asyncio
import signal
import sys

import uvloop

from shared import heap
from shared import log as logs
from shared.kinds import KINDS
from shared.settings import Settings
from workers.runtime import serve

MAINTENANCE = "maintenance"


async def run(settings: Settings, names: list[str]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, stop.set)
    kinds = [name for name in names if name != MAINTENANCE]
    await serve(settings, kinds, maintenance=MAINTENANCE in names, stop=stop)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m workers", description=__doc__)
    parser.add_argument("kinds", nargs="+", choices=[*KINDS, MAINTENANCE], metavar="KIND")
    arguments = parser.parse_args()
    settings = Settings()
    logs.configure(settings, f"worker-{'-'.join(arguments.kinds)}")
    heap.settle()
    uvloop.run(run(settings, arguments.kinds))
    return 0


if __name__ == "__main__":
    sys.exit(main())
