"""The laws of a lifecycle table, as functions: each names what breaks it, and returns nothing where the law holds.

They take the table as an argument, so that the same laws judge the real tables (`test_tables.py`) and their mutants
(`test_mutation.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from statecore.core import DECISIONS, Cursor, Node
from statecore.core.facts import CURSOR_FACTS, ENDS_EARLY, MAX_INTERRUPTS, after_iteration
from statecore.core.path import begins_attempt
from statecore.core.state import Marks
from statecore.lifecycles import JOINT, TABLES, Row, Table
from statecore.lifecycles import words as w
from statecore.runtime.answers import plain_words
from tests.model.definitions import nodes
from tests.model.explore import INTERNAL

Facts = frozenset[str]

REAL = dict(TABLES)
"""The tables as they are, also while a mutant stands in for one of them."""

CALL = frozenset({w.succeed, w.stop, w.fail, w.ask, w.interrupt, w.hold, w.refute, w.choose})
"""What a call reports."""

CLOCK = frozenset({w.wake, w.expire})
"""What a clock reports."""

JUDGED = frozenset({w.renew})
"""What the judge of changed definitions asks for."""

DECIDED = frozenset(trigger for words in DECISIONS.values() for trigger in words.values())
"""What a person's decision fires."""

ANSWERS = [({words[word] for word in plain_words(kind)}, set(words.values())) for kind, words in DECISIONS.items()]
"""For each kind of question the triggers of the words that every question of it takes, and of those that some take."""

PERSON = DECIDED | {w.cancel, w.resume}
"""What a person does."""

AROUND = frozenset({w.finish, w.leave, w.fail})
"""What becomes of a component whose children run, by what becomes of them."""

OVER = frozenset({w.completed, w.skipped, w.cancelled, w.failed})
"""The ends. Only a person's `resume` leaves one of them, `failed` (specs/decisions/0001)."""

OUTPUTS = frozenset({w.keeps_output, w.needs_review, w.judges_output})


@cache
def policies(machine: str) -> frozenset[Facts]:
    """What the nodes of this machine can know: the facts of every definition there is."""
    return frozenset(node.facts for node in nodes(machine))


def known(node: Node, source: str, on: str) -> frozenset[Facts]:
    """All that can be known at a node when a trigger is fired in a state: its policy, and what its cursor adds to that."""
    if on == w.finish and node.machine == "loop":
        return frozenset({ENDS_EARLY, *(after_iteration(node, number) for number in range(node.limits.iterations))})
    if on == w.finish and node.machine == "router":
        return frozenset({ENDS_EARLY, node.facts, node.facts - OUTPUTS | {w.more_choices}})
    if on not in CURSOR_FACTS or node.machine == "run" or (source == w.running and node.exits):
        return frozenset({node.facts})
    cursors = [
        Cursor(
            node.at,
            source,
            marks=Marks(
                interrupts=min(count, MAX_INTERRUPTS - 1), retries=count, reviews=count, asked=count, open=tuple(range(count))
            ),
        )
        for count in range(MAX_INTERRUPTS)
    ]
    inside = {node.facts | {w.failed_inside}} if on == w.resume and node.exits else set()
    return frozenset(inside | {CURSOR_FACTS[on](node, cursor) for cursor in cursors})


def lives(node: Node) -> frozenset[str]:
    """The states that a node can be in under its policy."""
    table = REAL[node.machine]
    seen, todo = {table.initial}, [table.initial]
    while todo:
        for row in exits(table, todo.pop()):
            if row.dest not in seen and any(holds(row, facts) for facts in known(node, row.source, row.on)):
                seen.add(row.dest)
                todo.append(row.dest)
    return frozenset(seen)


@cache
def inhabitants(machine: str) -> tuple[tuple[Node, frozenset[str]], ...]:
    """Each node of a machine, with the states that it can be in."""
    return tuple((node, lives(node)) for node in nodes(machine))


