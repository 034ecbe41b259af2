"""The emulated Anthropic, asked by its real SDK: what it writes, refuses, and bills."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import anthropic
import httpx2
import pytest
from anthropic import AsyncAnthropic

from tests.emulators.anthropic import SPEND_LIMIT, AnthropicEmulator
from tests.emulators.anthropic_messages import THOUGHTS
from tests.emulators.base import Effect

SONNET, HAIKU, OPUS = "claude-sonnet-5-5", "claude-haiku-5-5", "claude-opus-5-5"
ASKED: list[Any] = [{"role": "user", "content": "Tell me about the harbour."}]
PLAIN: dict[str, Any] = {"thinking": {"type": "between_tools"}}


@pytest.fixture
async def emulator() -> AsyncIterator[AnthropicEmulator]:
    async with AnthropicEmulator(key="sk-ant-ours") as running:
        yield running


@pytest.fixture
async def client(emulator: AnthropicEmulator) -> AsyncIterator[AsyncAnthropic]:
    async with AsyncAnthropic(api_key="sk-ant-ours", base_url=emulator.url, max_retries=0) as opened:
        yield opened


def asked(**more: Any) -> dict[str, Any]:
    return {"model": SONNET, "max_tokens": 200, "messages": ASKED, **PLAIN, **more}


async def test_a_message_whole_and_in_events_say_and_cost_the_same(
    client: AsyncAnthropic, emulator: AnthropicEmulator
) -> None:
    whole = await client.messages.create(**asked(system="Be brief."))
    async with client.messages.stream(**asked(system="Be brief.")) as stream:
        pieces = [piece async for piece in stream.text_stream]
        streamed = await stream.get_final_message()
    assert len(pieces) > 5
    assert whole.content[0].type == streamed.content[0].type == "text"
    assert whole.content[0].text == streamed.content[0].text == "".join(pieces)
    assert (whole.usage.input_tokens, whole.usage.output_tokens) == (
        streamed.usage.input_tokens,
        streamed.usage.output_tokens,
    )
    each = whole.usage.input_tokens * 2_000 + whole.usage.output_tokens * 10_000
    assert emulator.billed_nanos() == 2 * each
    assert whole._request_id is not None


async def test_thoughts_come_first_are_billed_and_count_toward_the_limit(
    client: AsyncAnthropic, emulator: AnthropicEmulator
) -> None:
    whole = await client.messages.create(model=OPUS, max_tokens=200, messages=ASKED)
    assert [block.type for block in whole.content] == ["thinking", "text"]
    short = await client.messages.create(model=OPUS, max_tokens=THOUGHTS, messages=ASKED)
    assert (short.stop_reason, [block.type for block in short.content]) == ("max_tokens", ["thinking"])
    spent = whole.usage.output_tokens + short.usage.output_tokens
    assert emulator.billed_nanos() == 2 * whole.usage.input_tokens * 4_000 + spent * 20_000


async def test_a_long_prompt_costs_five_times_as_much(
    client: AsyncAnthropic, emulator: AnthropicEmulator
) -> None:
    long = [{"role": "user", "content": "x" * 400_004}]
    given = asked(model=HAIKU, messages=long, thinking={"type": "disabled"}, max_tokens=2)
    whole = await client.messages.create(**given)
    assert (whole.usage.input_tokens, whole.usage.output_tokens) == (100_001, 2)
    assert emulator.billed_nanos() == 100_001 * 500 + 2 * 2_500


async def test_json_follows_its_schema(client: AsyncAnthropic) -> None:
    schema = {"type": "object", "properties": {"boats": {"type": "integer"}}, "additionalProperties": False}
    given = asked(output_config={"format": {"type": "json_schema", "schema": schema}})
    whole = await client.messages.create(**given)
    assert whole.content[0].type == "text"
    assert whole.content[0].text == '{"boats":7}'


async def test_a_refusal_is_an_answer_and_is_billed(
    client: AsyncAnthropic, emulator: AnthropicEmulator
) -> None:
    emulator.faults.add("create", Effect.NSFW, message="This could do harm.")
    whole = await client.messages.create(**asked())
    assert whole.stop_reason == "refusal"
    assert whole.stop_details is not None
    assert whole.stop_details.explanation == "This could do harm."
    assert emulator.billed_nanos() == whole.usage.input_tokens * 2_000 + 3 * 10_000


async def test_models_are_listed(client: AsyncAnthropic) -> None:
    assert {model.id async for model in client.models.list()} == {SONNET, HAIKU, OPUS}


# What is wrong is said as Anthropic says it.


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"model": "claude-3-5-sonnet-20241022"}, 404),
        ({"extra_body": {"temperature": 0.5}}, 400),
        ({"extra_body": {"seed": 1}}, 400),
        ({"thinking": {"type": "disabled"}}, 400),
        ({"model": OPUS}, 400),
        ({"output_config": {"effort": "max"}}, 400),
        ({"max_tokens": 0}, 400),
        ({"messages": [*ASKED, {"role": "assistant", "content": "The"}]}, 400),
        ({"messages": [{"role": "system", "content": "Be brief."}, *ASKED]}, 400),
        ({"output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}}}, 400),
        (
            {
                "output_config": {
                    "format": {"type": "json_schema", "schema": {"type": "string", "minLength": 2}}
                }
            },
            400,
        ),
    ],
)
async def test_requests_that_are_refused(
    client: AsyncAnthropic, emulator: AnthropicEmulator, given: dict[str, Any], status: int
) -> None:
    with pytest.raises(anthropic.APIStatusError) as caught:
        await client.messages.create(**asked(**given))
    assert (caught.value.status_code, emulator.invoice()) == (status, [])
    assert caught.value.request_id


async def test_only_a_bearer_of_the_key_is_let_in(emulator: AnthropicEmulator) -> None:
    async with AsyncAnthropic(api_key="sk-ant-else", base_url=emulator.url, max_retries=0) as client:
        with pytest.raises(anthropic.AuthenticationError) as caught:
            await client.messages.create(**asked())
    assert caught.value.type == "authentication_error"
    async with httpx2.AsyncClient() as plain:
        answer = await plain.post(
            f"{emulator.url}/v1/messages", headers={"x-api-key": "sk-ant-ours"}, json={}
        )
    assert answer.status_code == 401


# Faults.


@pytest.mark.parametrize(
    ("status", "message", "kind", "code"),
    [
        (402, None, "billing_error", None),
        (413, None, "request_too_large", None),
        (429, None, "rate_limit_error", None),
        (429, SPEND_LIMIT, "rate_limit_error", SPEND_LIMIT),
        (529, None, "overloaded_error", None),
    ],
)
async def test_errors_have_their_types(
    client: AsyncAnthropic,
    emulator: AnthropicEmulator,
    status: int,
    message: str | None,
    kind: str,
    code: str,
) -> None:
    emulator.faults.add("create", Effect.REFUSE, status=status, message=message or "No.", retry_after_s=3)
    with pytest.raises(anthropic.APIStatusError) as caught:
        await client.messages.create(**asked())
    assert (caught.value.type, caught.value.error_code) == (kind, code)
    assert caught.value.response.headers["retry-after"] == "3"


@pytest.mark.parametrize("effect", [Effect.RESET_AFTER, Effect.MALFORMED_AFTER, Effect.FAIL])
async def test_a_stream_may_break_off(
    client: AsyncAnthropic, emulator: AnthropicEmulator, effect: Effect
) -> None:
    emulator.faults.add("create", effect)
    kinds: list[str] = []
    broken: contextlib.AbstractContextManager[Any] = contextlib.nullcontext()
    if effect is not Effect.MALFORMED_AFTER:
        broken = pytest.raises((anthropic.APIError, httpx2.HTTPError))
    async with await client.messages.create(**asked(), stream=True) as stream:
        with broken:
            async for event in stream:
                kinds += [event.type]
    assert kinds[0] == "message_start"
    assert "message_delta" not in kinds
    assert emulator.billed_nanos() > 0
