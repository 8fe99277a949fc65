"""`session_state` as calls share it: what one call changed, and how it is laid over what others left meanwhile.

A change names top-level keys: those that a call added or replaced, with their values, and those that it removed. Other keys stay as they are
found (decision 0007). A change becomes visible when the component completes whose call it is (SESSION-3): `session_after` is asked by each
boundary. With an output under review the row of the output keeps the change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from statecore.codec import decode, encode
from statecore.core import Ref
from statecore.core.path import REVIEWED
from statecore.lifecycles import words as w
from statecore.stores.detail import detail_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from statecore.core import Address, Commit, Cursor, Source
    from statecore.core.state import Turn
    from statecore.stores import Identity

    from .host import Host

ANY = 1 << 40
"""No limit: what is stored already is stored again."""


class Change(NamedTuple):
    """The session state of one call: what it began with, and what it left. Both are encoded."""

    base: str
    mine: str

    def over(self, now: str, limit: int = ANY) -> str:
        """The session state with this change laid over it. Raises `UnstorableValue` for what is too large together."""
        return self.mine if now == self.base else laid(self.text(), now, limit)

    def text(self) -> str:
        """The change as it is kept in a row: the keys with their values, and the keys that are gone."""
        before, after = decode(self.base), decode(self.mine)
        new = {key: value for key, value in after.items() if key not in before or encode_any(before[key]) != encode_any(value)}
        return encode_any([new, [key for key in before if key not in after]])


def laid(change: str, now: str, limit: int = ANY) -> str:
    """The session state with a kept change laid over it."""
    new, gone = decode(change)
    merged: dict[str, Any] = decode(now)
    for key in gone:
        merged.pop(key, None)
    merged.update(new)
    return encode(merged, limit=limit)


def encode_any(value: Any) -> str:
    """The text of a value that was stored before, whatever its size."""
    return encode(value, limit=ANY)


class Sharer(Protocol):
    """An execution, as far as its session state needs it."""

    host: Host
    identity: Identity
    held: Mapping[Ref, int]
    session_state: str
    changes: dict[tuple[Address, Turn, int], Change]


def session_to_be(execution: Sharer) -> str:
    """The session state as it will be when the ends of calls that are known here are stored."""
    session = execution.session_state
    for change in execution.changes.values():
        session = change.over(session)
    return session


def session_seen(execution: Sharer, cursor: Cursor) -> str:
    """The session state as a review predicate sees it: the visible one, with the change that waits for the review."""
    kept = kept_change(execution, cursor.marks.output)
    return execution.session_state if kept is None else laid(kept, execution.session_state)


def session_after(execution: Sharer, effect: Commit) -> str:
    """The session state after an effect: each component that completes with it makes its change visible (SESSION-3)."""
    session = execution.session_state
    for move in effect.after.moves:
        place = (move.at, move.turn, move.attempt)
        change = execution.changes.get(place)
        kept = kept_change(execution, Ref(*place)) if move.source in REVIEWED and move.dest == w.completed else None
        session = session if kept is None else laid(kept, session)
        session = session if change is None else change.over(session)
    return session


def kept_change(execution: Sharer, ref: Source | None) -> str | None:
    """The change of the session state that is kept with an output under review; None where there is none."""
    seq = execution.held.get(ref) if isinstance(ref, Ref) else None
    if seq is None:
        return None
    known: Mapping[int, str] = getattr(execution.host.store, "kept_changes", {})
    rows = execution.host.store.journal(execution.identity.run_id, seq - 1, seq) if seq not in known else []
    return known.get(seq) if not rows else detail_of(rows[0].body.detail).session
