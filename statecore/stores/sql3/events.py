"""A boundary as events, and events as rows of a journal again. Pure; `frames` says what is hashed.

An event is some rows of a journal that have one instant, and at most one value, one person and one note among them. The particulars of a row
(`stores.detail`) are taken apart: what a person or a program wrote goes to `by` and `note`, which can be erased, the rest to `fact`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from json import JSONEncoder, dumps, loads
from os import urandom
from typing import Any, NamedTuple

from attrs import define, field

from statecore.codec.erased import Gone
from statecore.core import DECISIONS, Micros
from statecore.errors import UnstorableValue
from statecore.stores.detail import detail_of, detail_text
from statecore.stores.endings import ERASED_TEXT
from statecore.stores.evidence import Evidence
from statecore.stores.frames.framing import SALT_BYTES
from statecore.stores.records import Body, Boundary, Entry

from .shapes import Listed, MoveList

PUBLIC = frozenset({"success", "error_type", "retry_count", "choices", "of", "definition", "death", "number"})
"""The particulars of a row that hold no text of a person and no name of one."""
BY_PERSON = frozenset(trigger for words in DECISIONS.values() for trigger in words.values())

SHORT = 96
"""How long particulars may be that are remembered: runs of one workflow say the same, of which rows they hand on or which definition they follow."""

FACT = JSONEncoder(separators=(",", ":")).encode
Apart = tuple[dict[str, Any], "str | None", "str | None"]
"""The particulars of a row: the public ones, who, and a note."""
NOTHING: Apart = ({}, None, None)


class Part(NamedTuple):
    """One event of a boundary, before it has its number: rows of the journal, and the bodies among them."""

    entries: tuple[Entry, ...]
    fact: str | None = None
    by: str | None = None
    note: str | None = None
    value: str | None = None


EMPTY = Part(())
"""An event without a move: it closes a question, or changes a session's state."""


@define
class Salted:
    """A boundary on its way into the tables: its events, their shapes, and the salts, each drawn once."""

    boundary: Boundary
    parts: list[Part]
    shapes: list[MoveList] = field(factory=list)
    salts: dict[str, bytes] = field(factory=dict)
    digests: dict[tuple[str, int], bytes] = field(factory=dict)
    """The digests of the questions that it puts, by id and event."""
    evidence: dict[str, Evidence | None] = field(factory=dict)
    """The evidence of these, by id."""

    def salt(self, name: str) -> bytes:
        """The salt of a row that is to be, the same each time."""
        found = self.salts.get(name)
        if found is None:
            found = self.salts[name] = urandom(SALT_BYTES)
        return found


# -- cutting -----------------------------------------------------------------------------------------------------------------------


def cut(boundary: Boundary) -> list[Part]:
    """The events of a boundary, in order; none where it has no rows."""
    entries = boundary.entries
    parts: list[Part] = []
    facts: dict[str, Any] = {}
    begun, person = 0, False
    by = note = value = None
    for n, entry in enumerate(entries):
        detail, brought = entry.body
        moved = entry.trigger in BY_PERSON
        if not detail and brought is None and not moved:
            continue
        said, who, noted = apart(detail) if detail else NOTHING
        if (moved and person) or twice(who, by) or twice(noted, note) or twice(brought, value):
            parts.append(Part(entries[begun:n], fact_text(facts), by, note, value))
            begun, facts, person = n, {}, False
            by = note = value = None
        by, note, person = by if who is None else who, note if noted is None else noted, person or moved
        if said:
            facts[str(n - begun)] = said
        if brought is not None:
            value = brought
            if n > begun:
                facts["value"] = n - begun
    if len(entries) > begun:
        parts.append(Part(entries[begun:] if begun else entries, fact_text(facts), by, note, value))
    return parts


def twice(new: str | None, old: str | None) -> bool:
    """Whether an event would have two bodies of a kind."""
    return new is not None and old is not None


def fact_text(facts: dict[str, Any]) -> str | None:
    """An event's fact; it is ASCII, whatever a definition calls its choices."""
    return FACT(facts) if facts else None


def apart(text: str) -> Apart:
    """The particulars of a row, taken apart. A text that is none of this release's goes into the note as it is."""
    return apart_before(text) if len(text) <= SHORT else taken_apart(text)


