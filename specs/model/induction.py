"""Invariants that hold for any number of components, retries, reviews and deaths: z3 shows that each row preserves each of them.

For each lifecycle there is a list of `n` components of that kind, one after another, under any legal policy each; a component with
children is opaque while it runs. A state is a run, a place and, for each component, its phase, what a person said first, and its
counts. A condition says: where all invariants held before a row, this one holds after it. A new row makes new conditions by itself.

`python -m specs.model.induction` prints how many conditions were proved, and each that was not.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from functools import reduce
from typing import Any

import z3  # type: ignore[import-untyped]
from attrs import evolve, field, frozen

from statecore.core.facts import MAX_INTERRUPTS
from statecore.lifecycles import TABLES, Row, Table
from statecore.lifecycles import words as w

RUNS = (w.pending, w.running, w.paused, w.completed, w.cancelled, w.failed)
FIRST = (w.awaiting_confirmation, w.awaiting_input)
OVER = (w.completed, w.skipped)
FAMILIES: tuple[tuple[str, ...], ...] = (
    (w.needs_confirmation, w.needs_input, w.needs_route, w.runs_at_once),
    (w.reject_skips, w.reject_cancels, w.reject_takes_else),
    (w.error_fails, w.error_skips, w.error_pauses),
    (w.interrupt_retries, w.interrupt_pauses, w.interrupt_fails),
    (w.review_skips, w.review_cancels, w.review_retries),
    (w.timeout_cancels, w.timeout_skips, w.timeout_approves),
    (w.keeps_output, w.needs_review, w.judges_output),
    (w.person_chooses, w.selector_chooses),
)
"""Of each family exactly one fact holds at a component: that is what a legal policy is."""

PHASES = tuple(dict.fromkeys(state for name, table in TABLES.items() if name != "run" for state in table.states))
PHASE, PHASE_OF = z3.EnumSort("phase", PHASES)
RUN, RUN_OF = z3.EnumSort("run", [f"run_{name}" for name in RUNS])
SAID, (NOTHING, AGREED, REFUSED) = z3.EnumSort("said", ["nothing", "agreed", "refused"])
PHASE_NAMED = dict(zip(PHASES, PHASE_OF, strict=True))
RUN_NAMED = dict(zip(RUNS, RUN_OF, strict=True))
INTS = z3.IntSort()
FACT = {fact: z3.Array(fact, INTS, z3.BoolSort()) for family in FAMILIES for fact in family}
MOST_RETRIES, MOST_REVIEWS = z3.Array("most_retries", INTS, INTS), z3.Array("most_reviews", INTS, INTS)
N = z3.Int("n")


@frozen
class Situation:
    """A run of a list: where it is, what it hands on (0 is None), and of each component its phase and what became of it."""

    run: Any = field(factory=lambda: z3.Const("run", RUN))
    place: Any = field(factory=lambda: z3.Int("place"))
    prev: Any = field(factory=lambda: z3.Int("prev"))
    phase: Any = field(factory=lambda: z3.Array("phase", INTS, PHASE))
    said: Any = field(factory=lambda: z3.Array("said", INTS, SAID))
    began: Any = field(factory=lambda: z3.Array("began", INTS, z3.BoolSort()))
    retries: Any = field(factory=lambda: z3.Array("retries", INTS, INTS))
    reviews: Any = field(factory=lambda: z3.Array("reviews", INTS, INTS))
    deaths: Any = field(factory=lambda: z3.Array("deaths", INTS, INTS))
    stopping: Any = field(factory=lambda: z3.Array("stopping", INTS, z3.BoolSort()))


def is_in(phase: Any, *names: str) -> Any:
    """Whether a phase is one of these."""
    return z3.Or([phase == PHASE_NAMED[name] for name in names])


def runs(s: Situation, *names: str) -> Any:
    """Whether the run is in one of these."""
    return z3.Or([s.run == RUN_NAMED[name] for name in names])


def gated(i: Any) -> Any:
    """Whether a person decides before anything of a component runs."""
    return z3.Or(FACT[w.needs_confirmation][i], FACT[w.needs_input][i])


def legal(i: Any) -> Any:
    """What is so of every policy: one fact of each family, limits that are not negative."""
    one = [z3.PbEq([(FACT[fact][i], 1) for fact in family], 1) for family in FAMILIES]
    return z3.And(*one, MOST_RETRIES[i] >= 0, MOST_REVIEWS[i] >= 0, N >= 1)


# -- rows --------------------------------------------------------------------------------------------------------------------------


def holds(table: Table, row: Row, s: Situation) -> Any:
    """When the row's guard holds at the place; what only the children or the counts of iterations know may hold at any time."""
    i, when = s.place, row.when
    left = z3.And(row.source == w.running and table.name == "step", s.retries[i] < MOST_RETRIES[i])
    spent = s.reviews[i] >= MOST_REVIEWS[i]
    killed = s.deaths[i] + 1 >= MAX_INTERRUPTS
    again = z3.And(FACT[w.review_retries][i], z3.Not(spent))
    special = {
        w.retries_left: left,
        w.reviews_spent: z3.And(FACT[w.review_retries][i], spent),
        w.review_retries: FACT[w.review_retries][i] if table.name == "loop" else again,
        w.person_rechooses: z3.And(again, FACT[w.person_chooses][i]),
        w.selector_rechooses: z3.And(again, FACT[w.selector_chooses][i]),
        w.interrupt_pauses: z3.Or(FACT[w.interrupt_pauses][i], killed),
    }
    if when in special:
        return special[when]
    if when in (w.error_fails, w.error_skips, w.error_pauses):
        return z3.And(FACT[when][i], z3.Not(left))
    if when in (w.interrupt_retries, w.interrupt_fails):
        return z3.And(FACT[when][i], z3.Not(killed))
    return FACT[when][i] if when in FACT else z3.BoolVal(val=True)


