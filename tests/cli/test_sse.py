from collections.abc import AsyncIterator
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from cli.sse import COMMENT, read_events

STREAM = b': hello\r\n\r\nid: 7\ndata: {"a": "\xe2\x80\xa8"}\n\ndata: one\ndata:two\n\ndata: cut off'


async def chunks(parts: list[bytes]) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


@given(st.lists(st.integers(0, len(STREAM)), max_size=6))
async def test_events_are_the_same_however_the_bytes_arrive(cuts: list[int]) -> None:
    """A line separator inside JSON ends no line, and an event that was cut off is none."""
    edges = [0, *sorted(cuts), len(STREAM)]
    parts = [STREAM[start:end] for start, end in pairwise(edges)]
    found = [data async for data in read_events(chunks(parts))]
    assert [data for data in found if data != COMMENT] == ['{"a": "\u2028"}', "one\ntwo"]
