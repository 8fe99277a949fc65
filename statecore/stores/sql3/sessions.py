"""The session state of a run by key: what a boundary changed of it, and the whole text again.

A state is the text of an object, as `codec.encode` writes one. A text that does not come together again of its keys (a store takes any text)
is kept whole, under no key.
"""

from __future__ import annotations

from json import JSONDecodeError, JSONEncoder, loads
from typing import TYPE_CHECKING, Any

from statecore.errors import UnreadableValue
from statecore.stores.endings import ERASED_VALUE
from statecore.stores.frames.framing import enclosed, hashed, session_commitment, session_commitments, slot_salt

from .ciphers import Enclosed, Shut, keys_of
from .questions import check_open

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from statecore.stores.sql.link import Link

Keyed = dict["str | None", str]
"""Encoded values by key, in the order of the state; under None a text that is no object."""

STATE = "SELECT key, body, salt, c FROM session_value WHERE run = ? ORDER BY id"
DROP = "DELETE FROM session_value WHERE run = ?"
DROP_KEY = "DELETE FROM session_value WHERE run = ? AND key = ?"
SET = "UPDATE session_value SET event = ?, body = ?, salt = ?, c = ? WHERE run = ? AND key = ?"
ADD = "INSERT INTO session_value (event, body, salt, c, run, key, session, workflow) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"

spelled: Callable[[Any], str] = JSONEncoder(ensure_ascii=True, separators=(",", ":"), check_circular=False).encode


def split(text: str) -> Keyed:
    """The values of a state by key."""
    if text == "{}":
        return {}
    try:
        found = loads(text)
        if type(found) is dict:
            keyed: Keyed = {key: spelled(value) for key, value in found.items()}
            for key in keyed:
                (key or "").encode()
            if joined(keyed) == text:
                return keyed
    except (JSONDecodeError, UnicodeEncodeError, RecursionError):
        pass
    return {None: text}


def joined(keyed: Mapping[str | None, str]) -> str:
    """The text of a state."""
    if None in keyed:
        return keyed[None]
    return f"{{{','.join(f'{spelled(key)}:{value}' for key, value in keyed.items())}}}"


def changed(before: Keyed, after: Keyed) -> tuple[dict[str | None, str | None], bool]:
    """The keys that are written, each with its value, None where it is removed; and whether all rows are written anew, in another order."""
    order = [*(key for key in before if key in after), *(key for key in after if key not in before)]
    gone = {key: None for key in before if key not in after and key is not None}
    anew = before != after and (order != list(after) or None in before or None in after)
    kept = {} if anew else before
    return gone | {key: value for key, value in after.items() if kept.get(key) != value}, anew


def read(connection: Link, number: int) -> Keyed:
    """The state of a run, each value as it was committed to. Raises `UnreadableValue`."""
    found: Keyed = {}
    for key, body, salt, commitment in connection.execute(STATE, (number,)).fetchall():
        if isinstance(body, Shut):
            found[key] = ERASED_VALUE
            continue
        check_open(body)
        salt = body.salt if isinstance(body, Enclosed) else bytes(salt)  # noqa: PLW2901  # its own
        if body is None or session_commitment(salt, key or "", bytes(body)) != hashed("A commitment", bytes(commitment)):
            why = "a value of the session state is not as it was committed to"
            raise UnreadableValue(why)
        found[key] = bytes(body).decode()
    return found


def commitments(salt: bytes, change: Mapping[str | None, str | None]) -> tuple[bytes, dict[str | None, tuple[bytes, bytes]]]:
    """The bytes that an event keeps of the keys that it changed, and the salt and the commitment of each."""
    named: dict[str, Any] = {key or "": value for key, value in change.items()}
    committed = session_commitments(salt, named)
    places = {key: n for n, key in enumerate(sorted(named, key=str.encode))}
    each = {key: (slot_salt(salt, "event.session", places[key or ""]) or b"", committed[places[key or ""]]) for key in change}
    return b"".join(committed), each


def write(  # noqa: PLR0913  # a row's parts
    connection: Link, number: int, owners: tuple[int, int], event: int, before: Keyed, after: Keyed, salt: bytes
) -> None:
    """Store what an event changed of a run's state; `owners` are the numbers of its session and its workflow."""
    change, anew = changed(before, after)
    _, secrets = commitments(salt, change)
    if anew:
        connection.execute(DROP, (number,))
    for key, value in change.items():
        if value is None:
            connection.execute(DROP_KEY, (number, key))
            continue
        columns = laid(connection, value.encode(), *secrets[key])
        if key in before and not anew:
            connection.execute(SET, (event, *columns, number, key))
        else:
            connection.execute(ADD, (event, *columns, number, key, *owners))


def laid(connection: Link, body: bytes, salt: bytes, commitment: bytes) -> tuple[bytes, bytes | None, bytes]:
    """A value as columns: body, salt and commitment; with a cipher the salt is in the body."""
    if not hasattr(connection, "keys"):
        return body, salt, commitment
    keys = keys_of(connection)
    return (body, salt, commitment) if keys.cipher is None else (keys.enciphered(enclosed(salt, body)), None, commitment)
