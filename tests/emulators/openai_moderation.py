"""`moderations`: what is wrong with words, by markers in them, and with pictures, by what their URL names."""

from collections.abc import Mapping
from typing import Any, Final

from tests.emulators.openai_wire import Wrong

FORBIDDEN: Final = "forbidden"
"""A prompt with this word is refused, and flagged by moderation."""

CATEGORIES: Final = (
    "harassment",
    "harassment/threatening",
    "hate",
    "hate/threatening",
    "illicit",
    "illicit/violent",
    "self-harm",
    "self-harm/instructions",
    "self-harm/intent",
    "sexual",
    "sexual/minors",
    "violence",
    "violence/graphic",
)
OF_PICTURES: Final = frozenset(
    {"self-harm", "self-harm/instructions", "self-harm/intent", "sexual", "violence", "violence/graphic"}
)
"""What it looks for in pictures."""
MARKERS: Final[Mapping[str, frozenset[str]]] = {
    FORBIDDEN: frozenset({"violence"}),
    "graphic violence": frozenset({"violence", "violence/graphic"}),
    "hateful words": frozenset({"hate", "harassment"}),
    "explicit content": frozenset({"sexual"}),
}
"""Words and what they are flagged as."""


def results(given: Any) -> list[dict[str, Any]]:
    """One result for a text, one for each of several, and one for texts and pictures together. Raises Wrong."""
    if isinstance(given, str):
        return [_result(given, "")]
    if not isinstance(given, list) or not given:
        raise Wrong("Missing required parameter: 'input'.", code="missing_required_parameter", param="input")
    if all(isinstance(part, str) for part in given):
        return [_result(part, "") for part in given]
    pictures = [part for part in given if _kind(part) == "image_url"]
    if len(pictures) > 1 or any(_kind(part) not in ("text", "image_url") for part in given):
        raise Wrong("Invalid 'input': texts and one picture at most.", code="invalid_value", param="input")
    words = " ".join(part["text"] for part in given if _kind(part) == "text")
    return [_result(words, " ".join(part["image_url"]["url"] for part in pictures))]


def _kind(part: Any) -> str | None:
    return part.get("type") if isinstance(part, dict) else None


def _result(words: str, picture: str) -> dict[str, Any]:
    in_words = _found(words)
    in_pictures = _found(picture.replace("-", " ")) & OF_PICTURES
    found = in_words | in_pictures
    looked = {
        name: [*(["text"] if words else []), *(["image"] if picture and name in OF_PICTURES else [])]
        for name in CATEGORIES
    }
    return {
        "flagged": bool(found),
        "categories": {name: name in found for name in CATEGORIES},
        "category_scores": {name: 0.93 if name in found else 0.0004 for name in CATEGORIES},
        "category_applied_input_types": looked,
    }


def _found(text: str) -> frozenset[str]:
    lowered = text.lower()
    return frozenset().union(*(names for marker, names in MARKERS.items() if marker in lowered))
