"""What is wrong with a field, in the words of JSON rather than of Python, and of the route that was asked."""

from collections.abc import Callable

from shared.errors import InvalidInput
from shared.kinds.base import NOT_BLANK

_OBJECT = frozenset({"model_type", "dict_type", "model_attributes_type"})


def sentence(kind: str, message: str) -> str:
    """The sentence for one of pydantic's errors."""
    if kind == "extra_forbidden":
        return "Unknown field"
    if kind in _OBJECT:
        return "Must be a JSON object"
    if kind == "string_pattern_mismatch" and message.endswith(f"'{NOT_BLANK}'"):
        return "Must not be blank"
    return message.removeprefix("Value error, ").replace(" after validation", "")


def renamed(error: InvalidInput, named: Callable[[str], str]) -> InvalidInput:
    """The same refusal with its fields named as a route has them."""
    context = dict(error.context)
    if "errors" in context:
        context["errors"] = [one | {"field": named(one["field"])} for one in context["errors"]]
    field = None if error.field is None else named(error.field)
    message = error.message
    if field is not None and error.field is not None and message.startswith(f"{error.field}:"):
        message = field + message.removeprefix(error.field)
    return InvalidInput(message, field=field, status=error.http_status, **context)
