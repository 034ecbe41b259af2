"""The vault: known answers, and what does not open."""

import base64
from dataclasses import replace

import pytest
from pydantic import ValidationError

from shared.crypto import read_master_key
from shared.settings import Settings
from shared.vault import (
    IV_BYTES,
    SALT_BYTES,
    NoMasterKey,
    NotOpened,
    Sealed,
    Vault,
    decrypt,
    derive,
    encrypt,
    master_key_id,
)

MASTER, SALT, IV = bytes(range(32)), bytes(range(64)), bytes(range(100, 112))
DERIVED = bytes.fromhex("65741f43cf66ba545df8f02b33ff20c77cff779b87855ff62754139e85f9a678")
PLAIN = "sk-proj-a-key-of-somebody"
BOUND_TO = "00000000-0000-7000-8000-000000000001|openai|00000000-0000-7000-8000-000000000002"
ENCRYPTED = "XwvHdYsSGeORg76+pw02Hl5Ml5vaoQfpfRUUiLEQUbMJ+QFtGWwnJsM="


def sealed(**changes: str) -> Sealed:
    iv, salt = (base64.b64encode(part).decode() for part in (IV, SALT))
    return replace(Sealed(ENCRYPTED, iv, salt, master_key_id(MASTER)), **changes)


def test_scrypt_is_that_of_rfc_7914() -> None:
    """Section 12, the third vector, of whose 64 bytes a key of 32 is the first half."""
    expected = "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
    assert derive(b"pleaseletmein", b"SodiumChloride").hex() == expected


def test_a_record_is_as_another_implementation_makes_it() -> None:
    assert derive(MASTER, SALT) == DERIVED
    assert encrypt(DERIVED, IV, PLAIN, BOUND_TO) == ENCRYPTED
    assert decrypt(DERIVED, IV, ENCRYPTED, BOUND_TO) == PLAIN
    assert len(base64.b64decode(ENCRYPTED)) == len(PLAIN) + 16, "the tag follows the ciphertext"


async def test_each_record_has_its_own_salt_and_iv_and_nothing_of_the_key() -> None:
    vault = Vault(MASTER)
    one, other = [await vault.seal(PLAIN, BOUND_TO) for _ in range(2)]
    assert {len(base64.b64decode(each.encryption_iv)) for each in (one, other)} == {IV_BYTES} == {12}
    assert {len(base64.b64decode(each.encryption_salt)) for each in (one, other)} == {SALT_BYTES} == {64}
    assert (
        len({one.encryption_iv, other.encryption_iv})
        == len({one.encryption_salt, other.encryption_salt})
        == 2
    )
    assert one.encrypted_key != other.encrypted_key
    assert PLAIN not in f"{one!r}{vault!r}{base64.b64decode(one.encrypted_key)!r}"
    assert [await vault.open(each, BOUND_TO) for each in (one, other, sealed())] == [PLAIN] * 3


@pytest.mark.parametrize(
    "changes",
    [
        {"encrypted_key": "A" + ENCRYPTED[1:]},
        {"encrypted_key": base64.b64encode(base64.b64decode(ENCRYPTED)[:-16]).decode()},
        {"encrypted_key": "not base64"},
        {"encryption_iv": base64.b64encode(bytes(12)).decode()},
        {"encryption_iv": "AA=="},
        {"encryption_salt": base64.b64encode(bytes(64)).decode()},
        {"encryption_salt": "€"},
    ],
)
async def test_what_was_altered_does_not_open(changes: dict[str, str]) -> None:
    with pytest.raises(NotOpened):
        await Vault(MASTER).open(sealed(**changes), BOUND_TO)


async def test_what_was_moved_does_not_open() -> None:
    vault = Vault(MASTER)
    for elsewhere in (
        BOUND_TO.replace("openai", "groq"),
        BOUND_TO.replace("0001|", "0003|"),
        BOUND_TO[:-1] + "3",
    ):
        with pytest.raises(NotOpened):
            await vault.open(sealed(), elsewhere)


async def test_a_record_names_its_master_key() -> None:
    other = bytes(32)
    with pytest.raises(NoMasterKey):
        await Vault(other).open(sealed(), BOUND_TO)
    with pytest.raises(NotOpened):
        await Vault(other).open(sealed(master_key_id=master_key_id(other)), BOUND_TO)
    with pytest.raises(NoMasterKey):
        await Vault(None, [MASTER]).seal(PLAIN, BOUND_TO)
    assert await Vault(other, [MASTER]).open(sealed(), BOUND_TO) == PLAIN
    assert (await Vault(other, [MASTER]).seal(PLAIN, BOUND_TO)).master_key_id == master_key_id(other)


async def test_what_was_derived_of_late_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[bytes] = []

    def counting(master: bytes, salt: bytes) -> bytes:
        calls.append(salt)
        return derive(master, salt)

    monkeypatch.setattr("shared.vault.derive", counting)
    vault = Vault(MASTER)
    for _ in range(3):
        assert await vault.open(sealed(), BOUND_TO) == PLAIN
    assert calls == [SALT]


@pytest.mark.parametrize("text", [base64.b64encode(b"\xfb" * 32).decode(), "-_v7" + "-_v7" * 9 + "-_s"])
def test_a_master_key_is_read_in_either_alphabet(text: str) -> None:
    assert len(read_master_key(text)) == len(read_master_key(text.rstrip("=") + "\n")) == 32


@pytest.mark.parametrize("text", ["short", "€" * 44, base64.b64encode(bytes(33)).decode()])
def test_another_master_key_is_refused_and_not_quoted(text: str) -> None:
    for given in ({"encryption_master_key": text}, {"encryption_master_keys_before": [text]}):
        with pytest.raises(ValidationError, match="32 random bytes") as refused:
            Settings.model_validate(given)
        assert text not in str(refused.value)


def test_production_needs_a_master_key() -> None:
    with pytest.raises(ValidationError, match="encryption_master_key"):
        Settings(_env_file=None, PENSTOCK_ENV="production")
