"""The OpenAPI 3.1 document, made from the operations themselves."""

import re
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from gateway.cookies import ACCESS
from gateway.errors import error_page, is_creative, media_of
from gateway.generation_request import GenerationRequest
from gateway.http import JSON, SIGN_IN, Answer, Operation
from shared.errors import (
    Forbidden,
    IdempotencyInProgress,
    IdempotencyMismatch,
    Internal,
    InvalidInput,
    NotFound,
    PayloadTooLarge,
    PenstockError,
    RateLimited,
    Unauthenticated,
    Unavailable,
    UnsupportedMedia,
)
from shared.kinds import KINDS

REF = "#/components/schemas/{model}"
MULTIPART_FILE = {
    "type": "object",
    "required": ["file"],
    "properties": {"file": {"type": "string", "format": "binary"}},
}

ERROR_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "RFC 9457, with members for clients that look for `error` and `message`.",
    "required": [
        "type", "title", "status", "detail", "instance", "request_id", "success", "error", "message", "details",
        "retryable",
    ],
    "properties": {
        "type": {"type": "string", "description": "A page about this error."},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "request_id": {"type": "string"},
        "success": {"const": False},
        "error": {
            "type": "string",
            "description": "The code, such as NOT_FOUND. Creative functions have the message here, and `code` besides.",
        },
        "code": {"type": "string"},
        "message": {"type": "string"},
        "field": {"type": "string", "description": "The field at fault, dotted: input.prompt."},
        "details": {"type": "object"},
        "retryable": {"type": "boolean", "description": "Whether the same request may succeed later."},
    },
}  # fmt: skip

PARAMETERS: dict[str, dict[str, Any]] = {
    "Idempotency-Key": {
        "description": "Up to 255 characters; the same key with the same request is done once in 24 hours.",
        "schema": {"type": "string", "maxLength": 255},
        "example": "8e03978e-40d5-43dd-bc93-6894a57f9324",
    },
    "Prefer": {
        "description": "`wait=N` holds the answer until there is an end, N seconds at most.",
        "schema": {"type": "string"},
        "example": "wait=30",
    },
    "If-None-Match": {
        "description": "The ETag of what is known already; unchanged is 304.",
        "schema": {"type": "string"},
        "example": 'W/"12"',
    },
    "Last-Event-ID": {
        "description": "The id of the last event that was seen; what came after it is sent first.",
        "schema": {"type": "string"},
    },
    "Range": {
        "description": "One range of bytes.",
        "schema": {"type": "string"},
        "example": "bytes=0-1023",
    },
}

HEADERS: dict[str, dict[str, Any]] = {
    "X-Request-Id": {"description": "Names this request in our logs.", "schema": {"type": "string"}},
    "Location": {"description": "Where the resource is.", "schema": {"type": "string"}},
    "Retry-After": {"description": "Seconds until it is worth asking again.", "schema": {"type": "integer"}},
    "Preference-Applied": {"description": "The wait that was granted.", "schema": {"type": "string"}},
    "ETag": {
        "description": 'Changes with the resource; `W/"<seq>"` for generations.',
        "schema": {"type": "string"},
    },
    "Link": {"description": 'The next page, rel="next".', "schema": {"type": "string"}},
    "Content-Disposition": {"description": "A file name.", "schema": {"type": "string"}},
}

DESCRIPTION = """\
A request for media becomes a stored, paid-for, announced artifact.

Send your API key as `Authorization: Bearer ps_live_…`, or sign in and send the access token the same way. Pages of
ours have it in a cookie; their writes need our `Origin`, or the CSRF token in `X-CSRF-Token`.

A submit answers 202 with the generation and its links; wait for its end with `Prefer: wait=N`, poll it with `ETag`, or
follow it over a websocket or server-sent events (`/api/asyncapi.json`). Every error has the same shape; `error` is its
code, `request_id` names the request. Lists are cursor pages: pass `next` as `after`.
"""


