"""What the local provider says when it cannot make something."""

import orjson
import pytest

from shared.executor import Executor
from shared.ids import new_id
from shared.settings import Settings
from tests.workers.providers.sink import MemorySink
from workers.providers.base import Finished, Refused, Request
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


async def test_json_is_whole_even_where_there_is_little_room(settings: Settings) -> None:
    schema = {"type": "object", "properties": {"title": {"type": "string"}}, "required": ["title"]}
    given = {"prompt": "tides", "json_schema": schema, "max_tokens": 12}
    request = Request(new_id(), new_id(), new_id(), "text", "local", given, {}, 60)
    executor, sink = Executor(1), MemorySink()
    try:
        answer = await LocalProvider(settings, executor).submit(request, sink)
    finally:
        await executor.close()
    assert isinstance(answer, Finished)
    assert answer.outputs[0].mime == "application/json"
    assert isinstance(orjson.loads(sink.files[0])["title"], str)


@pytest.mark.parametrize("given", [{"quality": "hd"}, {"mask": "x"}, {"images": ["x"]}])
def test_the_local_painter_takes_no_more_than_it_honours(
    settings: Settings, given: dict[str, object]
) -> None:
    cards = {card.kind: card for card in LocalProvider(settings, Executor(1)).cards}
    assert cards["image"].refusal({"prompt": "x", **given}) is not None
