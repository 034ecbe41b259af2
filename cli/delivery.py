"""What a generation delivered: saved, printed, paid; or why there is nothing."""

import hashlib
import mimetypes
import os
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from cli.client import Client
from cli.errors import BadUsage, CommandError, JobFailed, Refused, Unreachable
from cli.follow import PATIENCE_S, Patience
from cli.output import bytes_words, cost_words, duration_words
from cli.session import Session
from cli.texttail import TextTail

STDOUT = "-"
EXTENSIONS = {
    "audio/mpeg": ".mp3",
    "audio/wav": ".wav",
    "audio/ogg": ".ogg",
    "image/jpeg": ".jpg",
    "text/plain": ".txt",
}
CHUNK = 1 << 16


class Damaged(CommandError):
    """What arrived is not what was stored."""

    code = "DAMAGED_DOWNLOAD"


def check_destination(output: str | None, *, kind: str, as_json: bool) -> None:
    """Raises BadUsage when the result could not be saved there: before money is spent on it."""
    if output is None:
        return
    if output == STDOUT:
        if as_json:
            raise BadUsage("-o - and --json both want stdout.", "Choose one of them.")
        if kind != "text" and sys.stdout.isatty():
            raise BadUsage(
                f"A terminal cannot show {kind}.", "Give a file with -o, or pipe stdout somewhere."
            )
        return
    path = Path(output)
    folder = path if _is_folder(output) else path.parent
    try:
        if _is_folder(output):
            folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(folder, error) from None
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        raise BadUsage(f"Cannot write to {folder}.", "Name a folder that exists and is yours.")


async def deliver(
    session: Session, resource: dict[str, Any], output: str | None, tail: TextTail | None = None
) -> None:
    """Save and print what came of it. Raises JobFailed when nothing did."""
    out = session.out
    for warning in resource.get("warnings") or ():
        out.note(f"Warning: {warning_words(warning)}", "yellow")
    if resource["status"] != "completed":
        if out.as_json:
            out.json(resource)
        raise failure(resource)
    if resource["kind"] == "text" and output in (None, STDOUT):
        await _print_text(session, resource, tail)
    else:
        await _save_all(session, resource, output)
    out.note(summary(resource), "green")


async def _print_text(session: Session, resource: dict[str, Any], tail: TextTail | None) -> None:
    text = await _text_of(session.client, resource)
    if session.out.as_json:
        session.out.json(resource | {"text": text})
    elif tail is not None:
        tail.finish(text)
    else:
        session.out.text(text if text.endswith("\n") else f"{text}\n")


async def _text_of(client: Client, resource: Mapping[str, Any]) -> str:
    first = resource["outputs"][0]
    if isinstance(first.get("text"), str):
        return str(first["text"])
    parts = bytearray()

    async def keep(response: httpx.Response) -> None:
        parts.clear()
        async for chunk in response.aiter_bytes(CHUNK):
            parts.extend(chunk)

    await _fetch(client, resource["id"], first, keep)
    return parts.decode(errors="replace")


async def _save_all(session: Session, resource: dict[str, Any], output: str | None) -> None:
    outputs = resource["outputs"]
    if output == STDOUT:
        if len(outputs) != 1:
            raise BadUsage(
                f"There are {len(outputs)} outputs, and stdout takes one.",
                f"Save them: penstock jobs watch {resource['id']} -o FOLDER/",
            )
        await _to_stdout(session, resource["id"], outputs[0])
        return
    if output is None and session.out.as_json:
        session.out.json(resource)
        return
    saved = []
    for item, path in zip(outputs, paths_for(resource, output), strict=True):
        await _to_file(session.client, resource["id"], item, path)
        saved.append(str(path))
        if not session.out.as_json:
            session.out.line(str(path))
        if (mime := item.get("mime")) and _is_misnamed(path, mime):
            session.out.note(f"Warning: {path} is {mime}; -p format=… asks for another format.", "yellow")
    if session.out.as_json:
        session.out.json(resource | {"saved": saved})


def paths_for(resource: Mapping[str, Any], output: str | None) -> list[Path]:
    """A path for each output: `out.png`, or `out-1.png`, `out-2.png`; in a folder or without `output`, by id."""
    outputs = resource["outputs"]
    folder = Path(output or ".") if output is None or _is_folder(output) else None
    paths = []
    for number, item in enumerate(outputs, start=1):
        extension = _extension(item.get("mime"))
        base = (
            Path(output or ".")
            if folder is None
            else folder / f"{resource['kind']}-{resource['id'][-8:]}{extension}"
        )
        paths.append(base if len(outputs) == 1 else base.with_name(f"{base.stem}-{number}{base.suffix}"))
    return paths


