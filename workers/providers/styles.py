"""What a style, a genre, a mood or a tempo is called in a prompt, for models that know prompts only."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

STYLES: Final[Mapping[str, str]] = {
    "realistic": "photorealistic, with natural light and fine detail",
    "artistic": "expressive digital art",
    "anime": "anime style with clean lines and cel shading",
    "3d-render": "a 3D render with global illumination",
    "watercolor": "a watercolour painting on textured paper",
    "oil-painting": "an oil painting with visible brush strokes",
    "pencil-sketch": "a pencil sketch with hatching",
    "vivid": "hyper-real and dramatic, with vivid colours",
    "natural": "unexaggerated, with muted natural colours",
}
_SLOW_BELOW, _FAST_ABOVE = 80, 140


def picture_prompt(given: Mapping[str, Any]) -> str:
    """The prompt of a picture, followed by its style."""
    style = given.get("style")
    return _described(given["prompt"], [STYLES[style]] if style else [])


def music_prompt(given: Mapping[str, Any]) -> str:
    """The prompt of a piece of music, followed by its genre, mood and tempo, the tempo as a word and a number."""
    words = [str(word) for word in (given.get("genre"), given.get("mood")) if word]
    if tempo := given.get("tempo"):
        words.append(f"{_pace(tempo)} tempo, {tempo} bpm")
    return _described(given["prompt"], words)


def _described(prompt: str, words: Sequence[str]) -> str:
    """A prompt that nothing is added to stays as it was written."""
    return ", ".join([prompt.rstrip(" .,"), *words]) if words else prompt


def _pace(tempo: int) -> str:
    if tempo < _SLOW_BELOW:
        return "slow"
    return "fast" if tempo > _FAST_ABOVE else "medium"
