"""The emulator against the real SDK and, where it is at hand, against OpenAI's OpenAPI file."""

import asyncio
import base64
import contextlib
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import jsonschema
import openai
import pytest
from openai import AsyncOpenAI
from PIL import Image

from tests.emulators.base import Effect
from tests.emulators.media import picture
from tests.emulators.openai import OpenAIEmulator, groq, own_server

SPEC = Path(__file__).parents[2].parent / "shared" / "specs" / "openai-openapi.json"
FLARE = "gpt-image-2.5-flare"
ASKED: Any = [{"role": "user", "content": "Tell me about the fog."}]


@pytest.fixture
async def emulator() -> AsyncIterator[OpenAIEmulator]:
    async with OpenAIEmulator(key="sk-ours") as running:
        yield running


@pytest.fixture
async def client(emulator: OpenAIEmulator) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(api_key="sk-ours", base_url=emulator.base_url, max_retries=0) as client:
        yield client


def decoded(content: str | None) -> Image.Image:
    assert content is not None
    return Image.open(io.BytesIO(base64.b64decode(content)))


# The SDK's calls.


async def test_a_picture_is_base64_with_its_tokens(client: AsyncOpenAI, emulator: OpenAIEmulator) -> None:
    answer = await client.images.generate(
        model=FLARE, prompt="a lighthouse", size="1536x1024", quality="high", n=2
    )
    assert answer.data is not None
    assert [decoded(one.b64_json).size for one in answer.data] == [(1536, 1024)] * 2
    assert answer.usage is not None
    assert answer.usage.output_tokens == 2 * 1756 * 3 // 2
    assert answer._request_id is not None
    assert emulator.billed_nanos() == 3 * 5_000 + answer.usage.output_tokens * 30_000


async def test_partial_pictures_come_first_and_cost_more(
    client: AsyncOpenAI, emulator: OpenAIEmulator
) -> None:
    stream = await client.images.generate(
        model=FLARE, prompt="x", stream=True, partial_images=2, quality="low"
    )
    events = [event async for event in stream]
    kinds = [event.type for event in events]
    assert kinds == ["image_generation.partial_image"] * 2 + ["image_generation.completed"]
    last = events[-1]
    assert last.type == "image_generation.completed"
    assert last.usage.output_tokens == 196 + 200
    assert emulator.billed_nanos() == 5_000 + 396 * 30_000


async def test_an_edit_is_multipart_and_bills_what_it_looks_at(
    client: AsyncOpenAI, emulator: OpenAIEmulator
) -> None:
    start = ("a.png", picture("png", 64, 64), "image/png")
    answer = await client.images.edit(model=FLARE, prompt="add fog", image=[start, start], quality="low")
    assert answer.usage is not None
    assert answer.usage.input_tokens_details.image_tokens == 2 * 774
    assert emulator.billed_nanos() == 2 * 5_000 + 2 * 774 * 8_000 + 196 * 30_000


@pytest.mark.parametrize(
    ("output_format", "begins"), [("mp3", (b"ID3", b"\xff")), ("wav", (b"RIFF",)), ("opus", (b"OggS",))]
)
async def test_speech_is_streamed_as_real_sound(
    client: AsyncOpenAI, emulator: OpenAIEmulator, output_format: Any, begins: tuple[bytes, ...]
) -> None:
    call = client.audio.speech.with_streaming_response.create(
        model="tts-1", input="Good evening.", voice="nova", response_format=output_format
    )
    async with call as response:
        content = b"".join([chunk async for chunk in response.iter_bytes()])
    assert content.startswith(begins)
    assert emulator.billed_nanos() == 13 * 15_000


async def test_a_chat_is_answered_whole_or_in_chunks_with_usage(
    client: AsyncOpenAI, emulator: OpenAIEmulator
) -> None:
    whole = await client.chat.completions.create(model="gpt-4o", messages=ASKED)
    assert whole.usage is not None
    stream = await client.chat.completions.create(
        model="gpt-4o", messages=ASKED, stream=True, stream_options={"include_usage": True}
    )
    chunks = [chunk async for chunk in stream]
    assert chunks[-1].choices == []
    assert chunks[-1].usage == whole.usage
    said = "".join(chunk.choices[0].delta.content or "" for chunk in chunks[:-1])
    assert said == whole.choices[0].message.content
    each = whole.usage.prompt_tokens * 2_500 + whole.usage.completion_tokens * 10_000
    assert emulator.billed_nanos() == 2 * each


async def test_json_follows_its_schema(client: AsyncOpenAI) -> None:
    schema = {"type": "object", "properties": {"sr": {"type": "integer"}}, "required": ["sr"]}
    wanted: Any = {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}
    whole = await client.chat.completions.create(model="gpt-4o", messages=ASKED, response_format=wanted)
    jsonschema.validate(json.loads(whole.choices[0].message.content or ""), schema)


