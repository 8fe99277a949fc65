"""A state without its past: two situations that allow the same futures become one.

A `State` already forgets finished components. What is left of the past are references to outputs, counters that only count, and instants.
Nothing in the core decides by them, so they are put to one constant each; the counters that lifecycles do ask for stay.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from statecore.core import Cursor, Frame, Ref, State
from statecore.core.state import UNMARKED, Ending, Marks
from statecore.lifecycles import words as w

if TYPE_CHECKING:
    from statecore.core import Program

OLD = Ref("", (), 0)
"""Stands for everything that was handed on earlier; so what a component hands on now can be told from it."""

COUNTS_RETRIES = frozenset({w.running, w.backing_off})


def canonical(program: Program, state: State) -> State:
    """The situation of a state, without its past."""
    return State(
        state.run,
        tuple([canonical_cursor(program, each) for each in state.cursors]),
        None,
        tuple([canonical_frame(program, each) for each in state.frames]),
        tuple([Ending(each.unit, each.at, each.turn, each.how, OLD, OLD) for each in state.endings]),
    )


def canonical_cursor(program: Program, cursor: Cursor) -> Cursor:
    """A cursor that forgets what it was handed, and how often it was tried."""
    if cursor.prev is OLD and cursor.last is OLD and cursor.attempt == 0 and cursor.marks is UNMARKED:
        return cursor
    marks = canonical_marks(program, cursor.at, cursor.marks, cursor.phase)
    return Cursor(cursor.at, cursor.phase, cursor.turn, 0, OLD, OLD, marks)


def canonical_frame(program: Program, frame: Frame) -> Frame:
    """A frame that forgets the same."""
    marks = canonical_marks(program, frame.at, frame.marks, w.running)
    return Frame(frame.at, frame.turn, OLD, OLD, 0, marks, frame.rest, tuple([(at, None) for at, _ in frame.done]))


def canonical_marks(program: Program, at: str, marks: Marks, phase: str) -> Marks:
    """The marks that decide something: deaths, retries while they count, rejected reviews where they are limited, stop, a deadline."""
    if marks is UNMARKED:
        return UNMARKED
    kept = Marks(
        interrupts=marks.interrupts,
        retries=marks.retries if phase in COUNTS_RETRIES else 0,
        reviews=0 if program.nodes[at].machine == "loop" else marks.reviews,
        output=None if marks.output is None else OLD,
        stopping=marks.stopping,
        due=None if marks.due is None else 0,
    )
    return UNMARKED if kept == UNMARKED else kept
