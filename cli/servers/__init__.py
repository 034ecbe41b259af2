"""Private PostgreSQL, Valkey and S3 servers from Python wheels: nothing to install, nobody to ask."""

from cli.servers.embedded import EmbeddedServers
from cli.servers.home import AlreadyRunning, Lock
from cli.servers.process import Server, ServerFailed

__all__ = ["AlreadyRunning", "EmbeddedServers", "Lock", "Server", "ServerFailed"]
