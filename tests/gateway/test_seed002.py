"""The contract of the Creative Studio (seed 002): its functions, their shapes, its table, index and policies."""

import asyncio
import base64
import io
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

import orjson
import pytest

from gateway.errors import PLAIN
from shared.catalog import publish
from shared.errors import JobError
from shared.settings import Settings
from tests.emulators.media import sound
from tests.gateway.api import Api, Response, open_gateway, picture
from tests.pipeline import Pipeline, ScriptedProvider, card
from workers.providers.base import Finished, Refused, Request, Sink, Usage

PREFIXES = ("/netlify/functions", "/.netlify/functions", "/api")
IMAGE, AUDIO, MUSIC, UPSCALE = (f"/api/creative-{name}" for name in ("image", "audio", "music", "upscale"))
HISTORY = "/api/creative/history"
ASKED: Mapping[str, dict[str, Any]] = {
    IMAGE: {"prompt": "a lighthouse in fog", "model": "flux-2", "style": "realistic", "dimensions": "1024x768",
            "steps": 20, "guidance": 7.5, "quantity": 1, "negativePrompt": "people"},
    AUDIO: {"text": "The fog lifts.", "engine": "coqui", "voice": "alloy", "language": "en", "speed": 1.0},
    MUSIC: {"prompt": "waves", "genre": "lo-fi", "duration": 30, "tempo": 120, "mood": "calm"},
    UPSCALE: {"imageUrl": "https://example.com/a.png", "scale": 4, "faceRestore": False},
}  # fmt: skip
"""What the observed page sends (UCAS-013, 015, 018, 020)."""
FLAT = {
    IMAGE: {"success", "url", "thumbnail", "images", "metadata"},
    AUDIO: {"success", "url", "duration", "metadata"},
    MUSIC: {"success", "url", "duration", "metadata"},
    UPSCALE: {"success", "url", "thumbnail", "originalSize", "newSize", "metadata"},
}


class Studio(ScriptedProvider):
    """Has the seed's products, of which flux-2 makes one picture at a time, and knows neither steps nor guidance."""

    submit_timeout_s: ClassVar[float] = 60.0

    def __init__(self) -> None:
        pictures = card().accepts - {"steps", "guidance", "negative_prompt"}
        one, longest = {"count": {"maximum": 1}}, {"duration_s": {"maximum": 30}}
        speech = card(kind="audio").accepts - {"voice", "speed"}
        cards = [
            card(model="flux", aliases=("flux-2",), accepts=pictures, limits=one),
            card(model="xl", aliases=("stable-diffusion",)),
            card(kind="audio", aliases=("coqui",), accepts=speech),
            card(kind="music", aliases=("musicgen",), limits=longest),
            card(kind="upscale", model="larger", aliases=("real-esrgan",)),
            card(kind="upscale", model="faces", aliases=("gfpgan",)),
        ]
        super().__init__(self._make, cards)
        self.fails = False
        self.fails_after = 1_000

    async def _make(self, request: Request, sink: Sink) -> Finished:
        if self.fails or len(self.requests) > self.fails_after:
            raise Refused(JobError("PROVIDER_REJECTED", "It does not like fog."), curable=False)
        media = request.kind in ("audio", "music")
        mime, data = ("audio/mpeg", sound("mp3", 1.0)) if media else ("image/png", picture())
        count = request.input.get("count", 1)
        made = [await sink.write(n, mime, _once(data)) for n in range(count)]
        return Finished(tuple(made), Usage({"run": Decimal(1)}))


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data


@pytest.fixture
async def studio(api: Api, pipeline: Pipeline) -> AsyncIterator[Studio]:
    """A worker that has the products of the seed; nobody else is there."""
    provider = Studio()
    await api.gateway.worker.execute("DELETE FROM model_cards")
    async with pipeline.engine(provider, kinds=("image", "audio", "music", "upscale")):
        api.gateway.deps.catalog.forget()
        yield provider
    api.gateway.deps.catalog.forget()


async def test_a_function_answers_with_what_it_made(api: Api, nobody: Api, studio: Studio) -> None:
    """UCAS-013, 015, 018, 029; C-06, C-16."""
    for path, prefix in [(path, "/api") for path in (AUDIO, MUSIC)] + [
        (IMAGE, prefix) for prefix in PREFIXES
    ]:
        answer = await api.post(path.replace("/api", prefix), ASKED[path])
        assert (answer.status, set(answer.json)) == (200, FLAT[path]), answer.content
        assert answer.json["success"] is True
        shown = await nobody.get(_here(api, answer.json["url"]))
        mime = answer.json["metadata"]["mime"]
        assert (shown.status, shown.headers["Content-Type"]) == (200, mime), "a page shows it as it is"
        assert answer.headers["Location"].endswith(answer.json["metadata"]["generationId"])


