"""Outputs past the virus scanner, on their way into the store.

As with uploads, VIRUS_SCAN says what its word is worth: with `block` what it flags, or cannot look at, is not
delivered; with `warn` that is a line in the log.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from shared.antivirus import Along, NotScannable, Scanner, ScannerFailed
from shared.log import get_logger
from shared.settings import Settings, VirusScan

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Seen:
    """What the scanner said. `unseen` says why it did not look; `for_good` that it never will."""

    virus: str | None = None
    unseen: str | None = None
    for_good: bool = False


CLEAN = Seen()


class Screening:
    """One stream while it passes."""

    def __init__(self, along: Along | None, *, blocks: bool) -> None:
        self._along = along
        self._blocks = blocks

    def chunks(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        return chunks if self._along is None else self._along.chunks(chunks)

    async def seen(self, key: str) -> Seen:
        """Of what has passed, and is stored under `key`. CLEAN, whatever was found, unless this blocks."""
        if self._along is None:
            return CLEAN
        try:
            found = Seen(virus=await self._along.verdict())
        except NotScannable as error:
            found = Seen(unseen=str(error), for_good=True)
        except ScannerFailed as error:
            found = Seen(unseen=str(error))
        if found == CLEAN:
            return CLEAN
        log.warning("output_flagged", key=key, why=found.virus or found.unseen, blocked=self._blocks)
        return found if self._blocks else CLEAN


class Screen:
    """One per process."""

    def __init__(self, settings: Settings) -> None:
        on = settings.clamav_url is not None and settings.virus_scan is not VirusScan.OFF
        self._scanner = Scanner(settings.clamav_url) if on and settings.clamav_url is not None else None
        self._blocks = settings.virus_scan is VirusScan.BLOCK

    @asynccontextmanager
    async def screening(self) -> AsyncIterator[Screening]:
        """For one stream. It costs nothing without a scanner."""
        if self._scanner is None:
            yield Screening(None, blocks=False)
            return
        async with self._scanner.along() as along:
            yield Screening(along, blocks=self._blocks)
