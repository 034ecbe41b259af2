"""The gateway as one aiohttp application, and the dependencies that it is given."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from aiohttp import web
from prometheus_client import CollectorRegistry

from gateway import idempotency
from gateway.auth import ApiKeys, Authenticator, Tickets
from gateway.deps import Deps
from gateway.http import Operation, endpoint
from gateway.live import LiveHub
from gateway.metrics import JobMetrics, ServiceGauges
from gateway.middlewares import UNMATCHED, UNMATCHED_PATTERN, HttpMetrics, add_headers, around, unmatched
from gateway.openapi import plain_path
from gateway.resources import render_rows
from gateway.routes import OPERATIONS
from gateway.routes.documents import OPERATIONS_KEY
from shared.catalog import Catalog
from shared.db import Database, Role, Tx
from shared.domains.admission import Admitter
from shared.domains.history import Reader
from shared.domains.positions import QueuePositions
from shared.events import Publisher
from shared.executor import Executor
from shared.metrics import process_registry
from shared.orm import orm_engine
from shared.queue import Bell, redis_client
from shared.settings import Settings
from shared.storage import ObjectStore

DEPS = web.AppKey("deps", Deps)


def create_app(deps: Deps) -> web.Application:
    """The application; whoever opened `deps` closes them."""
    app = web.Application(client_max_size=deps.settings.max_body_bytes)
    app[DEPS] = deps
    app[OPERATIONS_KEY] = OPERATIONS
    app.on_response_prepare.append(add_headers(deps.settings.allowed_origins))
    metrics = HttpMetrics(deps.registry)
    for op in OPERATIONS:
        _mount(app, op, deps, metrics)
    app.router.add_route("*", UNMATCHED_PATTERN, around(unmatched, UNMATCHED, metrics))
    return app


def _mount(app: web.Application, op: Operation, deps: Deps, metrics: HttpMetrics) -> None:
    """With and without a trailing slash; a GET answers HEAD too, unless it is a stream without an end."""
    bare = endpoint(op, deps, idempotency.guard if op.idempotent else None)
    handle = around(bare, plain_path(op.path), metrics, endless=op.ticket)
    methods = (op.method, "HEAD") if op.method == "GET" and not op.ticket else (op.method,)
    paths = (op.path,) if op.path.endswith(("/", ".+}")) else (op.path, f"{op.path}/")
    for path in paths:
        for method in methods:
            app.router.add_route(method, path, handle)


@asynccontextmanager
async def open_deps(settings: Settings) -> AsyncIterator[Deps]:
    """Opens what handlers need, and closes it in the opposite order. Raises CONNECTION_ERRORS without Postgres."""
    async with AsyncExitStack() as stack:
        db = await Database.open(settings.database_url, Role.APP, max_size=settings.database_pool)
        stack.push_async_callback(db.close)
        orm = orm_engine(settings.database_url, Role.APP)
        stack.push_async_callback(orm.dispose)
        redis = redis_client(settings.redis_url, max_connections=4, timeout_s=1.0)
        stack.push_async_callback(redis.aclose)
        bell = Bell.open(settings)
        stack.push_async_callback(bell.close)
        publisher = Publisher.open(settings.redis_url)
        stack.push_async_callback(publisher.close)
        store = ObjectStore.open(settings)
        stack.push_async_callback(store.close)
        executor = Executor(settings.executor_processes)
        stack.push_async_callback(executor.close)
        registry = process_registry()
        hub = _hub(db, settings, registry)
        await hub.start()
        stack.push_async_callback(hub.close)
        catalog = Catalog(db)
        yield Deps(
            settings=settings,
            db=db,
            orm=orm,
            redis=redis,
            store=store,
            catalog=catalog,
            reader=Reader(db),
            positions=QueuePositions(db),
            admitter=Admitter(db, catalog, bell, publisher, settings),
            bell=bell,
            publisher=publisher,
            hub=hub,
            executor=executor,
            authenticator=_authenticator(db, settings),
            registry=registry,
            metrics=JobMetrics.of(registry, ServiceGauges(db, settings.lease_ttl_s, registry)),
        )


def _authenticator(db: Database, settings: Settings) -> Authenticator:
    server_key = settings.secret_key.get_secret_value()
    return Authenticator([ApiKeys(db, server_key)], Tickets(db, server_key))


def _hub(db: Database, settings: Settings, registry: CollectorRegistry) -> LiveHub:
    async def render(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
        return await render_rows(tx, rows, settings.base_url)

    return LiveHub(db, settings.redis_url, render, registry=registry)