def put(array: Any, i: Any, value: Any) -> Any:
    """The array with another value at one index."""
    return z3.Store(array, i, value)


def enabled(table: Table, row: Row, s: Situation) -> Any:
    """When a row may be taken: at the place, in its phase, under its guard, while the run lets it."""
    run = runs(s, w.failed) if row.on == w.resume else runs(s, w.running) if row.on == w.enter else runs(s, w.running, w.paused)
    return z3.And(run, s.place >= 1, s.place <= N, s.phase[s.place] == PHASE_NAMED[row.source], holds(table, row, s))


def after(table: Table, row: Row, s: Situation) -> Situation:
    """The situation after a row."""
    i, dest = s.place, row.dest
    person = row.on in (w.retry, w.resume, w.reject, w.amend)
    rejected = row.on == w.reject and row.source == w.awaiting_review
    first = row.source in FIRST
    passes = first and row.on != w.renew and dest not in (w.skipped, w.cancelled)
    said = REFUSED if first and row.on == w.reject else AGREED if passes else s.said[i]
    stopping = z3.Or(s.stopping[i], row.on == w.stop)
    owes = table.owes.get(dest)
    running = z3.If(stopping, RUN_NAMED[w.completed], RUN_NAMED[w.running]) if dest == w.completed else RUN_NAMED[w.running]
    gives = i if dest == w.completed else z3.IntVal(0) if table.name == "step" else s.prev
    return Situation(
        run=RUN_NAMED[w.paused] if owes == "ask" else RUN_NAMED[dest] if dest in (w.failed, w.cancelled) else running,
        place=i + 1 if dest in OVER else i,
        prev=gives if dest in OVER else s.prev,
        phase=put(s.phase, i, PHASE_NAMED[dest]),
        said=put(s.said, i, said),
        began=put(s.began, i, z3.Or(s.began[i], dest in (w.running, w.evaluating, w.awaiting_route))),
        retries=put(s.retries, i, s.retries[i] + 1 if row.on == w.wake else z3.IntVal(0) if person else s.retries[i]),
        reviews=put(
            s.reviews, i, s.reviews[i] + (1 if rejected and table.name != "loop" and dest not in (w.skipped, w.cancelled) else 0)
        ),
        deaths=put(s.deaths, i, s.deaths[i] + 1 if row.on == w.interrupt else s.deaths[i] if row.on == w.renew else z3.IntVal(0)),
        stopping=put(s.stopping, i, stopping),
    )


# -- invariants: each quotes the claim that it stands for ----------------------------------------------------------------------------


