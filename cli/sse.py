"""Server-sent events, as the WHATWG standard's event stream parser reads them."""

from collections.abc import AsyncIterable, AsyncIterator

COMMENT = ""


async def read_events(chunks: AsyncIterable[bytes]) -> AsyncIterator[str]:
    """The data of each event; `COMMENT` for any other sign of life.

    Lines end with LF or CRLF only: JSON may hold the other characters at which text is usually split. An event
    that the end of the stream cuts off is dropped.
    """
    data: list[str] = []
    async for line in _lines(chunks):
        if not line:
            if data:
                yield "\n".join(data)
            data = []
        elif line.startswith("data:"):
            data.append(line[5:].removeprefix(" "))
        else:
            yield COMMENT


async def _lines(chunks: AsyncIterable[bytes]) -> AsyncIterator[str]:
    rest = b""
    async for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield line.removesuffix(b"\r").decode(errors="replace")
