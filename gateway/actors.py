"""Who acts on the installation, as the audit log keeps them."""

from typing import Any

from gateway.addresses import client_address
from gateway.http import Request
from shared.domains.ops.audit import Actor


def actor_of(request: Request[Any, Any]) -> Actor:
    """The caller, what proved who they are, and where they are."""
    address = client_address(request.raw, request.deps.settings.trusted_proxies)
    return Actor(request.account_id, request.principal.credential, address)
