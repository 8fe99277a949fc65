"""Keys are rotated: bodies of older keys are enciphered with the newest one, and keyed seals made anew (P21, P29).

Each function is given a connection with keys, inside one transaction. No hash changes: a commitment is over the text and its salt, and a digest
depends on no key. The tables let an enciphered body change only while `store.rotating_us` is set.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from attrs import frozen

from statecore.errors import KeyMissing, UnreadableValue
from statecore.stores.frames.framing import enclosed
from statecore.stores.sql3.ciphers import Enclosed, keys_of
from statecore.stores.sql3.rows import hot_digest, is_seal, sealed

if TYPE_CHECKING:
    from statecore.core import Micros
    from statecore.stores.sql.link import Link

AT_ONCE = 100
"""How many rows one transaction looks at."""
BEGIN = "UPDATE store SET rotating_us = ? WHERE rotating_us IS NULL"
END = "UPDATE store SET rotating_us = NULL"
BODIES: dict[str, tuple[str, tuple[str, ...]]] = {
    "run": ("id", ("requester", "input", "additional", "metadata")),
    "session_value": ("id", ("body",)),
    "event": ("id", ('"by"', "note", "value")),
    "value": ("id", ("body",)),
    "pause": ("id", ("message", "form", "names", "answer", '"by"', "login", "comment")),
    "act": ("id", ('"by"', "login", "delegate", "answer", "comment")),
    "hot": ("run", ("cancel_by",)),
}
"""The tables with bodies that may be enciphered: the key of a row, and the columns."""
SEALS = """
SELECT h.run, r.run_id, h.phase, h.claim_order, h.owner, h.epoch, d.fingerprint, h.number, h.head, h.state, h.held, h.ended_us, h.kid, h.seal
FROM hot h JOIN run r ON r.id = h.run JOIN definition d ON d.id = h.definition WHERE h.run > ? ORDER BY h.run LIMIT ?"""
RESEAL = "UPDATE hot SET kid = ?, seal = ? WHERE run = ?"
COLUMNS = ("phase", "claim_order", "owner", "epoch", "definition", "number", "head", "state", "held", "ended_us")


@frozen
class Rotated:
    """The bodies that were enciphered anew, the seals that were made anew, and what still holds the old bytes, None where nothing does."""

    bodies: int
    seals: int
    left: str | None = None


class Batch(NamedTuple):
    """The key of the last row that a transaction looked at, None where there was none left, and how many bodies or seals it made anew."""

    last: int | None
    made: int


def begin(connection: Link, time: Micros) -> None:
    """Let enciphered bodies change. Raises `KeyMissing` where the connection has neither a cipher nor a key of seals."""
    if not keys_of(connection).there:
        none = "(none)"
        raise KeyMissing(none)
    connection.execute(BEGIN, (time,))


def end(connection: Link) -> None:
    """Let enciphered bodies be as they are from now on."""
    connection.execute(END)


def bodies(connection: Link, table: str, after: int) -> Batch:
    """Encipher the bodies of the next rows of a table anew, those of the newest key excepted. Raises `KeyMissing`."""
    keys = keys_of(connection)
    key, columns = BODIES[table]
    if keys.cipher is None:
        return Batch(None, 0)
    newest, _ = keys.cipher.encrypt(b"")
    read = f"SELECT {key}, {', '.join(columns)} FROM {table} WHERE {key} > ? ORDER BY {key} LIMIT ?"  # noqa: S608  # names from above
    rows = connection.execute(read, (after, AT_ONCE)).fetchall()
    made = 0
    for number, *found in rows:
        old = [n for n, body in enumerate(found) if isinstance(body, Enclosed) and body.kid != newest]
        if old:
            new: list[Any] = [keys.enciphered(enclosed(found[n].salt, bytes(found[n]))) for n in old]
            places = ", ".join(f"{columns[n]} = ?" for n in old)
            connection.execute(f"UPDATE {table} SET {places} WHERE {key} = ?", (*new, number))  # noqa: S608  # as above
        made += len(old)
    return Batch(rows[-1][0] if rows else None, made)


def seals(connection: Link, after: int) -> Batch:
    """Seal the next runs with the newest key, those excepted that no key has sealed. Raises `UnreadableValue` for a seal that is none."""
    kid, _ = keys_of(connection).sealing
    rows = connection.execute(SEALS, (after, AT_ONCE)).fetchall()
    made = 0
    for run, run_id, *columns, old, stored in rows:
        if kid is None or old in (None, kid):
            continue
        digest = hot_digest(
            run_id, dict(zip(COLUMNS, [bytes(each) if isinstance(each, bytes) else each for each in columns], strict=True))
        )
        if old not in keys_of(connection).seals:
            raise KeyMissing(old)
        if not is_seal(connection, digest, old, bytes(stored)):
            why = f"the claim or state of run {run_id!r} is not as it was sealed"
            raise UnreadableValue(why)
        connection.execute(RESEAL, (*sealed(connection, digest), run))
        made += 1
    return Batch(rows[-1][0] if rows else None, made)
