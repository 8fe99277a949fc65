"""Rows of `run`, `hot` and `event`, and the records that they stand for. What a damaged row cannot be is refused as `UnreadableValue`."""

from __future__ import annotations

from hmac import compare_digest
from typing import TYPE_CHECKING, Any, NamedTuple

from statecore.codec.erased import Gone
from statecore.errors import OutsideFormat, UnreadableValue
from statecore.stores.endings import ERASED_TEXT, ERASED_VALUE
from statecore.stores.frames.chain import CANCEL, event_hash, hot_hash, places, run_hash, seal
from statecore.stores.frames.framing import SALT_BYTES, slot_salt
from statecore.stores.frames.questions import LAST_NUMBER, NUMBER_BITS
from statecore.stores.records import FAR, Identity
from statecore.stores.sql.rows import check_same

from .ciphers import Enclosed, Shut, keys_of
from .covering import uncovered_run
from .events import Part, rows_of
from .queries import EVENTS, OF_EVENTS, VALUE
from .questions import committed, put_of, text_of
from .shapes import read_shape

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from statecore.core import Micros
    from statecore.stores.records import Entry
    from statecore.stores.sql.link import Link

    from .shapes import MoveLists

SLOTS = ("by", "note", "value")


class Stored(NamedTuple):
    """An event as it is stored: its number, that of its boundary, its rows, the number of its last row, and its link of the chain."""

    number: int
    boundary: int
    entries: tuple[Entry, ...]
    seq: int
    time: Micros
    hash: bytes


# -- runs --------------------------------------------------------------------------------------------------------------------------


def identity_digest(identity: Identity, salt: bytes, fingerprint: str, version: int | None = None) -> bytes:
    """The digest of who a run is; `fingerprint` is the definition that it began with."""
    texts = (("run.input", identity.input), ("run.additional", identity.additional_data), ("run.metadata", identity.metadata))
    given = [committed(salt, slot, text) for slot, text in texts]
    whose = (("run.session", identity.session_id), ("run.user", identity.user_id), ("run.requester", identity.requester))
    bodies = [committed(salt, slot, text) for slot, text in whose]
    workflow = (identity.workflow_id, identity.workflow_name)
    return run_hash(identity.run_id, workflow, bodies, identity.created, given, fingerprint, version, identity.rules, identity.key)


def hot_digest(run_id: str, columns: Mapping[str, Any]) -> bytes:
    """The digest of where a run stands."""
    return hot_hash(run_id, **columns)


def sealed(connection: Link, digest: bytes) -> tuple[str | None, bytes]:
    """The seal of where a run stands, and the id of its key; a connection without a key seals plainly."""
    if not hasattr(connection, "keys"):
        return None, digest
    kid, key = keys_of(connection).sealing
    return kid, seal(digest, kid, key)


def is_seal(connection: Link, digest: bytes, kid: str | None, stored: bytes) -> bool:
    """Whether a seal is that of a digest; of a seal whose key is not there it is known only that it is none without a key."""
    key = keys_of(connection).seals.get(kid) if kid is not None else None
    if kid is not None and key is None:
        return stored != digest
    return compare_digest(seal(digest, kid, key), stored)


def cancel_digest(run_id: str, by: str | None, time: Micros, salt: bytes | None) -> bytes:
    """The digest of a request to cancel."""
    return CANCEL.digest(run_id=run_id, by=committed(salt, "cancel.by", by), time_us=time)


def identity_of(row: Sequence[Any], canonical: str | None) -> Identity:
    """The identity of a run, from the first columns of `RECORD`. Raises `UnreadableValue` where it is not as it was sealed."""
    _, run_id, workflow_id, workflow_name, session_id, user_id, created, given, additional, metadata, salt = row[:11]
    began, version, rules, key, seal, fingerprint = *row[11:16], row[21]
    session_c, user_c, *given_c = row[35:40]
    hidden = salt is None and (metadata is None or isinstance(metadata, Shut))  # then the salts of session and user are not there
    if salt is None:
        whole = {"run.input": given, "run.additional": additional, "run.metadata": metadata, "run.requester": row[41]}
        salt, metadata = uncovered_run(salt, whole)
    texts = [text_of(body, c, ERASED_VALUE) for body, c in zip((given, additional, metadata), given_c, strict=True)]
    if (session_id is None or hidden) and session_c is not None:
        session_id = Gone(session_id or ERASED_TEXT, session_c)
    if (user_id is None or hidden) and user_c is not None:
        user_id = Gone(user_id or ERASED_TEXT, user_c)
    if None in (workflow_id, session_id, began, fingerprint, canonical, *texts):
        why = f"a column of run {run_id!r} is missing"
        raise UnreadableValue(why)
    who = (run_id, workflow_id, workflow_name, session_id, user_id, created)
    put_in, more, about = [text or "" for text in texts]
    identity = Identity(*who, put_in, more, about, fingerprint, canonical or "", rules, key, text_of(row[41], row[42]))
    check_same(f"run {run_id!r}", identity_digest(identity, salt, began, version), seal)
    if isinstance(row[9], Enclosed):
        names = (committed(salt, "run.session", session_id), committed(salt, "run.user", user_id))
        check_same(f"run {run_id!r}", names, (session_c, user_c))
    return identity


