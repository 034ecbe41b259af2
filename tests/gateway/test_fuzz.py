"""The gateway does what its OpenAPI document says: schemathesis finds no 500 and nothing undocumented.

A few seconds of it belong to every test run. `make fuzz` sets FUZZ_S and goes on for as long, by chance.
"""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.openapi import plain_path
from gateway.routes import OPERATIONS
from shared.catalog import publish
from shared.settings import RateLimitMode
from tests.conftest import make_settings
from tests.gateway.api import Gateway, open_gateway
from tests.gateway.people import Person
from tests.pipeline import ScriptedProvider
from tests.servers import TEMPLATE, RunServers

FUZZ_S = int(os.environ.get("FUZZ_S", "0"))
CHECKS = ("not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance",
          "response_headers_conformance")  # fmt: skip
BRIEFLY = ("--phases", "fuzzing", "--max-examples", "2", "--workers", "2", "--generation-deterministic",
           "--no-shrink")  # fmt: skip
AT_LENGTH = ("--max-time", str(FUZZ_S), "--max-examples", "200", "--generation-database", "none")
ENDLESS = tuple(plain_path(op.path) for op in OPERATIONS if op.ticket)
TWINS = tuple(op.path for op in OPERATIONS if "netlify/" in op.path)
"""The same as those below /api, by other addresses."""


@pytest.fixture
async def installation(
    servers: RunServers, environment: dict[str, str], worker_id: str, tmp_path: Path
) -> AsyncIterator[Gateway]:
    """A gateway with a database of its own, for an admin may change everything in it."""
    database = f"penstock_fuzz_{worker_id}"
    await servers.create_database(database, TEMPLATE)
    urls = {
        name: url for name, url in servers.environment_for(database).items() if name.startswith("DATABASE_")
    }
    settings = make_settings(environment | urls, tmp_path).model_copy(
        update={"max_wait_s": 0, "rate_limits": RateLimitMode.OFF}
    )
    async with open_gateway(settings) as gateway:
        await gateway.deps.store.ensure_bucket()
        await publish(gateway.worker, ScriptedProvider().cards)
        yield gateway
    await servers.drop_database(database)


@pytest.mark.timeout(300 + 2 * FUZZ_S)
async def test_nothing_fails_and_nothing_is_undocumented(installation: Gateway, tmp_path: Path) -> None:
    admin = await Person.sign_up(installation)
    assert admin.tokens["user"]["role"] == "admin"
    key = (await admin.api.post("/api/v1/keys", {"name": "fuzz", "scopes": ["admin"]})).json["key"]
    document = tmp_path / "openapi.json"
    document.write_bytes((await admin.api.get("/api/openapi.json")).content)
    excluded = [word for path in (*ENDLESS, *TWINS) for word in ("--exclude-path", path)]
    process = await asyncio.create_subprocess_exec(
        Path(sys.executable).with_name("schemathesis"), "run", document,
        "--url", installation.url, "--header", f"Authorization: Bearer {key}", "--checks", ",".join(CHECKS), *excluded,
        "--continue-on-failure", "--request-timeout", "30", "--suppress-health-check", "all", "--warnings", "off",
        "--no-color", *(AT_LENGTH if FUZZ_S else BRIEFLY),
        stdout=PIPE, stderr=STDOUT, cwd=tmp_path,
    )  # fmt: skip
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
