"""Bad input of every sort is refused with a code and the field that is wrong."""

import io
from typing import Any

import pytest

from shared.settings import Environment
from tests.gateway.api import Api, image

GENERATIONS = "/api/v1/generations"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"kind": "poem"}, "kind"),
        ({"kind": 7}, "kind"),
        ({"input": "a fox"}, "input"),
        ({"input": {}}, "input.prompt"),
        ({"input": {"prompt": 7}}, "input.prompt"),
        ({"input": {"prompt": ""}}, "input.prompt"),
        ({"input": {"prompt": " \n\u00a0"}}, "input.prompt"),
        ({"input": {"prompt": "x" * 8001}}, "input.prompt"),
        ({"input": {"prompt": "a fox", "count": 99}}, "input.count"),
        ({"input": {"prompt": "a fox", "size": "huge"}}, "input.size"),
        ({"input": {"prompt": "a fox", "size": "9999x16"}}, "input.size"),
        ({"input": {"prompt": "a fox", "seed": "7"}}, "input.seed"),
        ({"input": {"prompt": "a fox", "seed": True}}, "input.seed"),
        ({"input": {"prompt": "a fox", "colour": "red"}}, "input.colour"),
        ({"input": {"prompt": "a fox", "simulate": {"minutes": 1}}}, "input.simulate.minutes"),
        ({"input": {"prompt": "a \0 fox"}}, "input.prompt"),
        ({"metadata": {"deep": [{"nul": "\0"}]}}, "metadata.deep.0.nul"),
        ({"metadata": {"big": "x" * 20_000}}, "metadata"),
        ({"metadata": []}, "metadata"),
        ({"model": "no-such-model"}, "model"),
        ({"model": 7}, "model"),
        ({"project_id": "seven"}, "project_id"),
        ({"priority": "urgent"}, "priority"),
        ({"priority": 10}, "priority"),
        ({"deadline_s": "60"}, "deadline_s"),
        ({"deadline_s": -1}, "deadline_s"),
        ({"start_deadline_s": True}, "start_deadline_s"),
        ({"provider": {"order": "scripted"}}, "provider.order"),
        ({"provider": {"only": ["scripted"]}}, "provider.only"),
        ({"webhook": "https://192.0.43.8/"}, "webhook"),
        ({"user_id": "me"}, "user_id"),
    ],
)
async def test_a_wrong_field_is_named(api: Api, change: dict[str, Any], field: str) -> None:
    answer = await api.post(GENERATIONS, image(**change))
    assert answer.problem == (422, "INVALID_INPUT", field)


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("image", {"prompt": " "}),
        ("audio", {"text": "\t"}),
        ("music", {"prompt": "\u2003"}),
        ("video", {"prompt": "\n"}),
        ("text", {"prompt": " "}),
        ("text", {"messages": [{"role": "user", "content": " "}]}),
    ],
)
async def test_nobody_pays_for_blanks(api: Api, kind: str, given: dict[str, Any]) -> None:
    answer = await api.post(GENERATIONS, {"kind": kind, "input": given})
    assert answer.status == 422
    assert answer.json["message"].endswith(": Must not be blank")


async def test_all_wrong_fields_are_listed_and_nothing_is_echoed(api: Api) -> None:
    body = image(input={"prompt": "a fox", "count": "sesame", "steps": 0, "token": "sesame"})
    answer = await api.post(GENERATIONS, body)
    assert {error["field"] for error in answer.json["details"]["errors"]} == {
        "input.count",
        "input.steps",
        "input.token",
    }
    assert b"sesame" not in answer.content


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/a.png",
        "https://localhost/a.png",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/a.png",
        "https://[::ffff:10.0.0.1]/a.png",
        "https://2130706433/a.png",
        "http://example.org/a.png",
        "ftp://example.org/a.png",
        "file:///etc/passwd",
        "https://me:secret@example.org/a.png",
        "https:///a.png",
        "../../etc/passwd",
    ],
)
async def test_a_file_input_leads_to_a_public_https_address(api: Api, url: str) -> None:
    answer = await api.post(GENERATIONS, image(kind="upscale", input={"image": url}))
    assert answer.problem == (422, "INVALID_INPUT", "input.image")


