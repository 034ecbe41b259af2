"""storing → completed: what a provider made is fetched, checked, moderated and kept."""

from collections.abc import Sequence

from shared.domains.changes import OutputRow
from shared.domains.generations import Work
from shared.log import get_logger
from workers.artifacts import ArtifactError, Infected, Place, no_headers
from workers.moderation import ModerationUnavailable, Verdict
from workers.providers.base import Provider, RemoteFile, StoredFile
from workers.steps import backoff
from workers.steps.tools import Tools

log = get_logger(__name__)

MAX_STORE_TRIES = 5


class Storing:
    """The last step, which may be done again: the provider is done and billed."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._lifecycle = tools.lifecycle

    async def again(self, work: Work) -> None:
        """A store that did not come to its end."""
        await self.store(work, _kept_outputs(work), await self._tools.submitted_to(work))

    async def store(
        self, work: Work, outputs: Sequence[RemoteFile | StoredFile], provider: Provider | None, *,
        unpriced: bool | None = None,
    ) -> None:  # fmt: skip
        """`provider` is whose they are, None where it is gone. `unpriced` is known right after the settlement; a
        store that is done again reads it from the row."""
        row = work.row
        place = Place(row["account_id"], work.id, row["kind"])
        headers_for = no_headers if provider is None else provider.headers_for
        rows: list[OutputRow] = []
        try:
            for n, output in enumerate(outputs):
                rows.append(await self._tools.artifacts.collect(place, n, output, headers_for))
        except Infected as error:
            await self._not_stored(work, error, unpriced)
            await self._tools.store.delete(_keys(rows))
            return
        except ArtifactError as error:
            await self._not_stored(work, error, unpriced)
            return
        try:
            found = await self._tools.moderation.of_outputs(rows)
        except ModerationUnavailable as error:
            await self._not_stored(
                work, ArtifactError(f"Moderation: {error}", transient=True, ours=True), unpriced
            )
            return
        if found is not None and found.blocks:
            await self._block(work, rows, found, unpriced)
            return
        patch = {} if found is None else found.as_patch()
        await self._lifecycle.completed(work.lease, rows, unpriced=_is_unpriced(work, unpriced), found=patch)

    async def _block(
        self, work: Work, rows: Sequence[OutputRow], found: Verdict, unpriced: bool | None
    ) -> None:
        """What moderation stops is not delivered and not kept; the provider did its work, so its price stands."""
        await self._lifecycle.failed(
            work, found.as_error(), money="unpriced" if _is_unpriced(work, unpriced) else "final",
            found=found.as_patch(),
        )  # fmt: skip
        await self._tools.store.delete(_keys(rows))

    async def _not_stored(self, work: Work, error: ArtifactError, unpriced: bool | None) -> None:
        tries = work.row["polls"] if work.row["state"] == "storing" else 0
        # What was paid for is not given up because our own store is away: that is waited out.
        patient = tries < MAX_STORE_TRIES or (error.ours and work.row["deadline_in_s"] > 0)
        if error.transient and patient:
            log.warning("artifact_put_off", generation=str(work.id), tries=tries, error=str(error))
            await self._lifecycle.store_again(work.lease, tries + 1, backoff.delay_s(tries + 1))
            return
        # The provider did its work and bills it, so its price stands.
        await self._lifecycle.failed(
            work, error.as_error(),
            money="unpriced" if _is_unpriced(work, unpriced) else "final",
        )  # fmt: skip


def _is_unpriced(work: Work, known: bool | None) -> bool:
    if known is not None:
        return known
    submission = work.submission
    return submission is not None and submission["submission_cost_nanos"] is None


def _kept_outputs(work: Work) -> list[RemoteFile | StoredFile]:
    """The outputs as the submission keeps them, for a store that is done again."""
    assert work.submission is not None  # noqa: S101  # a storing generation has one
    return [
        RemoteFile(output["url"], output["mime"], output.get("details", {})) if "url" in output
        else StoredFile(output["key"], output["mime"], output["bytes"], output["sha256"], output["text"],
                        output.get("details", {}), output.get("virus"), output.get("unseen", False))
        for output in work.submission["submission_result"]["outputs"]
    ]  # fmt: skip


def _keys(rows: Sequence[OutputRow]) -> list[str]:
    """Where the files of outputs lie."""
    return [key for row in rows for key in (row.key, row.thumbnail_key, row.poster_key, row.peaks_key) if key]