async def test_a_response_in_the_background_is_polled_and_billed_once(
    client: AsyncOpenAI, emulator: OpenAIEmulator
) -> None:
    emulator.queue_s, emulator.run_s = 10, 20
    started = await client.responses.create(
        model="gpt-4o", input="fog", background=True, metadata={"job": "7"}
    )
    assert (started.status, started.metadata) == ("queued", {"job": "7"})
    await emulator.advance(11)
    assert (await client.responses.retrieve(started.id)).status == "in_progress"
    assert emulator.billed_nanos() == 0
    await emulator.advance(20)
    done = await client.responses.retrieve(started.id)
    assert done.output_text.startswith("The fog")
    assert done.usage is not None
    assert emulator.billed_nanos() == done.usage.input_tokens * 2_500 + done.usage.output_tokens * 10_000


async def test_a_canceled_response_bills_what_it_read(client: AsyncOpenAI, emulator: OpenAIEmulator) -> None:
    emulator.queue_s, emulator.run_s = 10, 20
    queued, running = [
        await client.responses.create(model="gpt-4o", input="fog", background=True) for _ in range(2)
    ]
    assert (await client.responses.cancel(queued.id)).status == "cancelled"
    await emulator.advance(15)
    assert (await client.responses.cancel(running.id)).status == "cancelled"
    assert emulator.billed_nanos() == 2_500


async def test_a_response_can_draw(client: AsyncOpenAI) -> None:
    done = await client.responses.create(model="gpt-4o", input="fog", tools=[{"type": "image_generation"}])
    call = done.output[0]
    assert call.type == "image_generation_call"
    assert decoded(call.result).size == (64, 64)


@pytest.mark.parametrize(
    ("given", "flagged"),
    [
        ("fog", [set()]),
        (["fog", "forbidden things"], [set(), {"violence"}]),
        ([{"type": "text", "text": "Graphic violence."}], [{"violence", "violence/graphic"}]),
        ([{"type": "image_url", "image_url": {"url": "https://x.org/explicit-content.png"}}], [{"sexual"}]),
    ],
)
async def test_moderation_says_what_is_wrong_and_bills_nothing(
    client: AsyncOpenAI, emulator: OpenAIEmulator, given: Any, flagged: list[set[str]]
) -> None:
    answer = await client.moderations.create(model="omni-moderation-latest", input=given)
    found = [result.categories.model_dump(by_alias=True) for result in answer.results]
    assert [{name for name, bad in each.items() if bad} for each in found] == flagged
    assert [result.flagged for result in answer.results] == [bool(each) for each in flagged]
    for result, each in zip(answer.results, flagged, strict=True):
        scores = result.category_scores.model_dump(by_alias=True)
        assert {name for name, score in scores.items() if score > 0.5} == each
    assert emulator.invoice() == []


@pytest.mark.parametrize("body", [{"input": []}, {"input": "fog", "model": "gpt-4o"}])
async def test_moderation_that_is_asked_wrongly(client: AsyncOpenAI, body: dict[str, Any]) -> None:
    with pytest.raises(openai.APIStatusError):
        await client.moderations.create(**body)


async def test_a_response_may_be_a_refusal(client: AsyncOpenAI, emulator: OpenAIEmulator) -> None:
    emulator.faults.add("respond", Effect.NSFW, message="I will not.")
    done = await client.responses.create(model="gpt-4o", input="fog")
    said = done.output[0]
    assert said.type == "message"
    assert [part.type for part in said.content] == ["refusal"]
    assert emulator.billed_nanos() > 0


async def test_models_are_listed(client: AsyncOpenAI, emulator: OpenAIEmulator) -> None:
    assert {model.id async for model in client.models.list()} == set(emulator.models)
    with pytest.raises(openai.NotFoundError):
        await client.models.retrieve("dall-e-3")


# Who else speaks it.


async def test_groq_has_its_own_path_and_models() -> None:
    async with groq() as emulator, AsyncOpenAI(api_key="gsk_x", base_url=emulator.base_url) as client:
        whole = await client.chat.completions.create(model="openai/gpt-oss-20b", messages=ASKED)
        assert whole.usage is not None
        assert emulator.requests[0].path == "/openai/v1/chat/completions"
        assert emulator.billed_nanos() == whole.usage.prompt_tokens * 75 + whole.usage.completion_tokens * 300


async def test_a_server_of_ones_own_asks_for_no_key_and_no_money() -> None:
    async with own_server() as emulator, AsyncOpenAI(api_key="none", base_url=emulator.base_url) as client:
        await client.chat.completions.create(model="qwen3:8b", messages=ASKED, max_tokens=5)
        assert emulator.billed_nanos() == 0


# What is wrong is said as OpenAI says it.


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"model": "dall-e-3"}, "model_not_found"),
        ({"extra_body": {"response_format": "b64_json"}}, "unknown_parameter"),
        ({"extra_body": {"style": "vivid"}}, "unknown_parameter"),
        ({"size": "1000x1000"}, "invalid_value"),
        ({"size": "3840x1024"}, "invalid_value"),
        ({"n": 11}, "invalid_value"),
        ({"prompt": "forbidden"}, "moderation_blocked"),
    ],
)
async def test_pictures_that_are_refused(
    client: AsyncOpenAI, emulator: OpenAIEmulator, given: dict[str, Any], code: str
) -> None:
    with pytest.raises(openai.APIStatusError) as caught:
        await client.images.generate(**{"model": FLARE, "prompt": "fog", **given})
    assert caught.value.code == code
    assert emulator.invoice() == []


