"""A short storm; `make chaos` is the long one, on servers of its own that it also stops."""

from tests.chaos.storm import Plan, shown, storm
from tests.chaos.world import Worlds

SHORT = Plan(
    seed=11, seconds=8, generations=40, pause_s=(0.1, 0.6), stops_s=(5.5, 6.0), holes_s=(0.5, 1.5), settle_s=200,
    changes={"FIND_WINDOW_S": "12", "LEASE_TTL_S": "5"},
)  # fmt: skip


async def test_a_short_storm_breaks_no_invariant(worlds: Worlds) -> None:
    async with worlds.open(run_s=0.3, seed=SHORT.seed) as world, storm(world, SHORT) as weather:
        report = await weather.run()
    assert report.violations == [], shown(report)