async def test_what_was_made_is_enlarged_by_its_address(api: Api, studio: Studio, other: Api) -> None:
    """UCAS-020, 021: from where the page has it, and by the core's address; C-20 in the history."""
    made = (await api.post(IMAGE, ASKED[IMAGE])).json
    for url in (made["url"], f"/api/v1/generations/{made['metadata']['generationId']}/outputs/0"):
        answer = await api.post(UPSCALE, {"imageUrl": url, "scale": "2", "faceRestore": url == made["url"]})
        assert (answer.status, set(answer.json)) == (200, FLAT[UPSCALE]), answer.content
        assert answer.json["originalSize"] == answer.json["newSize"] == {"width": 32, "height": 32}
    assert {request.model for request in studio.requests if request.kind == "upscale"} == {"larger", "faces"}
    assert [one["metadata"].get("operation") for one in await _history(api)] == ["upscale", "upscale", None]
    refused = await other.post(UPSCALE, {"imageUrl": made["url"]})
    assert refused.problem == (422, "INVALID_INPUT", "imageUrl")


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9/a.png",
        "https://127.0.0.1/a.png",
        "no url",
        "data:image/png;base64,!",
        "data:image/png;base64,ý",
    ],
)
async def test_no_other_address_is_read(api: Api, url: str) -> None:
    """UCAS-022."""
    assert (await api.post(UPSCALE, {"imageUrl": url})).problem == (422, "INVALID_INPUT", "imageUrl")


async def test_a_picture_may_come_inside_the_request(api: Api, studio: Studio) -> None:
    inline = f"data:image/png;base64,{base64.b64encode(picture(48)).decode()}"
    answer = await api.post(UPSCALE, {"imageUrl": inline})
    assert answer.json["originalSize"] == {"width": 48, "height": 48}


@pytest.mark.parametrize(("model", "runs"), [("flux-2", 4), ("stable-diffusion", 1), ("none such", 4)])
async def test_a_quantity_is_made_by_as_many_runs_as_it_needs(
    api: Api, studio: Studio, model: str, runs: int
) -> None:
    """UCAS-005, 014: unknown models are flux-2."""
    answer = await api.post(IMAGE, {"prompt": "x", "model": model, "quantity": 4})
    pictures = answer.json["images"]
    assert len({one["url"] for one in pictures}) == 4
    assert pictures[0] == {name: answer.json[name] for name in ("url", "thumbnail")}
    assert len(studio.requests) == runs
    assert len(await _history(api)) == 4


async def test_a_quota_that_stops_some_of_a_quantity_is_told(api: Api, studio: Studio) -> None:
    operator = await api.gateway.account()
    await operator.call("PUT", f"/api/v1/accounts/{api.account_id}/plan", {"plan": "free"})
    answer = await api.post(IMAGE, {"prompt": "x", "model": "flux-2", "quantity": 3})
    assert (answer.status, len(answer.json["images"])) == (200, 1)
    assert _incomplete(answer) == ("quantity", 3, 1, "QUOTA_EXCEEDED")
    refused = await api.post(IMAGE, {"prompt": "y", "model": "flux-2", "quantity": 3})
    assert refused.problem[:2] == (429, "QUOTA_EXCEEDED")


async def test_a_quota_that_stops_some_is_told_before_the_rest_is_made(api: Api) -> None:
    await publish(api.gateway.worker, Studio().cards)
    api.gateway.deps.catalog.forget()
    operator = await api.gateway.account()
    await operator.call("PUT", f"/api/v1/accounts/{api.account_id}/plan", {"plan": "free"})
    asked, now = {"prompt": "x", "model": "flux-2", "quantity": 3}, {"Prefer": "wait=0"}
    answer = await api.post(IMAGE, asked, headers=now)
    assert (answer.status, len(answer.json["generationIds"])) == (202, 1)
    (told,) = answer.json["warnings"]
    assert (told["code"], told["requested"], told["made"]) == ("QUANTITY_INCOMPLETE", 3, 1)


