"""What the API says about itself: OpenAPI, AsyncAPI, a page to read them, and a page per error."""

from html import escape
from importlib.resources import files

from aiohttp import web
from pydantic import BaseModel, ConfigDict

from gateway import asyncapi, openapi
from gateway.errors import error_page
from gateway.http import Answer, Operation, Reply, Request, operation, reply
from gateway.resources import Resource
from shared.errors import NotFound, PenstockError

TAG = "About"
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:;"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
PAGE_HEADERS = {
    "Content-Security-Policy": PAGE_POLICY,
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
KEPT = {"Cache-Control": "public, max-age=60"}
HTML = "text/html; charset=utf-8"
ROOT = b"%ROOT%"
"""Stands in the pages where the path goes below which browsers reach us."""

EXPLANATIONS = {
    "INVALID_INPUT": "400 when the body cannot be read at all, 422 when a field is wrong; `field` names the first"
    " one and `details.errors` all of them. Correct the request; the same one will fail again.",
    "UNAUTHENTICATED": "No API key, or one that is mistyped, revoked or expired. Send it as"
    " `Authorization: Bearer ps_live_…`.",
    "FORBIDDEN": "The key is good but may not do that: it lacks the scope, or the account is suspended.",
    "BUDGET_EXCEEDED": "The account's budget does not cover what this may cost. Nothing was submitted or charged.",
    "NOT_FOUND": "There is no such thing, or it belongs to another account.",
    "METHOD_NOT_ALLOWED": "The path exists; the header Allow says what it answers.",
    "CONFLICT": "The request is well-formed but does not fit the present state, such as deleting what still runs.",
    "IDEMPOTENCY_IN_PROGRESS": "The first request with this Idempotency-Key has no answer yet. Repeat it after"
    " Retry-After seconds.",
    "IDEMPOTENCY_MISMATCH": "This Idempotency-Key stands for another request. Use a fresh key per request.",
    "MODEL_RETIRED": "The model is no longer served; `details.successor` names what to use instead.",
    "PAYLOAD_TOO_LARGE": "The body or the file is over the limit.",
    "UNSUPPORTED_MEDIA": "The content type, or the file itself, is not one that is accepted here.",
    "CONTENT_BLOCKED": "The request or its result was refused for its content.",
    "QUOTA_EXCEEDED": "The plan's quota is used up; Retry-After says when it renews.",
    "RATE_LIMITED": "Too many requests; wait for Retry-After seconds.",
    "GENERATION_FAILED": "The request was admitted, but what it was to make was not made; `details` says why.",
    "NO_PROVIDER": "No provider that could do this is ready at present.",
    "UNAVAILABLE": "A store that this needs cannot be reached just now. Nothing was half done; try again.",
    "TIER_REQUIRED": "The account's plan does not include this.",
    "INTERNAL": "A fault on our side. Quote the `request_id` when you report it.",
}


class FreeForm(BaseModel):
    """A document whose shape another specification gives."""

    model_config = ConfigDict(extra="allow")


class ErrorPage(Resource):
    code: str
    status: int
    title: str
    retryable: bool
    explanation: str


@operation(
    "GET",
    "/api/openapi.json",
    tag=TAG,
    summary="The OpenAPI document",
    scope=None,
    answers=(Answer(200, "OpenAPI 3.1", FreeForm),),
)
async def get_openapi(request: Request[None, None]) -> Reply:
    """Made from the routes that this process serves."""
    served = request.raw.app[OPERATIONS_KEY]
    return reply(openapi.document(served, request.deps.settings.base_url), headers=KEPT)


@operation(
    "GET",
    "/api/asyncapi.json",
    tag=TAG,
    summary="The AsyncAPI document",
    scope=None,
    answers=(Answer(200, "AsyncAPI 3.0", FreeForm),),
)
async def get_asyncapi(request: Request[None, None]) -> Reply:
    """The websocket and the event streams."""
    return reply(asyncapi.document(request.deps.settings.base_url), headers=KEPT)


@operation(
    "GET",
    "/api/errors/{code}",
    tag=TAG,
    summary="About an error",
    scope=None,
    answers=(Answer(200, "What it means and what to do", ErrorPage),),
    errors=(NotFound,),
)
async def get_error(request: Request[None, None]) -> Reply:
    """For people as a page (`Accept: text/html`), for programs as JSON."""
    code = request.raw.match_info["code"].upper().replace("-", "_")
    found = _ERRORS.get(code)
    if found is None:
        raise NotFound(f"There is no error {code[:60]!r}.")
    page = {
        "code": code,
        "status": found.status,
        "title": found.title,
        "retryable": found.retryable,
        "explanation": EXPLANATIONS.get(code, found.title),
    }
    if "text/html" in request.headers.get("Accept", ""):
        return Reply(
            _error_html(page, request.deps.settings.base_path).encode(),
            headers=PAGE_HEADERS,
            content_type=HTML,
        )
    return reply(page, headers=KEPT)


def _tree(base: type[PenstockError]) -> dict[str, type[PenstockError]]:
    """All errors below `base` by code; the general one where several share a code."""
    found: dict[str, type[PenstockError]] = {}
    for error in base.__subclasses__():
        found.setdefault(error.code, error)
        for code, below in _tree(error).items():
            found.setdefault(code, below)
    return found


_ERRORS = _tree(PenstockError)


def _error_html(page: dict[str, object], base_path: str) -> str:
    root = escape(base_path)
    links = " ".join(f'<a href="{root}{error_page(code)}">{code}</a>' for code in _ERRORS)
    again = "may succeed later" if page["retryable"] else "will fail again"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{page['code']}</title>"
        f'<link rel="stylesheet" href="{root}/docs/docs.css"></head><body><main class="narrow">'
        f'<p><a href="{root}/docs">Penstock API</a></p><h1>{page["code"]}</h1>'
        f'<p class="lead">{page["status"]} · {escape(str(page["title"]))}</p>'
        f"<p>{escape(str(page['explanation']))}</p><p>The same request {again}.</p>"
        f'<nav class="all" aria-label="All errors">{links}</nav></main></body></html>'
    )


def _page(path: str, name: str, media: str, summary: str) -> Operation:
    """The operation of a file that comes with the package."""
    content = files("gateway").joinpath("pages", name).read_bytes()

    async def get_page(request: Request[None, None]) -> Reply:
        """A static file; nothing is loaded from elsewhere."""
        root = request.deps.settings.base_path.encode()
        return Reply(content.replace(ROOT, root), headers=PAGE_HEADERS, content_type=media)

    get_page.__name__ = f"get_{name.replace('.', '_')}"
    declare = operation(
        "GET",
        path,
        tag=TAG,
        summary=summary,
        scope=None,
        answers=(Answer(200, summary, media=media.split(";")[0]),),
    )
    return declare(get_page)


OPERATIONS_KEY = web.AppKey("operations", tuple[Operation, ...])

operations = (
    get_openapi,
    get_asyncapi,
    get_error,
    _page("/docs", "docs.html", HTML, "The documentation as a page"),
    _page("/docs/docs.js", "docs.js", "text/javascript; charset=utf-8", "Its script"),
    _page("/docs/docs.css", "docs.css", "text/css; charset=utf-8", "Its style"),
)
