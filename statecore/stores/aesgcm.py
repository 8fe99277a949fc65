"""`AesGcm` is the cipher that is shipped: AES-256 in Galois/Counter mode, by the package `cryptography` (extra `crypto`)."""

from __future__ import annotations

from collections.abc import Mapping
from os import urandom

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from statecore.errors import KeyMissing, UnreadableValue

KEY_BYTES, NONCE_BYTES = 32, 12


class AesGcm:
    """A cipher with keys by id; the last one enciphers, each deciphers.

    A key has 32 bytes (`secrets.token_bytes(32)`); a nonce is 12 random bytes, so one key enciphers at most 2^32 values (NIST SP 800-38D, 8.3).
    The id of the key is authenticated with the value. Raises `ValueError` for a key of another length, and where there is none.

    Example: `SqliteDb(db_file="runs.db", cipher=AesGcm({"2026": key}))`
    """

    _keys: dict[str, AESGCM]
    _writes: str

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        wrong = next((kid for kid, key in keys.items() if not kid or len(key) != KEY_BYTES), None)
        if not keys or wrong is not None:
            message = (
                f"AesGcm takes {{id: {KEY_BYTES} bytes}}, at least one; {'there is none' if not keys else f'{wrong!r} is none'}"
            )
            raise ValueError(message)
        self._keys = {kid: AESGCM(key) for kid, key in keys.items()}
        self._writes = next(reversed(self._keys))

    def __repr__(self) -> str:
        """The ids of the keys, and no key."""
        return f"AesGcm({', '.join(self._keys)}; enciphers with {self._writes})"

    def encrypt(self, plain: bytes) -> tuple[str, bytes]:
        """The id of the last key, and nonce and enciphered bytes."""
        nonce = urandom(NONCE_BYTES)
        return self._writes, nonce + self._keys[self._writes].encrypt(nonce, plain, self._writes.encode())

    def decrypt(self, kid: str, enciphered: bytes) -> bytes:
        """The bytes that were given. Raises `KeyMissing`, and `UnreadableValue` for another key of the same id, and for a changed byte."""
        key = self._keys.get(kid)
        if key is None:
            raise KeyMissing(kid)
        try:
            return key.decrypt(enciphered[:NONCE_BYTES], enciphered[NONCE_BYTES:], kid.encode())
        except (InvalidTag, ValueError) as error:
            why = f"a value is not what the key {kid!r} has enciphered"
            raise UnreadableValue(why) from error