async def test_a_failure_of_some_of_a_quantity_is_told(api: Api, studio: Studio) -> None:
    studio.fails_after = 2
    answer = await api.post(IMAGE, {"prompt": "x", "model": "flux-2", "quantity": 4})
    assert (answer.status, len(answer.json["images"])) == (200, 2)
    assert _incomplete(answer) == ("quantity", 4, 2, "GENERATION_FAILED")


def _incomplete(answer: Response) -> tuple[str, int, int, str]:
    told = next(one for one in answer.json["metadata"]["warnings"] if one["code"] == "QUANTITY_INCOMPLETE")
    assert told["message"]
    return told["parameter"], told["requested"], told["made"], told["cause"]


async def test_what_a_model_has_no_slider_for_is_left_out_and_told(api: Api, studio: Studio) -> None:
    metadata = (await api.post(IMAGE, ASKED[IMAGE])).json["metadata"]
    assert {one["parameter"] for one in metadata["warnings"]} == {"steps", "guidance", "negative_prompt"}
    assert studio.requests[0].input["style"] == "realistic", "for its adapter to put into words (UCAS-019)"
    assert (metadata["requestedModel"], metadata["model"]) == ("flux-2", "flux-2")


async def test_another_engine_stands_in_for_one_that_is_not_here(api: Api, studio: Studio) -> None:
    """UCAS-016: google-cloud."""
    answer = await api.post(AUDIO, {"text": "x", "engine": "google-cloud", "voice": "en-GB-Wavenet-A"})
    assert answer.json["metadata"]["warnings"] == [
        {"code": "MODEL_UNAVAILABLE", "model": "google-cloud", "successor": "coqui"}
    ]


@pytest.mark.parametrize("inline", [True, False])
async def test_a_voice_is_cloned_from_base64(api: Api, studio: Studio, inline: bool) -> None:
    """UCAS-017, 030; bodies may be larger than elsewhere."""
    sample = base64.b64encode(sound("wav", 20.0)).decode()
    assert len(sample) > api.gateway.deps.settings.max_body_bytes
    sent = f"data:audio/wav;base64,{sample}" if inline else sample
    body = io.BytesIO(orjson.dumps(ASKED[AUDIO] | {"cloneFile": sent}))
    answer = await api.post(AUDIO, data=body, headers={"Content-Type": "application/json"})
    assert answer.status == 200, answer.content
    assert (studio.requests[0].files["voice_sample"].mime or "").startswith("audio/")


@pytest.mark.parametrize(
    ("path", "changes", "field"),
    [
        (IMAGE, {"prompt": ""}, "prompt"),
        (IMAGE, {"prompt": "x" * 2001}, "prompt"),
        (IMAGE, {"quantity": 5}, "quantity"),
        (IMAGE, {"steps": 9}, "steps"),
        (IMAGE, {"guidance": 21}, "guidance"),
        (IMAGE, {"style": "cubist"}, "style"),
        (IMAGE, {"dimensions": "huge"}, "dimensions"),
        (IMAGE, {"simulate": {}}, "simulate"),
        (AUDIO, {"text": "x" * 5001}, "text"),
        (AUDIO, {"speed": 2.1}, "speed"),
        (AUDIO, {"cloneFile": "####"}, "cloneFile"),
        (AUDIO, {"cloneFile": base64.b64encode(sound("mp3", 4)).decode()}, "cloneFile"),
        (MUSIC, {"prompt": "x" * 1001}, "prompt"),
        (MUSIC, {"tempo": 181}, "tempo"),
        (MUSIC, {"duration": 60}, "duration"),
        (UPSCALE, {"scale": 9}, "scale"),
    ],
)
async def test_a_wrong_input_is_refused_by_its_name(
    api: Api, path: str, changes: dict[str, Any], field: str
) -> None:
    """UCAS-022; C-29 for the length of music; C-07: `error` is for people."""
    await publish(api.gateway.worker, Studio().cards)
    api.gateway.deps.catalog.forget()
    answer = await api.post(path, ASKED[path] | changes)
    assert answer.problem == (422, "INVALID_INPUT", field)
    assert (answer.headers["Content-Type"], answer.json["error"]) == (PLAIN, answer.json["message"])
    assert (answer.json["code"], type(answer.json["details"])) == ("INVALID_INPUT", dict)


