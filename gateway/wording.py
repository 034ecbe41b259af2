"""What is wrong with a field, in the words of JSON rather than of Python."""

_OBJECT = frozenset({"model_type", "dict_type", "model_attributes_type"})


def sentence(kind: str, message: str) -> str:
    """The sentence for one of pydantic's errors."""
    if kind == "extra_forbidden":
        return "Unknown field"
    if kind in _OBJECT:
        return "Must be a JSON object"
    return message.removeprefix("Value error, ").replace(" after validation", "")
