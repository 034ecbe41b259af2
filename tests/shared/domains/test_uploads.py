"""Names of uploaded files. What becomes of their bytes is told in tests/gateway/test_uploads.py."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from shared.domains.uploads import MAX_FILENAME, safe_name


@given(st.text(max_size=400))
def test_a_name_is_never_a_path(name: str) -> None:
    safe = safe_name(name)
    assert 0 < len(safe) <= MAX_FILENAME
    assert not set(safe) & set('/\\<>:"|?*')
    assert not safe.startswith(".")
    assert all(unicodedata.category(character)[0] != "C" for character in safe)
    assert safe_name(safe) == safe


def test_the_extension_of_a_long_name_is_kept() -> None:
    assert safe_name("x" * 500 + ".jpeg").endswith("x.jpeg")
    assert safe_name("a." + "y" * 500) == "a." + "y" * 118