def invariants(table: Table, s: Situation, i: Any) -> dict[str, Any]:
    """What is so of every component `i`, in every situation."""
    here, of = s.phase[s.place], s.phase[i]
    calls = [name for name, owes in table.owes.items() if owes in ("call", "timer")]
    asked = [name for name, owes in table.owes.items() if owes == "ask"]
    found = {
        "RUN-1 the place is in the list": z3.And(s.place >= 1, s.place <= N + 1),
        "RUN-1 nothing after the place has begun": z3.Implies(i > s.place, is_in(of, w.pending)),
        "RUN-1 everything before the place is over": z3.Implies(z3.And(i >= 1, i < s.place), is_in(of, *OVER)),
        "PAR-3 a run is paused if it waits for a person": z3.Implies(is_in(here, *asked), runs(s, w.paused)),
        "RUN-4 a run that waits for a call runs": z3.Implies(is_in(here, *calls), runs(s, w.running)),
        "RUN-4 past the last component the run is over or ends": z3.Implies(s.place == N + 1, is_in(here, w.pending)),
        "CONF-1 nothing is known of what has not begun": z3.Implies(
            is_in(of, w.pending, *FIRST), z3.And(s.said[i] == NOTHING, z3.Not(s.began[i]), s.retries[i] == 0, s.reviews[i] == 0)
        ),
        "CONF-1 what is past its gate has begun": z3.Or(is_in(of, w.pending, *FIRST, *OVER, w.cancelled), s.began[i]),
        "CONF-1 nothing runs before a person has agreed": z3.Implies(
            z3.And(gated(i), s.began[i]), z3.Or(s.said[i] == AGREED, z3.And(s.said[i] == REFUSED, FACT[w.reject_takes_else][i]))
        ),
        "CONF-1 only what is configured is asked": z3.Implies(is_in(of, *FIRST), gated(i)),
        "CONF-4 a refusal under cancel ends in cancelled": z3.Implies(
            z3.And(s.said[i] == REFUSED, FACT[w.reject_cancels][i]), is_in(of, w.cancelled)
        ),
        "CONF-3 a refusal under skip ends in skipped": z3.Implies(
            z3.And(s.said[i] == REFUSED, FACT[w.reject_skips][i]), is_in(of, w.skipped)
        ),
        "REV-1 reviews are bounded": z3.And(s.reviews[i] >= 0, z3.Implies(MOST_REVIEWS[i] >= 0, s.reviews[i] <= MOST_REVIEWS[i])),
        "RUN-2 retries are bounded": z3.And(
            s.retries[i] >= 0, z3.Implies(is_in(of, w.backing_off), s.retries[i] < MOST_RETRIES[i])
        ),
        "RUN-2 retries never exceed what was asked for": z3.Implies(MOST_RETRIES[i] >= 0, s.retries[i] <= MOST_RETRIES[i]),
        "ERR-3 a person is asked only under pause or after a death": z3.Implies(
            is_in(of, w.errored_paused), z3.Or(FACT[w.error_pauses][i], s.deaths[i] > 0)
        ),
        "CRASH-2 deaths are counted": s.deaths[i] >= 0,
        "CANCEL-1 a cancelled component cancels the run": z3.Implies(
            z3.And(i == s.place, is_in(of, w.cancelled)), runs(s, w.cancelled)
        ),
    }
    return found | (of_steps(s, i) if table.name == "step" else {})


def of_steps(s: Situation, i: Any) -> dict[str, Any]:
    """What is so of steps, which call code themselves."""
    before = s.phase[s.place - 1]
    return {
        "ERR-1 a step fails only by policy": z3.Implies(
            is_in(s.phase[i], w.failed), z3.Or(FACT[w.error_fails][i], FACT[w.interrupt_fails][i])
        ),
        "RUN-1 only what was executed completes": z3.Implies(
            is_in(s.phase[i], w.completed, w.judging, w.awaiting_review), s.began[i]
        ),
        "SKIP-1 a skipped step gives None": z3.Implies(z3.And(s.place > 1, is_in(before, w.skipped)), s.prev == 0),
        "RUN-1 a completed step gives its output": z3.Implies(
            z3.And(s.place > 1, is_in(before, w.completed)), s.prev == s.place - 1
        ),
    }


# -- conditions --------------------------------------------------------------------------------------------------------------------


@frozen
class Condition:
    """One thing to be shown: after this row of this lifecycle (or at the beginning), this invariant holds."""

    machine: str
    row: str
    invariant: str
    proved: bool


