"""`penstock generate KIND …`: ask, wait with a progress bar, save."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any
from uuid import uuid4

import typer

from cli.delivery import STDOUT, check_destination, deliver
from cli.errors import BadUsage
from cli.inputs import merge, parse_parameters, read_prompt, upload_files
from cli.options import Connection, takes
from cli.session import Session, run
from cli.texttail import TextTail
from cli.waiting import how_to_go_on, wait_for_end

app = typer.Typer(
    rich_markup_mode=None,
    add_completion=False,
    no_args_is_help=True,
    help="Make an image, speech, music, video, text, or a larger picture.",
)


class Priority(StrEnum):
    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"


@dataclass(frozen=True, kw_only=True)
class Order(Connection):
    """What every kind can be told."""

    output: Annotated[
        str | None,
        typer.Option(
            "-o",
            "--output",
            metavar="PATH",
            help="File or folder to save to; several are numbered; - is stdout.",
        ),
    ] = None
    model: Annotated[str | None, typer.Option(help="Model; see `penstock models`.")] = None
    provider: Annotated[
        list[str] | None, typer.Option(help="Provider to try first; repeat for an order.")
    ] = None
    priority: Annotated[Priority | None, typer.Option(help="Place among your own jobs.")] = None
    parameter: Annotated[
        list[str] | None,
        typer.Option(
            "-p", "--parameter", metavar="NAME=VALUE", help="Any other parameter; the value may be JSON."
        ),
    ] = None
    idempotency_key: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Asking twice with the same key makes one generation.")
    ] = None
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Print the id at once and leave.")] = False


Prompt = Annotated[str, typer.Argument(help="What it shall be; - reads it from stdin.")]
Seed = Annotated[int | None, typer.Option(help="The same seed gives the same result, where the model can.")]


@app.command()
@takes(Order)
def image(
    order: Order,
    prompt: Prompt,
    size: Annotated[str | None, typer.Option(metavar="WxH", help="Such as 1024x768.")] = None,
    count: Annotated[int | None, typer.Option(help="How many pictures.")] = None,
    seed: Seed = None,
) -> None:
    """An image from a prompt."""
    _start("image", order, {"prompt": read_prompt(prompt), "size": size, "count": count, "seed": seed})


@app.command()
@takes(Order)
def audio(
    order: Order,
    text: Annotated[str, typer.Argument(help="What is said; - reads it from stdin.")],
    voice: Annotated[str | None, typer.Option(help="A voice of the model.")] = None,
    language: Annotated[str | None, typer.Option(help="Such as en, de, pt.")] = None,
    voice_sample: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="A recording of the voice to speak with, 10 to 30 seconds."),
    ] = None,
    consent: Annotated[
        bool,
        typer.Option("--consent", help="Whoever speaks in the recording agreed to a copy of their voice."),
    ] = False,
    seed: Seed = None,
) -> None:
    """Speech from text."""
    own = {"text": read_prompt(text), "voice": voice, "language": language, "voice_sample": voice_sample}
    _start("audio", order, own | {"consent": consent or None, "seed": seed})


@app.command()
@takes(Order)
def music(
    order: Order,
    prompt: Prompt,
    duration_s: Annotated[float | None, typer.Option("--duration", metavar="SECONDS")] = None,
    seed: Seed = None,
) -> None:
    """Music from a prompt."""
    _start("music", order, {"prompt": read_prompt(prompt), "duration_s": duration_s, "seed": seed})


@app.command()
@takes(Order)
def video(
    order: Order,
    prompt: Prompt,
    image: Annotated[str | None, typer.Option(metavar="FILE", help="A picture to begin with.")] = None,
    duration_s: Annotated[float | None, typer.Option("--duration", metavar="SECONDS")] = None,
    seed: Seed = None,
) -> None:
    """A video from a prompt, or from a picture."""
    own = {"prompt": read_prompt(prompt), "image": image, "duration_s": duration_s, "seed": seed}
    _start("video", order, own)


@app.command()
@takes(Order)
def upscale(
    order: Order,
    source: Annotated[
        str, typer.Argument(help="A local file, the id of an upload or of a generation, or an https address.")
    ],
    scale: Annotated[int | None, typer.Option(help="How many times wider and higher.")] = None,
) -> None:
    """A picture made larger."""
    _start("upscale", order, {"image": source, "scale": scale})


@app.command()
@takes(Order)
def text(
    order: Order,
    prompt: Prompt,
    system: Annotated[str | None, typer.Option(help="How to behave.")] = None,
    max_tokens: Annotated[int | None, typer.Option(help="How long it may get.")] = None,
    seed: Seed = None,
) -> None:
    """Text from a prompt, printed while it is written."""
    own = {"prompt": read_prompt(prompt), "system": system, "max_tokens": max_tokens, "seed": seed}
    _start("text", order, own)


def _start(kind: str, order: Order, own: Mapping[str, Any]) -> None:
    run(order, lambda session: _make(session, kind, order, own))


async def _make(session: Session, kind: str, order: Order, own: Mapping[str, Any]) -> None:
    values = merge(own, parse_parameters(order.parameter or ()))
    if order.no_wait and order.output is not None:
        raise BadUsage("--no-wait leaves before there is anything to save with -o.", "Choose one of them.")
    check_destination(order.output, kind=kind, as_json=order.as_json)
    body = request_body(kind, order, await upload_files(session, values))
    resource = await session.client.submit(body, order.idempotency_key or str(uuid4()))
    if order.no_wait:
        announce(session, resource)
        return
    tail = text_tail(session, resource, order.output)
    await deliver(session, await wait_for_end(session, resource, tail), order.output, tail)


def request_body(kind: str, order: Order, values: Mapping[str, Any]) -> dict[str, Any]:
    """The body of POST /generations, with only what was said."""
    body: dict[str, Any] = {"kind": kind, "input": dict(values)}
    if order.model is not None:
        body["model"] = order.model
    if order.priority is not None:
        body["priority"] = order.priority.value
    if order.provider:
        body["provider"] = {"order": order.provider}
    return body


def announce(session: Session, resource: Mapping[str, Any]) -> None:
    """Say which generation it is, and leave it alone."""
    if session.out.as_json:
        session.out.json(resource)
        return
    session.out.line(str(resource["id"]))
    session.out.note(how_to_go_on(str(resource["id"])))


def text_tail(session: Session, resource: Mapping[str, Any], output: str | None) -> TextTail | None:
    """Text is streamed to a terminal only: what a pipe gets must be the final text."""
    out = session.out
    streams = (
        resource["kind"] == "text" and output in (None, STDOUT) and not out.as_json and out.stdout.isatty()
    )
    return TextTail(out) if streams else None
