"""The media kinds. A new kind is one new file and one name here."""

from shared.kinds.audio import AUDIO
from shared.kinds.base import Kind, Parameters
from shared.kinds.image import IMAGE
from shared.kinds.music import MUSIC
from shared.kinds.text import TEXT
from shared.kinds.upscale import UPSCALE
from shared.kinds.video import VIDEO

KINDS: dict[str, Kind] = {kind.name: kind for kind in (TEXT, IMAGE, AUDIO, MUSIC, VIDEO, UPSCALE)}

__all__ = ["KINDS", "Kind", "Parameters"]
