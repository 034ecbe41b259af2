"""What a container of films holds: a film, or only sound, as when a browser records a voice."""

from pathlib import Path

import av

from shared.media import sound, video
from shared.media.errors import MediaError, MediaFault
from shared.media.info import SoundInfo, VideoInfo


def probe(path: Path | str) -> SoundInfo | VideoInfo:
    """Raises MediaError."""
    try:
        with av.open(str(path), mode="r") as container:
            has_picture = bool(container.streams.video)
    except (av.FFmpegError, EOFError, UnicodeDecodeError) as error:
        raise MediaError(MediaFault.CORRUPT, "the file cannot be decoded") from error
    return video.probe(path) if has_picture else sound.measured(path)
