"""Input files, read here because OpenAI takes them with the request and not by URL."""

from typing import Final

import aiohttp

from shared.errors import InvalidInput, JobError
from shared.netguard import check_url, public_connector
from workers.providers.base import HeldBack, InputFile, Refused

MAX_BYTES: Final = 50 << 20
Content = tuple[str, bytes, str]
"""(file name, content, media type)"""
_ENDINGS = {"image/png": "png", "image/webp": "webp", "image/jpeg": "jpg"}


class Inputs:
    """Connections for reading inputs, opened when first used. Our own store may be at a private address; what
    a caller names may not."""

    def __init__(self, *, allow_private_urls: bool) -> None:
        self._allow_private = allow_private_urls
        self._sessions: dict[bool, aiohttp.ClientSession] = {}

    async def close(self) -> None:
        for session in self._sessions.values():
            await session.close()

    async def read(self, name: str, file: InputFile) -> Content:
        """Raises NotSent and Refused: nothing is paid for yet."""
        private = self._allow_private or file.bytes is not None
        try:
            if not private:
                await check_url(file.url, field=f"input.{name}")
            async with self._session(private).get(file.url) as response:
                if response.status >= 500:
                    raise HeldBack(f"the {name} answered {response.status}")
                if response.status != 200:
                    raise _unusable(name, f"answered {response.status}")
                content = await response.content.read(MAX_BYTES + 1)
                while len(content) <= MAX_BYTES and (more := await response.content.read(1 << 20)):
                    content += more
                mime = file.mime or response.content_type
        except InvalidInput as error:
            raise _unusable(name, str(error)) from error
        except (aiohttp.ClientError, OSError) as error:
            raise HeldBack(f"the {name} could not be read: {type(error).__name__}") from error
        if len(content) > MAX_BYTES:
            raise _unusable(name, "is larger than 50 MB")
        return f"{name}.{_ENDINGS.get(mime, 'bin')}", content, mime

    def _session(self, private: bool) -> aiohttp.ClientSession:
        if private not in self._sessions:
            self._sessions[private] = aiohttp.ClientSession(
                connector=public_connector(allow_private=private),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=20),
            )
        return self._sessions[private]


def _unusable(name: str, why: str) -> Refused:
    error = JobError("PROVIDER_REJECTED", f"The {name} {why}.", details={"field": f"input.{name}"})
    return Refused(error, curable=False)
