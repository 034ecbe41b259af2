"""The real adapter, with the real SDK, against the emulated OpenAI, Groq and own server, and their faults."""

import asyncio
import io
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx2
import jsonschema
import openai
import orjson
import pytest
from aiohttp import web
from PIL import Image
from pydantic import SecretStr

from shared.catalog import ModelCard
from shared.executor import Executor
from shared.ids import new_id
from shared.kinds import KINDS
from shared.kinds.image import ImageParameters
from shared.pricing import cost_of
from shared.settings import Settings
from tests.emulators.base import Effect
from tests.emulators.media import picture, sound
from tests.emulators.openai import OpenAIEmulator, groq, own_server
from tests.emulators.openai_text import THOUGHTS
from workers.providers import compatible
from workers.providers.base import (
    Ended,
    Finished,
    InputFile,
    Lost,
    NotSent,
    Refused,
    Request,
    StoredFile,
    Unaskable,
    UnreadableAnswer,
)
from workers.providers.groq import adapter as groq_adapter
from workers.providers.groq.models import MODELS as GROQ_MODELS
from workers.providers.openai import adapter as adapter_module
from workers.providers.openai.adapter import OpenAIProvider
from workers.providers.openai.models import CARDS, IMAGE_MODELS, MODELS, SEED_PRICES
from workers.providers.openai.text import is_strict

SPEC = Path(__file__).parents[3].parent / "shared" / "specs" / "openai-openapi.json"
FLARE = "gpt-image-2.5-flare"
UNCLEAR = (openai.APIError, httpx2.HTTPError, json.JSONDecodeError, UnreadableAnswer)
"""What an adapter may raise that is neither a refusal nor a request that never left."""
GIVEN = {
    "image": {"prompt": "a lighthouse in fog"},
    "audio": {"text": "Good evening, everyone."},
    "text": {"prompt": "Tell me about the fog."},
}


class KeepingSink:
    """Keeps what is written, and how."""

    def __init__(self) -> None:
        self.files: dict[int, bytes] = {}
        self.chunks: dict[int, int] = {}
        self.deltas: list[tuple[int, str]] = []

    async def write(
        self, n: int, mime: str, chunks: AsyncIterator[bytes], *, text: str | None = None
    ) -> StoredFile:
        pieces = [chunk async for chunk in chunks]
        self.files[n], self.chunks[n] = b"".join(pieces), len(pieces)
        return StoredFile(f"{n}", mime, len(self.files[n]), "", text)

    async def progress(self, fraction: float, stage: str = "provider_running") -> None:
        raise AssertionError

    async def delta(self, offset: int, text: str) -> None:
        self.deltas.append((offset, text))


@pytest.fixture
async def emulator() -> AsyncIterator[OpenAIEmulator]:
    async with OpenAIEmulator(key="sk-ours") as running:
        yield running


@pytest.fixture
async def provider(emulator: OpenAIEmulator) -> AsyncIterator[OpenAIProvider]:
    provider = OpenAIProvider("sk-ours", emulator.base_url, allow_private_urls=True)
    yield provider
    await provider.close()


@pytest.fixture
def sink() -> KeepingSink:
    return KeepingSink()


def a_request(model: str, files: dict[str, InputFile] | None = None, **given: Any) -> Request:
    known = {**MODELS, **GROQ_MODELS}
    kind = known[model].card.kind if model in known else "text"
    parameters = KINDS[kind].parameters.model_validate({**GIVEN[kind], **given})
    return Request(new_id(), new_id(), new_id(), kind, model, parameters.model_dump(), files or {}, 120.0)


async def made(provider: OpenAIProvider, request: Request, sink: KeepingSink) -> Finished:
    answer = await provider.submit(request, sink)
    assert isinstance(answer, Finished)
    return answer


def cost(card: ModelCard, answer: Finished | Ended) -> int | None:
    price = card.price.as_json() if card.price else None
    return cost_of(price, answer.usage.units, answer.usage.cost_nanos)


def sent(emulator: OpenAIEmulator) -> Any:
    return emulator.requests[-1].json


