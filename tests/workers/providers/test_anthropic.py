"""The real adapter, with the real SDK, against the emulated Anthropic and its faults."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import anthropic
import httpx2
import orjson
import pytest
from pydantic import SecretStr

from shared.executor import Executor
from shared.ids import new_id
from shared.kinds.text import TextParameters
from shared.pricing import cost_of
from shared.settings import Settings
from tests.emulators.anthropic import SPEND_LIMIT, AnthropicEmulator
from tests.emulators.anthropic_messages import THOUGHTS
from tests.emulators.base import Effect
from workers.artifacts import ArtifactError
from workers.providers import registry
from workers.providers.anthropic import adapter as adapter_module
from workers.providers.anthropic.adapter import AnthropicProvider
from workers.providers.anthropic.errors import DEFAULT_COOL_DOWN_S
from workers.providers.anthropic.models import CARDS, MODELS, SEED_PRICES
from workers.providers.base import (
    Ended,
    Finished,
    Lost,
    NotSent,
    Refused,
    Request,
    StoredFile,
    Unaskable,
    UnreadableAnswer,
)

SONNET, HAIKU, OPUS = "claude-sonnet-5-5", "claude-haiku-5-5", "claude-opus-5-5"
UNCLEAR = (anthropic.APIError, httpx2.HTTPError, UnreadableAnswer)
"""What an adapter may raise that is neither a refusal nor a request that never left."""


class KeepingSink:
    """Keeps what is written, and how; `raises` is what comes of a write."""

    def __init__(self, raises: Exception | None = None) -> None:
        self.files: dict[int, bytes] = {}
        self.deltas: list[tuple[int, str]] = []
        self._raises = raises

    async def write(
        self, n: int, mime: str, chunks: AsyncIterator[bytes], *, text: str | None = None
    ) -> StoredFile:
        if self._raises is not None:
            raise self._raises
        self.files[n] = b"".join([chunk async for chunk in chunks])
        return StoredFile(f"{n}", mime, len(self.files[n]), "", text)

    async def progress(self, fraction: float, stage: str = "provider_running") -> None:
        raise AssertionError

    async def delta(self, offset: int, text: str) -> None:
        self.deltas.append((offset, text))


@pytest.fixture
async def emulator() -> AsyncIterator[AnthropicEmulator]:
    async with AnthropicEmulator(key="sk-ant-ours") as running:
        yield running


@pytest.fixture
async def provider(emulator: AnthropicEmulator) -> AsyncIterator[AnthropicProvider]:
    provider = AnthropicProvider("sk-ant-ours", emulator.url)
    yield provider
    await provider.close()


@pytest.fixture
def sink() -> KeepingSink:
    return KeepingSink()


def a_request(model: str = SONNET, **given: Any) -> Request:
    source = {} if "messages" in given else {"prompt": "Tell me about the harbour."}
    parameters = TextParameters.model_validate({**source, **given})
    return Request(new_id(), new_id(), new_id(), "text", model, parameters.model_dump(), {}, 120.0)


async def made(provider: AnthropicProvider, request: Request, sink: KeepingSink) -> Finished:
    answer = await provider.submit(request, sink)
    assert isinstance(answer, Finished)
    return answer


def cost(model: str, answer: Finished | Ended) -> int | None:
    price = MODELS[model].card.price
    return cost_of(price.as_json() if price else None, answer.usage.units, answer.usage.cost_nanos)


def sent(emulator: AnthropicEmulator) -> Any:
    return emulator.requests[-1].json


# What goes right.


@pytest.mark.parametrize("model", list(MODELS))
async def test_every_model_answers_and_costs_what_anthropic_bills(
    emulator: AnthropicEmulator, provider: AnthropicProvider, sink: KeepingSink, model: str
) -> None:
    emulator.cached, emulator.cache_write = 3, 2
    answer = await made(provider, a_request(model), sink)
    stored = answer.outputs[0]
    assert isinstance(stored, StoredFile)
    assert stored.mime == "text/plain"
    assert stored.text == sink.files[0].decode() == "".join(text for _, text in sink.deltas)
    assert [offset for offset, _ in sink.deltas[:2]] == [0, len(sink.deltas[0][1])]
    assert cost(model, answer) == emulator.billed_nanos() > 0
    assert answer.remote_id == emulator.invoice()[0].id
    assert len(emulator.requests) == 1


async def test_what_is_said_to_the_model(
    emulator: AnthropicEmulator, provider: AnthropicProvider, sink: KeepingSink
) -> None:
    talk = [
        ("system", "Rhyme."),
        ("user", "Hello."),
        ("assistant", "Hi."),
        ("system", "Now."),
        ("user", "Go."),
    ]
    messages = [{"role": role, "content": content} for role, content in talk]
    await made(provider, a_request(system="Be brief.", messages=messages, max_tokens=99), sink)
    body = sent(emulator)
    assert body["system"] == "Be brief.\n\nRhyme.\n\nNow."
    assert [message["role"] for message in body["messages"]] == ["user", "assistant", "user"]
    assert (body["model"], body["max_tokens"], body["stream"]) == (SONNET, 99, True)


@pytest.mark.parametrize(
    ("model", "thoughts"), [(SONNET, False), (HAIKU, False), (OPUS, True)], ids=[SONNET, HAIKU, OPUS]
)
async def test_a_model_thinks_only_where_it_must(
    emulator: AnthropicEmulator, provider: AnthropicProvider, sink: KeepingSink, model: str, thoughts: bool
) -> None:
    await made(provider, a_request(model), sink)
    billed = emulator.invoice()[0].input["out"]
    assert billed == len(sink.deltas) + (THOUGHTS if thoughts else 0)


@pytest.mark.parametrize(("tokens", "rates"), [(100_000, (100, 500)), (100_001, (500, 2_500))])
async def test_a_long_prompt_has_prices_of_its_own(
    emulator: AnthropicEmulator, provider: AnthropicProvider, sink: KeepingSink,
    tokens: int, rates: tuple[int, int],
) -> None:  # fmt: skip
    # Four characters are a token, and no message is as long as that.
    messages = [{"role": "user", "content": "x" * tokens} for _ in range(4)]
    answer = await made(provider, a_request(HAIKU, messages=messages), sink)
    written = len(sink.deltas)
    assert cost(HAIKU, answer) == emulator.billed_nanos() == tokens * rates[0] + written * rates[1]


SCHEMA = {"type": "object", "properties": {"boats": {"type": "integer", "minimum": 1}}, "required": ["boats"]}


@pytest.mark.parametrize("model", list(MODELS))
async def test_json_that_fits_a_schema(
    emulator: AnthropicEmulator, provider: AnthropicProvider, sink: KeepingSink, model: str
) -> None:
    answer = await made(provider, a_request(model, json_schema=SCHEMA), sink)
    assert answer.outputs[0].mime == "application/json"
    assert orjson.loads(sink.files[0]) == {"boats": 7}
    wanted = sent(emulator)["output_config"]["format"]["schema"]
    assert wanted["additionalProperties"] is False
    # What the API cannot promise is told to the model.
    assert "minimum: 1" in wanted["properties"]["boats"]["description"]


# Its final word without a text: billed.


async def test_a_refusal_is_paid_for_and_asked_nowhere_else(
    emulator: AnthropicEmulator, provider: AnthropicProvider, sink: KeepingSink
) -> None:
    emulator.faults.add("create", Effect.NSFW, message="This could do harm.")
    answer = await provider.submit(a_request(), sink)
    assert isinstance(answer, Ended)
    assert (answer.error.code, answer.error.message) == ("CONTENT_BLOCKED", "This could do harm.")
    assert answer.curable is False
    assert cost(SONNET, answer) == emulator.billed_nanos() > 0
    assert sink.files == {}


TWO_WORDS = {"type": "object", "properties": {"said": {"enum": ["two words"]}}}


@pytest.mark.parametrize(
    ("model", "given", "why"),
    [
        (OPUS, {"max_tokens": THOUGHTS}, "before it wrote anything"),
        (SONNET, {"max_tokens": 1, "json_schema": TWO_WORDS}, "cut off"),
    ],
)
async def test_what_max_tokens_cut_short_of_use_is_billed_and_not_delivered(
    emulator: AnthropicEmulator, provider: AnthropicProvider, sink: KeepingSink,
    model: str, given: dict[str, Any], why: str,
) -> None:  # fmt: skip
    answer = await provider.submit(a_request(model, **given), sink)
    assert isinstance(answer, Ended)
    assert (answer.error.code, answer.curable) == ("PROVIDER_FAILED", False)
    assert why in answer.error.message
    assert cost(model, answer) == emulator.billed_nanos() > 0
    assert sink.files == {}


async def test_a_text_that_is_cut_short_is_still_a_text(
    emulator: AnthropicEmulator, provider: AnthropicProvider, sink: KeepingSink
) -> None:
    answer = await made(provider, a_request(max_tokens=2), sink)
    assert sink.files[0].decode() == "Claude saw "
    assert cost(SONNET, answer) == emulator.billed_nanos()


async def test_a_text_that_cannot_be_stored_has_its_bill(
    emulator: AnthropicEmulator, provider: AnthropicProvider
) -> None:
    sink = KeepingSink(raises=ArtifactError("no room", transient=False))
    with pytest.raises(ArtifactError) as caught:
        await provider.submit(a_request(), sink)
    assert caught.value.usage is not None
    assert cost(SONNET, Finished([], caught.value.usage)) == emulator.billed_nanos() > 0


# Refused: nothing is billed.


@pytest.mark.parametrize(
    ("status", "message", "code", "curable"),
    [
        (400, "messages: too many", "PROVIDER_REJECTED", False),
        (400, "Your credit balance is too low to access the API.", "PROVIDER_AUTH", True),
        (401, "invalid bearer token", "PROVIDER_AUTH", True),
        (402, "Payment is required.", "PROVIDER_AUTH", True),
        (403, "No permission.", "PROVIDER_AUTH", True),
        (404, "model: claude-none", "PROVIDER_REJECTED", True),
        (413, "Request exceeds the maximum size", "PROVIDER_REJECTED", False),
        (422, "Unprocessable.", "PROVIDER_REJECTED", False),
        (429, SPEND_LIMIT, "PROVIDER_AUTH", True),
        (429, "Slow down.", "PROVIDER_RATE_LIMITED", True),
    ],
)
async def test_refusals(
    emulator: AnthropicEmulator, provider: AnthropicProvider, sink: KeepingSink,
    status: int, message: str, code: str, curable: bool,
) -> None:  # fmt: skip
    emulator.faults.add("create", Effect.REFUSE, status=status, message=message)
    with pytest.raises(Refused) as caught:
        await provider.submit(a_request(), sink)
    assert (caught.value.error.code, caught.value.curable) == (code, curable)
    limited = code == "PROVIDER_RATE_LIMITED"
    assert caught.value.retry_after_s == (DEFAULT_COOL_DOWN_S if limited else None)
    assert (len(emulator.requests), emulator.invoice()) == (1, [])
    if code == "PROVIDER_AUTH":
        assert message not in caught.value.error.message


@pytest.mark.parametrize(("status", "wait_s"), [(429, 17.0), (529, 17.0), (529, None)])
async def test_a_limit_and_an_overload_say_for_how_long(
    emulator: AnthropicEmulator,
    provider: AnthropicProvider,
    sink: KeepingSink,
    status: int,
    wait_s: float | None,
) -> None:
    emulator.faults.add("create", Effect.REFUSE, status=status, message="Overloaded", retry_after_s=wait_s)
    with pytest.raises(Refused) as caught:
        await provider.submit(a_request(), sink)
    assert caught.value.retry_after_s == wait_s
    # Without a time it is tried again with a growing delay, and then somewhere else.
    assert (caught.value.error.code, caught.value.error.retryable) == ("PROVIDER_RATE_LIMITED", True)


async def test_a_schema_that_it_has_no_words_for_costs_nothing(
    emulator: AnthropicEmulator, provider: AnthropicProvider, sink: KeepingSink
) -> None:
    with pytest.raises(Refused) as caught:
        await provider.submit(a_request(json_schema={"title": "anything"}), sink)
    assert caught.value.error.details == {"field": "input.json_schema"}
    assert len(emulator.requests) == 0


async def test_nobody_listens(sink: KeepingSink) -> None:
    provider = AnthropicProvider("sk-ant-ours", "http://127.0.0.1:1")
    with pytest.raises(NotSent):
        await provider.submit(a_request(), sink)
    await provider.close()


# Unknown: it may have been worked on, and the SDK does not try again.


@pytest.mark.parametrize(
    ("effect", "status", "billed"),
    [
        (Effect.REFUSE, 500, False),
        (Effect.REFUSE, 504, False),
        (Effect.REFUSE, 408, False),
        (Effect.RESET, 0, False),
        (Effect.REFUSE_AFTER, 500, True),
        (Effect.RESET_AFTER, 0, True),
        (Effect.MALFORMED_AFTER, 0, True),
        (Effect.FAIL, 0, True),
    ],
)
async def test_no_clear_answer(
    emulator: AnthropicEmulator, provider: AnthropicProvider, sink: KeepingSink,
    effect: Effect, status: int, billed: bool,
) -> None:  # fmt: skip
    emulator.faults.add("create", effect, status=status)
    with pytest.raises(UNCLEAR):
        await provider.submit(a_request(), sink)
    assert (len(emulator.requests), emulator.billed_nanos() > 0) == (1, billed)
    assert sink.files == {}


async def test_an_answer_that_never_comes(
    emulator: AnthropicEmulator,
    provider: AnthropicProvider,
    sink: KeepingSink,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(adapter_module, "CALL_TIMEOUT_S", 0.5)
    emulator.faults.add("create", Effect.LOST_AFTER)
    with pytest.raises(TimeoutError):
        await provider.submit(a_request(), sink)
    assert len(emulator.requests) == 1


async def test_a_canceled_caller_has_paid_all_the_same(
    emulator: AnthropicEmulator, provider: AnthropicProvider, sink: KeepingSink
) -> None:
    emulator.faults.add("create", Effect.LOST_AFTER)
    task = asyncio.create_task(provider.submit(a_request(), sink))
    while not emulator.invoice():
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert emulator.billed_nanos() > 0


async def test_it_cannot_be_asked_what_became_of_a_call(provider: AnthropicProvider) -> None:
    assert await provider.find(Lost(a_request(), datetime.now(UTC))) == Unaskable()


# What the cards say, and where the key comes from.


async def test_the_key_is_ours_whatever_the_environment_holds(
    settings: Settings, emulator: AnthropicEmulator, sink: KeepingSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-of-somebody-else")
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "another")
    named = {"anthropic_api_key": SecretStr("sk-ant-ours"), "anthropic_base_url": emulator.url}
    provider = registry.load(settings.model_copy(update=named), Executor())["anthropic"]
    assert provider.unavailable_reason is None
    assert isinstance(await provider.submit(a_request(), sink), Finished)
    await provider.close()


def test_without_a_key_the_cards_are_listed_with_the_reason(settings: Settings) -> None:
    cards = registry.described(registry.load(settings, Executor())["anthropic"])
    assert {card.id for card in cards} == {card.id for card in CARDS}
    assert {card.unavailable_reason for card in cards} == {"ANTHROPIC_API_KEY is not set"}


def test_the_seeds_name_and_price_are_kept() -> None:
    card = MODELS[SONNET].card
    assert card.aliases == ("claude", "claude-3-5-sonnet")
    assert card.replaces == {"claude-3-5-sonnet": date(2025, 10, 28)}
    price = SEED_PRICES["claude-3-5-sonnet"]
    assert dict(price.units) == {"input_token": Decimal(3_000), "output_token": Decimal(15_000)}
    assert price.source == "seed-003"


@pytest.mark.parametrize("model", list(MODELS))
def test_a_card_refuses_what_the_model_does_not_take(model: str) -> None:
    card = MODELS[model].card
    for given in ({"temperature": 0.5}, {"seed": 1}, {"max_tokens": 20_000}):
        assert card.refusal({"prompt": "x", **given}) is not None
    parameters = TextParameters(prompt="x" * 4_000, max_tokens=100)
    assert card.price is not None
    rates = card.price.units
    assert card.estimate(parameters) == 1_000 * rates["input_token"] + 100 * rates["output_token"]
