"""Prices in words."""

from datetime import date
from decimal import Decimal

import pytest

from gateway.price_words import in_words
from shared.catalog import Price


@pytest.mark.parametrize(
    ("units", "words"),
    [
        ({"run": "15000000", "megapixel": "15000000"}, "$0.015 per run + $0.015 per megapixel"),
        ({"character": "100000"}, "$0.10 per 1,000 characters"),
        (
            {
                "output_second_480p": "18000000",
                "output_second_720p": "36000000",
                "output_second_1080p": "72000000",
            },
            "$0.018 to $0.072 per second",
        ),
        (
            {
                "input_token": "2500",
                "output_token": "10000",
                "cached_input_token": "1250",
                "long_input_token": "1",
            },
            "$2.50 in, $10.00 out per million tokens",
        ),
        (
            {"run": "1000000", "input_token": "600", "audio_output_token": "12000"},
            "$0.001 per run + $0.60 in, $12.00 for sound out per million tokens",
        ),
        ({"run": "0"}, "Free"),
    ],
)
def test_a_price_is_short_and_exact(units: dict[str, str], words: str) -> None:
    rates = {unit: Decimal(rate) for unit, rate in units.items()}
    assert in_words(Price(rates, date(2026, 1, 1), "a test")) == words