# What goes right.


@pytest.mark.parametrize("model", list(MODELS))
async def test_every_model_answers_and_costs_what_openai_bills(
    emulator: OpenAIEmulator, provider: OpenAIProvider, sink: KeepingSink, model: str
) -> None:
    answer = await made(provider, a_request(model), sink)
    assert sink.files[0]
    assert cost(MODELS[model].card, answer) == emulator.billed_nanos() > 0
    assert len(emulator.requests) == 1


@pytest.mark.parametrize(
    ("given", "size", "output_format"),
    [
        ({}, "1024x1024", "png"),
        ({"size": "1792x1024", "style": "vivid"}, "1792x1024", "png"),
        ({"size": "1000x700", "format": "webp", "count": 3}, "992x704", "webp"),
        ({"aspect_ratio": "9:16", "format": "jpeg", "style": "natural"}, "768x1360", "jpeg"),
    ],
)
async def test_pictures_as_they_are_asked_for(
    emulator: OpenAIEmulator, provider: OpenAIProvider, sink: KeepingSink,
    given: dict[str, Any], size: str, output_format: str,
) -> None:  # fmt: skip
    assert MODELS[FLARE].card.refusal(given) is None
    answer = await made(provider, a_request(FLARE, **given), sink)
    body = sent(emulator)
    assert (body["size"], body["output_format"], body["quality"]) == (size, output_format, "medium")
    assert len(answer.outputs) == given.get("count", 1)
    assert {output.mime for output in answer.outputs} == {f"image/{output_format}"}
    assert sink.chunks[0] > 1 or len(sink.files[0]) < 200_000
    assert cost(MODELS[FLARE].card, answer) == emulator.billed_nanos()


@pytest.mark.parametrize(
    ("asked", "sent_as"),
    [("low", "low"), ("auto", "auto"), ("max", "max"), ("standard", "medium"), ("hd", "high")],
)
async def test_a_quality_sets_what_is_sent_and_billed(
    emulator: OpenAIEmulator, provider: OpenAIProvider, sink: KeepingSink, asked: str, sent_as: str
) -> None:
    card = MODELS[FLARE].card
    assert card.refusal({"prompt": "x", "quality": asked}) is None
    answer = await made(provider, a_request(FLARE, quality=asked), sink)
    assert sent(emulator)["quality"] == sent_as
    billed, estimate = emulator.billed_nanos(), card.estimate(ImageParameters(prompt="x", quality=asked))  # type: ignore[arg-type]  # one of them
    assert cost(card, answer) == billed
    # The estimate knows all but the length of the prompt; what `auto` will choose it puts high.
    assert estimate is not None
    assert abs(estimate - billed) < 300_000 or asked == "auto"
    assert estimate + 300_000 > billed


def test_a_quality_that_a_model_does_not_have() -> None:
    refused = MODELS["gpt-image-2.6-flare"].card.refusal({"quality": "max"})
    assert refused is not None
    assert refused[0] == "quality"


async def test_a_style_is_said_in_words(
    emulator: OpenAIEmulator, provider: OpenAIProvider, sink: KeepingSink
) -> None:
    await provider.submit(a_request(FLARE, style="vivid"), sink)
    assert sent(emulator)["prompt"].startswith("a lighthouse in fog, hyper-real")
    assert "style" not in sent(emulator)


