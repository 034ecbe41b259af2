"""What handlers work with: one frozen group of open dependencies, made once per process."""

from dataclasses import dataclass

from prometheus_client import CollectorRegistry
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.access_tokens import AccessTokens
from gateway.auth import Authenticator
from gateway.cookies import SessionCookies
from gateway.live import LiveHub
from gateway.metrics import JobMetrics
from gateway.rates import Rates
from gateway.signatures import Signatures
from gateway.small_files import SmallFiles
from shared.catalog import Catalog
from shared.db import Database
from shared.domains.admission import Admitter
from shared.domains.attempts import Attempts
from shared.domains.eta import Etas
from shared.domains.history import Reader
from shared.domains.ops.board import Board
from shared.domains.passwords import Passwords
from shared.domains.positions import QueuePositions
from shared.domains.uploads import Intake
from shared.domains.variants import Variants
from shared.events import Publisher
from shared.executor import Executor
from shared.queue import Bell
from shared.replica import ReadReplica
from shared.settings import Settings
from shared.storage import ObjectStore
from shared.vault import Vault


@dataclass(frozen=True, slots=True)
class Deps:
    """`db` is the application role's pool (row security on); `orm` the same for ordinary routes, `replica` for sums
    that may be a moment old."""

    settings: Settings
    db: Database
    replica: ReadReplica
    orm: AsyncEngine
    redis: Redis
    store: ObjectStore
    catalog: Catalog
    reader: Reader
    positions: QueuePositions
    etas: Etas
    admitter: Admitter
    bell: Bell
    publisher: Publisher
    hub: LiveHub
    executor: Executor
    intake: Intake
    variants: Variants
    small_files: SmallFiles
    authenticator: Authenticator
    access_tokens: AccessTokens
    cookies: SessionCookies
    passwords: Passwords
    rates: Rates
    attempts: Attempts
    signatures: Signatures
    vault: Vault
    registry: CollectorRegistry
    metrics: JobMetrics
    board: Board
