"""What handlers work with: one frozen group of open dependencies, made once per process."""

from dataclasses import dataclass

from prometheus_client import CollectorRegistry
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.auth import Authenticator
from gateway.live import LiveHub
from gateway.metrics import JobMetrics
from shared.catalog import Catalog
from shared.db import Database
from shared.domains.admission import Admitter
from shared.domains.history import Reader
from shared.domains.positions import QueuePositions
from shared.events import Publisher
from shared.executor import Executor
from shared.queue import Bell
from shared.settings import Settings
from shared.storage import ObjectStore


@dataclass(frozen=True, slots=True)
class Deps:
    """`db` is the application role's pool (row security on); `orm` the same for ordinary routes."""

    settings: Settings
    db: Database
    orm: AsyncEngine
    redis: Redis
    store: ObjectStore
    catalog: Catalog
    reader: Reader
    positions: QueuePositions
    admitter: Admitter
    bell: Bell
    publisher: Publisher
    hub: LiveHub
    executor: Executor
    authenticator: Authenticator
    registry: CollectorRegistry
    metrics: JobMetrics
