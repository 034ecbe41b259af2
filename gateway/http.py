"""Typed operations: a method and a path, what they take, what they answer, and the function that does it.

    class Widgets(Query):
        limit: int = Field(50, ge=1, le=100)

    @operation("GET", "/api/v1/widgets", tag="Widgets", summary="List widgets", scope=Scope.READ,
               answers=(Answer(200, "The widgets", WidgetPage),))
    async def list_widgets(request: Request[None, Widgets]) -> Reply:
        return reply(await widgets.page(request.deps.db, request.account_id, request.query.limit))

    operations = (list_widgets,)

The decorator turns the function into an `Operation`; a routes module exports a tuple `operations`, and
`gateway.app` mounts them all. The models of body and query are read from the annotation `Request[Body, Query]`;
`None` stands for "takes none". A handler raises `PenstockError`s and returns a `Reply`, or any aiohttp
response when it streams (a websocket, SSE, a file). The OpenAPI document is made from the same declarations.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, get_args, get_type_hints
from uuid import UUID

import orjson
from aiohttp import web
from multidict import MultiMapping
from pydantic import BaseModel, ConfigDict, ValidationError

from gateway.auth import Principal
from gateway.compression import WORTHWHILE_BYTES, compress
from gateway.deps import Deps
from gateway.wording import sentence
from shared.domains.accounts import Role, Scope
from shared.errors import InvalidInput, NotFound, PenstockError, Unauthenticated, UnsupportedMedia
from shared.ids import parse_id

JSON = "application/json"
MAX_DEPTH = 64
"""How deep a body may be nested. Our own encoder ends at 254, and answers wrap what they repeat."""

SIGN_IN = "/api/auth/"
"""Public operations below this are limited per network address."""

NO_HEADERS: Mapping[str, str] = MappingProxyType({})
REQUEST_ID = web.RequestKey("request_id", str)
CALLER = web.RequestKey("caller", Principal)


class Body(BaseModel):
    """Base of request bodies: unknown fields are refused, types are not guessed.

    Give UUID and datetime fields `strict=False`: JSON has no such types.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Query(BaseModel):
    """Base of query strings: unknown parameters are refused, text is read as the declared type."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(slots=True)
class Request[B, Q]:
    """What a handler gets. `raw` is aiohttp's request, for headers and for streaming."""

    deps: Deps
    raw: web.Request
    body: B
    query: Q
    caller: Principal | None = None
    document: Any = None
    """The body as it was sent, decoded; for fingerprints."""

    @property
    def principal(self) -> Principal:
        """The caller; raises Unauthenticated on public operations without credentials."""
        if self.caller is None:
            raise Unauthenticated("This needs an API key.")
        return self.caller

    @property
    def account_id(self) -> UUID:
        return self.principal.account_id

    @property
    def headers(self) -> MultiMapping[str]:
        return self.raw.headers

    def id(self, name: str = "id") -> UUID:
        """The UUID in the path; a malformed one is NotFound, for no such thing can exist."""
        found = parse_id(self.raw.match_info[name])
        if found is None:
            raise NotFound(f"There is no {name} {self.raw.match_info[name][:64]!r}.")
        return found

    def number(self, name: str) -> int:
        """The small whole number in the path; anything else is NotFound."""
        text = self.raw.match_info[name]
        if not (text.isascii() and text.isdigit() and len(text) < 6):
            raise NotFound(f"There is no {name} {text[:64]!r}.")
        return int(text)


@dataclass(slots=True)
class Reply:
    """An answer whose bytes are already made.

    `kept` is what an idempotent repetition gets in place of a body that holds a secret.
    """

    body: bytes | None
    status: int = 200
    headers: Mapping[str, str] = NO_HEADERS
    content_type: str = JSON
    kept: bytes | None = None


def encode(data: Any) -> bytes:
    """JSON as every answer has it: UUIDs as text, times in UTC with a Z."""
    return orjson.dumps(data, default=_plain, option=orjson.OPT_UTC_Z)


def _plain(value: Any) -> str:
    """asyncpg's UUIDs are a subclass, which orjson does not take as it is."""
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} is not JSON")


def reply(data: Any, status: int = 200, headers: Mapping[str, str] = NO_HEADERS) -> Reply:
    """`data` as JSON."""
    return Reply(encode(data), status, headers)


