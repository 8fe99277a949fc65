"""Where a run stands inside what an answer let begin: the questions whose answers led to its places (GATE-7b).

Gates, forms and routes before a place have names that follow from the state, and are read by name. Reviews, and what was decided after a
failure, have the attempt in their name; for these the journal is read backwards, as far as the last entry into the component that asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from statecore.core import DECISIONS
from statecore.core.evidence import slices
from statecore.core.owed import ASK_OF, pause_id
from statecore.core.weaker import has_gate
from statecore.lifecycles import KINDS
from statecore.lifecycles import words as w
from statecore.lifecycles.decisions import ANSWER, CONFIRM, EDIT, INPUT, SELECT
from statecore.stores.detail import detail_of

from .renewals import newest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from statecore.core import Address, Cursor, Node, Program
    from statecore.core.state import Turn
    from statecore.lifecycles import AskKind
    from statecore.stores import Entry, Record, RunReader, Waiting

OPENED: tuple[tuple[AskKind, tuple[str, ...]], ...] = (
    ("confirmation", (CONFIRM.word, EDIT.word, w.expire)),
    ("user_input", (INPUT.word,)),
    ("route", (SELECT.word,)),
)
"""The questions that are put before anything runs, with what lets it begin: a word, or a silence that approves."""
REVIEWS: tuple[AskKind, ...] = ("output_review", "iteration_review")
PER_ROUND: tuple[AskKind, ...] = ("iteration_review",)
"""The kinds whose questions have the round inside in their name."""
AFTER_FAILURE: tuple[AskKind, ...] = ("error", "interrupted")
ROUNDS = ("iterations", "choices")
"""The ways of holding components that let these come more than once."""
WORD_OF = {kind: {trigger: word for word, trigger in words.items()} for kind, words in DECISIONS.items()}
"""For each kind of question, the word that each trigger is fired by."""
PAGE = 256
"""So many rows of a journal are read at a time."""


class Agreed(NamedTuple):
    """A question as it was put and answered, and those of its words that lead to the place."""

    row: Waiting
    words: tuple[str, ...]


def agreed_for(db: RunReader, record: Record, program: Program, cursor: Cursor) -> Iterator[Agreed]:
    """The questions whose answers may have led to a place."""
    run_id = record.identity.run_id
    names = [(pause_id(kind, at, round_of(program, at, cursor), 0), words) for at, kind, words in gates_before(program, cursor.at)]
    if cursor.marks.asked and not cursor.marks.open:  # then the next call reads the journal, too; open ones lapse (ASK-8)
        rows = db.journal(run_id, 0, record.seq)
        said = [row for row in rows if (row.at, row.turn, row.trigger) == (cursor.at, cursor.turn, w.answer)]
        for row in said[-1:]:
            number = detail_of(row.body.detail).number
            names.append((pause_id("question", row.at, row.turn, row.attempt, 1, number), (ANSWER.word,)))
    names += list(answered_before(db, record, program, cursor))
    for name, words in names:
        found = newest(db, run_id, name)
        if found is not None:
            yield Agreed(found, words)


def answered_before(db: RunReader, record: Record, program: Program, cursor: Cursor) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The names of the last questions of a review or after a failure whose answer led to a place, each with the word."""
    sought = {(at, round_of(program, at, cursor)) for at in asked_before(program, cursor.at)}
    sought |= {(cursor.at, cursor.turn)} if cursor.attempt else set()
    rows = backwards(db, record) if sought else iter(())
    for row in rows:
        if (row.at, row.turn) in sought:
            kind = ASK_OF.get((row.machine, row.source))
            word = w.expire if row.trigger == w.expire else WORD_OF.get(kind or "", {}).get(row.trigger)
            if kind in PER_ROUND and word is not None:
                yield pause_id(kind, row.at, iteration(program, rows, row), row.attempt), (word,)
            elif kind in (*REVIEWS, *AFTER_FAILURE) and word is not None:
                for each in AFTER_FAILURE if kind in AFTER_FAILURE else (kind,):
                    yield pause_id(each, row.at, row.turn, row.attempt), (word,)
            if (kind is not None and word is not None) or row.trigger == w.enter:
                sought.discard((row.at, row.turn))
                if not sought:
                    return


def backwards(db: RunReader, record: Record) -> Iterator[Entry]:
    """The rows of a journal, the last one first."""
    for upto in range(record.seq, 0, -PAGE):
        yield from reversed(db.journal(record.identity.run_id, max(upto - PAGE, 0), upto))


def iteration(program: Program, rows: Iterator[Entry], answer: Entry) -> Turn:
    """The round of a loop whose review was answered: that of the row inside that was written before; the rows are read on as far as that."""
    inside = next((row for row in rows if program.within(row.at, answer.at) and row.at != answer.at), None)
    return (*answer.turn, inside.turn[len(answer.turn)] if inside is not None else 0)


def gates_before(program: Program, at: Address) -> tuple[tuple[Address, AskKind, tuple[str, ...]], ...]:
    """The gates, forms and routes of which an answer leads to a component before another certain question, with its words, kept with the program."""
    known: tuple[tuple[Address, AskKind, tuple[str, ...]], ...] | None = program.slices.get(("before", at))
    if known is None:
        asked = [(node, kind, words) for node in program.nodes.values() for kind, words in OPENED if has_gate(node, kind)]
        found = [
            (node.at, kind, tuple([each for each in words if leads_to(program, node, kind, each, at)]))
            for node, kind, words in asked
        ]
        known = tuple([each for each in found if each[2]])
        program.slices["before", at] = known
    return known


def asked_before(program: Program, at: Address) -> tuple[Address, ...]:
    """The components whose review or error pause leads to another one before a certain question, kept with the program."""
    known: tuple[Address, ...] | None = program.slices.get(("reviewed before", at))
    if known is None:
        asked: list[tuple[Node, AskKind]] = [
            (node, kind) for node in program.nodes.values() for kind in REVIEWS if has_gate(node, kind)
        ]
        asked += [(node, "error") for node in program.nodes.values() if w.error_pauses in node.facts and node.at != at]
        found = [node.at for node, kind in asked if any(leads_to(program, node, kind, word, at) for word in WORD_OF[kind].values())]
        known = tuple(dict.fromkeys(found))
        program.slices["reviewed before", at] = known
    return known


def follows_an_answer(program: Program, at: Address, *, again: bool) -> bool:
    """Whether a person's answer, or a silence, may have let a call at a component begin; `again`: it is not its first attempt."""
    own = again and not program.nodes[at].facts.isdisjoint((w.error_pauses, w.interrupt_pauses))
    return own or bool(gates_before(program, at) or asked_before(program, at))


def leads_to(program: Program, node: Node, kind: AskKind, word: str, at: Address) -> bool:
    """Whether a word, or a silence that approves, leads to a component before another certain question."""
    if word == w.expire and w.timeout_approves not in node.facts:
        return False
    found = slices(program, node.at, kind).get(word)
    return found is not None and any(each.at == at for each in found.components)


def round_of(program: Program, gate: Address, cursor: Cursor) -> Turn:
    """The round of a gate that led to a place: that of the place in the loops and routers around both, the first one in others."""
    around = [each.at for each in program.ancestors(gate) if KINDS[each.kind].holds in ROUNDS]
    shared = sum(program.within(cursor.at, at) for at in around)
    return (*cursor.turn[:shared], *[0] * (len(around) - shared))