async def test_a_failure_says_why(api: Api, studio: Studio) -> None:
    studio.fails = True
    answer = await api.post(IMAGE, ASKED[IMAGE])
    assert answer.problem == (502, "GENERATION_FAILED", None)
    assert (answer.json["error"], answer.json["details"]["cause"]["code"]) == (
        "It does not like fog.",
        "PROVIDER_REJECTED",
    )
    assert await _history(api) == []


async def test_what_takes_longer_is_told_by_its_id(settings: Settings, pipeline: Pipeline) -> None:
    """UCAS-023, C-05: the wait ends by MAX_WAIT_S, and the same request finds it again."""
    key = {"Idempotency-Key": "k"}
    async with AsyncExitStack() as stack:
        gateway = await stack.enter_async_context(open_gateway(settings.model_copy(update={"max_wait_s": 0})))
        await publish(gateway.worker, Studio().cards)
        api = await gateway.account()
        first = await api.post(IMAGE, ASKED[IMAGE], headers=key)
        assert (first.status, first.json["status"], first.json["success"]) == (202, "queued", True)
        assert first.json["jobId"] == first.json["generationId"]
        assert first.headers["Location"] == f"/api/v1/generations/{first.json['generationId']}"
        assert int(first.headers["Retry-After"]) >= 1
        await stack.enter_async_context(pipeline.engine(Studio()))
        async with asyncio.timeout(30):
            while (done := await api.post(IMAGE, ASKED[IMAGE], headers=key)).status == 202:
                await asyncio.sleep(0.1)
        assert done.json["metadata"]["generationId"] == first.json["generationId"]
        await gateway.worker.execute("DELETE FROM generations")


async def test_the_same_again_makes_nothing_new(api: Api, other: Api) -> None:
    """Without a key, as a page sends it (`http.md` 3). Another account's is another."""
    await publish(api.gateway.worker, Studio().cards)
    api.gateway.deps.catalog.forget()
    asked, now = ASKED[IMAGE] | {"quantity": 2}, {"Prefer": "wait=0"}
    answers = [await caller.post(IMAGE, asked, headers=now) for caller in (api, api, other)]
    assert {answer.status for answer in answers} == {202}
    first, again, theirs = [answer.json["generationIds"] for answer in answers]
    assert (len(first), first) == (2, again)
    assert not set(first) & set(theirs)
    assert (await api.post(IMAGE, asked | {"prompt": "y"}, headers=now)).json["generationIds"] != first


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("name", ["image", "audio", "music", "upscale"])
async def test_a_page_elsewhere_may_call_where_it_is_allowed(nobody: Api, prefix: str, name: str) -> None:
    """UCAS-022: preflight and CORS."""
    path = f"{prefix}/creative-{name}"
    asks = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    allowed = await nobody.call("OPTIONS", path, headers={"Origin": "https://app.example", **asks})
    assert (allowed.status, allowed.headers["Access-Control-Allow-Origin"]) == (204, "https://app.example")
    assert "POST" in allowed.headers["Access-Control-Allow-Methods"]
    assert "Content-Type" in allowed.headers["Access-Control-Allow-Headers"]
    elsewhere = await nobody.call("OPTIONS", path, headers={"Origin": "https://evil.example", **asks})
    assert "Access-Control-Allow-Origin" not in elsewhere.headers
    refused = await nobody.post(
        path, ASKED[f"/api/creative-{name}"], headers={"Origin": "https://app.example"}
    )
    assert refused.problem[:2] == (401, "UNAUTHENTICATED")
    assert refused.headers["Access-Control-Allow-Origin"] == "https://app.example"
    assert (await nobody.get(path)).problem[:2] == (405, "METHOD_NOT_ALLOWED")


async def test_the_history_is_ones_own_in_pages(api: Api, studio: Studio, other: Api) -> None:
    """UCAS-024, 027, 033."""
    for path in (IMAGE, AUDIO, MUSIC):
        await api.post(path, ASKED[path])
    everything = await _history(api)
    assert [one["type"] for one in everything] == ["music", "audio", "image"]
    image = everything[2]
    assert (image["user_id"], image["prompt"]) == (str(api.account_id), "a lighthouse in fog")
    assert (image["settings"]["size"], image["metadata"]["width"]) == ("1024x768", 32)
    assert (await api.get(_here(api, image["thumbnail_url"]))).headers["Content-Type"] == "image/webp"
    assert [one["type"] for one in await _history(api, "?type=audio")] == ["audio"]
    assert await _history(api, "?limit=1&offset=1") == everything[1:2]
    first = (await api.get(f"{HISTORY}?limit=2")).json
    assert (first["limit"], first["hasMore"]) == (2, True)
    assert await _history(api, f"?limit=2&after={first['next']}") == everything[2:]
    assert await _history(other) == []
    assert (await other.get(f"{HISTORY}?type=film")).problem == (422, "INVALID_INPUT", "type")