def conditions(tables: Mapping[str, Table] = TABLES) -> Iterator[Condition]:
    """Every condition, shown or not."""
    for name, table in tables.items():
        if name != "run":
            yield from of_table(table)


def of_table(table: Table) -> Iterator[Condition]:
    """The conditions of one lifecycle: the beginning, every row, and the two moves of the run itself."""
    s, k = Situation(), z3.Int("k")
    held = [each for i in (k, s.place, s.place - 1, s.place + 1) for each in (legal(i), *invariants(table, s, i).values())]
    fresh = [legal(i) for i in (k, s.place)] + [untouched(s, i) for i in (k, s.place, s.place - 1)]
    yield from shown(table, "beginning", [*fresh, runs(s, w.pending), s.place == 1, s.prev == 0], s, k)
    yield from shown(
        table, "start", [*held, runs(s, w.pending), is_in(s.phase[s.place], w.pending)], evolve(s, run=RUN_NAMED[w.running]), k
    )
    yield from shown(table, "finish", [*held, runs(s, w.running), s.place == N + 1], evolve(s, run=RUN_NAMED[w.completed]), k)
    for row in table.rows:
        name = f"{row.source} {row.on} {row.dest} when {row.when}"
        yield from shown(table, name, [*held, enabled(table, row, s)], after(table, row, s), k)


def untouched(s: Situation, i: Any) -> Any:
    """Nothing has become of a component."""
    counts = [s.retries[i] == 0, s.reviews[i] == 0, s.deaths[i] == 0]
    return z3.And(is_in(s.phase[i], w.pending), s.said[i] == NOTHING, z3.Not(s.began[i]), z3.Not(s.stopping[i]), *counts)


def shown(table: Table, row: str, premises: list[Any], then: Situation, k: Any) -> Iterator[Condition]:
    """Whether each invariant follows."""
    solver = z3.Solver()
    solver.set("timeout", 20_000)
    solver.add(*premises)
    for name, goal in invariants(table, then, k).items():
        solver.push()
        solver.add(z3.Not(goal))
        yield Condition(table.name, row, name, solver.check() == z3.unsat)
        solver.pop()


# -- what binds --------------------------------------------------------------------------------------------------------------------


def binding(tables: Mapping[str, Table] = TABLES) -> dict[tuple[str, str], str | None]:
    """For each lifecycle and invariant the first row that breaks it when it is sent to another state; None where no row does.

    An invariant that some row can break is *inductive*: the tables keep it. One that none can break holds *by construction*: `after` writes
    what it says, whatever the tables are, so it says something of this model and nothing of the tables.
    """
    found: dict[tuple[str, str], str | None] = {}
    for name, table in tables.items():
        if name != "run":
            found |= {(name, invariant): row for invariant, row in of_rows(table).items()}
    return found


def of_rows(table: Table) -> dict[str, str | None]:
    """The first row of a lifecycle that breaks each invariant when it is sent elsewhere."""
    s, k = Situation(), z3.Int("k")
    held = [each for i in (k, s.place, s.place - 1, s.place + 1) for each in (legal(i), *invariants(table, s, i).values())]
    found: dict[str, str | None] = dict.fromkeys(invariants(table, s, k))
    for row in table.rows:
        solver = z3.Solver()
        solver.set("timeout", 20_000)
        solver.add(*held, enabled(table, row, s))
        for dest in table.states:
            then = invariants(table, after(table, evolve(row, dest=dest), s), k)
            for name in [name for name, broken in found.items() if broken is None and dest != row.dest]:
                solver.push()
                solver.add(z3.Not(then[name]))
                if solver.check() == z3.sat:
                    found[name] = f"{row.source} {row.on} {dest} when {row.when}"
                solver.pop()
    return found


def main() -> int:
    """Print the sum, what was not proved, and which invariants bind."""
    found = list(conditions())
    for each in found:
        if not each.proved:
            sys.stdout.write(f"not proved: {each.machine}: {each.row}: {each.invariant}\n")
    proved = reduce(lambda total, each: total + each.proved, found, 0)
    sys.stdout.write(f"{proved} of {len(found)} conditions proved\n")
    for (machine, name), row in binding().items():
        sys.stdout.write(f"{machine}: {name}: {f'inductive: broken by {row}' if row else 'by construction'}\n")
    return int(proved != len(found))


if __name__ == "__main__":
    sys.exit(main())
