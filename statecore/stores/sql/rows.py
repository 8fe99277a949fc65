"""Rows of the tables and the records that they stand for. What a damaged row cannot be is refused as `UnreadableValue`."""

from __future__ import annotations

from contextlib import ContextDecorator
from json import loads
from typing import TYPE_CHECKING, Any

from statecore.codec.records import load_state
from statecore.core import Ref
from statecore.errors import OutsideFormat, ReplayFailed, StoreCorrupt, StoreError, UnreadableValue, UnstorableValue
from statecore.lifecycles import words as w
from statecore.stores.links import GENESIS, digest, link, seal
from statecore.stores.records import Body, Decided, Entry, Identity, Item, Listing, Pause, Record, Unread, Waiting
from statecore.stores.rules import TEXT, lone, turn_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from statecore.core.state import Turn
    from statecore.stores.records import Text

NUMBER = "number"

RECORD = """
SELECT r.run_id, r.workflow_id, r.workflow_name, r.session_id, r.user_id, r.created, r.input, i.text, r.additional_data, a.text,
  r.metadata, m.text, d.fingerprint, r.rules, r.state, r.seq, r.held, s.text, r.owner, r.epoch, r.lease, r.cancel_by,
  r.cancel_requested, r.updated, r.start_key, r.seal, r.claimed, r.turned, r.phase, s.hash,
  r.head, j.hash
FROM run r
LEFT JOIN value i ON i.hash = r.input LEFT JOIN value a ON a.hash = r.additional_data LEFT JOIN value m ON m.hash = r.metadata
LEFT JOIN definition d ON d.id = r.definition LEFT JOIN session_state s ON s.run = r.id
LEFT JOIN journal j ON j.run = r.id AND j.seq = r.seq"""

ENTRY = """
SELECT j.seq, l.machine, j.at, j.turn, j.attempt, l.source, l."trigger", l.dest, j.time, j.detail, j.value, v.text, j.hash
FROM journal j LEFT JOIN legal l ON l.id = j.legal LEFT JOIN value v ON v.hash = j.value
WHERE j.run = ? AND j.seq > ? AND j.seq <= ? ORDER BY j.seq"""

OUTLINE = """
SELECT j.seq, l.machine, j.at, j.turn, j.attempt, l.source, l."trigger", l.dest, j.time, j.detail, j.value,
  CASE WHEN j.value IS NOT NULL THEN '@' END, j.hash
FROM journal j LEFT JOIN legal l ON l.id = j.legal
WHERE j.run = ? AND j.seq > ? AND j.seq <= ? ORDER BY j.seq"""
"""The rows of `ENTRY` without their values: `@` is `FAR`."""

WAITING = """
SELECT r.run_id, p.pause_id, p.kind, p.at, p.turn, p.attempt, p.step_name, p.message, p.opened, p.closed, p.detail, p.deadline, p.on_timeout,
  d.word, d.time, d.value, v.text, d."by", d.comment, d."key", r.workflow_id, r.workflow_name, r.session_id,
  p.seal, p.decided, d.seal, r.user_id
FROM pause p JOIN run r ON r.id = p.run
LEFT JOIN decision d ON d.run = p.run AND d.pause_id = p.pause_id LEFT JOIN value v ON v.hash = d.value"""

# -- parts -------------------------------------------------------------------------------------------------------------------------


def read_turn(text: str) -> Turn:
    """The turn that a column holds."""
    try:
        turn = tuple(map(int, text.split("."))) if text else ()
    except (AttributeError, ValueError) as error:
        raise unreadable(what="turn") from error
    if turn_text(turn) != text:
        raise unreadable(what="turn")
    return turn


def read_held(text: str) -> dict[Ref, int]:
    """Where outputs lie."""
    try:
        return {Ref(at, tuple(turn), attempt): seq for at, turn, attempt, seq in loads(text)}
    except (TypeError, ValueError, RecursionError) as error:
        raise unreadable(what="list of held outputs") from error


def read_value(address: bytes | None, text: Text | None) -> Text | None:
    """The value at an address, if there is one; it must be what was stored there."""
    if address is None:
        return None
    return read_kept(address, text)


def read_kept(address: bytes, text: Text | None) -> Text:
    """The value at an address; it must be what was stored there."""
    if type(text) is not str or digest(text) != address:
        raise unreadable(what="value")
    return text


def of_value(error: Exception, path: str) -> StoreError | UnstorableValue | None:
    """The store's own error for a value that cannot be read from it, or stored in it; None for an error of another kind."""
    match error:
        case UnreadableValue():
            return StoreCorrupt(path, error.why)
        case UnicodeDecodeError():
            return StoreCorrupt(path, str(error))
        case UnicodeEncodeError():
            return UnstorableValue(TEXT, lone(error))
        case OverflowError():
            return UnstorableValue(NUMBER, str(error))
        case _:
            return None


def unreadable(*, what: str) -> UnreadableValue:
    """The refusal of a column that has not its form; a damaged text may be anybody's value, so it is not shown."""
    return UnreadableValue(f"a {what} is not of its form")


def broken(run_id: str, seq: int) -> UnreadableValue:
    """The refusal of a journal that is not as it was written, by its first bad row."""
    return UnreadableValue(f"journal row {seq} of run {run_id!r} is missing, or does not follow from the one before")


