"""What went over the wire, beside what the provider's OpenAPI file says about it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import yaml
from aiohttp import web
from jsonschema import Draft202012Validator

from tests.emulators.base import Effect, Emulator, Fault, Handler

SPECS = Path(__file__).parents[2].parent / "shared" / "specs"
_UNHEARD = {Effect.RESET, Effect.RESET_AFTER, Effect.LOST_AFTER}
_COMPARED = 300
"""Characters of a wrong value that are shown."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """`path` is as sent. A body is None when it is no JSON."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    sent: Any
    status: int
    mime: str
    answered: Any


def listen(emulator: Emulator) -> list[Exchange]:
    """What the emulator is asked and answers from now on, as it happens."""
    heard: list[Exchange] = []
    answer = emulator._answer

    async def listening(
        request: web.Request, handler: Handler, faults: dict[Effect, Fault]
    ) -> web.StreamResponse:
        sent = _json(request.content_type, await request.read())
        response = await answer(request, handler, faults)
        if faults.keys() & _UNHEARD:
            return response
        body = response.body if isinstance(response, web.Response) else None
        answered = _json(response.content_type, body) if isinstance(body, bytes) else None
        exchange = Exchange(
            request.method, request.path, dict(request.query), request.headers, sent, response.status,
            response.content_type, answered,
        )  # fmt: skip
        heard.append(exchange)
        return response

    emulator._answer = listening  # type: ignore[method-assign]  # nothing else sees both sides whole
    return heard


def _json(mime: str, body: bytes) -> Any:
    return orjson.loads(body) if body and mime.endswith("json") else None


class Spec:
    """An OpenAPI file. `prefix` is what its paths leave out."""

    def __init__(self, document: dict[str, Any], prefix: str = "") -> None:
        self._document = _with_nulls(document)
        self._prefix = prefix

    @classmethod
    def read(cls, name: str, prefix: str = "") -> "Spec":
        """Raises FileNotFoundError."""
        text = (SPECS / name).read_text()
        return cls(json.loads(text) if name.endswith(".json") else yaml.safe_load(text), prefix)

    def component(self, name: str) -> dict[str, Any]:
        """A schema by its name, to be put right where the file is known to be wrong."""
        found: dict[str, Any] = self._document["components"]["schemas"][name]
        return found

    def complaints(self, exchange: Exchange) -> list[str]:
        """What this exchange does that the file does not say."""
        name, operation = self._operation(exchange)
        if operation is None:
            return [f"{name} is not described"]
        said = self._parameters(operation, exchange)
        if exchange.sent is not None and exchange.status < 400:
            schema = _schema(self._resolved(operation.get("requestBody")), "application/json")
            said += [f"sent: {wrong}" for wrong in self._errors(schema, exchange.sent)]
        answers = operation["responses"]
        described = self._resolved(answers.get(str(exchange.status)))
        if described is None:
            return [f"{name}: {exchange.status} is not described"] if exchange.status < 400 else []
        if exchange.answered is not None:
            schema = _schema(described, exchange.mime)
            said += [f"answered: {wrong}" for wrong in self._errors(schema, exchange.answered)]
        return [f"{name}: {wrong}" for wrong in said]

    def _operation(self, exchange: Exchange) -> tuple[str, Any]:
        path = exchange.path.removeprefix(self._prefix)
        parts = path.split("/")
        found = [
            (template, methods[exchange.method.lower()])
            for template, methods in self._document["paths"].items()
            if exchange.method.lower() in methods and _fits(template.split("/"), parts)
        ]
        # A path without a variable goes before one that has it.
        found.sort(key=lambda one: one[0].count("{"))
        template, operation = found[0] if found else (path, None)
        return f"{exchange.method} {template}", operation

    def _parameters(self, operation: Mapping[str, Any], exchange: Exchange) -> list[str]:
        given = {"query": exchange.query, "header": exchange.headers}
        described = [self._resolved(one) for one in operation.get("parameters", ())]
        said = [
            f"without the {one['in']} {one['name']}"
            for one in described
            if one.get("required") and one["in"] in given and one["name"] not in given[one["in"]]
        ]
        known = {one["name"] for one in described if one["in"] == "query"}
        return said + [f"unknown query {name}" for name in exchange.query if name not in known]

    def _resolved(self, part: Any) -> Any:
        while isinstance(part, dict) and "$ref" in part:
            place: Any = self._document
            for name in part["$ref"].removeprefix("#/").split("/"):
                place = place[name.replace("~1", "/").replace("~0", "~")]
            part = place
        return part

    def _errors(self, schema: Any, value: Any) -> list[str]:
        if schema is None:
            return ["has no described JSON body"]
        whole = {"allOf": [schema], "components": self._document["components"]}
        return [
            f"{error.json_path}: {error.message[:_COMPARED]}"
            for error in Draft202012Validator(whole).iter_errors(value)
        ]


def _fits(template: list[str], parts: list[str]) -> bool:
    return len(template) == len(parts) and all(
        name == part or (name.startswith("{") and part) for name, part in zip(template, parts, strict=True)
    )


def _schema(described: Any, mime: str) -> Any:
    content = (described or {}).get("content", {})
    return (content.get(mime) or content.get("application/json") or {}).get("schema")


def _with_nulls(part: Any) -> Any:
    """`nullable`, which validators pass over, as a type."""
    if isinstance(part, list):
        return [_with_nulls(one) for one in part]
    if not isinstance(part, dict):
        return part
    said = {name: _with_nulls(one) for name, one in part.items()}
    if part.get("nullable") is True:
        del said["nullable"]
        return {"anyOf": [said, {"type": "null"}]}
    return said
