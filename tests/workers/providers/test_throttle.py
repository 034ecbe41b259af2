"""How long to stay away, wherever a provider says it."""

import pytest

from workers.providers.throttle import retry_after_s

DEFAULT_S = 12.0


@pytest.mark.parametrize(
    ("headers", "body", "seconds"),
    [
        ({"retry-after-ms": "1500", "Retry-After": "9"}, {}, 1.5),
        ({"RETRY-AFTER": "7"}, {"retry_after": 3}, 7.0),
        ({"Retry-After": "-4"}, {}, 0.0),
        ({"Retry-After": "Thu, 01 Jan 1970 00:00:00 GMT"}, {}, 0.0),
        ({}, {"retry_after": "2.5"}, 2.5),
        ({"retry-after": "soon"}, {"retry_after": 4}, 4.0),
        ({}, {"detail": "Request was throttled. Your rate limit resets in ~30s."}, 30.0),
        ({}, {"message": "Rate limit reached. Please try again in 20ms. Visit …"}, 0.02),
        ({}, {"message": "Please try again in 6m0s."}, 360.0),
        ({}, {"detail": "no", "message": "Please try again in 1h2m3.5s."}, 3723.5),
        ({"retry-after": "soon"}, {"retry_after": "nan", "message": "try again in a while"}, DEFAULT_S),
        ({}, {"detail": {"status": "system_busy"}}, DEFAULT_S),
        ({}, "Too Many Requests", DEFAULT_S),
        ({}, None, DEFAULT_S),
    ],
)
def test_where_a_throttle_may_say_it(headers: dict[str, str], body: object, seconds: float) -> None:
    assert retry_after_s(headers, body, DEFAULT_S) == pytest.approx(seconds)
