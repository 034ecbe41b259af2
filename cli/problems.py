"""What the API's error answers mean to somebody at a terminal: one sentence, and what to do."""

import json
from collections.abc import Mapping
from typing import Any

import httpx

from cli.errors import Refused

HINTS = {
    "UNAUTHENTICATED": "Give a key with --key or PENSTOCK_API_KEY; `penstock up` writes one to .penstock/key.",
    "FORBIDDEN": "The key lacks a scope; make another with `penstock keys create --scope …`.",
    "TIER_REQUIRED": "The plan of this account does not include it.",
    "BUDGET_EXCEEDED": "See what was spent with `penstock usage`.",
    "IDEMPOTENCY_MISMATCH": "Choose another --idempotency-key, or none.",
    "NO_PROVIDER": "`penstock models` shows which models are available now.",
    "UNSUPPORTED_MEDIA": "Send the file in a usual format, such as PNG, JPEG, WebP, MP3 or WAV.",
}


def refusal(response: httpx.Response) -> Refused:
    """The error that an answer of 400 or more stands for."""
    body = _body(response)
    if body is None:
        return _foreign(response)
    code = _code(body)
    field = _field(body)
    retry_after_s = _seconds(response.headers.get("Retry-After"))
    return Refused(
        _sentence(body, field),
        status=response.status_code,
        code=code,
        hint=_hint(code, body, field, retry_after_s),
        field=field,
        retry_after_s=retry_after_s,
        body=body,
    )


def _body(response: httpx.Response) -> Mapping[str, Any] | None:
    try:
        found = response.json()
    except (json.JSONDecodeError, UnicodeDecodeError):
        return None
    return found if isinstance(found, dict) and ("error" in found or "title" in found) else None


def _foreign(response: httpx.Response) -> Refused:
    """Not our error body: something else answers there, or stands in between."""
    status = f"{response.status_code} {response.reason_phrase}".strip()
    return Refused(
        f"{response.url.copy_with(query=None)} answered {status}, and not as a Penstock gateway does.",
        status=response.status_code,
        code="NOT_PENSTOCK",
        hint="Is the address right? See --url and PENSTOCK_URL.",
    )


def _code(body: Mapping[str, Any]) -> str:
    found = body.get("code") or body.get("error") or "ERROR"
    return str(found)


def _field(body: Mapping[str, Any]) -> str | None:
    details = body.get("details")
    errors = details.get("errors") if isinstance(details, dict) else None
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
    nested = details.get("field") if isinstance(details, dict) else None
    found = body.get("field") or nested or first.get("field")
    return str(found) if found else None


def _sentence(body: Mapping[str, Any], field: str | None) -> str:
    text = str(body.get("detail") or body.get("message") or body.get("title") or "The gateway refused.")
    if field and field not in text:
        text = f"{field}: {text}"
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."


def _hint(code: str, body: Mapping[str, Any], field: str | None, retry_after_s: float | None) -> str:
    details = body.get("details")
    successor = details.get("successor") if isinstance(details, dict) else None
    if successor:
        return f"Use --model {successor} instead."
    if code == "NOT_FOUND" or field == "model":
        return "`penstock models` lists the models." if field == "model" else ""
    if retry_after_s is not None:
        return f"Try again in {retry_after_s:g} s."
    if field and field.startswith("input.") and code == "INVALID_INPUT":
        return "`penstock models show MODEL` lists the parameters of a model."
    return HINTS.get(code, "Try again." if body.get("retryable") else "")


def _seconds(text: str | None) -> float | None:
    """A Retry-After in seconds; dates are not used by this API."""
    try:
        return max(0.0, float(text)) if text else None
    except ValueError:
        return None
