"""The laws of a lifecycle table, as functions: each names what breaks it, and returns nothing where the law holds.

They take the table as an argument, so that the same laws judge the real tables (`test_tables.py`) and their mutants
(`test_mutation.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from statecore.core import DECISIONS, Cursor
from statecore.core.reducer import CURSOR_FACTS, MAX_INTERRUPTS
from statecore.lifecycles import JOINT, Row, Table
from statecore.lifecycles import words as w
from tests.model.definitions import programs
from tests.model.explore import INTERNAL

Facts = frozenset[str]

CALL = frozenset({w.succeed, w.stop, w.fail, w.interrupt, w.hold, w.refute})
"""What a call reports."""

PERSON = frozenset({trigger for words in DECISIONS.values() for trigger in words.values()} | {w.cancel, w.resume})
"""What a person does."""

AROUND = frozenset({w.finish, w.leave, w.fail})
"""What becomes of a component whose children run, by what becomes of them."""

OVER = frozenset({w.completed, w.skipped, w.cancelled, w.failed})
"""The ends. Only a person's `resume` leaves one of them, `failed` (specs/decisions/0001)."""

REOPENED = (frozenset({w.failed_here}), frozenset({w.failed_inside}))
"""What a reopened component knows besides its policy: it had failed itself, or something in it had."""


@cache
def policies(machine: str) -> frozenset[Facts]:
    """What the nodes of this machine can know: the facts of every definition there is."""
    if machine == "run":
        return frozenset({frozenset()})
    return frozenset(node.facts for program in programs() for node in program.nodes.values() if node.machine == machine)


@cache
def legal(machine: str, trigger: str) -> frozenset[Facts]:
    """The facts under which a trigger may be fired: the policies, and what the cursor adds where this trigger asks it."""
    found = policies(machine)
    if trigger == w.resume and machine != "run":
        return frozenset(facts | more for facts in found for more in REOPENED)
    if trigger not in CURSOR_FACTS or machine == "run":
        return found
    nodes = [node for program in programs() for node in program.nodes.values() if node.machine == machine]
    cursors = [Cursor(at="", interrupts=deaths) for deaths in range(MAX_INTERRUPTS + 1)]
    return frozenset(CURSOR_FACTS[trigger](node, cursor) for node in nodes for cursor in cursors)


def holds(row: Row, facts: Facts) -> bool:
    """Whether a row's guard holds."""
    return row.when == w.always or row.when in facts


def exits(table: Table, state: str) -> list[Row]:
    """The rows that leave a state (or stay in it)."""
    return [row for row in table.rows if row.source == state]


def reach(table: Table, state: str) -> set[str]:
    """The states that can be reached from this one."""
    seen, todo = {state}, [state]
    while todo:
        new = {row.dest for row in exits(table, todo.pop())} - seen
        seen |= new
        todo += new
    return seen


# -- laws ---------------------------------------------------------------------------------------------------------------------------


def one_initial_state(table: Table) -> list[str]:
    """A life begins in one place, to which nothing returns."""
    return [f"{row} returns to the beginning" for row in table.rows if row.dest == table.initial]


def ends_have_no_exits(table: Table) -> list[str]:
    """An end is an end; `failed` alone is left, by a person's `resume`."""
    left = [f"{row} leaves an end" for row in table.rows if row.source in table.final]
    reopened = [f"{row} leaves failed" for row in exits(table, w.failed) if row.on != w.resume]
    elsewhere = [
        f"{row} resumes what neither failed nor paused" for row in table.rows if row.on == w.resume and not stands_still(row)
    ]
    return left + reopened + elsewhere


def stands_still(row: Row) -> bool:
    """Whether a row leaves a place where nothing runs."""
    return row.source in (w.failed, w.paused)


def every_state_is_reached(table: Table) -> list[str]:
    """No state stands in a table for nothing, and each of the named ones stands in its rows."""
    found = reach(table, table.initial)
    named = {*table.states, *table.final, *table.owes}
    return [f"{state} is never reached" for state in sorted(named - found)]


def an_end_is_always_possible(table: Table) -> list[str]:
    """From every state some end can be reached."""
    return [f"no end after {state}" for state in table.states if not reach(table, state) & OVER]


