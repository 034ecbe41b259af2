"""A stack outside of pytest, for the tools that look at the studio: servers, gateway, worker, and something to see."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.browser.stack import Stack, open_stack
from tests.conftest import make_settings
from tests.servers import TEMPLATE, run_servers

SECRETS = {
    "PENSTOCK_ENV": "test",
    "SECRET_KEY": "a-secret-for-tests-that-is-long-enough",
    "ENCRYPTION_MASTER_KEY": "dGhlIG1hc3RlciBrZXkgb2YgdGhlc2UgdGVzdHMgaGE=",
    "CHEAP_PASSWORDS": "true",
    "S3_BUCKET": "penstock-look",
}


@asynccontextmanager
async def stack_alone(**changes: str) -> AsyncIterator[Stack]:
    """`changes` are settings of the gateway and the worker."""
    with run_servers() as servers, tempfile.TemporaryDirectory() as folder:
        environment = {**servers.environment_for(TEMPLATE), **SECRETS}
        settings = make_settings(environment, Path(folder))
        async with open_stack(environment, settings, Path(folder), **changes) as stack:
            yield stack
