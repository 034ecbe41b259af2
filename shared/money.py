"""Money: integer nano-dollars (1e-9 USD), everywhere.

Rounding happens once per ledger entry, half to even, from an exact Decimal product.
"""

from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from typing import NewType

Nanos = NewType("Nanos", int)

NANOS_PER_USD = 1_000_000_000
NANOS_PER_CENT = 10_000_000
ZERO = Nanos(0)


def usd(amount: str | int | Decimal) -> Nanos:
    """Nano-dollars of a dollar amount. Raises ValueError when it is finer than a nano-dollar.

    >>> usd("0.04")
    40000000
    """
    exact = Decimal(amount) * NANOS_PER_USD
    if exact != exact.to_integral_value():
        raise ValueError(f"{amount} USD is finer than a nano-dollar")
    return Nanos(int(exact))


def multiply(unit_price: Decimal, quantity: Decimal) -> Nanos:
    """Price per unit (in nano-dollars, maybe fractional) times quantity, rounded half to even."""
    return Nanos(int((unit_price * quantity).to_integral_value(ROUND_HALF_EVEN)))


def cents(nanos: Nanos) -> int:
    """Whole cents, rounded half up; for the seeds' columns only, never summed."""
    return int((Decimal(nanos) / NANOS_PER_CENT).to_integral_value(ROUND_HALF_UP))


def amount(nanos: Nanos) -> str:
    """Dollars as a decimal string with nine places: `0.040000000`."""
    sign, whole = ("-", -nanos) if nanos < 0 else ("", nanos)
    return f"{sign}{whole // NANOS_PER_USD}.{whole % NANOS_PER_USD:09d}"


def as_json(nanos: Nanos) -> dict[str, int | str]:
    return {"nanos": nanos, "amount": amount(nanos)}
