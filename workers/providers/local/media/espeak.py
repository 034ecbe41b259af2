"""eSpeak NG by ctypes, from the library and the voices that come in the wheel.

The library keeps its state in globals, even the wavering of its voice, so it is loaded anew for every text
(a few milliseconds): one call cannot colour the next, and the same text sounds the same every time.
"""

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Synthesizer:
    """The library, freshly loaded; `sample_rate` in Hz."""

    library: ctypes.CDLL
    sample_rate: int

    def choose(self, language: str, variant: str) -> None:
        """Raises MediaError when nobody speaks the language. An unknown variant leaves its own voice."""
        voice = self._voice_of(language)
        if variant:
            self.library.espeak_SetVoiceByName(f"{voice}+{variant}".encode())

    def _voice_of(self, language: str) -> str:
        name = language.lower()
        for candidate in (name, name.partition("-")[0]):
            voice = _SYNONYMS.get(candidate, candidate)
            if self.library.espeak_SetVoiceByName(voice.encode()) == 0:
                return voice
        raise MediaError(MediaFault.UNSUPPORTED_MEDIA, f"no voice speaks {language}")

    def set(self, parameter: int, value: int) -> None:
        self.library.espeak_SetParameter(parameter, value, 0)

    def say(self, text: str) -> None:
        data = text.encode() + b"\0"
        self.library.espeak_Synth(data, len(data), 0, 1, 0, _UTF8 | _END_PAUSE, None, None)
        self.library.espeak_Synchronize()


@contextmanager
def loaded() -> Iterator[Synthesizer]:
    library = ctypes.CDLL(espeakng_loader.get_library_path())
    library.espeak_Synth.argtypes = [
        ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint, ctypes.c_int, ctypes.c_uint, ctypes.c_uint,
        ctypes.c_void_p, ctypes.c_void_p,
    ]  # fmt: skip
    folder = str(Path(espeakng_loader.get_data_path()).parent)
    sample_rate = library.espeak_Initialize(_SYNCHRONOUS, 0, folder.encode(), 0)
    try:
        if sample_rate <= 0:
            raise RuntimeError("eSpeak NG cannot find its voices")
        yield Synthesizer(library, sample_rate)
    finally:
        library.espeak_Terminate()
        ctypes.CDLL(None).dlclose(ctypes.c_void_p(library._handle))


def synthesize(
    text: str, language: str, voice: Voice, words_per_minute: int, progress: Callable[[float], None]
) -> tuple[Samples, int]:
    """Mono samples in -1 to 1 and their rate.

    Raises MediaError: UNSUPPORTED_MEDIA for the language, CORRUPT when there is nothing to say.
    """
    blocks: list[NDArray[np.int16]] = []

    def take(samples: Any, count: int, _: int | None) -> int:
        if samples and count > 0:
            blocks.append(np.ctypeslib.as_array(samples, (count,)).copy())
        return 0

    callback = _CALLBACK(take)
    with loaded() as synthesizer:
        synthesizer.choose(language, voice.variant)
        for parameter, value in ((_RATE, words_per_minute), (_PITCH, voice.pitch), (_RANGE, 50)):
            synthesizer.set(parameter, value)
        synthesizer.library.espeak_SetSynthCallback(callback)
        parts = segments(text)
        for index, part in enumerate(parts):
            synthesizer.say(part)
            progress((index + 1) / len(parts))
    if not blocks or not np.any(spoken := np.concatenate(blocks)):
        raise MediaError(MediaFault.CORRUPT, "there is nothing in the text that can be spoken")
    return spoken.astype(np.float32) / np.float32(32768), synthesizer.sample_rate


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