def document(operations: Sequence[Operation], base_url: str) -> dict[str, Any]:
    """The whole document."""
    schemas = _schemas(operations)
    paths: dict[str, dict[str, Any]] = {}
    for op in operations:
        paths.setdefault(plain_path(op.path), {})[op.method.lower()] = _operation(op)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Penstock",
            "version": release(),
            "description": DESCRIPTION,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": base_url}],
        "tags": [{"name": name} for name in dict.fromkeys(op.tag for op in operations)],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "ps_live_…"},
                "cookie": {"type": "apiKey", "in": "cookie", "name": ACCESS},
                "ticket": {"type": "apiKey", "in": "query", "name": "ticket"},
            },
            "schemas": {**schemas, "Error": ERROR_SCHEMA},
            "parameters": {
                name: {"name": name, "in": "header", "required": False, **spec}
                for name, spec in PARAMETERS.items()
            },
            "headers": HEADERS,
        },
        "security": [{"bearer": []}, {"cookie": []}],
    }


def release() -> str:
    try:
        return version("penstock")
    except PackageNotFoundError:
        return "0"


def plain_path(path: str) -> str:
    """The path template without aiohttp's patterns."""
    return re.sub(r"\{(\w+):[^}]*\}", r"{\1}", path)


def _schemas(operations: Iterable[Operation]) -> dict[str, Any]:
    """JSON Schemas of all bodies, answers and kinds' parameters, each under its class's name."""
    bodies: list[type[BaseModel]] = [op.body for op in operations if op.body is not None]
    answers = [answer.schema for op in operations for answer in op.answers if answer.schema is not None]
    inputs: list[type[BaseModel]] = [kind.parameters for kind in KINDS.values()]
    read: dict[type[BaseModel], None] = dict.fromkeys([*bodies, GenerationRequest, *inputs])
    written = dict.fromkeys(answers)
    wanted: list[tuple[type[BaseModel], Any]] = [(model, "validation") for model in read]
    wanted += [(model, "serialization") for model in written if model not in read]
    _, definitions = models_json_schema(wanted, ref_template=REF)
    return dict(sorted(definitions["$defs"].items()))


def _operation(op: Operation) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "operationId": op.name,
        "tags": [op.tag],
        "summary": op.summary,
        "description": _paragraph(op.description),
        "parameters": [*_path_parameters(op), *_query_parameters(op), *_header_parameters(op)],
        "responses": _responses(op),
    }
    if op.scope is None:
        spec["security"] = []
    else:
        spec["x-scope"] = op.scope.value
        if op.role is not None:
            spec["x-role"] = op.role.value
        if op.ticket:
            spec["security"] = [{"bearer": []}, {"cookie": []}, {"ticket": []}]
    if op.body is not None:
        media: dict[str, Any] = {"schema": {"$ref": REF.format(model=op.body.__name__)}}
        if op.example is not None:
            media["example"] = op.example
        spec["requestBody"] = {"required": not op.body_optional, "content": {op.body_media: media}}
    elif op.body_media != JSON:
        spec["requestBody"] = {"required": True, "content": {op.body_media: {"schema": MULTIPART_FILE}}}
    return spec


def _paragraph(text: str) -> str:
    return re.sub(r"[ \t]*\n[ \t]*", " ", text.strip())


def _path_parameters(op: Operation) -> list[dict[str, Any]]:
    names = re.findall(r"\{(\w+)\}", plain_path(op.path))
    return [
        {"name": name, "in": "path", "required": True, "schema": _path_schema(op, name)} for name in names
    ]


def _path_schema(op: Operation, name: str) -> dict[str, Any]:
    if name == "n":
        return {"type": "integer", "minimum": 0}
    if f"{{{name}}}" in op.path and name == "id":
        return {"type": "string", "format": "uuid"}
    return {"type": "string"}


def _query_parameters(op: Operation) -> list[dict[str, Any]]:
    if op.query is None:
        return []
    schema = op.query.model_json_schema(ref_template=REF)
    definitions = schema.get("$defs", {})
    required = schema.get("required", [])
    return [
        {
            "name": name,
            "in": "query",
            "required": name in required,
            "schema": _inline(
                {key: value for key, value in spec.items() if key != "description"}, definitions
            ),
            **({"description": spec["description"]} if "description" in spec else {}),
        }
        for name, spec in schema.get("properties", {}).items()
    ]


