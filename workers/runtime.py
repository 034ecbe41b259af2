"""arq: takes bells off a kind's queue and has the engine run the steps.

arq is kept to what it is good at. Its worker ends on any Redis error, so it is made again; it polls, so it is
woken by a message instead; its own retries, results, timeouts and crons are off, because the record in
Postgres decides all of that.
"""

import asyncio
import logging
import signal
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Any
from uuid import UUID

from arq.connections import ArqRedis, RedisSettings
from arq.constants import job_key_prefix
from arq.worker import Worker, func
from redis.asyncio import BlockingConnectionPool
from redis.exceptions import RedisError

from shared import log as logs
from shared.log import get_logger
from shared.queue import POKE, STEP, from_bytes, queue_name, redis_client, to_bytes, wake_channel
from shared.settings import Settings
from workers.engine import Engine
from workers.steps.runner import STEP_TIMEOUT_S

log = get_logger(__name__)

JOB_TIMEOUT_S = STEP_TIMEOUT_S + 60.0
"""Steps end by themselves."""
IDLE_POLL_S = 1.0
RECONNECT_S = 0.5
SOCKET_TIMEOUT_S = 3.0


class BellWorker(Worker):
    """arq's worker, but woken by a bell instead of polling fast, and taking many bells at a time.

    arq guards each job's start with four round trips, so that it starts once. Here the claim in Postgres
    decides that, and a bell that gets lost rings again: taking a bell off the queue is all that is needed.
    """

    def __init__(self, *args: Any, wake: asyncio.Event, engine: Engine, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._wake = wake
        self._engine = engine

    async def main(self) -> None:
        while True:
            self._wake.clear()
            await self._poll_iteration()
            with suppress(TimeoutError):
                async with asyncio.timeout(self.poll_delay_s):
                    await self._wake.wait()

    async def start_jobs(self, job_ids: list[bytes]) -> None:
        if self._engine.quiet:
            return
        wanted = [job_id.decode() for job_id in job_ids[: self.max_jobs - self.job_counter]]
        if not wanted:
            return
        pipe = self.pool.pipeline(transaction=False)
        for job_id in wanted:
            pipe.zrem(self.queue_name, job_id)
        pipe.delete(*(job_key_prefix + job_id for job_id in wanted))
        taken = await pipe.execute()
        for job_id, is_mine in zip(wanted, taken[:-1], strict=True):
            if is_mine:
                self._start(job_id)

    def _start(self, job_id: str) -> None:
        generation_id, _, dispatch_no = job_id.partition(":")
        self.job_counter += 1
        task = asyncio.create_task(self._engine.step(UUID(generation_id), int(dispatch_no)))
        task.add_done_callback(self._ended)
        self.tasks[job_id] = task

    def _ended(self, _: asyncio.Task[None]) -> None:
        was_full = self.job_counter >= self.max_jobs
        self.job_counter -= 1
        if was_full:
            self._wake.set()


class Consumer:
    """Serves one kind's queue for as long as it runs, through every Redis error."""

    def __init__(self, engine: Engine, kind: str) -> None:
        self._engine = engine
        self._kind = kind
        self._wake = asyncio.Event()
        self._worker: BellWorker | None = None
        self._outage = False

    async def run(self) -> None:
        """Until it is cancelled."""
        ears = asyncio.create_task(self._listen())
        try:
            while True:
                try:
                    await self._serve()
                except (RedisError, OSError, TimeoutError) as error:
                    self._lost(error)
                except Exception:
                    log.exception("consumer_failed", kind=self._kind)
                await asyncio.sleep(RECONNECT_S)
        finally:
            ears.cancel()

    def stop_picking(self) -> None:
        """Takes no more bells; steps that run go on."""
        if self._worker is not None:
            self._worker.allow_pick_jobs = False

    async def _serve(self) -> None:
        pool = arq_pool(self._engine.settings)
        await pool.ping()
        self._found()
        worker = self._worker = BellWorker(
            [func(self._step, name=STEP)],  # type: ignore[arg-type]  # arq's protocol wants *args
            queue_name=queue_name(self._kind), redis_pool=pool, handle_signals=False,
            max_jobs=self._engine.settings.worker_slots, job_timeout=JOB_TIMEOUT_S, keep_result=0, max_tries=1,
            poll_delay=IDLE_POLL_S, log_results=False, job_serializer=to_bytes, job_deserializer=from_bytes,
            queue_read_limit=max(2 * self._engine.settings.worker_slots, 100), wake=self._wake, engine=self._engine,
        )  # fmt: skip
        try:
            await worker.main()
        finally:
            # Steps that run belong to the engine and end by themselves; only the connection is given up.
            with suppress(RedisError, OSError, TimeoutError):
                await pool.aclose(close_connection_pool=True)

    async def _step(self, _: dict[Any, Any], generation_id: str, dispatch_no: int) -> None:
        await self._engine.step(UUID(generation_id), dispatch_no)

    async def _listen(self) -> None:
        """Wakes the worker when a bell rings; without it bells are found by the slow poll."""
        while True:
            client = redis_client(self._engine.settings.redis_url, timeout_s=SOCKET_TIMEOUT_S)
            try:
                pubsub = client.pubsub(ignore_subscribe_messages=True)
                await pubsub.subscribe(wake_channel(self._kind))
                self._wake.set()
                while True:
                    message = await pubsub.get_message(timeout=30.0)
                    if message is not None and message["data"] == POKE:
                        self._engine.nudge()
                    elif message is not None:
                        self._wake.set()
            except (RedisError, OSError, TimeoutError) as error:
                log.debug("bell_not_heard", kind=self._kind, error=repr(error))
            finally:
                with suppress(RedisError, OSError, TimeoutError):
                    await client.aclose(close_connection_pool=True)
            await asyncio.sleep(RECONNECT_S)

    def _lost(self, error: BaseException) -> None:
        if not self._outage:
            self._outage = True
            log.warning("redis_lost", kind=self._kind, error=type(error).__name__)

    def _found(self) -> None:
        if self._outage:
            self._outage = False
            log.info("redis_found", kind=self._kind)


def arq_pool(settings: Settings) -> ArqRedis:
    """arq's client on a pool whose calls all end; arq's own settings have no socket timeout."""
    pool: BlockingConnectionPool = BlockingConnectionPool.from_url(
        settings.redis_url,
        max_connections=2 * settings.worker_slots + 4,
        timeout=SOCKET_TIMEOUT_S,
        socket_timeout=SOCKET_TIMEOUT_S,
        socket_connect_timeout=SOCKET_TIMEOUT_S,
        socket_keepalive=True,
        health_check_interval=15,
    )
    return ArqRedis(connection_pool=pool, job_serializer=to_bytes, job_deserializer=from_bytes)


async def serve(settings: Settings, kinds: Sequence[str], *, maintenance: bool, stop: asyncio.Event) -> None:
    """Runs a worker process until `stop` is set, by its caller or by an operator, then drains it."""
    logging.getLogger("arq").setLevel(logging.ERROR)
    engine = await Engine.open(settings, kinds, maintenance=maintenance, on_stop=stop.set)
    await engine.start()
    consumers = [Consumer(engine, kind) for kind in kinds]
    tasks = [asyncio.create_task(consumer.run()) for consumer in consumers]
    log.info("worker_ready", kinds=list(kinds), maintenance=maintenance)
    await stop.wait()
    log.info("worker_draining", kinds=list(kinds))
    for consumer in consumers:
        consumer.stop_picking()
    await engine.drain()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await engine.close()
    log.info("worker_stopped", kinds=list(kinds))


def worker_settings(kind: str) -> type:
    """arq's settings class for `arq workers.KIND.WorkerSettings`.

    The plain arq worker ends when it loses Redis, and must then be started again from outside;
    `python -m workers` goes on without Redis.
    """
    settings = Settings()

    async def startup(ctx: dict[Any, Any]) -> None:
        logs.configure(settings, f"worker-{kind}")
        # arq has prepared for this signal by now, and knows no other way to be told to end.
        end = partial(signal.raise_signal, signal.SIGTERM)
        ctx["engine"] = await Engine.open(settings, [kind], on_stop=end)
        await ctx["engine"].start()

    async def shutdown(ctx: dict[Any, Any]) -> None:
        await ctx["engine"].drain()
        await ctx["engine"].close()

    async def step(ctx: dict[Any, Any], generation_id: str, dispatch_no: int) -> None:
        await ctx["engine"].step(UUID(generation_id), dispatch_no)

    return type("WorkerSettings", (), {
        "functions": [func(step, name=STEP)],
        "queue_name": queue_name(kind),
        "redis_settings": RedisSettings.from_dsn(settings.redis_url),
        "on_startup": startup,
        "on_shutdown": shutdown,
        "max_jobs": settings.worker_slots,
        "job_timeout": JOB_TIMEOUT_S,
        "job_completion_wait": int(settings.drain_timeout_s),
        "keep_result": 0,
        "max_tries": 1,
        "poll_delay": 0.02,
        "queue_read_limit": max(4 * settings.worker_slots, 100),
        "job_serializer": to_bytes,
        "job_deserializer": from_bytes,
        "log_results": False,
    })  # fmt: skip
