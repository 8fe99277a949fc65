"""The chain of a run's rows, and the seals of rows that no chain covers: SHA-256 over their columns as JSON. Pure."""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256

from .records import Entry, Text
from .rules import quoted, spelled

GENESIS = bytes(32)
MOVES = 2_048
"""How many moves of lifecycles are remembered as text: more than there are."""


def digest(text: Text) -> bytes:
    """The address of a value: the SHA-256 of its text."""
    return sha256(text.encode()).digest()


def link(previous: bytes, run_id: str, entry: Entry, value: bytes | None = None) -> bytes:
    """The next link of a run's chain: SHA-256 over the link before and every column of the row.

    `value` is the digest of the row's value, where it is known already.
    """
    body = entry.body
    if value is None and body.value is not None:
        value = digest(body.value)
    machine, move = move_text(entry.machine, entry.source, entry.trigger, entry.dest)
    turn = spelled(entry.turn) if entry.turn else "[]"
    where = f"{quoted(run_id)},{entry.seq},{machine},{quoted(entry.at)},{turn},{entry.attempt}"
    address = f'"{value.hex()}"' if value is not None else "null"
    detail = spelled(body.detail) if body.detail else '""'
    row = f"[{where},{move},{entry.time},{detail},{address}]"
    return sha256(previous + row.encode()).digest()


@lru_cache(maxsize=MOVES)
def move_text(machine: str, *move: str) -> tuple[str, str]:
    """The name of a lifecycle, and one of its moves, as they stand in a JSON array."""
    return spelled(machine), spelled(move)[1:-1]


def seal(*columns: object) -> bytes:
    """The seal of a row that no chain covers: the SHA-256 of its columns."""
    return sha256(spelled(columns).encode()).digest()