def _inline(value: Any, definitions: Mapping[str, Any]) -> Any:
    """The schema with its references replaced: query parameters stand alone."""
    if isinstance(value, dict):
        reference = value.get("$ref")
        if reference is not None:
            return _inline(definitions[reference.rpartition("/")[2]], definitions)
        return {key: _inline(item, definitions) for key, item in value.items()}
    if isinstance(value, list):
        return [_inline(item, definitions) for item in value]
    return value


def _header_parameters(op: Operation) -> list[dict[str, Any]]:
    return [{"$ref": f"#/components/parameters/{name}"} for name in op.parameters]


def _responses(op: Operation) -> dict[str, Any]:
    responses = {str(answer.status): _success(answer) for answer in op.answers}
    by_status: dict[int, list[type[PenstockError]]] = {}
    for error in errors_of(op):
        for status in _statuses(error):
            by_status.setdefault(status, []).append(error)
    for status, errors in sorted(by_status.items()):
        responses.setdefault(str(status), _failure(status, errors, op.path))
    return responses


def _success(answer: Answer) -> dict[str, Any]:
    names = ("X-Request-Id", *answer.headers)
    spec: dict[str, Any] = {
        "description": answer.description,
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in names},
    }
    if answer.schema is not None:
        spec["content"] = {answer.media: {"schema": {"$ref": REF.format(model=answer.schema.__name__)}}}
        if answer.example is not None:
            spec["content"][answer.media]["example"] = answer.example
    elif answer.media != JSON:
        binary = not answer.media.startswith(("text/", JSON))
        schema = {"type": "string", "format": "binary"} if binary else {"type": "string"}
        spec["content"] = {answer.media: {"schema": schema}}
    if answer.also:
        spec["content"] |= {media: {"schema": {"type": "string"}} for media in answer.also}
    return spec


def errors_of(op: Operation) -> list[type[PenstockError]]:
    """The errors that an operation can answer: those it names, and those of everything it goes through."""
    found: list[type[PenstockError]] = [*op.errors]
    if op.scope is not None:
        found += [Unauthenticated, Forbidden, RateLimited, InvalidInput]
    elif op.path.startswith(SIGN_IN):
        found.append(RateLimited)
    if op.query is not None or op.body is not None or "{" in op.path:
        found.append(InvalidInput)
    if "{" in op.path:
        found.append(NotFound)
    if op.body is not None:
        found += [UnsupportedMedia, PayloadTooLarge]
    if op.idempotent:
        found += [IdempotencyMismatch, IdempotencyInProgress]
    if op.scope is not None:
        found += [Unavailable]
    return [*dict.fromkeys(found), Internal]


def _statuses(error: type[PenstockError]) -> tuple[int, ...]:
    """InvalidInput is 400 when nothing can be read and 422 when a field is wrong."""
    return (400, 422) if error is InvalidInput else (error.status,)


def _failure(status: int, errors: Sequence[type[PenstockError]], path: str) -> dict[str, Any]:
    codes = list(dict.fromkeys(error.code for error in errors))
    first = errors[0]
    example = {
        "type": error_page(first.code),
        "title": first.title,
        "status": status,
        "detail": first.title,
        "instance": "/api/v1/…",
        "request_id": "req_0f3c2b8a6d5e4f7a9b1c2d3e",
        "success": False,
        "error": first.code,
        "message": first.title,
        "details": {},
        "retryable": first.retryable,
    }
    if is_creative(path):
        example |= {"code": first.code, "error": first.title}
    return {
        "description": f"{HTTPStatus(status).phrase}: {', '.join(codes)}",
        "headers": {"X-Request-Id": {"$ref": "#/components/headers/X-Request-Id"}},
        "content": {media_of(path): {"schema": {"$ref": "#/components/schemas/Error"}, "example": example}},
    }
