"""What a provider is asked for, out of a generation's row."""

import hashlib
import math
from collections.abc import Mapping
from functools import partial
from typing import Any
from uuid import UUID

import orjson

from shared.domains.callbacks import callback_url
from shared.domains.generations import Work
from shared.domains.provider_keys import PLATFORM, key_id_of
from shared.ids import new_id
from workers.providers.base import HeldBack, InputFile, Request
from workers.steps.tools import Tools

INPUT_URL_S = 3600


class Requests:
    """Makes requests of claimed generations."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    async def of(self, work: Work, route: Mapping[str, Any], submission_id: UUID | None = None) -> Request:
        """The request for a route; of a submission that was made before, the same again."""
        row = work.row
        files = {name: await self._input_file(file) for name, file in row["files"].items()}
        submission_id = submission_id or new_id()
        return Request(
            submission_id=submission_id, generation_id=work.id, account_id=row["account_id"],
            kind=row["kind"], model=route["model"], input=row["input"], files=files,
            time_limit_s=max(row["deadline_in_s"], 10.0),
            callback_url=self._callback_url(route, submission_id),
            confirm=partial(self._confirm, work.lease.owner),
        )  # fmt: skip

    def _callback_url(self, route: Mapping[str, Any], submission_id: UUID) -> str | None:
        """None for an account's own key: providers sign by account, and we know but one signature's secret."""
        if key_id_of(route.get("credential", PLATFORM)) is not None:
            return None
        return callback_url(self._tools.settings, route["provider"], submission_id)

    async def _input_file(self, file: Mapping[str, Any]) -> InputFile:
        if "url" in file:
            return InputFile(file["url"])
        url = await self._tools.store.presign_get(file["key"], expires_s=INPUT_URL_S, mime=file["mime"])
        return InputFile(url, file["mime"], file["bytes"])

    def _confirm(self, claimed_by: UUID) -> None:
        """Raises NotSent in a process that was stopped since it claimed: the intent may be somebody else's by
        now, and may have been given up. One that came back under a new id is trusted again, but not for what
        it claimed under the old one."""
        lease = self._tools.lease
        if lease.worker_id != claimed_by or not lease.trusted_for(math.inf):
            raise HeldBack("this worker may have been declared dead")


def hash_of(request: Request) -> bytes:
    """Equal requests have equal ones, whatever their submissions are called."""
    body = {"model": request.model, "input": request.input, "files": sorted(request.files)}
    return hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).digest()
