"""What the local provider says when it cannot make something."""

import pytest

from shared.executor import Executor
from shared.ids import new_id
from shared.settings import Settings
from tests.workers.providers.sink import MemorySink
from workers.providers.base import Refused, Request
from workers.providers.local.adapter import LocalProvider


async def test_a_refusal_is_a_sentence(settings: Settings) -> None:
    schema = {"type": "array", "items": {"type": "string"}, "minItems": 1_000_000}
    request = Request(
        new_id(), new_id(), new_id(), "text", "local", {"prompt": "a list", "json_schema": schema}, {}, 60
    )
    executor = Executor(1)
    try:
        with pytest.raises(Refused) as refused:
            await LocalProvider(settings, executor).submit(request, MemorySink())
    finally:
        await executor.close()
    error = refused.value.error
    assert error.message.startswith("This cannot be made: the schema")
    assert error.message.endswith(".")
