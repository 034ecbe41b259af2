"""`python -m tests.chaos`: the long random run, on private servers that are stopped and restarted too.

Prints a report for each seed. The exit code is 1 when an invariant does not hold, or when what a killed worker
held did not go on within ten seconds.
"""

import argparse
import asyncio
import logging
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import structlog

from cli.servers import EmbeddedServers
from tests.chaos.faults import FAULTS
from tests.chaos.nursery import Nursery
from tests.chaos.storm import Plan, Report, shown, storm
from tests.chaos.world import Worlds
from tests.servers import TEMPLATE, RunServers, migrate, temporary_home


async def run(plan: Plan, seeds: Sequence[int], servers: EmbeddedServers, logs: Path) -> list[Report]:
    found = RunServers.of(servers)
    environment = {
        **found.environment,
        "S3_BUCKET": "penstock-chaos",
        "PENSTOCK_ENV": "test",
        "SECRET_KEY": "a-secret-for-chaos-that-is-long-enough",
    }
    nursery = await Nursery.open(logs)
    reports = []
    try:
        for seed in seeds:
            numbers: asyncio.Queue[int] = asyncio.Queue()
            numbers.put_nowait(1)
            worlds = Worlds(found, environment, nursery, logs, f"seed{seed}", numbers)
            async with (
                worlds.open(describing=True, run_s=0.6, seed=seed) as world,
                storm(world, replace(plan, seed=seed), servers) as weather,
            ):
                reports.append(await weather.run())
            sys.stdout.write(shown(reports[-1]) + "\n")
            sys.stdout.flush()
    finally:
        await nursery.close()
    return reports


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, action="append", help="may be given several times (default 1)")
    parser.add_argument("--seconds", type=float, default=120, help="how long faults strike, for each seed")
    parser.add_argument("--generations", type=int, default=300)
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--only", action="append", choices=[fault.name for fault in FAULTS], metavar="FAULT",
                        help="strike with this fault only; may be given several times: "
                        + ", ".join(fault.name for fault in FAULTS))  # fmt: skip
    arguments = parser.parse_args()
    plan = Plan(
        seconds=arguments.seconds, generations=arguments.generations, workers=arguments.workers,
        only=tuple(arguments.only or ()),
    )  # fmt: skip
    # What the storm does to the pools and clients of the checks themselves is of no interest.
    logging.getLogger("asyncpg").setLevel(logging.CRITICAL)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    with temporary_home() as home, EmbeddedServers(home, durable=True) as servers:
        migrate(RunServers.of(servers).environment_for(TEMPLATE))
        with tempfile.TemporaryDirectory(prefix="penstock-chaos-", delete=False) as logs:
            sys.stdout.write(f"logs of all processes: {logs}\n")
            reports = asyncio.run(run(plan, arguments.seed or [1], servers, Path(logs)))
    return int(any(report.violations or report.slow for report in reports))


if __name__ == "__main__":
    sys.exit(main())
