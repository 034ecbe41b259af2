"""Every provider's emulator at once, and a stack that talks to them: `make demo-providers`.

The real adapters and their SDKs run against addresses of this machine, so nobody needs a key and nothing is
paid. Options are those of `penstock up`. What each provider would have billed is told at the end; until then
every emulator tells its invoice at `/_emulator/invoice`, and takes faults at `/_emulator/faults`.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from shared.money import Nanos, amount
from tests.emulators.anthropic import AnthropicEmulator
from tests.emulators.base import Emulator
from tests.emulators.elevenlabs import ElevenLabsEmulator
from tests.emulators.fal import FalEmulator
from tests.emulators.mubert import MubertEmulator
from tests.emulators.openai import OpenAIEmulator, groq
from tests.emulators.replicate import ReplicateEmulator
from tests.emulators.runware import RunwareEmulator

HOME = Path(".penstock") / "demo-providers"
KEY = "r8_demo-key-of-an-emulator"


@dataclass(frozen=True, slots=True)
class Demo:
    """An emulator as slow as its provider, about, and the settings by which a stack finds it."""

    start: Callable[[], Emulator]
    settings: Callable[[str], Mapping[str, str]]


DEMOS = {
    "Replicate": Demo(
        lambda: ReplicateEmulator(run_s=5.0, queue_s=1.0),
        lambda url: {"REPLICATE_API_TOKEN": KEY, "REPLICATE_BASE_URL": url},
    ),
    "OpenAI": Demo(
        lambda: OpenAIEmulator(run_s=3.0),
        lambda url: {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": f"{url}/v1"},
    ),
    "Groq": Demo(lambda: groq(run_s=0.5), lambda url: {"GROQ_API_KEY": KEY, "GROQ_BASE_URL": url}),
    "ElevenLabs": Demo(
        lambda: ElevenLabsEmulator(speak_s=1.5),
        lambda url: {"ELEVENLABS_API_KEY": KEY, "ELEVENLABS_BASE_URL": url},
    ),
    "Anthropic": Demo(
        lambda: AnthropicEmulator(run_s=2.0),
        lambda url: {"ANTHROPIC_API_KEY": KEY, "ANTHROPIC_BASE_URL": url},
    ),
    "fal": Demo(
        lambda: FalEmulator(run_s=5.0, queue_s=1.0),
        lambda url: {"FAL_KEY": KEY, "FAL_QUEUE_URL": url, "FAL_WEBHOOK_JWKS_URL": ""},
    ),
    "Runware": Demo(
        lambda: RunwareEmulator(run_s=3.0),
        lambda url: {"RUNWARE_API_KEY": KEY, "RUNWARE_URL": f"ws{url.removeprefix('http')}/v1"},
    ),
    "Mubert": Demo(
        lambda: MubertEmulator(run_s=6.0),
        lambda url: {"MUBERT_CUSTOMER_ID": "demo", "MUBERT_ACCESS_TOKEN": KEY, "MUBERT_BASE_URL": url},
    ),
}


async def show(arguments: Sequence[str]) -> int:
    """Runs the stack until it ends, and returns its exit code."""
    console = Console(soft_wrap=True)
    environment = dict(os.environ) | {"PENSTOCK_HOME": str(HOME), "ALLOW_PRIVATE_URLS": "true"}
    running: dict[str, Emulator] = {}
    async with AsyncExitStack() as stack:
        for name, demo in DEMOS.items():
            running[name] = await stack.enter_async_context(demo.start())
            environment |= demo.settings(running[name].url)
        _introduce(console, running)
        code = await _stack(arguments, environment)
        _bill(console, running)
    return code


async def _stack(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """`penstock up` in a child that hears what this process hears."""
    up = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "cli.up", *arguments, env=dict(environment), start_new_session=True
    )

    def pass_on(number: int) -> None:
        with suppress(ProcessLookupError):
            up.send_signal(number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, pass_on, number)
    return await up.wait()


def _introduce(console: Console, running: Mapping[str, Emulator]) -> None:
    console.print("[bold]Providers[/bold], emulated on this machine: nothing here costs anything")
    table = Table(box=None, padding=(0, 2), show_header=False)
    for name, emulator in running.items():
        table.add_row(f"  {name}", emulator.url)
    console.print(table)
    console.print("  what they would bill: ADDRESS/_emulator/invoice\n", style="dim")


def _bill(console: Console, running: Mapping[str, Emulator]) -> None:
    console.print("\nWhat the providers would have billed:")
    table = Table(box=None, padding=(0, 2), show_header=False)
    for name, emulator in running.items():
        table.add_row(
            f"  {name}", f"{len(emulator.invoice())} jobs", f"{amount(Nanos(emulator.billed_nanos()))} USD"
        )
    console.print(table)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        sys.exit(asyncio.run(show(sys.argv[1:])))
