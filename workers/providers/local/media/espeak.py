"""eSpeak NG by ctypes, from the library and the voices that come in the wheel.

The library keeps its state in globals of the process: it is set up once, and every call sets the voice,
rate and pitch anew, so that one call cannot colour the next.
"""

import ctypes
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import espeakng_loader
import numpy as np
from numpy.typing import NDArray

from shared.media.errors import MediaError, MediaFault

_SYNCHRONOUS = 2  # AUDIO_OUTPUT_SYNCHRONOUS: samples come through the callback, within the call
_UTF8, _END_PAUSE = 1, 0x1000
_RATE, _PITCH, _RANGE = 1, 3, 4
_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)
_SYNONYMS = {
    "zh": "cmn",
    "en": "en-us",
    "no": "nb",
    "pt": "pt-br",
    "en-uk": "en-gb",
    "zh-cn": "cmn",
    "zh-tw": "cmn",
}
SEGMENT_CHARACTERS = 400
Samples = NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class Voice:
    """A variant of a language's voice ("" for its own), and a pitch of 0 to 100."""

    variant: str
    pitch: int


@cache
def _library() -> tuple[ctypes.CDLL, int]:
    """The library, set up, and its sample rate."""
    library = ctypes.CDLL(espeakng_loader.get_library_path())
    folder = str(Path(espeakng_loader.get_data_path()).parent)
    rate = library.espeak_Initialize(_SYNCHRONOUS, 0, folder.encode(), 0)
    if rate <= 0:
        raise RuntimeError("eSpeak NG cannot find its voices")
    library.espeak_Synth.argtypes = [
        ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint, ctypes.c_int, ctypes.c_uint, ctypes.c_uint,
        ctypes.c_void_p, ctypes.c_void_p,
    ]  # fmt: skip
    return library, int(rate)


def language_voice(language: str) -> str:
    """eSpeak's name of a language's voice. Raises MediaError when it has none."""
    library, _ = _library()
    name = language.lower()
    for candidate in (_SYNONYMS.get(name, name), name.partition("-")[0]):
        voice = _SYNONYMS.get(candidate, candidate)
        if library.espeak_SetVoiceByName(voice.encode()) == 0:
            return voice
    raise MediaError(MediaFault.UNSUPPORTED_MEDIA, f"no voice speaks {language}")


def synthesize(
    text: str, language: str, voice: Voice, words_per_minute: int, progress: Callable[[float], None]
) -> tuple[Samples, int]:
    """Mono samples in -1 to 1 and their rate. Raises MediaError CORRUPT when there is nothing to say."""
    library, rate = _library()
    name = f"{language}+{voice.variant}" if voice.variant else language
    if library.espeak_SetVoiceByName(name.encode()) != 0:
        library.espeak_SetVoiceByName(language.encode())
    for parameter, value in ((_RATE, words_per_minute), (_PITCH, voice.pitch), (_RANGE, 50)):
        library.espeak_SetParameter(parameter, value, 0)
    blocks: list[NDArray[np.int16]] = []

    @_CALLBACK
    def take(samples: "ctypes._Pointer[ctypes.c_short]", count: int, _: int) -> int:
        if samples and count > 0:
            blocks.append(np.ctypeslib.as_array(samples, (count,)).copy())
        return 0

    library.espeak_SetSynthCallback(take)
    parts = segments(text)
    for index, part in enumerate(parts):
        data = part.encode() + b"\0"
        library.espeak_Synth(data, len(data), 0, 1, 0, _UTF8 | _END_PAUSE, None, None)
        library.espeak_Synchronize()
        progress((index + 1) / len(parts))
    if not blocks or not np.any(spoken := np.concatenate(blocks)):
        raise MediaError(MediaFault.CORRUPT, "there is nothing in the text that can be spoken")
    return spoken.astype(np.float32) / 32768, rate


def segments(text: str) -> list[str]:
    """The text cut after sentences, near SEGMENT_CHARACTERS, so that progress can be told between them."""
    clean = text.replace("\0", " ")
    parts, start = [], 0
    while start < len(clean):
        end = len(clean)
        if end - start > SEGMENT_CHARACTERS:
            window = clean[start : start + SEGMENT_CHARACTERS]
            cut = max(window.rfind(mark) for mark in (". ", "! ", "? ", "\n", "。", "！", "？"))
            end = start + (cut + 1 if cut > 0 else max(window.rfind(" "), SEGMENT_CHARACTERS // 2))
        parts.append(clean[start:end])
        start = end
    return parts
