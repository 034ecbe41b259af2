"""What a gateway tells Prometheus: what it admitted since it started, and how the whole service stands."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from prometheus_client import CollectorRegistry, Counter
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from shared.db import Database
from shared.domains import gauges
from shared.domains.admission import Admission
from shared.domains.cancels import CancelResult
from shared.domains.gauges import Reading
from shared.kinds import KINDS
from shared.log import get_logger

log = get_logger(__name__)

FRESH_S = 2.0
"""The least time between two readings, however many ask."""
SHARE = 20
"""With a long backlog a reading takes a while: it is then kept this many times as long as it took."""
READ_TIMEOUT_S = 5.0

_GAUGES: dict[str, tuple[str, tuple[str, ...]]] = {
    "queue_depth": ("Generations that queue.", ("queue", "priority")),
    "queue_oldest_seconds": ("How long the one that queues longest has been queuing.", ("queue",)),
    "queue_paused": ("1 while the queue is paused.", ("queue",)),
    "worker_slots": (
        "Slots of living workers: busy, or free and idle, quiet or draining as their worker is.",
        ("type", "state"),
    ),
    "worker_up": ("1 while the worker beats, 0 until it is buried.", ("worker", "type")),
    "reserved_nanousd": ("Nano-dollars reserved for what has no final bill.", ()),
    "unpriced_total": ("Ended generations whose bill has no price.", ("provider",)),
    "provider_state": ("0 healthy, 1 degraded, 2 down.", ("provider",)),
    "provider_cooldown_seconds": ("How long nothing is sent to the provider.", ("provider",)),
    "audit_orphans": (
        "Jobs at the provider that bear our mark and belong to nothing recorded.",
        ("provider",),
    ),
    "audit_missing": ("Submissions that the provider's list of jobs lacks.", ("provider",)),
    "audit_foreign": ("Jobs at the provider that do not bear our mark.", ("provider",)),
    "audit_age_seconds": ("Since the provider's last audit.", ("provider",)),
    "spend_capture_ratio": (
        "Share of the provider's jobs with our mark that the record accounts for.",
        ("provider",),
    ),
    "model_days_to_shutdown": ("Days until the provider retires the model.", ("provider", "model")),
}


class ServiceGauges(Collector):
    """The state of the service as Postgres has it. Every gateway tells the same: take one, not their sum."""

    def __init__(self, db: Database, lease_ttl_s: float, registry: CollectorRegistry) -> None:
        self._db = db
        self._lease_ttl_s = lease_ttl_s
        self._readings: Sequence[Reading] = ()
        self._fresh_until = float("-inf")
        self._reading = asyncio.Lock()
        registry.register(self)

    async def refresh(self) -> None:
        """Reads anew what is stale. Without Postgres there are no gauges, and the rest is told all the same."""
        clock = asyncio.get_running_loop().time
        async with self._reading:
            if clock() < self._fresh_until:
                return
            started = clock()
            self._readings = await self._read()
            self._fresh_until = clock() + max(FRESH_S, SHARE * (clock() - started))

    async def _read(self) -> Sequence[Reading]:
        try:
            async with asyncio.timeout(READ_TIMEOUT_S):
                return await gauges.read(self._db, self._lease_ttl_s)
        except Exception as error:
            log.warning("gauges_not_read", error=repr(error))
            return ()

    def describe(self) -> Iterable[GaugeMetricFamily]:
        return [_family(name) for name in _GAUGES]

    def collect(self) -> Iterable[GaugeMetricFamily]:
        by_gauge: dict[str, list[Reading]] = defaultdict(list)
        for reading in self._readings:
            by_gauge[reading.gauge].append(reading)
        for name, readings in by_gauge.items():
            family = _family(name)
            for reading in readings:
                family.add_metric(reading.labels, reading.value)
            yield family


def _family(name: str) -> GaugeMetricFamily:
    text, labels = _GAUGES[name]
    return GaugeMetricFamily(f"penstock_{name}", text, labels=labels)


@dataclass(frozen=True, slots=True)
class JobMetrics:
    """What handlers count, and the gauges of the service. One per process."""

    enqueued: Mapping[str, Counter]
    """By kind: to look for the one with a label takes as long as to count."""
    replays: Counter
    finished: Counter
    service: ServiceGauges

    @classmethod
    def of(cls, registry: CollectorRegistry, service: ServiceGauges) -> Self:
        enqueued = Counter(
            "penstock_jobs_enqueued_total", "Generations admitted.", ("type",), registry=registry
        )
        return cls(
            {kind: enqueued.labels(kind) for kind in KINDS},
            Counter("penstock_idempotent_replays_total", "Answers that were given again.", registry=registry),
            Counter(
                "penstock_jobs_finished_total",
                "Generations that ended here; most end in a worker.",
                ("type", "provider", "outcome"),
                registry=registry,
            ),
            service,
        )

    def admitted(self, admission: Admission) -> None:
        """Counts an admission, or the replay that stands for it."""
        if admission.row is None:
            self.replays.inc()
        else:
            self.enqueued[admission.row["kind"]].inc()

    def canceled(self, result: CancelResult) -> None:
        """Counts what a cancel ended while it only queued; anything else ends in a worker."""
        if result.changed and result.state == "canceled":
            self.finished.labels(result.kind, "none", "canceled").inc()