async def _to_file(client: Client, generation_id: str, item: Mapping[str, Any], path: Path) -> None:
    """Write beside the path first: a file of that name is whole. Raises BadUsage, Damaged."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")

    async def keep(response: httpx.Response) -> None:
        digest = hashlib.sha256()
        with draft.open("wb") as file:
            async for chunk in response.aiter_bytes(CHUNK):
                file.write(chunk)
                digest.update(chunk)
        _check(item, digest.hexdigest())

    try:
        await _fetch(client, generation_id, item, keep)
        draft.replace(path)
    except OSError as error:
        raise _unwritable(path, error) from None
    finally:
        draft.unlink(missing_ok=True)


async def _to_stdout(session: Session, generation_id: str, item: Mapping[str, Any]) -> None:
    content = bytearray()

    async def keep(response: httpx.Response) -> None:
        content.clear()
        async for chunk in response.aiter_bytes(CHUNK):
            content.extend(chunk)
        _check(item, hashlib.sha256(content).hexdigest())

    await _fetch(session.client, generation_id, item, keep)
    session.out.stdout.flush()
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()


async def _fetch(client: Client, generation_id: str, item: Mapping[str, Any], keep: Any) -> None:
    """Give the file to `keep`, from the beginning again when the connection breaks."""
    patience = Patience(PATIENCE_S)
    while True:
        try:
            async with client.download(f"/generations/{generation_id}/outputs/{item['n']}") as response:
                await keep(response)
            return
        except (Refused, Unreachable) as error:
            await patience.wait(error)


def _check(item: Mapping[str, Any], digest: str) -> None:
    if item.get("sha256") not in (None, digest):
        raise Damaged("The downloaded file differs from the stored one.", "Download it again.")


def failure(resource: Mapping[str, Any]) -> JobFailed:
    """Why there is no result, what it cost, and what can be done."""
    error = resource.get("error") or {}
    reason = str(error.get("message") or "no reason was given").rstrip(".")
    cost = cost_words(resource.get("cost"))
    hint = f"Try again: penstock jobs retry {resource['id']}"
    match resource["status"]:
        case "canceled":
            text = f"The generation was canceled. Cost: {cost}."
        case "expired":
            text = f"The generation expired before it began: {reason}. Cost: {cost}."
        case _:
            text = f"The generation failed: {reason}. Cost: {cost}."
            hint = hint if error.get("retryable") else ""
    return JobFailed(text, hint, resource)


def summary(resource: Mapping[str, Any]) -> str:
    """`Done in 4.2 s, by flux-2 at replicate (1024×1024, 1.2 MB). Cost: $0.04.`"""
    resolved = resource.get("resolved") or {}
    who = dict.fromkeys((resolved.get("model"), resolved.get("provider")))
    by = f", by {' at '.join(map(str, who))}" if resolved else ""
    facts = [_facts(item) for item in resource["outputs"][:1]]
    about = f" ({facts[0]})" if facts and facts[0] else ""
    return f"Done{_took(resource)}{by}{about}. Cost: {cost_words(resource.get('cost'))}."


def _took(resource: Mapping[str, Any]) -> str:
    if not resource.get("completed_at"):
        return ""
    begun, ended = (datetime.fromisoformat(resource[name]) for name in ("created_at", "completed_at"))
    return f" in {duration_words(max(0.0, (ended - begun).total_seconds()))}"


def _facts(item: Mapping[str, Any]) -> str:
    parts = []
    if item.get("width") and item.get("height"):
        parts.append(f"{item['width']}×{item['height']}")
    if item.get("duration_s"):
        parts.append(duration_words(item["duration_s"]))
    if item.get("bytes"):
        parts.append(bytes_words(item["bytes"]))
    return ", ".join(parts)


def warning_words(warning: Mapping[str, Any]) -> str:
    known = str(warning.get("message") or warning.get("code") or warning)
    if warning.get("code") == "MODEL_SHUTDOWN":
        known = f"the model ends on {warning.get('date')}"
        known += f"; use {warning['successor']} then" if warning.get("successor") else ""
    return known


def _is_misnamed(path: Path, mime: str) -> bool:
    """Whether the name says another format than the file has."""
    named = mimetypes.guess_type(path.name)[0]
    return named is not None and _extension(named) != _extension(mime)


def _is_folder(output: str) -> bool:
    return output.endswith(("/", os.sep)) or Path(output).is_dir()


def _extension(mime: str | None) -> str:
    kind = (mime or "").partition(";")[0].strip()
    return EXTENSIONS.get(kind) or mimetypes.guess_extension(kind) or ".bin"


def _unwritable(path: Path, error: OSError) -> BadUsage:
    return BadUsage(f"Cannot write {path}: {error.strerror or error}.", "Choose another place with -o.")
