from pathlib import Path
from typing import Any

import pytest

from cli.delivery import failure, paths_for, summary
from tests.cli.fake_gateway import FakeGateway
from tests.cli.terminal import Terminal

RESOURCE: dict[str, Any] = {
    "id": "01a1fae6-aa2d-7242-a779-5df7ad8acae4",
    "kind": "image",
    "status": "completed",
    "outputs": [{"mime": "image/webp", "width": 64, "height": 32, "bytes": 1500}],
    "cost": {"status": "final", "actual": {"nanos": 40_000_000}},
    "resolved": {"provider": "replicate", "model": "flux-2-pro"},
    "created_at": "2026-05-01T12:00:00Z",
    "completed_at": "2026-05-01T12:00:04.200Z",
}


@pytest.mark.parametrize(
    ("count", "output", "names"),
    [
        (1, "out.png", ["out.png"]),
        (2, "out.png", ["out-1.png", "out-2.png"]),
        (1, None, ["image-ad8acae4.webp"]),
        (2, "made/", ["made/image-ad8acae4-1.webp", "made/image-ad8acae4-2.webp"]),
    ],
)
def test_paths(count: int, output: str | None, names: list[str]) -> None:
    resource = RESOURCE | {"outputs": RESOURCE["outputs"] * count}
    assert paths_for(resource, output) == [Path(name) for name in names]


def test_the_summary_says_how_long_by_whom_and_how_much() -> None:
    assert summary(RESOURCE) == ("Done in 4.2 s, by flux-2-pro at replicate (64×32, 1.5 kB). Cost: $0.04.")


def test_failures_say_what_they_cost() -> None:
    error = {"code": "CONTENT_BLOCKED", "message": "Not that.", "retryable": False}
    failed = failure(RESOURCE | {"status": "failed", "error": error, "cost": {"status": "released"}})
    assert failed.message == "The generation failed: Not that. Cost: $0.00 (nothing charged)."
    assert (failed.code, failed.hint) == ("CONTENT_BLOCKED", "")


@pytest.mark.parametrize(("name", "warned"), [("a.wav", True), ("a.mp3", False), ("a", False)])
async def test_a_name_that_says_another_format_is_warned_about(
    terminal: Terminal, gateway: FakeGateway, name: str, warned: bool
) -> None:
    id_ = gateway.make("audio")
    gateway.complete(id_, b"ID3", mime="audio/mpeg")
    result = await terminal.run("jobs", "watch", id_, "-o", name)
    assert ("audio/mpeg; -p format=" in result.err) is warned
