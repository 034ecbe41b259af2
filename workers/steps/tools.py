"""What the steps of a worker process share."""

from dataclasses import dataclass

from shared.domains.generations import Lifecycle, Work
from shared.events import Publisher
from shared.settings import Settings
from shared.storage import ObjectStore
from workers.artifacts import Artifacts
from workers.credentials import Credentials
from workers.lease import Lease
from workers.metrics import WorkerMetrics
from workers.moderation import Moderation
from workers.providers.base import Provider
from workers.router import Router
from workers.run_times import RunTimes


@dataclass(frozen=True, slots=True)
class Tools:
    """What steps work with."""

    lifecycle: Lifecycle
    router: Router
    credentials: Credentials
    artifacts: Artifacts
    store: ObjectStore
    publisher: Publisher
    settings: Settings
    lease: Lease
    metrics: WorkerMetrics
    moderation: Moderation
    run_times: RunTimes

    def window_s(self, provider: Provider) -> float:
        """How long a call whose answer was lost may still turn up at the provider."""
        return self.settings.find_window_s or provider.find_window_s

    async def submitted_to(self, work: Work) -> Provider | None:
        """Whoever made the newest submission, or another with its credential."""
        submission = work.submission
        assert submission is not None  # noqa: S101  # whoever asks has one
        return await self.credentials.to_ask(
            submission["submission_provider"], submission["submission_credential"]
        )
