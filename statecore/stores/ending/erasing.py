"""Which bodies an erasure takes, and what a row keeps of them. Pure: rows come in as plain values, and no connection is known here (P28).

A body goes, and its commitment takes its place; the salt of the row goes along, because the erased slot's salt could be derived from it, and the
derived salts of the slots that stay take its place. No hash changes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from statecore.lifecycles import SHOWS
from statecore.lifecycles import words as w
from statecore.stores.endings import What
from statecore.stores.frames.framing import SALT_BYTES, salts_left, slot_salt
from statecore.stores.sql3.events import BY_PERSON, facts_of
from statecore.stores.sql3.questions import committed

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from statecore.stores.sql3.shapes import Listed

MIXED = frozenset({"output", "comment", "by", "error", "session"})
"""The fields that take a note along in which several particulars lie together."""
OF_RUN = {
    "run.input": "input",
    "run.additional": "input",
    "run.metadata": "input",
    "run.session": "session",
    "run.user": "user",
    "run.requester": "user",
}
"""The field of each slot of a run."""


# -- which bodies go ---------------------------------------------------------------------------------------------------------------


def of_event(what: What, moves: Sequence[Listed], fact: str | None) -> set[str]:
    """The slots of an event that go, whether they hold anything or not."""
    said = facts_of(fact) if fact is not None else {}
    found = set[str]()
    if not moves:
        return found
    at, _, _, trigger, _ = moves[said.get("value", 0)]
    if what.is_of(at) and trigger != w.select and what.fields & ({"output", "form"} if trigger in BY_PERSON else {"output"}):
        found.add("event.value")  # a selection names components of the definition, and the replay of a run reads it
    for n, move in enumerate(moves):
        told = said.get(str(n), {})
        if not what.is_of(move[0]):
            continue
        if told.get("by") and "by" in what.fields:
            found.add("event.by")
        if takes_note(what, told):
            found.add("event.note")
    return found


def takes_note(what: What, told: Mapping[str, object]) -> bool:
    """Whether the note of a row goes: an error, a comment, or several particulars together."""
    named = told.get("note")
    if named is True or told.get("raw"):
        return bool(what.fields & MIXED)
    return named in ("error", "comment") and named in what.fields


def of_question(what: What, kind: str, put: int, at: str) -> set[str]:
    """The slots of a question that go."""
    if not what.is_of(at):
        return set()
    found = {"pause.message"} if "message" in what.fields else set()
    tells_error, tells_again = (
        SHOWS[kind] == "error" and "error" in what.fields,
        put > 1 and what.fields & {"comment", "by"},
    )
    if "form" in what.fields or tells_error or tells_again:
        found |= {"pause.form", "pause.choices", "pause.names"}
    return found | {"pause.names"} if "by" in what.fields else found


def of_decision(what: What, kind: str, at: str) -> set[str]:
    """The slots of a decision that go; a chosen route names components of the definition, and stays."""
    if not what.is_of(at):
        return set()
    found = {"decision.comment"} if "comment" in what.fields else set()
    if "by" in what.fields:
        found |= {"decision.by", "decision.login"}
    if SHOWS[kind] != "choices" and what.fields & {"form", "output"}:
        found.add("decision.answer")
    return found


def of_act(what: What, kind: str, at: str) -> set[str]:
    """The slots of a vote, or of another act, that go: as of a decision, and the person to whom a vote was handed on."""
    found = {slot.replace("decision.", "act.") for slot in of_decision(what, kind, at)}
    return found | {"act.delegate"} if "act.by" in found else found


def of_run(what: What) -> set[str]:
    """The slots of a run that go: none where a step is named."""
    return {slot for slot, field in OF_RUN.items() if field in what.fields} if what.step is None else set()


def of_cancellation(what: What) -> set[str]:
    """The slot of a request to cancel that goes."""
    return {"cancel.by"} if what.step is None and "by" in what.fields else set()


# -- what stays of a row -----------------------------------------------------------------------------------------------------------


class Left(NamedTuple):
    """A row after an erasure: its bodies, its commitments in the same order, and its salt."""

    bodies: tuple[bytes | None, ...]
    kept: tuple[bytes | None, ...]
    salt: bytes | None


def emptied(  # noqa: PLR0913  # a row's parts
    slots: Sequence[str],
    bodies: Sequence[bytes | None],
    kept: Sequence[bytes | None],
    salt: bytes | None,
    goes: Collection[str],
    *,
    apart: Collection[str] = (),
    more: Collection[str] = (),
    resalt: bool = False,
) -> Left | None:
    """The row after its slots in `goes` were erased; None where nothing of it changes.

    `apart` are slots whose bodies lie elsewhere, `more` further slots whose salts stay; with `resalt` the row's salt goes in any case.
    """
    there = [slot for slot, body in zip(slots, bodies, strict=True) if body is not None or slot in apart]
    gone = [slot for slot in there if slot in goes]
    if not gone and not (resalt and salt is not None and len(salt) == SALT_BYTES):
        return None
    new = tuple(None if slot in gone else body for slot, body in zip(slots, bodies, strict=True))
    made = tuple(
        committed(salt, slot, body) if slot in gone and body is not None and c is None else c
        for slot, body, c in zip(slots, bodies, kept, strict=True)
    )
    stays = [(slot, 0) for slot in (*there, *more) if slot not in gone and slot_salt(salt, slot) is not None]
    return Left(new, made, salts_left(salt, stays))