async def test_a_file_input_is_ones_own(api: Api, other: Api) -> None:
    theirs = (await other.submit())["id"]
    answer = await api.post(GENERATIONS, image(kind="upscale", input={"image": theirs}))
    assert answer.problem == (422, "INVALID_INPUT", "input.image")


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b'{"kind": "image",', 400, "INVALID_INPUT"),
        (b"", 400, "INVALID_INPUT"),
        (b"\xff\xfe{}", 400, "INVALID_INPUT"),
        (b'{"kind": NaN}', 400, "INVALID_INPUT"),
        (b'{"a":' * 2000 + b"1" + b"}" * 2000, 400, "INVALID_INPUT"),
        (b'{"a":' * 65 + b"1" + b"}" * 65, 400, "INVALID_INPUT"),
        (b"[" * 1000 + b'"\\u0000"' + b"]" * 1000, 400, "INVALID_INPUT"),
        (b"[]", 422, "INVALID_INPUT"),
        (b'"image"', 422, "INVALID_INPUT"),
        (b"null", 422, "INVALID_INPUT"),
        (b" " * (1 << 20) + b"{}", 413, "PAYLOAD_TOO_LARGE"),
    ],
)
async def test_a_body_that_is_no_request_is_refused(api: Api, content: bytes, status: int, code: str) -> None:
    sent = {"Content-Type": "application/json"}
    answer = await api.post(GENERATIONS, data=io.BytesIO(content), headers=sent)
    assert answer.problem[:2] == (status, code)


async def test_a_body_may_be_nested_as_deep_as_it_can_be_given_back(api: Api) -> None:
    deep: Any = 1
    for _ in range(63):
        deep = {"deeper": deep}
    admitted = await api.submit(metadata=deep)
    assert (await api.get(f"{GENERATIONS}/{admitted['id']}")).json["metadata"] == deep
    refused = await api.post(GENERATIONS, image(metadata={"deeper": deep}))
    assert refused.problem[:2] == (400, "INVALID_INPUT")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (image(input={"prompt": "a fox", "size": "huge"}), "such as 1024x768, with 64 to 4096 on each side"),
        (image(kind="audio", input={"text": "hi", "language": "German"}), "a language code such as en, de"),
        (image(kind="music", input={"prompt": "calm", "genre": "<b>"}), "one or a few words"),
        (image(input=[]), "Must be a JSON object"),
    ],
)
async def test_a_refusal_is_a_sentence(api: Api, body: dict[str, Any], words: str) -> None:
    answer = await api.post(GENERATIONS, body)
    assert words in answer.json["message"]
    assert "pattern" not in answer.json["message"]


async def test_broken_json_says_where(api: Api) -> None:
    answer = await api.post(
        GENERATIONS, data=b'{\n "kind": image}', headers={"Content-Type": "application/json"}
    )
    assert (answer.json["details"]["line"], answer.json["details"]["column"]) == (2, 10)


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/json; charset=latin-1",
        "multipart/form-data",
    ],
)
async def test_another_content_type_is_415(api: Api, content_type: str) -> None:
    answer = await api.post(GENERATIONS, data=b"{}", headers={"Content-Type": content_type})
    assert answer.problem[:2] == (415, "UNSUPPORTED_MEDIA")


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
async def test_a_body_that_is_not_in_its_coding_is_refused(api: Api, coding: str) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": coding}
    answer = await api.post(GENERATIONS, data=b'{"kind":"image"}', headers=headers)
    assert (answer.status, answer.json["error"], answer.headers["Connection"]) == (
        400,
        "INVALID_INPUT",
        "close",
    )


async def test_json_with_a_charset_is_json(api: Api) -> None:
    sent = {"Content-Type": "application/json; charset=UTF-8"}
    assert (await api.post(GENERATIONS, image(), headers=sent)).status == 202


async def test_simulations_are_refused_in_production(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    admitter = api.gateway.deps.admitter
    production = admitter._settings.model_copy(update={"environment": Environment.PRODUCTION})
    monkeypatch.setattr(admitter, "_settings", production)
    body = image(input={"prompt": "a fox", "simulate": {"seconds": 1}})
    assert (await api.post(GENERATIONS, body)).problem == (422, "INVALID_INPUT", "input.simulate")
