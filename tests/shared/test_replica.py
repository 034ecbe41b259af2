"""Analytics and usage read a replica while there is one that answers."""

import pytest

from shared.db import Database, Role
from shared.replica import ReadReplica
from shared.settings import Settings
from tests.gateway.api import open_gateway
from tests.pipeline import Pipeline

SUMS = ("/api/analytics/usage", "/api/analytics/cost", "/api/analytics/provider", "/api/analytics/forecast",
        "/api/v1/usage?group_by=model")  # fmt: skip


async def test_a_replica_that_cannot_write_is_enough(settings: Settings, pipeline: Pipeline) -> None:
    url = f"{settings.database_url}?default_transaction_read_only=on"
    async with open_gateway(settings.model_copy(update={"database_replica_url": url})) as gateway:
        async with gateway.deps.replica.transaction() as tx:
            assert await tx.fetchval("SHOW transaction_read_only") == "on"
        api = await gateway.account()
        assert [(await api.get(path)).status for path in SUMS] == [200] * len(SUMS)


async def test_the_primary_stands_in_for_one_that_is_away(pipeline: Pipeline) -> None:
    away = await Database.open("postgresql://nobody@127.0.0.1:1/none", Role.APP, min_size=0)
    replica = ReadReplica(pipeline.app, away)
    for _ in range(2):
        async with replica.transaction(pipeline.account_id) as tx:
            assert await tx.fetchval("SELECT auth.uid()") == pipeline.account_id
    with pytest.raises(ZeroDivisionError):
        async with replica.transaction(pipeline.account_id):
            raise ZeroDivisionError
    await away.close()
