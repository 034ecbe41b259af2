"""Recordings as browsers make them: sound in a container of films, written while it was made."""

import io
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from shared.media import containers
from shared.media.info import SoundInfo, VideoInfo
from tests.emulators.media import video

RECORDERS: dict[str, tuple[str, str, int, dict[str, str]]] = {
    "Chromium and Firefox": ("webm", "libopus", 48_000, {"live": "1"}),
    "Safari": (
        "mp4",
        "aac",
        44_100,
        {"movflags": "frag_keyframe+empty_moov+default_base_moof", "brand": "iso5"},
    ),
}


def recording(form: str, codec: str, rate: int, options: dict[str, str], seconds: float) -> bytes:
    """Silence, without a length in its head."""
    out = io.BytesIO()
    with av.open(out, mode="w", format=form, options=options) as container:
        stream: Any = container.add_stream(codec, rate=rate, layout="mono")
        resampler = av.AudioResampler(format=stream.format.name, layout="mono", rate=rate)
        silence = np.zeros((1, int(rate * seconds)), dtype=np.float32)
        frame = av.AudioFrame.from_ndarray(silence, format="flt", layout="mono")
        frame.sample_rate = rate
        for part in resampler.resample(frame):
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))
    return out.getvalue()


@pytest.mark.parametrize("browser", list(RECORDERS))
def test_a_recorded_voice_is_sound_of_a_known_length(tmp_path: Path, browser: str) -> None:
    file = tmp_path / "voice"
    file.write_bytes(recording(*RECORDERS[browser], 12.0))
    found = containers.probe(file)
    assert isinstance(found, SoundInfo)
    assert found.duration_s == pytest.approx(12.0, abs=0.1)


def test_a_film_stays_a_film(tmp_path: Path) -> None:
    file = tmp_path / "film"
    file.write_bytes(video())
    assert isinstance(containers.probe(file), VideoInfo)