async def test_what_is_deleted_leaves_the_history(api: Api, studio: Studio) -> None:
    kept, first, second = [await api.post(IMAGE, ASKED[IMAGE] | {"prompt": word}) for word in ("a", "b", "c")]
    await api.delete(f"/api/v1/generations/{first.json['metadata']['generationId']}")
    asset = next(one["id"] for one in await _history(api) if one["prompt"] == "c")
    await api.delete(f"/api/assets/{asset}")
    assert [one["prompt"] for one in await _history(api)] == ["a"]
    await api.post(f"/api/v1/assets/{asset}/restore")
    assert [one["prompt"] for one in await _history(api)] == ["c", "a"]
    await api.gateway.worker.execute("DELETE FROM assets WHERE id = $1", UUID(asset))
    left = await api.gateway.worker.fetch("SELECT FROM creative_generations WHERE id = $1", UUID(asset))
    assert (left, kept.status, second.status) == ([], 200, 200)


async def test_texts_are_no_part_of_it(api: Api, pipeline: Pipeline) -> None:
    """C-19: only what the studio makes."""
    writer = ScriptedProvider(_write, [card(kind="text")])
    async with pipeline.engine(writer, kinds=("text",)):
        ended = await api.until_ended((await api.submit(kind="text", input={"prompt": "x"}))["id"])
    assert (ended["status"], len(ended["outputs"])) == ("completed", 1)
    assert await _history(api) == []


async def _write(request: Request, sink: Sink) -> Finished:
    return Finished((await sink.write(0, "text/plain", _once(b"words")),), Usage({"run": Decimal(1)}))


COLUMNS = {
    "id": "uuid", "user_id": "uuid!", "generation_id": "uuid!", "type": "text!", "prompt": "text!", "model": "text!",
    "settings": "jsonb!", "result_url": "text!", "thumbnail_url": "text", "metadata": "jsonb!",
    "created_at": "timestamp with time zone!", "updated_at": "timestamp with time zone!",
}  # fmt: skip
"""UCAS-024, `!` for NOT NULL, and C-19's generation."""


async def test_its_table_is_there(pipeline: Pipeline) -> None:
    """UCAS-024 to 028."""
    worker = pipeline.worker
    columns = await worker.fetch(
        "SELECT column_name AS name, data_type || CASE is_nullable WHEN 'NO' THEN '!' ELSE '' END AS kind"
        " FROM information_schema.columns WHERE table_name = 'creative_generations'"
    )
    assert {row["name"]: row["kind"] for row in columns} == COLUMNS | {"id": "uuid!"}
    indexes = await worker.fetch(
        "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'creative_generations'"
    )
    found = {row["indexname"]: row["indexdef"].partition(" USING btree ")[2] for row in indexes}
    assert found["idx_creative_user_type"] == "(user_id, type)"
    assert found["idx_creative_created"] == "(created_at DESC)"
    policies = await worker.fetch(
        "SELECT policyname, cmd FROM pg_policies WHERE tablename = 'creative_generations' AND roles = '{penstock_app}'"
    )
    assert {(row["policyname"], row["cmd"]) for row in policies} == {
        ("Users can view own generations", "SELECT"),
        ("Users can insert own generations", "INSERT"),
        ("Users can update own generations", "UPDATE"),
        ("Users can delete own generations", "DELETE"),
    }


async def test_a_change_is_dated(api: Api, studio: Studio) -> None:
    await api.post(IMAGE, ASKED[IMAGE])
    changed = await api.gateway.worker.fetchval(
        "UPDATE creative_generations SET updated_at = '2000-01-01' WHERE user_id = $1 "
        " RETURNING updated_at >= created_at",
        api.account_id,
    )
    assert changed is True


def _here(api: Api, url: str) -> str:
    """The path of an address that names the port of the settings."""
    return url.removeprefix(api.gateway.deps.settings.base_url)


async def _history(api: Api, query: str = "") -> list[dict[str, Any]]:
    answer: Response = await api.get(HISTORY + query)
    assert answer.status == 200, answer.content
    entries: list[dict[str, Any]] = answer.json["generations"]
    return entries
