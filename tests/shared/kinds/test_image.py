"""The parameters of pictures."""

from typing import Any

import pytest
from pydantic import ValidationError

from shared.kinds.image import ImageParameters

PICTURE = "https://example.org/a.png"


@pytest.mark.parametrize("given", [{"mask": PICTURE}, {"images": [PICTURE]}])
def test_what_goes_with_a_picture_does_not_go_alone(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="go with image"):
        ImageParameters(prompt="x", **given)
    assert ImageParameters(prompt="x", image=PICTURE, **given).image == PICTURE


@pytest.mark.parametrize("given", [{"quality": "best"}, {"image": PICTURE, "images": []}])
def test_what_nobody_draws_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ImageParameters(prompt="x", **given)
