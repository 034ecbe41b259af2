"""Goal 8: what the stack costs while nobody asks for anything: the gateway and seven workers, as `penstock up`
runs them."""

import asyncio
import time
from contextlib import AsyncExitStack

from cli.stack import Plan, services
from tests.bench.figures import Figure, most
from tests.bench.processes import Child
from tests.bench.stand import Stand, free_port

SETTLE_S = 5.0
QUICK_SETTLE_S = 2.0
WATCH_S = 20.0
QUICK_WATCH_S = 3.0


async def measure(stand: Stand) -> list[Figure]:
    with stand.anywhere():
        async with AsyncExitStack() as running, stand.bare() as (bare, _):
            children = await _start(stand, running)
            await asyncio.sleep(QUICK_SETTLE_S if stand.quick else SETTLE_S)
            used, start = _cpu(children), time.monotonic()
            await asyncio.sleep(QUICK_WATCH_S if stand.quick else WATCH_S)
            busy = (_cpu(children) - used) / (time.monotonic() - start) * 100
            resident = sum(child.memory_mb() for child in children)
            own = sum(child.memory_mb("Pss") for child in children)
            plain = bare.memory_mb() * len(children)
            each = ", ".join(f"{child.memory_mb():.0f}" for child in children)
    stand.say(f"MB of each: {each}")
    beside = f"{len(children)} bare aiohttp processes"
    return [
        Figure(8, "idle stack's processor", busy, "% of a core", most(5)),
        Figure(8, "its resident memory", resident, "MB", most(700), plain, beside),
        Figure(8, "of which it shares nothing twice (PSS)", own, "MB"),
    ]


async def _start(stand: Stand, running: AsyncExitStack) -> list[Child]:
    plan = Plan(home=stand.home, host="127.0.0.1", port=free_port())
    children = []
    for service in services(plan, stand.env):
        argv = service.argv[1:]
        child = await running.enter_async_context(
            stand.child(service.name, *argv, pinned=False, env={"PORT": str(plan.port)})
        )
        children.append(child)
    for child in children:
        await child.logged("_ready")
    return children


def _cpu(children: list[Child]) -> float:
    return sum(child.cpu_s() for child in children)
