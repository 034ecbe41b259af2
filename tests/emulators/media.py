"""Small files that are truly what their type says, made once per process."""

import io
import math
import wave
from functools import cache

import av
import numpy as np
from PIL import Image

MIME = {
    "png": "image/png",
    "webp": "image/webp",
    "jpg": "image/jpeg",
    "mp4": "video/mp4",
    "mp3": "audio/mpeg",
    "wav": "audio/wav",
}
_RATE_HZ = 22_050


@cache
def picture(extension: str, width: int, height: int) -> bytes:
    """A gradient of the given size, as png, webp or jpg."""
    across = np.linspace(0, 255, width, dtype=np.uint8)
    down = np.linspace(0, 255, height, dtype=np.uint8)
    pixels = np.empty((height, width, 3), dtype=np.uint8)
    pixels[..., 0], pixels[..., 1], pixels[..., 2] = across[None, :], down[:, None], 128
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, {"jpg": "JPEG", "png": "PNG", "webp": "WEBP"}[extension])
    return buffer.getvalue()


@cache
def video(width: int = 128, height: int = 72, seconds: float = 1.0) -> bytes:
    """A H.264 clip of a rising brightness at 4 frames per second."""
    buffer = io.BytesIO()
    frames = max(1, round(seconds * 4))
    with av.open(buffer, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=4)
        stream.options = {"preset": "ultrafast", "threads": "1"}
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for n in range(frames):
            pixels = np.full((height, width, 3), 255 * n // frames, dtype=np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
    return buffer.getvalue()


@cache
def sound(extension: str, seconds: float = 1.0) -> bytes:
    """A 440 Hz tone, as mp3 or wav."""
    tone = wav_tone(seconds)
    if extension == "wav":
        return tone
    buffer = io.BytesIO()
    with av.open(io.BytesIO(tone), "r") as source, av.open(buffer, "w", format="mp3") as container:
        stream = container.add_stream("libmp3lame", rate=_RATE_HZ)
        for frame in source.decode(audio=0):
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return buffer.getvalue()


def wav_tone(seconds: float) -> bytes:
    times = np.arange(round(seconds * _RATE_HZ)) / _RATE_HZ
    samples = (np.sin(2 * math.pi * 440 * times) * 12_000).astype("<i2")
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(_RATE_HZ)
        file.writeframes(samples.tobytes())
    return buffer.getvalue()