def ends_are_ends(table: Table) -> list[str]:
    """The states of a table that are over are its final ones and `failed`, and they owe nothing."""
    wrong = [
        f"{state} is final, or not, against its word"
        for state in table.states
        if (state in table.final) != (state in OVER - {w.failed})
    ]
    return wrong + [f"{state} is over and owes" for state in table.owes if state in OVER]


def nobody_waits_for_nothing(table: Table) -> list[str]:
    """Each state that is no end owes something or has a trigger that fires by itself; a paused run waits for its steps' answers."""
    return [
        f"{state} waits for nothing"
        for state in table.states
        if state not in OVER and state not in table.owes and not any(row.on in INTERNAL for row in exits(table, state))
        if (table.name, state) != ("run", w.paused)
    ]


def one_row_holds(table: Table) -> list[str]:
    """For each state and trigger exactly one row holds under every legal policy."""
    pairs = dict.fromkeys((row.source, row.on) for row in table.rows)
    found = []
    for source, on in pairs:
        rows = [row for row in table.rows if (row.source, row.on) == (source, on)]
        found += [
            f"{source} on {on}: not one row under {sorted(f)}" for f in legal(table.name, on) if sum(holds(r, f) for r in rows) != 1
        ]
    return found


def guards_can_hold_and_fail(table: Table) -> list[str]:
    """Each guard is made true by some policy, and false by another: else it would be `always`, or a dead row."""
    found = []
    for row in table.rows:
        values = {holds(row, facts) for facts in legal(table.name, row.on)}
        if row.when != w.always and values != {True, False}:
            found.append(f"{row}: its guard is always {values}")
    return found


def every_trigger_has_its_place(table: Table) -> list[str]:
    """A state is left only by what can happen there."""
    found = []
    for state in table.states:
        triggers = {row.on for row in exits(table, state)} - {w.cancel}
        found += [f"{state} cannot be left by {trigger}" for trigger in sorted(triggers - hears(table, state))]
    return found


def hears(table: Table, state: str) -> frozenset[str]:
    """What can happen in a state besides a cancellation: it begins, is reported on, is answered, is reopened, or its children end."""
    if state == table.initial:
        return frozenset({w.start if table.name == "run" else w.enter})
    if state in table.owes:
        return CALL if table.owes[state] == "call" else PERSON - {w.resume}
    if state in (w.failed, w.paused):
        return frozenset({w.resume})
    if table.name == "run":
        return frozenset(trigger for trigger in JOINT.values() if trigger is not None)
    return AROUND


def questions_offer_every_answer(table: Table) -> list[str]:
    """A question has a row for each of the words that `DECISIONS` lets a person say."""
    found = []
    for state, owes in table.owes.items():
        triggers = {row.on for row in exits(table, state)} - {w.cancel}
        if owes == "ask" and triggers not in [set(words.values()) for words in DECISIONS.values()]:
            found.append(f"{state} offers {sorted(triggers)}")
    return found


def calls_may_fail_and_die(table: Table) -> list[str]:
    """A call that is owed may fail, and its process may die."""
    owing = [state for state, owes in table.owes.items() if owes == "call"]
    return [
        f"{state}: no {on}" for state in owing for on in (w.fail, w.interrupt) if on not in {row.on for row in exits(table, state)}
    ]


def what_lives_can_be_cancelled(table: Table) -> list[str]:
    """Whatever has begun and is not over can be cancelled, without a condition, and is then cancelled; nothing else can be."""
    live = {state for state in table.states if state not in OVER and state != table.initial}
    rows = [row for row in table.rows if row.on == w.cancel]
    found = [f"{row} cancels to something else" for row in rows if (row.dest, row.when) != (w.cancelled, w.always)]
    return found + [f"{state} is cancelled, or not, against its word" for state in sorted(live ^ {row.source for row in rows})]


LAWS: tuple[Callable[[Table], list[str]], ...] = (
    one_initial_state,
    ends_have_no_exits,
    every_state_is_reached,
    an_end_is_always_possible,
    ends_are_ends,
    nobody_waits_for_nothing,
    one_row_holds,
    guards_can_hold_and_fail,
    every_trigger_has_its_place,
    questions_offer_every_answer,
    calls_may_fail_and_die,
    what_lives_can_be_cancelled,
)
