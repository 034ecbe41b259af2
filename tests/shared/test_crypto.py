"""API keys and sealed tokens."""

import string

from hypothesis import given
from hypothesis import strategies as st

from shared.crypto import (
    decrypt,
    encrypt,
    new_api_key,
    parse_api_key,
    same_secret,
    seal,
    secret_hmac,
    unseal,
)

BASE62 = string.ascii_letters + string.digits


def test_a_key_comes_apart_as_it_was_put_together() -> None:
    key = new_api_key()
    assert key.text.startswith("ps_live_")
    assert len(key.text) == 54
    assert parse_api_key(key.text) == key
    assert key.secret not in repr(key)


@given(st.integers(8, 53), st.sampled_from(BASE62))
def test_any_wrong_character_is_noticed(place: int, character: str) -> None:
    text = new_api_key().text
    changed = text[:place] + character + text[place + 1 :]
    assert (parse_api_key(changed) is None) == (changed != text)


@given(st.text(max_size=80))
def test_other_text_is_no_key(text: str) -> None:
    assert parse_api_key(text) is None
    assert parse_api_key("ps_live_" + text) is None


def test_the_stored_form_depends_on_the_servers_key() -> None:
    secret = new_api_key().secret
    stored = secret_hmac("server", secret)
    assert same_secret(stored, secret_hmac("server", secret))
    assert not same_secret(stored, secret_hmac("other", secret))
    assert secret.encode() not in stored


@given(st.binary(max_size=100))
def test_a_sealed_token_opens_for_its_purpose_only(payload: bytes) -> None:
    token = seal("server", "cursor", payload)
    assert unseal("server", "cursor", token) == payload
    assert unseal("server", "ticket", token) is None
    assert unseal("other", "cursor", token) is None


@given(st.text(max_size=60))
def test_other_text_is_no_token(text: str) -> None:
    assert unseal("server", "cursor", text) is None


@given(st.binary(max_size=100), st.integers(0, 200))
def test_what_is_encrypted_opens_where_it_belongs_only(plain: bytes, place: int) -> None:
    sealed = encrypt("server", "webhook", plain, bound_to="row 1")
    assert decrypt("server", "webhook", sealed, bound_to="row 1") == plain
    assert decrypt("server", "webhook", sealed, bound_to="row 2") is None
    assert decrypt("server", "other", sealed, bound_to="row 1") is None
    assert decrypt("other", "webhook", sealed, bound_to="row 1") is None
    at = place % len(sealed)
    altered = sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]
    assert decrypt("server", "webhook", altered, bound_to="row 1") is None
    cut = decrypt("server", "webhook", sealed[:place], bound_to="row 1")
    assert cut == (plain if place >= len(sealed) else None)
    assert encrypt("server", "webhook", plain, bound_to="row 1") != sealed
