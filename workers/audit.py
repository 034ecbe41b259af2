"""The daily audit: a provider's own list of jobs against the submissions that we recorded.

It runs beside the other duties of maintenance, because a list of a day's jobs takes its time. Whichever process
asks first has it. What it finds is told in the log, in `provider_audits`, and by the gateway's gauges; nothing is
mended by itself, for what is wrong here is a fault that somebody has to understand.
"""

import asyncio
from collections.abc import Mapping
from typing import Final

from shared.db import CONNECTION_ERRORS, Database
from shared.domains import audits
from shared.domains.audits import Audit, Listed, Standing
from shared.domains.callbacks import submission_of
from shared.log import get_logger
from shared.settings import Settings
from workers.providers.base import Provider, RemoteJob

log = get_logger(__name__)

TICK_S: Final = 300.0
SETTLED_AFTER_S: Final = 20 * 60.0
"""By then every unknown submission has been found or given up."""


class Auditor:
    def __init__(self, db: Database, providers: Mapping[str, Provider], settings: Settings) -> None:
        self._db = db
        self._providers = providers
        self._server_key = settings.secret_key.get_secret_value()

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            try:
                await self.tick()
            except CONNECTION_ERRORS as error:
                log.warning("audit_put_off", error=type(error).__name__)
            except Exception:
                log.exception("audit_failed")
            await asyncio.sleep(TICK_S)

    async def tick(self) -> list[Audit]:
        """Does the audits that are due; returns those that came to an end."""
        done = []
        for provider in self._providers.values():
            if not provider.lists_jobs or provider.unavailable_reason is not None:
                continue
            settled_after_s = max(SETTLED_AFTER_S, 2 * provider.find_window_s)
            audit = await audits.begin(self._db, provider.name, provider.credential, settled_after_s)
            if audit is not None and await self._audit(provider, audit):
                done.append(audit)
        return done

    async def _audit(self, provider: Provider, audit: Audit) -> bool:
        """Whether the list could be read to its end."""
        try:
            async for page in provider.recent(audit.listed_since, audit.listed_until):
                await audit.compare(self._db, [self._listed(provider, job) for job in page])
        except Exception as error:
            log.warning("audit_cut_off", provider=provider.name, error=repr(error))
            await audits.fail(self._db, audit, type(error).__name__)
            return False
        await audit.finish(self._db)
        for finding in audit.findings:
            log.warning("audit_finding", provider=provider.name, **finding)
        log.info(
            "audited", provider=provider.name, since=audit.since.isoformat(), until=audit.until.isoformat(),
            listed=audit.counts.total(), orphans=audit.orphans, missing=audit.missing,
            foreign=audit.counts[Standing.FOREIGN],
        )  # fmt: skip
        return True

    def _listed(self, provider: Provider, job: RemoteJob) -> Listed:
        url = job.callback_url
        tag = None if url is None else submission_of(self._server_key, provider.name, url)
        return Listed(job.remote_id, job.created_at, tag, job.model, job.status)
