"""Bodies at rest: the keys of a store, the form of an enciphered body, and a connection that opens the bodies that it reads (P29).

An enciphered body is a mark that no UTF-8 text begins with, the length and the id of its key, and the output of the cipher; the input is the salt
of the slot and the text (`frames.framing.enclosed`). A row of enciphered bodies has no salt in clear, and a commitment beside each body.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Protocol

from attrs import field, frozen

from statecore.errors import KeyMissing, UnreadableValue
from statecore.stores.frames.chain import KEY_BYTES
from statecore.stores.frames.framing import disclosed
from statecore.stores.sql.link import Link, Rows

MARK = b"\xffstatecore\x01"
"""The first bytes of an enciphered body."""
LONGEST_ID = 255
NO_ID = "(none)"


class Cipher(Protocol):
    """Enciphers bodies, and says by the id of a key which one it took. `statecore.AesGcm` is the shipped one."""

    def encrypt(self, plain: bytes) -> tuple[str, bytes]:
        """The id of the key, 1 to 255 bytes of UTF-8, and the enciphered bytes. The same text again gives other bytes."""

    def decrypt(self, kid: str, enciphered: bytes) -> bytes:
        """The bytes that were given. Raises `KeyMissing` for an unknown id, `UnreadableValue` where the bytes are not those of the key."""


class Enclosed(bytes):
    """The text of a body that was opened: its slot's salt, the id of its key, and the bytes as they lie in the row."""

    salt: bytes
    kid: str
    raw: bytes


class Shut(bytes):
    """An enciphered body whose key is not there, as it lies in the row."""

    @property
    def raw(self) -> bytes:
        """The same bytes."""
        return bytes(self)


@frozen
class Keys:
    """The keys that a process has for a store: a cipher, and the keys of seals by id, of which the last one seals."""

    cipher: Cipher | None = None
    seals: Mapping[str, bytes] = field(factory=lambda: MappingProxyType({}))

    @property
    def there(self) -> bool:
        """Whether there is any."""
        return self.cipher is not None or bool(self.seals)

    @property
    def sealing(self) -> tuple[str, bytes] | tuple[None, None]:
        """The id and the key that seal now."""
        return list(self.seals.items())[-1] if self.seals else (None, None)

    def enciphered(self, plain: bytes) -> bytes:
        """A salt and a text as they lie in a row. Raises `KeyMissing` without a cipher."""
        if self.cipher is None:
            raise KeyMissing(NO_ID)
        kid, made = self.cipher.encrypt(plain)
        name = kid.encode()
        if not 1 <= len(name) <= LONGEST_ID:
            message = f"the id of a key has 1 to {LONGEST_ID} bytes, not {len(name)}"
            raise ValueError(message)
        return MARK + bytes([len(name)]) + name + made

    def opened(self, raw: bytes) -> Enclosed:
        """The body of enciphered bytes. Raises `KeyMissing`, `UnreadableValue`."""
        kid, made = parted(raw)
        if self.cipher is None:
            raise KeyMissing(kid)
        salt, text = disclosed(self.cipher.decrypt(kid, made))
        found = Enclosed(text)
        found.salt, found.kid, found.raw = salt, kid, raw
        return found


NO_KEYS = Keys()


def checked_keys(cipher: Cipher | None, seal_key: Mapping[str, bytes] | None) -> Keys:
    """The keys that a store was given. Raises `ValueError` for a key of a seal that has not 32 bytes, or no id."""
    seals = dict(seal_key or {})
    for kid, key in seals.items():
        if not kid or len(key) != KEY_BYTES:
            message = f"seal_key gives {len(key)} bytes for {kid!r}; it is {{id: {KEY_BYTES} bytes}}, as secrets.token_bytes({KEY_BYTES}) makes them"
            raise ValueError(message)
    return Keys(cipher, MappingProxyType(seals)) if cipher is not None or seals else NO_KEYS


def is_enciphered(body: object) -> bool:
    """Whether a column holds enciphered bytes, or what was made of them."""
    return isinstance(body, Enclosed | Shut) or (isinstance(body, bytes) and body.startswith(MARK))


def parted(raw: bytes) -> tuple[str, bytes]:
    """The id of a key, and the bytes after it. Raises `UnreadableValue`."""
    start = len(MARK) + 1
    end = start + (raw[start - 1] if len(raw) >= start else 0)
    try:
        kid = raw[start:end].decode()
    except UnicodeDecodeError:
        kid = ""
    if not kid or len(raw) < end:
        why = "an enciphered body names no key"
        raise UnreadableValue(why)
    return kid, raw[end:]


def key_id(raw: bytes) -> str:
    """The id of the key of an enciphered body. Raises `UnreadableValue`."""
    return parted(raw)[0]


class KeyedLink:
    """A connection of the shared SQL that has keys. It opens each body that it reads, and writes one that it has read as it lay.

    With `leaves_shut` a body without its key is given as `Shut`, and counted in `shut` by the id of the key; else it raises `KeyMissing`.
    """

    connection: Link
    keys: Keys
    leaves_shut: bool
    shut: dict[str, int]

    def __init__(self, connection: Link, keys: Keys, *, leaves_shut: bool = False) -> None:
        self.connection, self.keys, self.leaves_shut, self.shut = connection, keys, leaves_shut, {}

    def execute(self, statement: str, values: Sequence[Any] = (), /) -> OpenedRows:
        """Execute one statement."""
        return OpenedRows(self.connection.execute(statement, [as_it_lies(each) for each in values]), self)

    def executemany(self, statement: str, rows: Iterable[Sequence[Any]], /) -> OpenedRows:
        """Execute one statement for each row of values."""
        return OpenedRows(self.connection.executemany(statement, [[as_it_lies(each) for each in row] for row in rows]), self)

    def opened(self, row: Sequence[Any]) -> tuple[Any, ...]:
        """A row with its bodies opened."""
        return tuple([self.body(each) if type(each) is bytes and each.startswith(MARK) else each for each in row])

    def body(self, raw: bytes) -> Enclosed | Shut:
        """A body opened; or shut. Raises `KeyMissing`, `UnreadableValue`."""
        try:
            return self.keys.opened(raw)
        except KeyMissing as missing:
            if not self.leaves_shut:
                raise
            self.shut[missing.kid] = self.shut.get(missing.kid, 0) + 1
            return Shut(raw)


def as_it_lies(value: Any) -> Any:
    """A value for a statement: a body that was read goes back as it was."""
    return value.raw if isinstance(value, Enclosed | Shut) else value


class OpenedRows:
    """The rows of a statement, opened one by one."""

    rows: Rows
    link: KeyedLink

    def __init__(self, rows: Rows, link: KeyedLink) -> None:
        self.rows, self.link = rows, link

    @property
    def rowcount(self) -> int:
        """How many rows it changed."""
        return self.rows.rowcount

    def fetchone(self) -> Any:
        """The next row, or None."""
        row = self.rows.fetchone()
        return None if row is None else self.link.opened(row)

    def fetchall(self) -> list[Any]:
        """All rows that are left."""
        return [self.link.opened(row) for row in self.rows.fetchall()]

    def __iter__(self) -> Iterator[Any]:
        """Row by row."""
        return (self.link.opened(row) for row in self.rows)


def keys_of(connection: Link) -> Keys:
    """The keys of a connection; of one without any, none."""
    return getattr(connection, "keys", NO_KEYS)


def shut_of(connection: Link) -> int:
    """How many bodies a connection could not open."""
    return sum(getattr(connection, "shut", {}).values())