# -- events ------------------------------------------------------------------------------------------------------------------------


def stored_events(  # noqa: PLR0913  # where to read, and what it must agree with
    connection: Link, run: int, run_id: str, after: int, upto: int, chain: bytes, shapes: MoveLists, *, far: bool = False
) -> list[Stored]:
    """The events with numbers in (after, upto], each linked to the one before, the first to `chain`. Raises `UnreadableValue` for the first bad row.

    Where values are `far`, those that lie apart are not read.
    """
    first, last = (run << NUMBER_BITS) + after, (run << NUMBER_BITS) + upto
    rows = connection.execute(EVENTS, (first, last)).fetchall()
    if len(rows) != upto - after:
        have = {row[0] & LAST_NUMBER for row in rows}
        raise broken_event(run_id, next((n for n in range(after + 1, upto + 1) if n not in have), upto))
    asked: dict[int, list[bytes]] = {}
    decided: dict[int, bytes | None] = {}
    for put in sorted(
        (put_of(row) for row in connection.execute(OF_EVENTS, (run, first + 1, last, first + 1, last)).fetchall()),
        key=lambda put: put.waiting.pause.pause_id.encode(),
    ):
        asked.setdefault(put.opens, []).append(put.digest)
        if put.closes is not None and put.outcome == "decided":
            decided[put.closes] = put.decision
    found = []
    for row in rows:
        event = event_of(connection, row, run_id, chain, shapes, asked.get(row[0], []), decided.get(row[0]), far=far)
        chain = event.hash
        found.append(event)
    return found


def event_of(  # noqa: PLR0913  # a row and what it must agree with
    connection: Link,
    row: Sequence[Any],
    run_id: str,
    chain: bytes,
    shapes: MoveLists,
    asked: list[bytes],
    decided: bytes | None,
    *,
    far: bool = False,
) -> Stored:
    """The event that a row of `EVENTS` stands for. Raises `UnreadableValue` where its link is another one."""
    event, boundary, epoch, number, place, seq, time, fact = row[:8]
    salt, kept, session, stored = row[11], row[12:15], row[15], row[16]
    bodies: list[str | None] = []
    commitments = []
    for slot, body, commitment in zip(SLOTS, row[8:11], kept, strict=True):
        inline = body is not None
        if far and slot == "value" and not inline and commitment is not None:  # its commitment is in the chain
            bodies.append(FAR)
            commitments.append(commitment)
            continue
        if not inline and commitment is not None:
            [body] = connection.execute(VALUE, (event, slot)).fetchone() or (None,)  # noqa: PLW2901  # a larger body lies apart
            if body is None and is_erased(salt, f"event.{slot}"):
                bodies.append(Gone(ERASED_VALUE if slot == "value" else ERASED_TEXT, commitment))
                commitments.append(bytes(commitment))
                continue
        if isinstance(body, Shut):
            bodies.append(text_of(body, commitment, ERASED_VALUE if slot == "value" else ERASED_TEXT))
            commitments.append(commitment)
            continue
        made = committed(salt, f"event.{slot}", body if body is None or isinstance(body, Enclosed) else bytes(body))
        if commitment != (None if inline and not isinstance(body, Enclosed) else made):
            raise broken_event(run_id, event & LAST_NUMBER)
        bodies.append(text_of(body))
        commitments.append(made)
    shape = read_shape(connection, number, event, shapes)
    try:
        part = Part((), fact, *bodies)
        entries = rows_of(shape.moves, places(place, len(shape.moves)), seq - len(shape.moves) + 1, time, part)
    except (OutsideFormat, ValueError, TypeError) as error:
        raise broken_event(run_id, event & LAST_NUMBER) from error
    numbers = (event & LAST_NUMBER, boundary, epoch)
    joined = b"".join(asked) or None
    if event_hash(chain, run_id, numbers, shape.digest, place, time, fact, commitments, session, joined, decided) != stored:
        raise broken_event(run_id, event & LAST_NUMBER)
    return Stored(event & LAST_NUMBER, boundary, tuple(entries), seq, time, bytes(stored))


def is_erased(salt: bytes | None, slot: str) -> bool:
    """Whether an erasure has taken the salt of a slot of an event along. Raises `OutsideFormat` for bytes that no row keeps."""
    return salt is None or (len(salt) != SALT_BYTES and slot_salt(salt, slot) is None)


def broken_event(run_id: str, number: int) -> UnreadableValue:
    """The refusal of a journal that is not as it was written, by its first bad event."""
    return UnreadableValue(f"event {number} of run {run_id!r} is missing, or does not follow from the one before")