type Handler = Callable[[Request[Any, Any]], Awaitable[Reply | web.StreamResponse]]
type Guard = Callable[[Operation, Request[Any, Any]], Awaitable[Reply | web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Answer:
    """One documented success: status, meaning, shape. `headers` name entries of `gateway.openapi.HEADERS`."""

    status: int
    description: str
    schema: type[BaseModel] | None = None
    example: Any = None
    media: str = JSON
    headers: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    """Other media types, of text, that a caller may ask for."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path.

    `scope` None means public. `role` is for what concerns the whole installation. `parameters` name header
    parameters of `gateway.openapi.PARAMETERS`. `idempotent` operations obey Idempotency-Key. `ticket` operations
    take a one-time `?ticket=` too, because browsers cannot send headers with EventSource or WebSocket.
    `inline_files` says that the body may hold files in base64, so that it may be larger.
    `monthly` ones count towards their account's month too (UCAS-036).
    """

    method: str
    path: str
    handler: Handler
    tag: str
    summary: str
    description: str
    scope: Scope | None
    body: type[BaseModel] | None
    query: type[BaseModel] | None
    answers: tuple[Answer, ...]
    errors: tuple[type[PenstockError], ...]
    parameters: tuple[str, ...]
    example: Any
    body_media: str
    idempotent: bool
    ticket: bool
    inline_files: bool
    monthly: bool
    role: Role | None

    @property
    def name(self) -> str:
        return getattr(self.handler, "__name__", "operation")

    @property
    def body_optional(self) -> bool:
        """Whether an empty body reads as `{}`."""
        return self.body is not None and not any(f.is_required() for f in self.body.model_fields.values())


def operation(
    method: str,
    path: str,
    *,
    tag: str,
    summary: str,
    answers: Iterable[Answer],
    scope: Scope | None,
    description: str = "",
    errors: Iterable[type[PenstockError]] = (),
    parameters: Iterable[str] = (),
    example: Any = None,
    body_media: str = JSON,
    idempotent: bool = False,
    ticket: bool = False,
    inline_files: bool = False,
    monthly: bool = False,
    role: Role | None = None,
) -> Callable[[Callable[..., Awaitable[Reply | web.StreamResponse]]], Operation]:
    """Declare the decorated `async def handler(request: Request[Body, Query])` as an operation."""

    def declare(handler: Callable[..., Awaitable[Reply | web.StreamResponse]]) -> Operation:
        body, query = get_args(get_type_hints(handler)["request"])
        return Operation(
            method=method,
            path=path,
            handler=handler,
            tag=tag,
            summary=summary,
            description=description or (handler.__doc__ or "").strip(),
            scope=scope,
            body=None if body is type(None) else body,
            query=None if query is type(None) else query,
            answers=tuple(answers),
            errors=tuple(errors),
            parameters=tuple(parameters),
            example=example,
            body_media=body_media,
            idempotent=idempotent,
            ticket=ticket,
            inline_files=inline_files,
            monthly=monthly,
            role=role,
        )

    return declare


def endpoint(
    op: Operation, deps: Deps, guard: Guard | None = None
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """The aiohttp handler of an operation: who asks, what they say, the handler, the response.

    `guard` runs the handler of operations that are idempotent by header.
    """
    body_optional, defaults, signs_in = op.body_optional, _default_query(op), op.path.startswith(SIGN_IN)
    max_bytes = deps.settings.max_inline_body_bytes if op.inline_files else None

    async def handle(raw: web.Request) -> web.StreamResponse:
        caller = None
        if op.scope is not None:
            caller = await _caller(op, raw, deps)
            raw[CALLER] = caller
            caller.require(op.scope)
            if op.role is not None:
                caller.require_role(op.role)
        elif signs_in and deps.rates.active:
            await deps.rates.check(raw, None)
        query = _read_query(op, raw, defaults)
        document = body = None
        if op.body is not None:
            document = await read_json(raw, optional=body_optional, max_bytes=max_bytes)
            body = validate(op.body, document)
        request: Request[Any, Any] = Request(deps, raw, body, query, caller, document)
        answer = await (op.handler(request) if guard is None else guard(op, request))
        if not isinstance(answer, Reply):
            return answer
        response = respond(answer)
        if answer.body is not None and len(answer.body) >= WORTHWHILE_BYTES:
            await compress(raw, response)
        return response

    return handle


async def _caller(op: Operation, raw: web.Request, deps: Deps) -> Principal:
    """Who asks. Raises Unauthenticated, and RateLimited for whoever asks too often, known or not."""
    if not deps.rates.active:
        return await deps.authenticator.authenticate(raw, ticket=op.ticket)
    try:
        caller = await deps.authenticator.authenticate(raw, ticket=op.ticket)
    except Unauthenticated:
        await deps.rates.check(raw, None)
        raise
    await deps.rates.check(raw, caller, monthly=op.monthly)
    return caller


def respond(answer: Reply) -> web.Response:
    response = web.Response(body=answer.body, status=answer.status, headers=answer.headers)
    if answer.body is not None:
        response.headers["Content-Type"] = answer.content_type
    return response


def _default_query(op: Operation) -> BaseModel | None:
    """What an empty query string means, where that is allowed; it is frozen, so all requests may have it."""
    if op.query is None or any(field.is_required() for field in op.query.model_fields.values()):
        return None
    return op.query()


def _read_query(op: Operation, raw: web.Request, defaults: BaseModel | None) -> BaseModel | None:
    if op.query is None:
        if op.scope is not None and raw.query_string and not (op.ticket and set(raw.query) == {"ticket"}):
            unknown = next(iter(raw.query), "")
            raise InvalidInput(f"Unknown query parameter {unknown!r}.", field=unknown, status=422)
        return None
    if not raw.query_string:
        return defaults if defaults is not None else validate(op.query, {})
    values: dict[str, Any] = {}
    for name in raw.query:
        if op.ticket and name == "ticket":
            continue
        many = raw.query.getall(name)
        if any("\0" in value for value in many):
            raise InvalidInput("The character NUL is not accepted.", field=name, status=422)
        values[name] = many[0] if len(many) == 1 else many
    if not values and defaults is not None:
        return defaults
    return validate(op.query, values)


async def read_json(raw: web.Request, *, optional: bool = False, max_bytes: int | None = None) -> Any:
    """The decoded body, of `max_bytes` in place of what the application takes.

    Raises UnsupportedMedia, InvalidInput (400 with the position), PayloadTooLarge.
    """
    if optional and not raw.body_exists:
        return {}
    if raw.headers.get("Content-Type") != JSON:
        _check_content_type(raw)
    content = await (raw if max_bytes is None else raw.clone(client_max_size=max_bytes)).read()
    if not content and optional:
        return {}
    try:
        document = orjson.loads(content)
    except orjson.JSONDecodeError as broken:
        raise InvalidInput(
            f"The body is not valid JSON: {broken.msg} (line {broken.lineno}, column {broken.colno}).",
            line=broken.lineno,
            column=broken.colno,
            position=broken.pos,
        ) from None
    if content.count(b"{") + content.count(b"[") > MAX_DEPTH:
        _refuse_depth(document)
    if b"\\u0000" in content:
        refuse_nul(document)
    return document


def _refuse_depth(document: Any) -> None:
    """Raises InvalidInput (400) for a body that is nested too deeply."""
    layer = [document]
    for _ in range(MAX_DEPTH + 1):
        layer = [inner for value in layer for inner in _inside(value)]
        if not layer:
            return
    raise InvalidInput(f"The body is nested more than {MAX_DEPTH} levels deep.", max_depth=MAX_DEPTH)


def _inside(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _check_content_type(raw: web.Request) -> None:
    if "Content-Type" not in raw.headers:
        raise UnsupportedMedia("Send the body with Content-Type: application/json.", accepted=[JSON])
    if raw.content_type != JSON or (raw.charset or "utf-8").lower() not in ("utf-8", "utf8"):
        sent = raw.headers["Content-Type"][:100]
        raise UnsupportedMedia(f"The body must be {JSON} in UTF-8, not {sent!r}.", accepted=[JSON])


def refuse_nul(value: Any, path: str = "") -> None:
    """Raises InvalidInput for a NUL character in any text: PostgreSQL cannot keep it."""
    if isinstance(value, str):
        if "\0" in value:
            raise InvalidInput("The character NUL is not accepted.", field=path or None, status=422)
    elif isinstance(value, dict):
        for key, item in value.items():
            refuse_nul(key, path)
            refuse_nul(item, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            refuse_nul(item, f"{path}.{index}" if path else str(index))


def validate[M: BaseModel](model: type[M], value: Any, *, prefix: str = "") -> M:
    """`value` as `model`. Raises InvalidInput (422) that names every wrong field, below `prefix`."""
    try:
        return model.model_validate(value)
    except ValidationError as invalid:
        raise invalid_fields(invalid, prefix=prefix) from None


def invalid_fields(invalid: ValidationError, *, prefix: str = "") -> InvalidInput:
    """The 422 of a pydantic error. What was sent is not echoed: it may hold secrets."""
    errors = [
        {
            "field": ".".join(str(part) for part in ((prefix, *error["loc"]) if prefix else error["loc"])),
            "message": sentence(error["type"], error["msg"]),
            "type": error["type"],
        }
        for error in invalid.errors(include_url=False, include_input=False, include_context=False)
    ]
    first = errors[0]
    where = first["field"] or "body"
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return InvalidInput(f"{where}: {first['message']}{more}", field=where, status=422, errors=errors)
