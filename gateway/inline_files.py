"""Files that come inside a request's JSON, as `data:` URLs in base64: kept as uploads before the request is read.

The same file is the same upload, so a request that is sent again leaves no second one. How much fits is decided
by the limit on bodies; what is larger is uploaded first.
"""

import base64
import hashlib
from collections.abc import AsyncIterator
from typing import Any, Final
from uuid import UUID

from gateway.deps import Deps
from gateway.generation_request import GenerationRequest
from shared.domains import uploads
from shared.errors import InvalidInput, NotFound, PayloadTooLarge, UnsupportedMedia
from shared.ids import derived_id
from shared.kinds import KINDS

SCHEME: Final = "data:"
CLONE_FILE: Final = "cloneFile"
"""What the Creative Studio calls a voice sample: base64, with or without the words of a `data:` URL."""


async def keep_inline(deps: Deps, account_id: UUID, asked: GenerationRequest) -> GenerationRequest:
    """The request with the ids of uploads in place of inline files. Raises InvalidInput that names the field."""
    asked = _with_voice_sample(asked)
    names = [name for name in KINDS[asked.kind].file_fields if _is_inline(asked.input.get(name))]
    if not names:
        return asked
    kept = {name: await _kept(deps, account_id, f"input.{name}", asked.input[name]) for name in names}
    return asked.model_copy(update={"input": {**asked.input, **kept}})


def _with_voice_sample(asked: GenerationRequest) -> GenerationRequest:
    """The request with `voice_sample` in place of `cloneFile`."""
    if CLONE_FILE not in asked.input or "voice_sample" not in KINDS[asked.kind].file_fields:
        return asked
    given = dict(asked.input)
    sample = given.pop(CLONE_FILE)
    where = f"input.{CLONE_FILE}"
    if given.get("voice_sample") is not None:
        raise InvalidInput("Give either cloneFile or voice_sample.", field=where, status=422)
    if not isinstance(sample, str) or not sample:
        raise InvalidInput("A recording in base64 is needed.", field=where, status=422)
    inline = sample if _is_inline(sample) else f"{SCHEME}application/octet-stream;base64,{sample}"
    return asked.model_copy(update={"input": {**given, "voice_sample": inline}})


def _is_inline(value: Any) -> bool:
    return isinstance(value, str) and value.startswith(SCHEME)


async def _kept(deps: Deps, account_id: UUID, field: str, url: str) -> str:
    content = _decoded(field, url)
    upload_id = derived_id("inline", account_id, hashlib.sha256(content).hexdigest())
    intake = deps.intake
    try:
        await uploads.get(intake, account_id, upload_id)
    except NotFound:
        name = field.rpartition(".")[2]
        try:
            await uploads.receive(
                intake, account_id, filename=name, chunks=_once(content), upload_id=upload_id
            )
        except (InvalidInput, PayloadTooLarge, UnsupportedMedia) as error:
            raise InvalidInput(error.message, field=field, status=422) from None
    return str(upload_id)


def _decoded(field: str, url: str) -> bytes:
    head, comma, text = url.partition(",")
    if not comma or not head.endswith(";base64"):
        raise InvalidInput("An inline file begins like data:audio/mpeg;base64, …", field=field, status=422)
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise InvalidInput("The inline file is not base64.", field=field, status=422) from None


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content
