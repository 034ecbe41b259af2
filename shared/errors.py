"""Every error that Penstock can name, as one tree.

PenstockError
├── InvalidInput          400  the request cannot be read, or a field is wrong (422)
├── Unauthenticated       401
├── Forbidden             403
│   └── TierRequired      403
├── BudgetExceeded        402
├── NotFound              404
├── MethodNotAllowed      405
├── Conflict              409
│   └── IdempotencyInProgress  409
├── ModelRetired          410
├── PayloadTooLarge       413
├── UnsupportedMedia      415
├── IdempotencyMismatch   422
├── ContentBlocked        422
├── QuotaExceeded         429
├── RateLimited           429
├── GenerationFailed      502
├── NoProvider            503
├── Unavailable           503
└── Internal              500

JobError                  how a generation failed; kept on the row, never raised at a caller
"""

from dataclasses import dataclass, field
from typing import Any, ClassVar


class PenstockError(Exception):
    """Base of all errors that a caller may see.

    `field` names the offending request field in dotted form (`input.prompt`), if there is one;
    `context` goes to the caller as `details` and must never hold a secret.
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "INTERNAL"
    title: ClassVar[str] = "Something went wrong on our side"
    retryable: ClassVar[bool] = False

    def __init__(
        self,
        message: str,
        *,
        field: str | None = None,
        retry_after_s: float | None = None,
        status: int | None = None,
        **context: Any,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.retry_after_s = retry_after_s
        self.http_status = status if status is not None else type(self).status
        self.context = context


class InvalidInput(PenstockError):
    """400 when the body cannot be read at all, 422 (`status=422`) when a field is wrong."""

    status, code, title = 400, "INVALID_INPUT", "The request is not valid"


class Unauthenticated(PenstockError):
    status, code, title = 401, "UNAUTHENTICATED", "Sign in, or send an API key"


class BudgetExceeded(PenstockError):
    status, code, title = 402, "BUDGET_EXCEEDED", "Budget exceeded"


class Forbidden(PenstockError):
    status, code, title = 403, "FORBIDDEN", "That is not allowed"


class TierRequired(Forbidden):
    code, title = "TIER_REQUIRED", "The plan does not include this"


class NotFound(PenstockError):
    status, code, title = 404, "NOT_FOUND", "Not found"


class MethodNotAllowed(PenstockError):
    status, code, title = 405, "METHOD_NOT_ALLOWED", "Method not allowed"


class Conflict(PenstockError):
    status, code, title = 409, "CONFLICT", "That is not possible now"


class IdempotencyInProgress(Conflict):
    code, title, retryable = "IDEMPOTENCY_IN_PROGRESS", "The first request is still running", True


class ModelRetired(PenstockError):
    status, code, title = 410, "MODEL_RETIRED", "The model has been retired"


class PayloadTooLarge(PenstockError):
    status, code, title = 413, "PAYLOAD_TOO_LARGE", "Too large"


class UnsupportedMedia(PenstockError):
    status, code, title = 415, "UNSUPPORTED_MEDIA", "This type of content is not accepted"


class IdempotencyMismatch(PenstockError):
    status, code, title = 422, "IDEMPOTENCY_MISMATCH", "The idempotency key was used for another request"


class ContentBlocked(PenstockError):
    status, code, title = 422, "CONTENT_BLOCKED", "The content was refused"


class QuotaExceeded(PenstockError):
    status, code, title, retryable = 429, "QUOTA_EXCEEDED", "Quota used up", True


class RateLimited(PenstockError):
    status, code, title, retryable = 429, "RATE_LIMITED", "Too many requests", True


class GenerationFailed(PenstockError):
    """What a caller waited for ended without a result."""

    status, code, title = 502, "GENERATION_FAILED", "It could not be made"


class NoProvider(PenstockError):
    status, code, title, retryable = 503, "NO_PROVIDER", "No provider can do this now", True


class Unavailable(PenstockError):
    status, code, title, retryable = 503, "UNAVAILABLE", "A part of the service is not available", True


class Internal(PenstockError):
    retryable = True


@dataclass(frozen=True, slots=True)
class JobError:
    """Why a generation did not complete, as its row and its events keep it.

    `code` is one of PROVIDER_RATE_LIMITED, PROVIDER_AUTH, PROVIDER_REJECTED, PROVIDER_FAILED,
    PROVIDER_TIMEOUT, CONTENT_BLOCKED, UPLOAD_FAILED, NO_PROVIDER, DEADLINE, CANCELED, POISON, INTERNAL.
    `message` is for people and holds no secret.
    """

    code: str
    message: str
    retryable: bool = False
    details: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        body: dict[str, Any] = {"code": self.code, "message": self.message, "retryable": self.retryable}
        return body | ({"details": self.details} if self.details else {})
