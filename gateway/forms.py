"""How a page asks for a kind's parameters: beside each one's JSON Schema stands `x-form`, flat and in order.

    order, title, widget, advanced, unit, step, labels, accept, seconds
    type, enum, minimum, maximum, min_length, max_length, max_items, default, required

A parameter that nobody described here is shown by its type, after those that are.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

from shared.kinds import KINDS
from shared.media.sniff import MEDIA_TYPES

FORM = "x-form"
Widget = Literal[
    "textarea", "text", "slider", "number", "select", "switch", "seed", "dimensions", "ratio", "file", "files",
    "recording", "language", "tags", "messages", "json", "hidden",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Hint:
    """How one parameter is asked for. `advanced` ones stay in their drawer."""

    name: str
    widget: Widget
    title: str | None = None
    unit: str | None = None
    step: float | None = None
    advanced: bool = False
    labels: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


_SEED = Hint("seed", "seed", advanced=True)
_FORMAT = Hint(
    "format", "select", "File format", advanced=True,
    labels={"png": "PNG", "webp": "WebP", "jpeg": "JPEG", "mp3": "MP3", "wav": "WAV", "ogg": "Ogg Opus"},
)  # fmt: skip
_RATIO_LABELS = {
    "1:1": "Square 1:1", "16:9": "Wide 16:9", "9:16": "Tall 9:16", "4:3": "Landscape 4:3", "3:4": "Portrait 3:4",
    "3:2": "Photo 3:2", "2:3": "Photo, upright 2:3", "21:9": "Cinema 21:9",
}  # fmt: skip
_RATIO = Hint("aspect_ratio", "ratio", "Shape", labels=_RATIO_LABELS)
_SIMULATE = Hint("simulate", "hidden")

HINTS: Mapping[str, Sequence[Hint]] = {
    "image": (
        Hint("prompt", "textarea"),
        Hint("image", "file", "Start from a picture"),
        Hint("images", "files", "More pictures"),
        Hint("mask", "file", "Where to change it"),
        Hint("style", "select", labels={"3d-render": "3D render"}),
        _RATIO,
        Hint("size", "dimensions", unit="px", step=16),
        Hint("count", "slider", "Pictures", step=1),
        Hint("quality", "select", labels={"hd": "HD", "xhigh": "Extra high", "max": "Highest"}),
        Hint("negative_prompt", "textarea", "Leave out", advanced=True),
        _SEED,
        Hint("steps", "slider", step=1, advanced=True),
        Hint("guidance", "slider", "Closeness to the prompt", step=0.5, advanced=True),
        _FORMAT,
    ),
    "audio": (
        Hint("text", "textarea"),
        Hint("voice", "text"),
        Hint("voice_sample", "recording", "Voice to speak with"),
        Hint("consent", "switch", "The speaker has agreed to a copy of their voice"),
        Hint("language", "language"),
        Hint("speed", "slider", unit="×", step=0.05),
        _SEED,
        _FORMAT,
    ),
    "music": (
        Hint("prompt", "textarea"),
        Hint("genre", "text"),
        Hint("mood", "text"),
        Hint("duration_s", "slider", "Length", unit="s", step=1),
        Hint("tempo", "slider", unit="bpm", step=1),
        Hint("instrumental", "switch", "Without singing"),
        _SEED,
        _FORMAT,
    ),
    "video": (
        Hint("prompt", "textarea"),
        Hint("image", "file", "First frame"),
        _RATIO,
        Hint("resolution", "select"),
        Hint("duration_s", "slider", "Length", unit="s", step=1),
        Hint("fps", "slider", "Frames per second", unit="fps", step=1, advanced=True),
        _SEED,
    ),
    "upscale": (
        Hint("image", "file", "Picture"),
        Hint("scale", "slider", "Times larger", unit="×", step=1),
        Hint("face_restore", "switch", "Mend faces"),
        _FORMAT,
    ),
    "text": (
        Hint("prompt", "textarea"),
        Hint("system", "textarea", "How to behave", advanced=True),
        Hint("max_tokens", "slider", "Longest answer", unit="tokens", step=1, advanced=True),
        Hint("temperature", "slider", step=0.1, advanced=True),
        _SEED,
        Hint("json_schema", "json", "Answer as JSON", advanced=True),
        Hint("messages", "messages", advanced=True),
    ),
}

_BY_TYPE: Mapping[str, Widget] = {
    "string": "text", "integer": "number", "number": "number", "boolean": "switch", "array": "tags", "object": "json",
}  # fmt: skip
_FLAT = {
    "type": "type", "enum": "enum", "minimum": "minimum", "maximum": "maximum", "minLength": "min_length",
    "maxLength": "max_length", "maxItems": "max_items", "default": "default",
}  # fmt: skip


def with_forms(kind: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of a model's parameters with `x-form` in each of them."""
    hints = [*HINTS.get(kind, ()), _SIMULATE]
    described = {hint.name: (place, hint) for place, hint in enumerate(hints, start=1)}
    required = frozenset(schema.get("required", ()))
    properties = {}
    for n, (name, spec) in enumerate(schema["properties"].items()):
        place, hint = described.get(name, (len(hints) + n + 1, None))
        properties[name] = {
            **spec,
            FORM: _form(kind, name, spec, hint, place) | {"required": name in required},
        }
    return {**schema, "properties": properties}


def _form(kind: str, name: str, spec: Mapping[str, Any], hint: Hint | None, place: int) -> dict[str, Any]:
    plain = _plain(spec)
    form = {flat: plain[word] for word, flat in _FLAT.items() if word in plain and plain[word] is not None}
    widget = (
        hint.widget
        if hint is not None
        else "select"
        if "enum" in form
        else _BY_TYPE[form.get("type", "object")]
    )
    form |= {
        "order": place,
        "title": (hint.title if hint is not None else None) or _title(name),
        "widget": widget,
        "advanced": hint is None or hint.advanced,
    }
    if hint is not None and hint.unit is not None:
        form["unit"] = hint.unit
    if hint is not None and hint.step is not None:
        form["step"] = hint.step
    if "enum" in form:
        known = hint.labels if hint is not None else {}
        form["labels"] = [known.get(str(value)) or _title(str(value)) for value in form["enum"]]
    if (family := KINDS[kind].file_fields.get(name)) is not None:
        form["accept"] = [media.mime for media in MEDIA_TYPES if media.family == family]
        if (seconds := KINDS[kind].file_seconds.get(name)) is not None:
            form["seconds"] = list(seconds)
    return form


def _plain(spec: Mapping[str, Any]) -> dict[str, Any]:
    """The schema without its alternatives: of what may be null, what it is otherwise; of a file, its reference."""
    branches = [branch for branch in spec.get("anyOf", ()) if branch.get("type") not in (None, "null")]
    return {
        **(branches[0] if branches else {}),
        **{word: value for word, value in spec.items() if word != "anyOf"},
    }


def _title(name: str) -> str:
    """`negative_prompt` as `Negative prompt`; what is no word stays as it is."""
    words = re.sub(r"[_-]", " ", name).strip()
    return words[:1].upper() + words[1:]
