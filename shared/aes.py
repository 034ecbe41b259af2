"""AES-256-GCM, for `crypto` and the `vault`.

The library takes 8 MB of a process and most workers never open a secret, so it is loaded when one is.
"""


def encrypt(key: bytes, nonce: bytes, plain: bytes, bound_to: str) -> bytes:
    """Ciphertext and tag."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(key).encrypt(nonce, plain, bound_to.encode())


def decrypt(key: bytes, nonce: bytes, sealed: bytes, bound_to: str) -> bytes | None:
    """What `encrypt` was given; None under another key, or when it was altered or is bound to something else."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        return AESGCM(key).decrypt(nonce, sealed, bound_to.encode())
    except (InvalidTag, ValueError):
        return None
