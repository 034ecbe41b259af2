"""The gateway as one aiohttp application, and the dependencies that it is given."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web
from prometheus_client import CollectorRegistry
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway import idempotency
from gateway.access_tokens import AccessTokens
from gateway.auth import ApiKeys, Authenticator, RememberingScheme, Tickets
from gateway.cookies import SessionCookies
from gateway.deps import Deps
from gateway.http import Operation, endpoint
from gateway.issuers import TrustedTokens
from gateway.live import LiveHub
from gateway.metrics import JobMetrics, ServiceGauges
from gateway.middlewares import UNMATCHED, UNMATCHED_PATTERN, HttpMetrics, add_headers, around, unmatched
from gateway.open_mode import OpenMode
from gateway.openapi import plain_path
from gateway.origins import Origins
from gateway.rates import Rates
from gateway.resources import render_rows
from gateway.routes import OPERATIONS, studio
from gateway.routes.documents import OPERATIONS_KEY
from gateway.sessions import Sessions
from gateway.signatures import Signatures
from gateway.small_files import SmallFiles
from gateway.subpath import BASE_PATH, below
from shared.antivirus import Scanner
from shared.catalog import Catalog
from shared.db import Database, Role, Tx
from shared.domains.admission import Admitter
from shared.domains.attempts import Attempts
from shared.domains.eta import Etas
from shared.domains.history import Reader
from shared.domains.ops.board import Board
from shared.domains.passwords import Passwords
from shared.domains.positions import QueuePositions
from shared.domains.rate_limits import RateLimiter
from shared.domains.upload_checks import Guard
from shared.domains.uploads import Intake
from shared.domains.variants import Variants
from shared.events import Publisher
from shared.executor import Executor
from shared.metrics import process_registry
from shared.orm import orm_engine
from shared.queue import Bell, redis_client
from shared.replica import ReadReplica
from shared.settings import AuthMode, Settings
from shared.storage import ObjectStore
from shared.vault import Vault

DEPS = web.AppKey("deps", Deps)


def create_app(deps: Deps, static: Path = studio.STATIC) -> web.Application:
    """The application; whoever opened `deps` closes them. `static` has the built studio, if there is one."""
    app = web.Application(client_max_size=deps.settings.max_body_bytes)
    app[DEPS] = deps
    app[OPERATIONS_KEY] = OPERATIONS
    app.on_response_prepare.append(
        add_headers(deps.settings.allowed_origins, legacy_rates=deps.settings.rate_limit_legacy_headers)
    )
    app[BASE_PATH] = deps.settings.base_path
    if deps.settings.base_path:
        app.on_response_prepare.append(below(deps.settings.base_path))
    metrics = HttpMetrics(deps.registry)
    resources: dict[str, web.Resource] = {}
    for op in OPERATIONS:
        _mount(app, op, deps, metrics, resources)
    facts = {"sign-in": deps.settings.auth_mode.value, "sign-up": deps.settings.signup.value}
    pages = studio.Studio(static, deps.settings.base_url, deps.settings.allowed_origins, facts)
    studio.mount(app, pages, lambda page, route: around(page, route, metrics))
    app.router.add_route("*", UNMATCHED_PATTERN, around(unmatched, UNMATCHED, metrics))
    return app


def _mount(
    app: web.Application, op: Operation, deps: Deps, metrics: HttpMetrics, resources: dict[str, web.Resource]
) -> None:
    """With and without a trailing slash; a GET answers HEAD too, unless it is a stream without an end.

    All operations of a path are one resource: aiohttp tries one after the other until one matches.
    """
    bare = endpoint(op, deps, idempotency.guard if op.idempotent else None)
    handle = around(bare, plain_path(op.path), metrics, endless=op.ticket)
    methods = (op.method, "HEAD") if op.method == "GET" and not op.ticket else (op.method,)
    paths = (op.path,) if op.path.endswith(("/", ".+}")) else (op.path, f"{op.path}/")
    for path in paths:
        resource = resources.get(path) or resources.setdefault(path, app.router.add_resource(path))
        for method in methods:
            resource.add_route(method, handle)


@asynccontextmanager
async def open_deps(settings: Settings) -> AsyncIterator[Deps]:
    """Opens what handlers need, and closes it in the opposite order. Raises CONNECTION_ERRORS without Postgres."""
    async with AsyncExitStack() as stack:
        db = await Database.open(settings.database_url, Role.APP, max_size=settings.database_pool)
        stack.push_async_callback(db.close)
        orm = orm_engine(settings.database_url, Role.APP)
        stack.push_async_callback(orm.dispose)
        redis = redis_client(settings.redis_url, max_connections=4, timeout_s=1.0)
        stack.push_async_callback(redis.aclose, close_connection_pool=True)
        bell = Bell.open(settings)
        stack.push_async_callback(bell.close)
        publisher = Publisher.open(settings.redis_url)
        stack.push_async_callback(publisher.close)
        store = ObjectStore.open(settings)
        stack.push_async_callback(store.close)
        executor = Executor(settings.executor_processes)
        stack.push_async_callback(executor.close)
        signatures = Signatures(settings)
        stack.push_async_callback(signatures.close)
        passwords = Passwords(cheap=settings.cheap_passwords)
        stack.callback(passwords.close)
        trusted = TrustedTokens.of(db, settings)
        stack.push_async_callback(trusted.close)
        limiter = RateLimiter.open(settings.redis_url)
        stack.push_async_callback(limiter.close)
        access_tokens = AccessTokens(settings.secret_key.get_secret_value())
        cookies = _cookies(settings)
        registry = process_registry()
        etas = Etas(db, settings.lease_ttl_s)
        board = Board(db, settings.lease_ttl_s)
        hub = _hub(db, settings, registry, etas, board)
        await hub.start()
        stack.push_async_callback(hub.close)
        catalog = Catalog(db)
        admitter = Admitter(db, catalog, bell, publisher, settings)
        stack.push_async_callback(admitter.close)
        yield Deps(
            settings=settings,
            db=db,
            replica=await _replica(stack, db, settings),
            orm=orm,
            redis=redis,
            store=store,
            catalog=catalog,
            reader=Reader(db),
            positions=QueuePositions(db),
            etas=etas,
            admitter=admitter,
            bell=bell,
            publisher=publisher,
            hub=hub,
            executor=executor,
            intake=_intake(settings, orm, store, executor),
            variants=Variants(store, executor),
            small_files=SmallFiles(),
            authenticator=_authenticator(db, settings, [Sessions(db, access_tokens, cookies), trusted]),
            access_tokens=access_tokens,
            cookies=cookies,
            passwords=passwords,
            rates=Rates(settings, db, limiter),
            attempts=_attempts(db, settings),
            signatures=signatures,
            vault=Vault.of(settings),
            registry=registry,
            metrics=JobMetrics.of(registry, ServiceGauges(db, settings.lease_ttl_s, registry)),
            board=board,
        )


async def _replica(stack: AsyncExitStack, db: Database, settings: Settings) -> ReadReplica:
    """It may be away when the gateway starts, so no connection is opened yet."""
    if settings.database_replica_url is None:
        return ReadReplica(db, None)
    replica = await Database.open(
        settings.database_replica_url, Role.APP, min_size=0, max_size=settings.database_pool
    )
    stack.push_async_callback(replica.close)
    return ReadReplica(db, replica)


def _authenticator(db: Database, settings: Settings, schemes: Sequence[RememberingScheme]) -> Authenticator:
    server_key = settings.secret_key.get_secret_value()
    fallback = OpenMode(db, _origins(settings)) if settings.auth_mode is AuthMode.OPEN else None
    return Authenticator([ApiKeys(db, server_key), *schemes], Tickets(db, server_key), fallback)


def _intake(settings: Settings, orm: AsyncEngine, store: ObjectStore, executor: Executor) -> Intake:
    scanner = Scanner(settings.clamav_url) if settings.clamav_url is not None else None
    guard = Guard(scanner, settings.virus_scan)
    return Intake(orm, store, executor, guard, settings.max_upload_bytes, settings.max_multipart_bytes)


def _origins(settings: Settings) -> Origins:
    return Origins(settings.base_url, settings.allowed_origins)


def _cookies(settings: Settings) -> SessionCookies:
    return SessionCookies(
        settings.secret_key.get_secret_value(),
        _origins(settings),
        secure=settings.base_url.startswith("https://"),
        lifetime_s=settings.session_days * 86_400,
        base_path=settings.base_path,
    )


def _attempts(db: Database, settings: Settings) -> Attempts:
    return Attempts(
        db,
        settings.secret_key.get_secret_value(),
        settings.login_attempts_per_account,
        settings.login_attempts_per_address,
        settings.signups_per_address,
    )


def _hub(db: Database, settings: Settings, registry: CollectorRegistry, etas: Etas, board: Board) -> LiveHub:
    async def render(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
        return await render_rows(tx, rows, settings.base_url, etas)

    return LiveHub(db, settings.redis_url, render, board, registry=registry)