def check_same(what: str, found: object, stored: object) -> None:
    """Raise `UnreadableValue` where a row is not what something else in the file says of it: its seal, or another row."""
    if found != stored:
        why = f"the {what} is not as it was sealed"
        raise UnreadableValue(why)


def check_head(run_id: str, seq: int, head: bytes, last_link: bytes | None, phase: str) -> None:
    """Raise `UnreadableValue` where a run does not stand at its journal's last row."""
    if last_link is None and seq == 0 and phase == w.pending:
        last_link = GENESIS
    if head != last_link:
        raise broken(run_id, seq)


class Rows(ContextDecorator):
    """A block, or a function, that makes records: a column of a wrong type is `UnreadableValue` in it, for it is the row's fault, and no caller's."""

    def __enter__(self) -> None:
        """Nothing is needed."""

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        """Raise `UnreadableValue` for a wrong type; let all else be."""
        if isinstance(error, TypeError | AttributeError | OutsideFormat):
            why = f"a column is of the wrong type: {error}"
            raise UnreadableValue(why) from error


ROWS = Rows()


def readable(rows: Iterable[Sequence[Any]], made: Callable[[Sequence[Any]], Item], place: int = 0) -> Listing[Item]:
    """The records that rows stand for; a row that cannot be read is named by its run, whose id stands at `place`."""
    found, unread = [], []
    for row in rows:
        try:
            found.append(made(row))
        except (UnreadableValue, ReplayFailed) as error:
            unread.append(Unread(str(row[place]), error.why))
        except UnicodeDecodeError as error:
            unread.append(Unread(str(row[place]), str(error)))
    return Listing(found, unread)


# -- records -----------------------------------------------------------------------------------------------------------------------


def record_of(row: Sequence[Any], canonical: Text | None) -> Record:
    """The run that a row of `RECORD` stands for, with the canonical form of its workflow."""
    with ROWS:
        run_id, workflow_id, workflow_name, session_id, user_id, created = row[:6]
        given, additional_data, metadata = (read_kept(row[n], row[n + 1]) for n in (6, 8, 10))
        (
            fingerprint,
            rules,
            state,
            seq,
            held,
            session_state,
            owner,
            epoch,
            lease,
            cancel_by,
            cancel_requested,
            updated,
            key,
            sealed,
            claimed,
            turned,
            phase,
            session_hash,
            end_of_chain,
            last_link,
        ) = row[12:]
        if fingerprint is None or canonical is None or session_state is None:
            raise unreadable(what=f"column of run {run_id!r}")
        where, known = f"run {run_id!r}", load_state(state)
        check_same(where, seal(*row[:6], row[6], row[8], row[10], fingerprint, rules, key), sealed)
        check_same(f"claim of {where}", seal(owner, epoch, turned, cancel_by, cancel_requested), claimed)
        check_same(f"session state of {where}", digest(session_state), session_hash)
        check_same(f"state of {where}", known.run, phase)
        check_head(run_id, seq, end_of_chain, last_link, phase)
        identity = Identity(
            run_id,
            workflow_id,
            workflow_name,
            session_id,
            user_id,
            created,
            given,
            additional_data,
            metadata,
            fingerprint,
            canonical,
            rules,
            key,
        )
        return Record(
            identity, known, seq, read_held(held), session_state, owner, epoch, lease, cancel_by, cancel_requested, updated
        )


def waiting_of(row: Sequence[Any]) -> Waiting:
    """The pause, and its decision, that a row of `WAITING` stands for."""
    with ROWS:
        run_id, pause_id, kind, at, turn, *rest = row[:13]
        word, time, address, text, by, comment, key, workflow_id, workflow_name, session_id, *seals, user_id = row[13:]
        sealed, decided_at, signed = seals
        where = f"pause {pause_id!r} of run {run_id!r}"
        check_same(where, seal(*row[:9], *row[10:13]), sealed)
        check_same(f"decision of {where}", decided_at, time)
        if word is not None:
            check_same(f"decision of {where}", seal(run_id, pause_id, word, time, address, by, comment, key), signed)
        pause = Pause(run_id, pause_id, kind, at, read_turn(turn), *rest)
        decided = Decided(run_id, pause_id, word, time, read_value(address, text), by, comment, key) if word is not None else None
        return Waiting(pause, decided, workflow_id, workflow_name, session_id, user_id=user_id)


def entries_of(
    rows: Iterable[Sequence[Any]], run_id: str, seq: int, chain: bytes, *, far: bool = False
) -> tuple[list[Entry], bytes]:
    """The journal that rows of `ENTRY` stand for, and its last link; that of `OUTLINE` where values are `far`.

    Each row must be linked to the one before, the first to row `seq`, whose hash is `chain`.
    """
    with ROWS:
        entries = []
        for found, machine, at, turn, attempt, source, trigger, dest, time, detail, address, text, stored in rows:
            seq += 1
            value = text if far else read_value(address, text)
            entry = Entry(found, machine, at, read_turn(turn), attempt, source, trigger, dest, time, Body(detail, value))
            chain = link(chain, run_id, entry, address)
            if found != seq or chain != stored:
                raise broken(run_id, seq)
            entries.append(entry)
        return entries, chain
