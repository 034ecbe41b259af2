"""How a command ends badly, as one tree. Each class has its exit code.

CommandError
├── JobFailed     1    the generation ended without a result
├── BadUsage      2    the command line cannot be meant so
├── Unreachable   3    nobody answers at the gateway's address
├── Refused       4    the gateway answered with an error
└── Interrupted   130  Ctrl-C
"""

from collections.abc import Mapping
from typing import Any, ClassVar


class CommandError(Exception):
    """`message` is one sentence for people, `hint` says what to do about it."""

    exit_code: ClassVar[int] = 1
    code: str = "FAILED"

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def as_json(self) -> dict[str, Any]:
        body: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.hint:
            body["hint"] = self.hint
        return body


class JobFailed(CommandError):
    """The generation failed, was canceled, or expired."""

    def __init__(self, message: str, hint: str, resource: Mapping[str, Any]) -> None:
        super().__init__(message, hint)
        self.resource = resource
        self.code = str((resource.get("error") or {}).get("code") or str(resource["status"]).upper())

    def as_json(self) -> dict[str, Any]:
        return super().as_json() | {"generation_id": self.resource["id"]}


class BadUsage(CommandError):
    exit_code, code = 2, "USAGE"


class Unreachable(CommandError):
    exit_code, code = 3, "UNREACHABLE"


class Refused(CommandError):
    """An error body of the API (RFC 9457), or an answer that is none.

    `field` names the offending field in dotted form, `retry_after_s` when to try again.
    """

    exit_code = 4

    def __init__(
        self,
        message: str,
        *,
        status: int,
        code: str,
        hint: str = "",
        field: str | None = None,
        retry_after_s: float | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message, hint)
        self.status = status
        self.code = code
        self.field = field
        self.retry_after_s = retry_after_s
        self.body = body

    def as_json(self) -> dict[str, Any]:
        own = {"status": self.status} | ({"field": self.field} if self.field else {})
        return super().as_json() | own | ({"problem": dict(self.body)} if self.body else {})


class Interrupted(CommandError):
    exit_code, code = 130, "INTERRUPTED"
