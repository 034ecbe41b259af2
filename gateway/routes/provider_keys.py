"""Accounts' own keys for providers, in the workbench's envelope."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, Field, SecretStr

from gateway.envelope import enveloped, enveloped_answer
from gateway.generation_request import Name
from gateway.http import Body, Reply, Request, operation
from gateway.resources import Resource
from shared.domains import provider_keys
from shared.domains.accounts import Scope
from shared.domains.provider_keys import NewProviderKey
from shared.errors import Conflict, InvalidInput, NotFound, Unavailable
from shared.ids import new_id
from shared.keychecks import KeyStatus, check_key

TAG = "Provider keys"
LENGTHS = (8, 500)
_MASK = "••••"
_SAID = {
    KeyStatus.VALID: "The key is kept, and {provider} takes it.",
    KeyStatus.REFUSED: "{provider} refuses this key, so it is kept but not used.",
    KeyStatus.UNREACHABLE: "The key is kept; {provider} could not be asked about it and is tried with it.",
}


def _visible(key: SecretStr) -> SecretStr:
    """Headers carry no other characters. What is wrong is said without the key."""
    text = key.get_secret_value()
    if not LENGTHS[0] <= len(text) <= LENGTHS[1] or not all("!" <= character <= "~" for character in text):
        raise ValueError(f"must be {LENGTHS[0]} to {LENGTHS[1]} visible ASCII characters without spaces")
    return key


def _named(name: str) -> str:
    if not name.strip():
        raise ValueError("must not be blank")
    return name.strip()


class ProviderKeyResource(Resource):
    id: UUID
    provider: str
    key_name: str
    masked_key: str = Field(description="The end of the key; the key itself is never shown.")
    is_active: bool = Field(description="Whether it serves your requests.")
    status: Literal["valid", "refused", "unreachable"] = Field(
        description="What the provider said of it when it was last asked; `unreachable` is no answer."
    )
    checked_at: datetime | None
    last_used_at: datetime | None
    created_at: datetime
    updated_at: datetime


class ProviderKeyRequest(Body):
    provider: Name
    key_name: Annotated[str, Field(min_length=1, max_length=255), AfterValidator(_named)] = "default"
    api_key: Annotated[SecretStr, AfterValidator(_visible)] = Field(
        description="As the provider gave it to you; Mubert's as `CUSTOMER_ID:ACCESS_TOKEN`."
    )


@operation(
    "GET",
    "/api/api-keys",
    tag=TAG,
    summary="List your keys for providers",
    scope=Scope.READ,
    answers=(enveloped_answer(200, "All your keys, oldest first", list[ProviderKeyResource]),),
)
async def list_provider_keys(request: Request[None, None]) -> Reply:
    """Without the keys themselves: of each its end, what its provider said of it, and when it was used."""
    async with request.deps.db.transaction(request.account_id) as tx:
        rows = await provider_keys.listed(tx)
    return enveloped([_resource(row) for row in rows], f"{len(rows)} {'key' if len(rows) == 1 else 'keys'}.")


@operation(
    "POST",
    "/api/api-keys",
    tag=TAG,
    summary="Bring along a key for a provider",
    scope=Scope.ADMIN,
    answers=(
        enveloped_answer(201, "Kept; `status` says what the provider thinks of it", ProviderKeyResource),
    ),
    errors=(InvalidInput, Conflict, Unavailable),
    parameters=("Idempotency-Key",),
    example={"provider": "openai", "key_name": "my key", "api_key": "sk-proj-…"},
    idempotent=True,
)
async def add_provider_key(request: Request[ProviderKeyRequest, None]) -> Reply:
    """The provider is asked whether it takes the key, which costs nothing, and the key is kept encrypted. From then on
    your requests run on it wherever that provider serves them (within five seconds everywhere): it bills you
    directly, and nothing of that counts against your budget here. Of several keys for one provider the newest serves.
    """
    deps, asked = request.deps, request.body
    await _check_provider(request, asked.provider)
    if not deps.vault.is_ready:
        raise Unavailable("Keys cannot be kept here: ENCRYPTION_MASTER_KEY is not set.")
    key, key_id = asked.api_key.get_secret_value(), new_id()
    status = await check_key(deps.settings, asked.provider, key)
    sealed = await deps.vault.seal(key, provider_keys.bound_to(request.account_id, asked.provider, key_id))
    new = NewProviderKey(
        key_id,
        request.account_id,
        asked.provider,
        asked.key_name,
        sealed,
        provider_keys.last_four(key),
        status,
    )
    async with deps.db.transaction(request.account_id) as tx:
        row = await provider_keys.add(tx, new)
    deps.admitter.orders.forget(request.account_id)
    return enveloped(_resource(row), _SAID[status].format(provider=asked.provider), 201)


@operation(
    "DELETE",
    "/api/api-keys/{id}",
    tag=TAG,
    summary="Delete a key for a provider",
    scope=Scope.ADMIN,
    answers=(enveloped_answer(200, "It serves nothing new (within five seconds everywhere)"),),
    errors=(NotFound,),
)
async def delete_provider_key(request: Request[None, None]) -> Reply:
    """What runs at the provider with this key ends by it; then the key is destroyed."""
    async with request.deps.db.transaction(request.account_id) as tx:
        await provider_keys.delete(tx, request.id())
    request.deps.admitter.orders.forget(request.account_id)
    return enveloped(None, "The key is deleted.")


async def _check_provider(request: Request[Any, Any], name: str) -> None:
    cards = await request.deps.catalog.cards()
    if any(card.provider == name and card.own_key for card in cards):
        return
    if any(card.provider == name for card in cards):
        raise InvalidInput(f"{name} takes no keys of its users.", field="provider", status=422)
    known = sorted({card.provider for card in cards if card.own_key})
    raise InvalidInput(f"There is no provider {name[:100]!r}.", field="provider", status=422, known=known)


def _resource(row: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: row[name] for name in ProviderKeyResource.model_fields if name != "masked_key"}
    return {**kept, "masked_key": _MASK + row["last_four"]}


operations = (list_provider_keys, add_provider_key, delete_provider_key)
