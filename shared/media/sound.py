"""Sound: probe, waveform peaks, encode (PyAV, numpy). Runs in the executor's children."""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.audio.frame import AudioFrame
from numpy.typing import NDArray

from shared.media.errors import MediaError, MediaFault
from shared.media.info import SoundInfo
from shared.media.sniff import FLAC, MP3, OGG, WAV, MediaType

PEAKS = 1000
"""Pairs in a waveform."""
MAX_DURATION_S = 4 * 3600.0
ENCODERS = {
    "mp3": ("mp3", "libmp3lame", "s16p", MP3),
    "wav": ("wav", "pcm_s16le", "s16", WAV),
    "ogg": ("ogg", "libopus", "s16", OGG),
    "flac": ("flac", "flac", "s16", FLAC),
}
"""Per output format: container, codec, sample format, media type."""
_FRAME = 48_000
Samples = NDArray[np.floating[Any]]
Source = bytes | Path | str


@contextmanager
def opened(source: Source) -> Iterator[Any]:
    """The container, with a first audio stream. What FFmpeg raises in the block becomes CORRUPT."""
    file = io.BytesIO(source) if isinstance(source, bytes) else str(source)
    try:
        with av.open(file, mode="r") as container:
            if not container.streams.audio:
                raise MediaError(MediaFault.CORRUPT, "there is no sound in the file")
            yield container
    except (av.FFmpegError, EOFError, UnicodeDecodeError) as error:
        raise MediaError(MediaFault.CORRUPT, "the sound cannot be decoded") from error


def probe(source: Source) -> SoundInfo:
    """Raises MediaError. The duration is 0 where the file does not say it."""
    with opened(source) as container:
        return _info(container, _stated_duration(container))


def measured(source: Source) -> SoundInfo:
    """The same with a duration in any case: a recording that was written while it was made does not state one.
    Raises MediaError."""
    info = probe(source)
    return info if info.duration_s else replace(info, duration_s=duration_s(source))


def duration_s(source: Source, max_duration_s: float = MAX_DURATION_S) -> float:
    """How long it plays, by playing it: what a file says of itself may be missing or wrong. Raises MediaError,
    TOO_LARGE beyond `max_duration_s`."""
    with opened(source) as container:
        rate = container.streams.audio[0].rate
        return sum(len(part) for part in _mono(container, rate, max_duration_s)) / float(rate)


def samples(source: Source, sample_rate: int, max_duration_s: float = MAX_DURATION_S) -> Samples:
    """The whole sound as mono samples in -1 to 1. Raises MediaError."""
    with opened(source) as container:
        return np.concatenate(list(_mono(container, sample_rate, max_duration_s)))


def peaks(source: Source) -> tuple[SoundInfo, dict[str, Any]]:
    """Decode the sound and keep the least and greatest sample of each of 1000 equal parts.

    The document: `data` is min, max, min, max… as signed 8-bit numbers, of all channels mixed to one;
    `length` pairs. Raises MediaError.
    """
    with opened(source) as container:
        rate = container.streams.audio[0].rate
        block = max(1, min(256, int(_stated_duration(container) * rate / PEAKS / 8)))
        lows, highs, total = _block_extremes(_mono(container, rate, MAX_DURATION_S), block)
        info = _info(container, total / rate)
    starts = np.arange(PEAKS) * len(lows) // PEAKS
    pairs = np.stack([np.minimum.reduceat(lows, starts), np.maximum.reduceat(highs, starts)], axis=1)
    data = np.clip(np.rint(pairs * 127), -128, 127).astype(int).ravel().tolist()
    document = {
        "version": 1,
        "bits": 8,
        "channels": 1,
        "sample_rate": rate,
        "duration_s": round(info.duration_s, 3),
        "length": PEAKS,
        "data": data,
    }
    return info, document


def encode(
    pcm: Samples,
    sample_rate: int,
    format: str,  # noqa: A002 - the word of the API
    *,
    bitrate: int = 192_000,
    progress: Callable[[float], None] | None = None,
) -> bytes:
    """`pcm` is (samples, channels) in -1 to 1; `format` one of ENCODERS."""
    container_name, codec, sample_format, _ = ENCODERS[format]
    layout = "stereo" if pcm.shape[1] == 2 else "mono"
    out = io.BytesIO()
    with av.open(out, mode="w", format=container_name) as container:
        stream: Any = container.add_stream(
            codec, rate=48_000 if format == "ogg" else sample_rate, layout=layout
        )
        stream.format = sample_format
        if format in ("mp3", "ogg"):
            stream.bit_rate = bitrate
        for start, frame in _frames(pcm, sample_rate, layout):
            container.mux(stream.encode(frame))
            if progress is not None:
                progress(start / len(pcm))
        container.mux(stream.encode(None))
    return out.getvalue()


def media_type(format: str) -> MediaType:  # noqa: A002 - the word of the API
    return ENCODERS[format][3]


def _frames(pcm: Samples, sample_rate: int, layout: str) -> Iterator[tuple[int, AudioFrame]]:
    whole = np.rint(np.clip(pcm, -1.0, 1.0) * 32767).astype(np.int16)
    for start in range(0, len(whole), _FRAME):
        part = np.ascontiguousarray(whole[start : start + _FRAME]).reshape(1, -1)
        frame = AudioFrame.from_ndarray(part, format="s16", layout=layout)
        frame.sample_rate, frame.pts, frame.time_base = sample_rate, start, Fraction(1, sample_rate)
        yield start, frame


def _mono(container: Any, sample_rate: int, max_duration_s: float) -> Iterator[Samples]:
    resampler = av.AudioResampler(format="flt", layout="mono", rate=sample_rate)
    total = 0
    for frame in container.decode(audio=0):
        for part in resampler.resample(frame):
            total += part.samples
            if total > max_duration_s * sample_rate:
                raise MediaError(MediaFault.TOO_LARGE, f"more than {max_duration_s:.0f} s of sound")
            yield part.to_ndarray()[0]
    if total == 0:
        raise MediaError(MediaFault.CORRUPT, "the sound is empty")


def _block_extremes(parts: Iterator[Samples], block: int) -> tuple[Samples, Samples, int]:
    """The extremes of every `block` samples (the last of a part may be shorter), and the sample count."""
    lows, highs, total = [], [], 0
    for part in parts:
        starts = np.arange(0, len(part), block)
        lows.append(np.minimum.reduceat(part, starts))
        highs.append(np.maximum.reduceat(part, starts))
        total += len(part)
    return np.concatenate(lows), np.concatenate(highs), total


def _stated_duration(container: Any) -> float:
    stream = container.streams.audio[0]
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    return float(container.duration or 0) / 1_000_000


def _info(container: Any, duration_s: float) -> SoundInfo:
    stream = container.streams.audio[0]
    return SoundInfo(
        stream.codec_context.codec.canonical_name, stream.rate, stream.codec_context.channels, duration_s
    )
