"""Live connections: websockets, SSE streams and long-polls that follow generations.

    frames       one event, encoded once per transport
    connections  the sending side of one client: bounded, never waited for
    watches      who follows which generation, and how far each has come
    texts        what has been written so far
    ops          tells operators what of the installation has changed
    hub          takes frames from Redis, repairs what is missing from Postgres
    session      what a websocket client may say

The promise to every client: the events of a generation arrive complete and in order, or a snapshot says that
they do not (`reset`).
"""

from gateway.live.connections import Connection, SocketConnection, StreamConnection
from gateway.live.frames import Frame
from gateway.live.hub import LiveHub
from gateway.live.session import Session

__all__ = ["Connection", "Frame", "LiveHub", "Session", "SocketConnection", "StreamConnection"]