@pytest.fixture
async def a_file() -> AsyncIterator[Callable[[int], str]]:
    """URLs of a picture that are answered with the given status; 202 is one to see through, 203 a JPEG."""
    mask = io.BytesIO()
    Image.new("RGBA", (64, 64)).save(mask, "PNG")

    async def serve(request: web.Request) -> web.Response:
        status = int(request.match_info["status"])
        if status == 202:
            return web.Response(body=mask.getvalue(), content_type="image/png")
        if status == 203:
            return web.Response(body=picture("jpg", 64, 64), content_type="image/jpeg")
        return web.Response(status=status, body=picture("png", 64, 64), content_type="image/png")

    app = web.Application()
    app.add_routes([web.get("/{status}", serve)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield lambda status: f"http://127.0.0.1:{runner.addresses[0][1]}/{status}"
    await runner.cleanup()


async def test_a_picture_to_start_from_makes_it_an_edit(
    emulator: OpenAIEmulator, provider: OpenAIProvider, sink: KeepingSink, a_file: Callable[[int], str]
) -> None:
    files = {"image": InputFile(a_file(200), "image/png", 100)}
    given = {"image": "https://example.org/a.png", "count": 2, "quality": "high"}
    answer = await made(provider, a_request(FLARE, files, **given), sink)
    assert emulator.seen("edit")
    edited = emulator.edited[0]
    assert (edited["model"], edited["quality"], edited["files"]) == (FLARE, "high", ["image"])
    assert answer.usage.units["image_input_token"] == 774
    assert cost(MODELS[FLARE].card, answer) == emulator.billed_nanos()


EDIT = {"image": "https://example.org/a.png", "mask": "https://example.org/m.png"}


async def test_an_edit_may_have_more_pictures_and_a_mask(
    emulator: OpenAIEmulator, provider: OpenAIProvider, sink: KeepingSink, a_file: Callable[[int], str]
) -> None:
    picture_file, mask = InputFile(a_file(200), "image/png", 100), InputFile(a_file(202), "image/png", 100)
    files = {"image": picture_file, "images.0": picture_file, "images.1": picture_file, "mask": mask}
    request = a_request(FLARE, files, **EDIT, images=["https://example.org/b.png"] * 2)
    answer = await made(provider, request, sink)
    assert sorted(emulator.edited[0]["files"]) == ["image[]", "image[]", "image[]", "mask"]
    assert answer.usage.units["image_input_token"] == 3 * 774
    assert cost(MODELS[FLARE].card, answer) == emulator.billed_nanos()


async def test_a_mask_that_is_no_png_costs_nothing(
    emulator: OpenAIEmulator, provider: OpenAIProvider, sink: KeepingSink, a_file: Callable[[int], str]
) -> None:
    files = {
        "image": InputFile(a_file(200), "image/png", 100),
        "mask": InputFile(a_file(203), "image/jpeg", 1),
    }
    with pytest.raises(Refused) as caught:
        await provider.submit(a_request(FLARE, files, **EDIT), sink)
    assert caught.value.error.details == {"field": "input.mask"}
    assert len(emulator.requests) == 0


@pytest.mark.parametrize(("status", "raised"), [(404, Refused), (500, NotSent)])
async def test_an_input_that_cannot_be_read_costs_nothing(
    emulator: OpenAIEmulator, provider: OpenAIProvider, sink: KeepingSink,
    a_file: Callable[[int], str], status: int, raised: type[Exception],
) -> None:  # fmt: skip
    with pytest.raises(raised):
        await provider.submit(a_request(FLARE, {"image": InputFile(a_file(status))}), sink)
    assert len(emulator.requests) == 0


async def test_an_input_at_a_private_address_is_not_fetched(
    emulator: OpenAIEmulator, sink: KeepingSink, a_file: Callable[[int], str]
) -> None:
    provider = OpenAIProvider("sk-ours", emulator.base_url)
    with pytest.raises(Refused):
        await provider.submit(a_request(FLARE, {"image": InputFile(a_file(200))}), sink)
    await provider.close()


@pytest.mark.parametrize("model", ["tts-1", "gpt-4o-mini-tts"])
@pytest.mark.parametrize(
    ("output_format", "mime", "begins"),
    [
        ("mp3", "audio/mpeg", (b"ID3", b"\xff")),
        ("wav", "audio/wav", (b"RIFF",)),
        ("ogg", "audio/ogg", (b"OggS",)),
    ],
)
async def test_speech_is_stored_as_it_comes(
    emulator: OpenAIEmulator, provider: OpenAIProvider, sink: KeepingSink,
    model: str, output_format: str, mime: str, begins: tuple[bytes, ...],
) -> None:  # fmt: skip
    request = a_request(model, format=output_format, voice="shimmer", speed=1.5)
    answer = await made(provider, request, sink)
    assert [output.mime for output in answer.outputs] == [mime]
    assert sink.files[0].startswith(begins)
    assert (sent(emulator)["voice"], sent(emulator)["speed"]) == ("shimmer", 1.5)
    assert cost(MODELS[model].card, answer) == emulator.billed_nanos()


async def test_text_is_shown_as_it_is_written(
    emulator: OpenAIEmulator, provider: OpenAIProvider, sink: KeepingSink
) -> None:
    answer = await made(provider, a_request("gpt-4o", system="Be brief.", temperature=0.3, seed=7), sink)
    stored = answer.outputs[0]
    assert isinstance(stored, StoredFile)
    assert stored.text == sink.files[0].decode() == "".join(text for _, text in sink.deltas)
    assert [offset for offset, _ in sink.deltas[:2]] == [0, len(sink.deltas[0][1])]
    body = sent(emulator)
    assert body["messages"][0] == {"role": "system", "content": "Be brief."}
    assert (body["temperature"], body["seed"], body["max_completion_tokens"]) == (0.3, 7, 1024)


SCHEMA = {"type": "object", "properties": {"sr": {"type": "integer"}}}
STRICT = {**SCHEMA, "required": ["sr"], "additionalProperties": False}


@pytest.mark.parametrize(("schema", "strict"), [(SCHEMA, False), (STRICT, True)])
async def test_json_that_fits_a_schema(
    emulator: OpenAIEmulator,
    provider: OpenAIProvider,
    sink: KeepingSink,
    schema: dict[str, Any],
    strict: bool,
) -> None:
    answer = await made(provider, a_request("gpt-6-luna", json_schema=schema), sink)
    assert answer.outputs[0].mime == "application/json"
    assert orjson.loads(sink.files[0]) == {"sr": 7}
    assert sent(emulator)["response_format"]["json_schema"]["strict"] is is_strict(schema) is strict


@pytest.mark.parametrize("message", ["I cannot help with that.", None])
async def test_a_model_that_will_not_answer_is_paid_for_what_it_read(
    emulator: OpenAIEmulator, provider: OpenAIProvider, sink: KeepingSink, message: str | None
) -> None:
    emulator.faults.add("chat", Effect.NSFW, message=message)
    answer = await provider.submit(a_request("gpt-4o"), sink)
    assert isinstance(answer, Ended)
    assert (answer.error.code, answer.curable) == ("CONTENT_BLOCKED", False)
    assert answer.error.message == (message or "The model would not answer")
    assert cost(MODELS["gpt-4o"].card, answer) == emulator.billed_nanos() > 0
    assert sink.files == {}


async def test_json_that_was_cut_short_is_billed_and_not_delivered(
    emulator: OpenAIEmulator, provider: OpenAIProvider, sink: KeepingSink
) -> None:
    schema = {"type": "object", "properties": {"text": {"enum": ["two words"]}}}
    answer = await provider.submit(a_request("gpt-4o", json_schema=schema, max_tokens=1), sink)
    assert isinstance(answer, Ended)
    assert (answer.error.code, answer.curable) == ("PROVIDER_FAILED", False)
    assert "cut off" in answer.error.message
    assert cost(MODELS["gpt-4o"].card, answer) == emulator.billed_nanos() > 0
    assert sink.files == {}


async def test_thoughts_that_leave_no_room_for_a_text(sink: KeepingSink) -> None:
    async with groq() as emulator:
        provider = OpenAIProvider("gsk_ours", emulator.base_url, GROQ_MODELS)
        answer = await provider.submit(a_request("gpt-oss-20b", max_tokens=THOUGHTS), sink)
        await provider.close()
        assert isinstance(answer, Ended)
        assert (answer.error.code, answer.curable) == ("PROVIDER_FAILED", False)
        assert cost(GROQ_MODELS["gpt-oss-20b"].card, answer) == emulator.billed_nanos() > 0


async def test_a_thinking_model_is_told_not_to(
    emulator: OpenAIEmulator, provider: OpenAIProvider, sink: KeepingSink
) -> None:
    await provider.submit(a_request("gpt-6-luna", temperature=0.2), sink)
    assert emulator.invoice()[0].input["out"] == len(sink.deltas)


@pytest.mark.parametrize("model", ["gpt-4o", "gpt-6-luna"])
async def test_what_a_cache_spares_is_not_charged(
    emulator: OpenAIEmulator, provider: OpenAIProvider, sink: KeepingSink, model: str
) -> None:
    emulator.cached = 3
    emulator.cache_write = 2 if model == "gpt-6-luna" else 0
    answer = await made(provider, a_request(model), sink)
    assert answer.usage.units["cached_input_token"] == 3
    assert cost(MODELS[model].card, answer) == emulator.billed_nanos()


@pytest.mark.skipif(not SPEC.exists(), reason="OpenAI's OpenAPI file is not at hand")
@pytest.mark.parametrize(
    ("model", "schema", "given"),
    [
        ("gpt-4o", "CreateChatCompletionRequest", {"system": "x", "seed": 1, "json_schema": STRICT}),
        ("gpt-6-luna", "CreateChatCompletionRequest", {"temperature": 0.5}),
        ("tts-1", "CreateSpeechRequest", {"speed": 2.0, "format": "ogg"}),
        ("gpt-4o-mini-tts", "CreateSpeechRequest", {"voice": "cedar"}),
        (FLARE, "CreateImageRequest", {"count": 2, "format": "webp"}),
    ],
)
async def test_requests_are_as_the_spec_has_them(
    emulator: OpenAIEmulator, provider: OpenAIProvider, sink: KeepingSink,
    model: str, schema: str, given: dict[str, Any],
) -> None:  # fmt: skip
    await provider.submit(a_request(model, **given), sink)
    spec = orjson.loads(SPEC.read_bytes())
    named = {"$ref": f"#/components/schemas/{schema}", "components": spec["components"]}
    errors = list(jsonschema.Draft202012Validator(named).iter_errors(sent(emulator)))
    assert [error.message for error in errors] == []


# Refused: nothing is billed.


@pytest.mark.parametrize(
    ("status", "message", "code", "curable"),
    [
        (400, "moderation_blocked", "CONTENT_BLOCKED", False),
        (400, "content_policy_violation", "CONTENT_BLOCKED", False),
        (400, "no such thing", "PROVIDER_REJECTED", False),
        (400, "billing_hard_limit_reached", "PROVIDER_AUTH", True),
        (401, None, "PROVIDER_AUTH", True),
        (403, None, "PROVIDER_AUTH", True),
        (404, "model_not_found", "PROVIDER_REJECTED", True),
        (422, None, "PROVIDER_REJECTED", False),
        (429, "insufficient_quota", "PROVIDER_AUTH", True),
        (429, None, "PROVIDER_RATE_LIMITED", True),
    ],
)
@pytest.mark.parametrize("model", [FLARE, "tts-1", "gpt-4o-mini-tts", "gpt-4o"])
async def test_refusals(
    emulator: OpenAIEmulator, provider: OpenAIProvider, sink: KeepingSink,
    model: str, status: int, message: str | None, code: str, curable: bool,
) -> None:  # fmt: skip
    emulator.faults.add("*", Effect.REFUSE, status=status, message=message)
    with pytest.raises(Refused) as caught:
        await provider.submit(a_request(model), sink)
    assert (caught.value.error.code, caught.value.curable) == (code, curable)
    assert (caught.value.retry_after_s is None) == (code != "PROVIDER_RATE_LIMITED")
    assert (len(emulator.requests), emulator.invoice()) == (1, [])


async def test_our_key_is_not_quoted_to_anybody(
    emulator: OpenAIEmulator, provider: OpenAIProvider, sink: KeepingSink
) -> None:
    emulator.faults.add("*", Effect.REFUSE, status=401, message="Incorrect API key provided: sk-o**urs.")
    with pytest.raises(Refused) as caught:
        await provider.submit(a_request("gpt-4o"), sink)
    assert "sk-" not in caught.value.error.message


@pytest.mark.parametrize("where", ["header", "body"])
async def test_a_limit_says_for_how_long(
    emulator: OpenAIEmulator, provider: OpenAIProvider, sink: KeepingSink, where: str
) -> None:
    emulator.faults.add("*", Effect.REFUSE, status=429, retry_after_s=17, retry_after_in=where)
    with pytest.raises(Refused) as caught:
        await provider.submit(a_request("gpt-4o"), sink)
    assert caught.value.retry_after_s == 17


@pytest.mark.parametrize("size", ["4096x1024", "3840x3840", "2000x500"])
async def test_a_size_that_it_does_not_draw(
    emulator: OpenAIEmulator, provider: OpenAIProvider, sink: KeepingSink, size: str
) -> None:
    with pytest.raises(Refused) as caught:
        await provider.submit(a_request(FLARE, size=size), sink)
    assert caught.value.error.details == {"field": "input.size"}
    assert len(emulator.requests) == 0


async def test_nobody_listens(sink: KeepingSink) -> None:
    provider = OpenAIProvider("sk-ours", "http://127.0.0.1:1/v1")
    with pytest.raises(NotSent):
        await provider.submit(a_request("gpt-4o"), sink)
    await provider.close()


# Unknown: it may have been worked on, and the SDK does not try again.


@pytest.mark.parametrize("model", [FLARE, "gpt-4o-mini-tts", "gpt-4o"])
@pytest.mark.parametrize(
    ("effect", "billed"),
    [
        (Effect.REFUSE, False),
        (Effect.RESET, False),
        (Effect.REFUSE_AFTER, True),
        (Effect.RESET_AFTER, True),
        (Effect.MALFORMED_AFTER, True),
    ],
)
async def test_no_clear_answer(
    emulator: OpenAIEmulator,
    provider: OpenAIProvider,
    sink: KeepingSink,
    model: str,
    effect: Effect,
    billed: bool,
) -> None:
    emulator.faults.add("*", effect)
    with pytest.raises(UNCLEAR):
        await provider.submit(a_request(model), sink)
    assert (len(emulator.requests), emulator.billed_nanos() > 0) == (1, billed)
    assert sink.files == {}


async def test_speech_that_is_cut_off_is_not_kept(
    emulator: OpenAIEmulator, provider: OpenAIProvider, sink: KeepingSink
) -> None:
    emulator.faults.add("speech", Effect.RESET_AFTER)
    with pytest.raises(UNCLEAR):
        await provider.submit(a_request("tts-1"), sink)
    assert sink.files == {}


async def test_an_error_in_the_middle_of_a_text(
    emulator: OpenAIEmulator, provider: OpenAIProvider, sink: KeepingSink
) -> None:
    emulator.faults.add("chat", Effect.FAIL, message="The model crashed.")
    with pytest.raises(openai.APIError, match="The model crashed"):
        await provider.submit(a_request("gpt-4o"), sink)


@pytest.mark.parametrize("model", [FLARE, "tts-1", "gpt-4o"])
async def test_an_answer_that_never_comes(
    emulator: OpenAIEmulator,
    provider: OpenAIProvider,
    sink: KeepingSink,
    monkeypatch: pytest.MonkeyPatch,
    model: str,
) -> None:
    monkeypatch.setattr(adapter_module, "CALL_TIMEOUT_S", 0.5)
    emulator.faults.add("*", Effect.LOST_AFTER)
    with pytest.raises(TimeoutError):
        await provider.submit(a_request(model), sink)
    assert len(emulator.requests) == 1


async def test_a_canceled_caller_has_paid_all_the_same(
    emulator: OpenAIEmulator, provider: OpenAIProvider, sink: KeepingSink
) -> None:
    emulator.faults.add("generate", Effect.LOST_AFTER)
    task = asyncio.create_task(provider.submit(a_request(FLARE), sink))
    while not emulator.invoice():
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert emulator.billed_nanos() > 0


async def test_it_cannot_be_asked_what_became_of_a_call(provider: OpenAIProvider) -> None:
    assert await provider.find(Lost(a_request(FLARE), datetime.now(UTC))) == Unaskable()


# Who else speaks it.


@pytest.mark.parametrize("model", list(GROQ_MODELS))
async def test_groq_answers_and_costs_what_it_bills(
    settings: Settings, sink: KeepingSink, model: str
) -> None:
    async with groq(key="gsk_ours") as emulator:
        named = {"groq_api_key": SecretStr("gsk_ours"), "groq_base_url": emulator.url}
        provider = groq_adapter.create(settings.model_copy(update=named), Executor())
        emulator.cached = 2 if "oss" in model else 0
        answer = await made(provider, a_request(model), sink)
        await provider.close()
        assert cost(GROQ_MODELS[model].card, answer) == emulator.billed_nanos() > 0
    assert (provider.name, answer.outputs[0].mime) == (
        ("groq", "audio/wav") if "orpheus" in model else ("groq", "text/plain")
    )


async def test_groq_speaks_wav_and_says_so(sink: KeepingSink) -> None:
    card = GROQ_MODELS["orpheus-v1-english"].card
    assert card.schema["properties"]["format"]["enum"] == ["wav"]
    assert card.fitted({"text": "Hi", "format": "mp3"})["format"] == "wav"
    assert card.refusal({"text": "Hi", "format": "ogg"}) is not None
    async with groq() as emulator:
        provider = OpenAIProvider("gsk_ours", emulator.base_url, GROQ_MODELS)
        # The kind's default of MP3, from somebody who said nothing.
        answer = await made(provider, a_request("orpheus-v1-english", format="mp3"), sink)
        await provider.close()
    assert answer.outputs[0].mime == "audio/wav"
    assert sink.files[0].startswith(b"RIFF")


def test_groqs_retired_models_stand_for_their_successors() -> None:
    found = {
        name: card.model for card in (model.card for model in GROQ_MODELS.values()) for name in card.replaces
    }
    assert found == {"llama-3.3-70b-versatile": "gpt-oss-120b", "llama-3.1-8b-instant": "gpt-oss-20b"}


@pytest.mark.parametrize(("said", "mime"), [("audio/x-wav", "audio/wav"), ("text/plain", "audio/mpeg")])
async def test_speech_is_of_the_type_that_the_answer_names(sink: KeepingSink, said: str, mime: str) -> None:
    """A server of one's own that makes what it can, whatever was asked for."""

    async def speak(_: web.Request) -> web.Response:
        return web.Response(body=sound("wav"), content_type=said)

    app = web.Application()
    app.add_routes([web.post("/v1/audio/speech", speak)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    provider = OpenAIProvider("none", f"http://127.0.0.1:{runner.addresses[0][1]}/v1")
    answer = await made(provider, a_request("tts-1"), sink)
    await provider.close()
    await runner.cleanup()
    assert answer.outputs[0].mime == mime


def of_ones_own(settings: Settings, emulator: OpenAIEmulator, **changes: Any) -> OpenAIProvider:
    named = {
        "compatible_base_url": emulator.base_url,
        "compatible_text_model": "qwen3:8b",
        "compatible_image_model": "sdxl-local",
        "compatible_audio_model": "kokoro",
    }
    return compatible.create(settings.model_copy(update=named | changes), Executor())


@pytest.mark.parametrize(("free", "price"), [(True, 0), (False, None)])
@pytest.mark.parametrize(
    ("kind", "model"), [("text", "qwen3:8b"), ("image", "sdxl-local"), ("audio", "kokoro")]
)
async def test_a_server_of_ones_own(
    settings: Settings, sink: KeepingSink, kind: str, model: str, free: bool, price: int | None
) -> None:
    async with own_server() as emulator:
        provider = of_ones_own(settings, emulator, compatible_is_free=free)
        card = next(card for card in provider.cards if card.kind == kind)
        parameters = KINDS[kind].parameters.model_validate(GIVEN[kind])
        request = Request(new_id(), new_id(), new_id(), kind, model, parameters.model_dump(), {}, 120.0)
        answer = await made(provider, request, sink)
        await provider.close()
    assert sink.files[0]
    assert (card.id, cost(card, answer)) == (f"compatible/{model}", price)
    assert card.on_unknown == ("retry" if free else "fail")


async def test_a_server_that_does_not_count_has_no_bill(sink: KeepingSink) -> None:
    async with OpenAIEmulator(counts_streams=False) as emulator:
        provider = OpenAIProvider("sk-any", emulator.base_url)
        answer = await made(provider, a_request("gpt-4o"), sink)
        await provider.close()
    assert cost(MODELS["gpt-4o"].card, answer) is None


async def test_only_the_kinds_that_are_named_are_offered(settings: Settings) -> None:
    async with own_server() as emulator:
        provider = of_ones_own(settings, emulator, compatible_image_model=None, compatible_audio_model=None)
    assert [card.kind for card in provider.cards] == ["text"]


# What the cards say.


def test_without_keys_the_cards_are_listed_and_no_sdk_is_imported() -> None:
    code = (
        "import sys; from shared.settings import Settings; from shared.executor import Executor; "
        "from workers.providers import registry; "
        "loaded = registry.load(Settings(_env_file=None, OPENAI_API_KEY=''), Executor()); "
        "print('openai' in sys.modules, len(loaded['openai'].cards), loaded['openai'].unavailable_reason, "
        "loaded['groq'].unavailable_reason, loaded['compatible'].unavailable_reason)"
    )
    root, around = Path(__file__).parents[3], {"PATH": os.environ["PATH"]}
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=root, env=around, capture_output=True, text=True, check=True
    )
    assert ran.stdout.split("\n")[-2] == (
        f"False {len(CARDS)} OPENAI_API_KEY is not set GROQ_API_KEY is not set COMPATIBLE_BASE_URL is not set"
    )


def test_the_seeds_prices_are_kept() -> None:
    assert {name: dict(price.units) for name, price in SEED_PRICES.items()} == {
        "gpt-4o": {"input_token": 2_500, "output_token": 10_000},
        "dall-e-3/1024x1024": {"image": 200_000_000},
        "dall-e-3/1792x1024": {"image": 250_000_000},
        "dall-e-3/1024x1792": {"image": 250_000_000},
    }
    assert {price.source for price in SEED_PRICES.values()} == {"seed-003"}
    live = MODELS["gpt-4o"].card.price
    assert live is not None
    assert live.units.items() >= SEED_PRICES["gpt-4o"].units.items()


@pytest.mark.parametrize("size", ["1024x1024", "1792x1024", "1024x1792"])
@pytest.mark.parametrize(("style", "quality"), [("vivid", "hd"), ("natural", "standard")])
def test_the_successor_of_dall_e_3_keeps_its_sizes_styles_and_qualities(
    size: str, style: str, quality: str
) -> None:
    card = MODELS[FLARE].card
    assert "dall-e-3" in card.aliases
    assert card.replaces == {"dall-e-3": date(2026, 5, 12)}
    given = {"prompt": "x", "size": size, "style": style, "quality": quality}
    assert card.refusal(given) is None


def test_the_seeds_voices_are_there() -> None:
    for model in ("gpt-4o-mini-tts", "tts-1", "tts-1-hd"):
        card = MODELS[model].card
        assert {"alloy", "echo", "fable", "onyx", "nova", "shimmer"} <= set(card.limits["voice"]["enum"])
        assert card.shutdown_on == date(2027, 1, 6)


@pytest.mark.parametrize("model", [model.card.model for model in IMAGE_MODELS])
def test_an_estimate_grows_with_the_pictures(model: str) -> None:
    card = MODELS[model].card
    one, four = (
        card.estimate(ImageParameters(prompt="x", size="2048x1024", count=count)) for count in (1, 4)
    )
    assert one == 2 * (439 * 30_000 + 60 * 5_000)
    assert four == 4 * one