@cache
def legal(machine: str, source: str, on: str) -> frozenset[Facts]:
    """The facts under which a trigger may be fired in a state: those of the nodes that can come there."""
    return frozenset(facts for node, states in inhabitants(machine) if source in states for facts in known(node, source, on))


@cache
def answers(machine: str, source: str, on: str, guards: Facts) -> frozenset[Facts]:
    """Which of some guards hold together, when a trigger is fired in a state."""
    return frozenset(facts & guards for facts in legal(machine, source, on))


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
    """For each state and trigger exactly one row holds under every legal policy; none for the questions of code that may not ask."""
    pairs = dict.fromkeys((row.source, row.on) for row in table.rows)
    found = []
    for source, on in pairs:
        rows = [row for row in table.rows if (row.source, row.on) == (source, on)]
        possible = answers(table.name, source, on, frozenset(row.when for row in rows))
        fewest = 0 if all(row.when == w.allows_edit for row in rows) else 1  # a word that a definition may leave out
        found += [
            f"{source} on {on}: not one row under {sorted(f)}"
            for f in possible
            if not fewest * (on != w.ask or w.may_ask in f) <= sum(holds(r, f) for r in rows) <= (on != w.ask or w.may_ask in f)
        ]
    return found


def guards_can_hold_and_fail(table: Table) -> list[str]:
    """Each guard is made true by some policy, and false by another: else it would be `always`, or a dead row."""
    found = []
    for row in table.rows:
        values = {holds(row, facts) for facts in answers(table.name, row.source, row.on, frozenset({row.when}))}
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
        return {"call": CALL, "timer": frozenset({w.wake}), "ask": PERSON - {w.resume} | {w.expire} | JUDGED}[table.owes[state]]
    if state in (w.failed, w.paused):
        return frozenset({w.resume})
    if table.name == "run":
        return frozenset(trigger for trigger in JOINT.values() if trigger is not None)
    return AROUND


def questions_offer_every_answer(table: Table) -> list[str]:
    """A question has a row for each of the words that `DECISIONS` lets a person say."""
    found = []
    for state, owes in table.owes.items():
        triggers = {row.on for row in exits(table, state)} - {w.cancel, w.expire, w.renew}
        if owes == "ask" and not any(needed <= triggers <= known for needed, known in ANSWERS):
            found.append(f"{state} offers {sorted(triggers)}")
    return found


def a_decision_goes_on(table: Table) -> list[str]:
    """A person's decision leaves its state, begins a new attempt, or closes one of several questions: none is asked twice under one name."""
    return [
        f"{row} changes nothing"
        for row in table.rows
        if row.on in DECIDED and row.dest == row.source and not begins_attempt(row.source, row.on, row.dest)
        if row.when != w.answers_missing
    ]


def questions_expire_and_delays_end(table: Table) -> list[str]:
    """Every question has a row for its deadline, and every delay one for its end."""
    wanted = {"ask": w.expire, "timer": w.wake}
    return [
        f"{state}: no {wanted[owes]}"
        for state, owes in table.owes.items()
        if owes in wanted and wanted[owes] not in {row.on for row in exits(table, state)}
    ]


def questions_are_put_again(table: Table) -> list[str]:
    """Every question, and nothing else, can be put again, whatever the policy, and is the same question then (GATE-7a).

    One whose words came from a call is put again by another call (ASK-8).
    """
    anew = {w.awaiting_answer: w.running}
    asked = {(state, anew.get(state, state), w.always) for state, owes in table.owes.items() if owes == "ask"}
    again = {(row.source, row.dest, row.when) for row in table.rows if row.on == w.renew}
    return [f"{source} is put again, or not, against its word" for source, *_ in sorted(asked ^ again)]


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
    a_decision_goes_on,
    questions_expire_and_delays_end,
    questions_are_put_again,
    calls_may_fail_and_die,
    what_lives_can_be_cancelled,
)
