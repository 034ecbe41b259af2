"""What a worker process counts of its work, and the server that tells it to Prometheus.

Labels are bounded: kinds, providers, outcomes; never an account or an id. Each process tells its own part.
"""

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest

from shared.domains.changes import Change
from shared.domains.states import TERMINAL
from shared.log import get_logger
from shared.metrics import process_registry
from workers.providers.base import NotSent, Refused

log = get_logger(__name__)

NO_PROVIDER = "none"
ATTEMPTS = (1, 2, 3, 5, 10, 20)
CALL_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
JOB_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600)

Op = Literal["submit", "poll", "find", "cancel"]


class Children[M](dict[tuple[str, ...], M]):
    """The children of a metric by their labels, at hand: its own `labels` costs more than the counting."""

    def __init__(self, labels: Callable[..., M]) -> None:
        super().__init__()
        self._labels = labels

    def __missing__(self, labels: tuple[str, ...]) -> M:
        child = self[labels] = self._labels(*labels)
        return child


@dataclass(frozen=True, slots=True)
class WorkerMetrics:
    """The metrics of one process, on a registry of their own."""

    registry: CollectorRegistry
    finished: Children[Counter]
    wait_seconds: Children[Histogram]
    run_seconds: Children[Histogram]
    attempts: Children[Histogram]
    provider_requests: Children[Counter]
    provider_latency: Children[Histogram]
    cost_nanousd: Children[Counter]
    upload_bytes: Children[Counter]
    upload_seconds: Histogram
    webhook_deliveries: Children[Counter]

    @classmethod
    def open(cls) -> Self:
        registry = process_registry()

        def counter(name: str, text: str, *labels: str) -> Children[Counter]:
            return Children(Counter(f"penstock_{name}", text, labels, registry=registry).labels)

        def histogram(name: str, text: str, buckets: tuple[float, ...], *labels: str) -> Children[Histogram]:
            made = Histogram(f"penstock_{name}", text, labels, buckets=buckets, registry=registry)
            return Children(made.labels)

        return cls(
            registry=registry,
            finished=counter("jobs_finished_total", "Generations that ended.", "type", "provider", "outcome"),
            wait_seconds=histogram(
                "job_wait_seconds", "From the admission to the first submit.", JOB_S, "type"
            ),
            run_seconds=histogram(
                "job_run_seconds", "From the first submit to the end.", JOB_S, "type", "provider"
            ),
            attempts=histogram("job_attempts", "Submits that a generation took.", ATTEMPTS, "type"),
            provider_requests=counter(
                "provider_requests_total", "What was asked of a provider.", "provider", "op", "code"
            ),
            provider_latency=histogram(
                "provider_latency_seconds", "How long a provider took to answer.", CALL_S, "provider", "op"
            ),
            cost_nanousd=counter(
                "cost_nanousd_total", "Nano-dollars that providers billed.", "provider", "type"
            ),
            upload_bytes=counter(
                "uploads_bytes_total", "Bytes of outputs put into the object store.", "type"
            ),
            upload_seconds=Histogram(
                "penstock_upload_seconds",
                "From the first byte of an output to the object store's receipt.",
                buckets=CALL_S,
                registry=registry,
            ),
            webhook_deliveries=counter(
                "webhook_deliveries_total", "Attempts to deliver outgoing webhooks.", "outcome"
            ),
        )

    def changed(self, change: Change, row: Mapping[str, Any]) -> None:
        """Counts a committed change of a generation's status; `row` is what it became."""
        kind = row["kind"]
        if change.intent is not None and row["started_at"] == row["created_at"]:
            self.wait_seconds[kind,].observe((row["started_at"] - row["admitted_at"]).total_seconds())
        if change.settle is not None and change.settle.nanos is not None:
            self.paid(change.settle.provider, kind, change.settle.nanos)
        if change.state in TERMINAL:
            self._ended(change.state, row)

    def _ended(self, outcome: str, row: Mapping[str, Any]) -> None:
        kind, provider = row["kind"], row["provider"] or NO_PROVIDER
        self.finished[kind, provider, outcome].inc()
        if row["started_at"] is not None:
            self.run_seconds[kind, provider].observe((row["created_at"] - row["started_at"]).total_seconds())
            self.attempts[kind,].observe(row["attempts"])

    def paid(self, provider: str, kind: str, nanos: int) -> None:
        self.cost_nanousd[provider, kind].inc(nanos)

    def uploaded(self, kind: str, size: int, seconds: float) -> None:
        self.upload_bytes[kind,].inc(size)
        self.upload_seconds.observe(seconds)

    async def asked[Answer](self, provider: str, op: Op, call: Awaitable[Answer]) -> Answer:
        """Awaits what a provider is asked, counts it by how it ended, and passes its answer or error on."""
        started = time.perf_counter()
        code = "canceled"
        try:
            answer = await call
            code = _code_of(answer)
        except Exception as error:
            code = _code_of_error(error)
            raise
        finally:
            self.provider_requests[provider, op, code].inc()
            self.provider_latency[provider, op].observe(time.perf_counter() - started)
        return answer


def _code_of(answer: object) -> str:
    """A poll answers for many jobs: it failed if it said nothing of any of them."""
    if isinstance(answer, Mapping) and all(isinstance(one, Exception) for one in answer.values()):
        return "error"
    return "ok"


def _code_of_error(error: Exception) -> str:
    if isinstance(error, Refused):
        return "refused" if error.retry_after_s is None else "rate_limited"
    if isinstance(error, NotSent):
        return "not_sent"
    return "timeout" if isinstance(error, TimeoutError) else "error"


class MetricsServer:
    """Serves a registry at `/metrics` from the event loop that works, so that no answer means no work."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self._runner: web.AppRunner | None = None

    async def start(self, host: str, port: int) -> None:
        """A port that is taken is said in the log and costs nothing else: the work goes on unwatched."""
        app = web.Application()
        app.router.add_get("/metrics", self._answer)
        runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=0.5)
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            log.warning("metrics_not_served", host=host, port=port, error=str(error))
            await runner.cleanup()
            return
        self._runner = runner

    @property
    def port(self) -> int | None:
        """Where it listens, which the system chose if it was asked for port 0; None while it does not."""
        return self._runner.addresses[0][1] if self._runner is not None else None

    async def close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _answer(self, _: web.Request) -> web.Response:
        return web.Response(
            body=generate_latest(self._registry), headers={"Content-Type": CONTENT_TYPE_LATEST}
        )
