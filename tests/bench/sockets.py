"""Goal 6: what `tests.bench.fanout` finds, as figures."""

import os

from tests.bench import fanout
from tests.bench.figures import Figure, least, most
from tests.bench.stand import Stand

QUICK_SOCKETS = 500
QUICK_MESSAGES = 20_000


async def measure(stand: Stand) -> list[Figure]:
    # It divides the cores itself.
    os.sched_setaffinity(0, stand.cores.every)
    try:
        if stand.quick:
            found = await fanout.measure(stand.settings, sockets=QUICK_SOCKETS, messages=QUICK_MESSAGES)
        else:
            found = await fanout.measure(stand.settings)
    finally:
        os.sched_setaffinity(0, stand.cores.others)
    ours, plain = found["penstock"], found["plain"]
    beside = "redis-py and send_str"
    return [
        Figure(6, f"deliveries, {found['sockets']:,} sockets", ours["deliveries_per_s"], "/s", least(60_000),
               plain["deliveries_per_s"], beside),
        Figure(6, "deliveries per second of its processor", ours["deliveries_per_cpu_s"], "/s", None,
               plain["deliveries_per_cpu_s"], beside),
        Figure(6, "p99 at half the goal's load", ours["p99_ms"], "ms", most(50), plain["p99_ms"], beside),
        Figure(6, "p50 at half the goal's load", ours["p50_ms"], "ms", None, plain["p50_ms"], beside),
        Figure(6, "memory of an idle socket", ours["idle_kb_per_socket"], "kB", most(20),
               plain["idle_kb_per_socket"], beside),
    ]  # fmt: skip