@pytest.mark.parametrize(
    "given",
    [
        {"voice": "cedar"},
        {"input": "x" * 4097},
        {"speed": 5},
        {"stream_format": "sse"},
    ],
)
async def test_speech_that_is_refused(client: AsyncOpenAI, given: dict[str, Any]) -> None:
    with pytest.raises(openai.BadRequestError):
        await client.audio.speech.create(**{"model": "tts-1", "input": "hi", "voice": "nova", **given})


async def test_a_thinking_model_wants_the_new_field(client: AsyncOpenAI, emulator: OpenAIEmulator) -> None:
    with pytest.raises(openai.BadRequestError, match="max_completion_tokens"):
        await client.chat.completions.create(model="gpt-6-luna", messages=ASKED, max_tokens=5)
    whole = await client.chat.completions.create(model="gpt-6-luna", messages=ASKED)
    assert whole.usage is not None
    assert whole.usage.completion_tokens_details is not None
    assert whole.usage.completion_tokens_details.reasoning_tokens == 64


async def test_a_wrong_key(emulator: OpenAIEmulator) -> None:
    async with AsyncOpenAI(api_key="sk-else", base_url=emulator.base_url) as client:
        with pytest.raises(openai.AuthenticationError) as caught:
            await client.models.list()
    assert caught.value.code == "invalid_api_key"


# Faults.


@pytest.mark.parametrize(
    ("message", "kind"), [("insufficient_quota", "insufficient_quota"), (None, "requests")]
)
async def test_a_429_says_which_it_is(
    client: AsyncOpenAI, emulator: OpenAIEmulator, message: str | None, kind: str
) -> None:
    emulator.faults.add("generate", Effect.REFUSE, status=429, message=message, retry_after_s=3)
    with pytest.raises(openai.RateLimitError) as caught:
        await client.images.generate(model=FLARE, prompt="x")
    assert (caught.value.code, caught.value.type) == (message or "rate_limit_exceeded", kind)
    assert caught.value.response.headers["retry-after"] == "3"
    assert "try again in 3s" in str(caught.value)


@pytest.mark.parametrize(
    ("effect", "billed"), [(Effect.REFUSE, False), (Effect.REFUSE_AFTER, True), (Effect.RESET_AFTER, True)]
)
async def test_a_failure_may_come_before_or_after_the_work(
    client: AsyncOpenAI, emulator: OpenAIEmulator, effect: Effect, billed: bool
) -> None:
    emulator.faults.add("generate", effect)
    with pytest.raises(openai.APIError):
        await client.images.generate(model=FLARE, prompt="x")
    assert (emulator.billed_nanos() > 0) == billed


async def test_words_come_while_they_are_written(client: AsyncOpenAI, emulator: OpenAIEmulator) -> None:
    emulator.run_s = 0.3
    stream = await client.chat.completions.create(model="gpt-4o", messages=ASKED, stream=True)
    came = [asyncio.get_running_loop().time() async for _ in stream]
    assert came[-1] - came[0] > 0.05


@pytest.mark.parametrize("effect", [Effect.RESET_AFTER, Effect.MALFORMED_AFTER, Effect.FAIL])
async def test_a_stream_may_break_off(client: AsyncOpenAI, emulator: OpenAIEmulator, effect: Effect) -> None:
    emulator.faults.add("chat", effect)
    stream = await client.chat.completions.create(model="gpt-4o", messages=ASKED, stream=True)
    finished: list[str] = []
    broken: contextlib.AbstractContextManager[Any] = contextlib.nullcontext()
    if effect is not Effect.MALFORMED_AFTER:
        broken = pytest.raises((openai.APIError, httpx2.HTTPError))
    with broken:
        async for chunk in stream:
            finished += [choice.finish_reason for choice in chunk.choices if choice.finish_reason]
    assert not finished


# The specification.


@pytest.mark.skipif(not SPEC.exists(), reason="OpenAI's OpenAPI file is not at hand")
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/chat/completions", {"model": "gpt-4o", "messages": ASKED}),
        ("/moderations", {"input": "fog"}),
        ("/responses", {"model": "gpt-4o", "input": "fog"}),
    ],
)
async def test_answers_have_the_fields_that_the_spec_requires(
    client: AsyncOpenAI, path: str, body: dict[str, Any]
) -> None:
    spec = json.loads(SPEC.read_text())
    described = spec["paths"][path]["post"]["responses"]["200"]["content"]["application/json"]["schema"]
    answer: Any = await client.post(path, cast_to=object, body=body)
    required = _required(spec, described)
    assert required
    assert required <= answer.keys()


def _required(spec: dict[str, Any], schema: dict[str, Any]) -> set[str]:
    if "$ref" in schema:
        schema = spec["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    parts = schema.get("allOf", ())
    return set(schema.get("required", ())).union(*(_required(spec, part) for part in parts))