def taken_apart(text: str) -> Apart:
    """The same, read anew; what comes together as another text is not taken apart."""
    try:
        said = detail_of(text).plain()
        public = {name: value for name, value in said.items() if name in PUBLIC}
        private = {name: value for name, value in said.items() if name not in PUBLIC}
        by = private.pop("by") if type(private.get("by")) is str else None
        note = None
        if private:
            [name, *others] = private
            alone = not others and name in ("error", "comment") and type(private[name]) is str
            note = private[name] if alone else dumps(private)
            public["note"] = name if alone else True
        if by is not None:
            public["by"] = True
        if together(public, by, note) == text:
            for body in (by, note):
                (body or "").encode()
            return public, by, note
    except (ValueError, TypeError, AttributeError, RecursionError):  # a text of no release, or one that only JSON can hold
        pass
    return {"raw": True}, None, text


apart_before: Callable[[str], Apart] = lru_cache(maxsize=1_024)(taken_apart)


# -- putting together --------------------------------------------------------------------------------------------------------------


def together(public: dict[str, Any], by: str | None, note: str | None) -> str:
    """The particulars of a row, from what `apart` made of them."""
    if isinstance(note, Gone) and (public.get("note") or public.get("raw")):
        return without_note(public, by)
    if public.get("raw"):
        return note or ""
    said = {name: value for name, value in public.items() if name in PUBLIC}
    if public.get("by"):
        said["by"] = by
    named = public.get("note")
    if named is True:
        said |= loads(note or "{}")
    elif named is not None:
        said[named] = note
    return detail_text(detail_of(dumps(said))) if said else ""


def without_note(public: dict[str, Any], by: str | None) -> str:
    """The particulars of a row of which the note was erased: an error, or a comment, says so."""
    said = {name: value for name, value in public.items() if name in PUBLIC}
    if public.get("by"):
        said["by"] = by
    named = public.get("note")
    failed = named == "error" or (named is not None and ("error_type" in said or said.get("success") is False))
    said["error" if failed else "comment"] = ERASED_TEXT
    return detail_text(detail_of(dumps(said)))


@lru_cache(maxsize=1_024)
def facts_of(fact: str) -> dict[str, Any]:
    """The particulars of each row in an event's fact. Raises `ValueError`, `TypeError`."""
    return dict(loads(fact))


def rows_of(
    moves: Sequence[Listed], places: Sequence[tuple[tuple[int, ...], int]], first: int, time: Micros, part: Part
) -> list[Entry]:
    """The rows of a journal that an event stands for; the first has the number `first`. Raises `ValueError` for a fact of no release."""
    facts = facts_of(part.fact) if part.fact is not None else {}
    brings = facts.get("value", 0) if part.value is not None else -1
    rows = []
    for n, ((at, machine, source, trigger, dest), (turn, attempt)) in enumerate(zip(moves, places, strict=True)):
        said = facts.get(str(n)) if facts else None
        detail = together(said, part.by, part.note) if said is not None else ""
        body = Body(detail, part.value if n == brings else None)
        rows.append(Entry(first + n, machine, at, turn, attempt, source, trigger, dest, time, body))
    return rows


# -- refusals ----------------------------------------------------------------------------------------------------------------------

NAME, KEY = "name", "key"
LONGEST_KEY = 1_024
"""The most bytes of an idempotency key (`frames.questions`)."""


def check_names(*names: str | None) -> None:
    """Raise `UnstorableValue` where a name holds a NUL: a name is a text of the database, and only bodies are bytes."""
    for name in names:
        if name is not None and "\0" in name:
            raise UnstorableValue(NAME, "it holds a NUL, which the text of a database cannot")


def check_key_text(key: str | None) -> None:
    """Raise `UnstorableValue` where an idempotency key is empty, or longer than an index holds."""
    check_names(key)
    if key is not None and not 1 <= len(key.encode()) <= LONGEST_KEY:
        raise UnstorableValue(KEY, f"it has {len(key.encode()):,} bytes, and 1 to {LONGEST_KEY:,} are wanted")


def check_rows(boundary: Boundary) -> None:
    """Raise `UnstorableValue` where an address holds a NUL."""
    check_names(*[entry.at for entry in boundary.entries])
    for pause in boundary.opened:
        check_names(pause.pause_id, pause.at, pause.step_name)
    check_keys(decision.key for decision in boundary.decisions)


def check_keys(keys: Iterable[str | None]) -> None:
    """Raise `UnstorableValue` for the first key that cannot be kept."""
    for key in keys:
        check_key_text(key)
