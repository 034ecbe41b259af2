"""What a submission cost, from what its provider reported and the price that was frozen at admission."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from shared.catalog import Price
from shared.money import Nanos


def cost_of(
    price: Mapping[str, Any] | None, units: Mapping[str, Decimal], reported_nanos: int | None
) -> Nanos | None:
    """Nano-dollars to settle, or None when there is no way to tell (which is not free).

    A cost that the provider names wins. Otherwise each priced unit is multiplied with its reported quantity;
    a priced unit that was not reported makes the bill unknown, except that nothing reported at all is a bill
    of zero: the provider charges nothing for it.
    """
    if reported_nanos is not None:
        return Nanos(reported_nanos)
    if not units:
        return Nanos(0)
    if price is None:
        return None
    try:
        return Price.from_json(price).estimate(units)
    except KeyError:
        return None
