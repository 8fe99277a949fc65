"""Every row of every table earns its place: break it in any way, and some law or the behaviour of the core shows it.

Each row is deleted, redirected to every other state of its table, and put under every other guard of it; and every edge that a table
does not have is added to it. The laws judge each mutant first. What they let pass is put into the running core, which must then behave
otherwise than the real one in some reachable state of some sampled policy or model. A mutant that survives both is the same lifecycle,
and must be listed in `EQUIVALENT` with the reason.

The ordinary run looks at those edges alone that ask a table what the mutant answers otherwise, and draws a sample of the mutants of each
row and state, from a seed that it prints; `STATECORE_SEED` sets the seed, and `STATECORE_MUTATION=full` leaves neither mutants nor edges out.
"""

from __future__ import annotations

import os
import random
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from itertools import chain, product

import pytest
from attrs import evolve

from specs.tools.evidence import differing
from statecore.core import Advanced, State
from statecore.lifecycles import MACHINES, TABLES, Row, Table, allowed, fire
from statecore.lifecycles import words as w
from statecore.lifecycles.machine import build
from tests.laws.table_laws import LAWS
from tests.model.explore import Graph, Label, Outcome, difference, offered
from tests.model.models import deaths_in, explored, models, sampled

FULL = os.environ.get("STATECORE_MUTATION") == "full"
SEED = int(os.environ.get("STATECORE_SEED", "1"))
SAMPLE = 1
"""How many mutants of a row or a state the ordinary run draws."""

Asked = dict[tuple[str, str, str], dict[State, dict[Label, Outcome]]]
"""The edges on which a machine is asked for a trigger in a phase, by that question."""

ANYTHING = ("", "", "")
"""The question of those edges of which nobody knows what they asked."""

LARGE = 400
"""Graphs of more states than this judge no mutants: the smaller ones have every row too."""

ONE_SETTING = "on_reject=cancel makes both facts, so that they hold together or not at all"
NO_CHOICES = "a step has no choices, so nothing can carry this trigger to it"
EQUIVALENT: dict[str, str] = {
    "reguard step: awaiting_confirmation -reject-> cancelled [reject_cancels] with review_cancels": ONE_SETTING,
    "reguard step: awaiting_input -reject-> cancelled [reject_cancels] with review_cancels": ONE_SETTING,
    "reguard step: awaiting_review -reject-> cancelled [review_cancels] with reject_cancels": ONE_SETTING,
    "reguard loop: awaiting_confirmation -reject-> cancelled [reject_cancels] with review_cancels": ONE_SETTING,
    "reguard loop: awaiting_review -reject-> cancelled [review_cancels] with reject_cancels": ONE_SETTING,
    "reguard router: awaiting_confirmation -reject-> cancelled [reject_cancels] with review_cancels": ONE_SETTING,
    "reguard router: awaiting_route -reject-> cancelled [reject_cancels] with review_cancels": ONE_SETTING,
    "reguard router: awaiting_review -reject-> cancelled [review_cancels] with reject_cancels": ONE_SETTING,
} | {
    f"add step: {source} -choose-> {dest} [always]": NO_CHOICES
    for source, dest in product((w.running, w.judging), TABLES["step"].states)
}
"""Mutants that mean the same, by their name, each with why. Empty is best: a row whose guard can be changed says too little."""


def sentence(table: Table, row: Row) -> str:
    """A row's name in reports."""
    return f"{table.name}: {row.source} -{row.on}-> {row.dest} [{row.when}]"


def mutants(table: Table, row: Row) -> Iterator[tuple[str, Table]]:
    """Every way to break one row: leave it out, send it elsewhere, ask it something else."""
    yield f"delete {sentence(table, row)}", with_row(table, row, None)
    for state in table.states:
        if state != row.dest:
            yield f"redirect {sentence(table, row)} to {state}", with_row(table, row, evolve(row, dest=state))
    for guard in (w.always, *table.guards):
        if guard != row.when:
            yield f"reguard {sentence(table, row)} with {guard}", with_row(table, row, evolve(row, when=guard))


def additions(table: Table, source: str) -> Iterator[tuple[str, Table]]:
    """Every edge that the table does not have: a trigger where it means nothing, to anywhere."""
    known = {row.on for row in table.rows if row.source == source}
    for on, dest in product(dict.fromkeys(on for other in TABLES.values() for on in other.triggers), table.states):
        if on not in known:
            row = Row(source, on, dest, w.always, "RUN-1")
            yield f"add {sentence(table, row)}", evolve(table, rows=(*table.rows, row))


def other_tables(table: Table) -> Iterator[Table]:
    """Tables that are wrong in more than a row: an answer that is never heard, an end that is none, a debt forgotten."""
    for source, on in {(row.source, row.on) for row in table.rows}:
        yield evolve(table, rows=tuple(row for row in table.rows if (row.source, row.on) != (source, on)))
    for state in table.final:
        yield evolve(table, final=table.final - {state})
    for state in table.owes:
        yield evolve(table, owes={other: owes for other, owes in table.owes.items() if other != state})


def with_row(table: Table, row: Row, other: Row | None) -> Table:
    """The table with one row replaced or left out; a state that no row names any more is still known to what it owes."""
    return evolve(table, rows=tuple(r for old in table.rows for r in [other if old is row else old] if r is not None))


@contextmanager
def in_place(table: Table) -> Iterator[None]:
    """Let the whole package run on a mutant."""
    real, machine = TABLES[table.name], MACHINES[table.name]
    TABLES[table.name], MACHINES[table.name] = table, build(table)
    forget()
    try:
        yield
    finally:
        TABLES[table.name], MACHINES[table.name] = real, machine
        forget()


def forget() -> None:
    """Empty the caches of the questions that a machine has answered."""
    fire.cache_clear()
    allowed.cache_clear()
    offered.cache_clear()


def drawn(name: str, all_of_them: Iterator[tuple[str, Table]]) -> list[tuple[str, Table]]:
    """The mutants to judge: all in full mode, else a few of them, the same ones for the same seed."""
    each = list(all_of_them)
    if FULL:
        return each
    print(f"STATECORE_SEED={SEED}")  # noqa: T201  # shown where the test fails
    return random.Random(f"{SEED} {name}").sample(each, min(SAMPLE, len(each)))  # noqa: S311  # nothing here is a secret


@cache
def behaviour() -> tuple[tuple[Graph, int, Asked], ...]:
    """How the real core behaves, with the bound on deaths; smallest first."""
    found = [(explored(name), deaths_in(program)) for name, program in models().items()] + [(graph, 1) for graph in sampled()]
    small = sorted((each for each in found if each[0].size[0] <= LARGE), key=lambda each: each[0].size)
    return tuple((graph, deaths, asked(graph)) for graph, deaths in small)


def asked(graph: Graph) -> Asked:
    """Where each question is put to a table: what a refused event asked is not known, and a phase is asked what may happen in it."""
    found: Asked = defaultdict(dict)
    for state, out in graph.edges.items():
        for label, outcome in out.items():
            for move in outcome.moves if isinstance(outcome, Advanced) else ():
                found[move.machine, move.source, move.trigger].setdefault(state, {})[label] = outcome
            if not isinstance(outcome, Advanced):
                found[ANYTHING].setdefault(state, {})[label] = outcome
        for cursor in state.cursors:
            found[graph.program[cursor.at].machine, cursor.phase, ""].setdefault(state, {})
    return found


def concerned(graph: Graph, known: Asked, mutant: Table) -> Graph:
    """The part of a graph that asks a table what a mutant of it answers otherwise; of every other edge the core computes the same."""
    real = TABLES[mutant.name].rows
    changed = {(row.source, row.on) for row in {*real} ^ {*mutant.rows}}
    questions = [ANYTHING, *((mutant.name, source, each) for source, on in changed for each in (on, ""))]
    edges: dict[State, dict[Label, Outcome]] = {}
    for question in questions:
        for state, out in known.get(question, {}).items():
            edges.setdefault(state, {}).update(out)
    return Graph(graph.program, edges)


def broken_law(mutant: Table) -> str | None:
    """The first law that a mutant breaks."""
    return next((law.__name__ for law in LAWS if law(mutant)), None)


def other_behaviour(mutant: Table) -> str | None:
    """Where the core behaves otherwise on a mutant."""
    real = [
        (graph if FULL else concerned(graph, known, mutant), deaths, graph)
        for graph, deaths, known in behaviour()
        if mutant.name in {node.machine for node in graph.program.nodes.values()}
    ]
    with in_place(mutant):
        return next((found for part, deaths, whole in real if (found := difference(part, whole, deaths=deaths))), None)


def survivors(chosen: list[tuple[str, Table]]) -> set[str]:
    """The mutants that neither a law nor the behaviour of the core shows."""
    return {name for name, mutant in chosen if not broken_law(mutant) and not other_behaviour(mutant)}


def equivalents(chosen: list[tuple[str, Table]]) -> set[str]:
    """Those that are known to mean the same, and break no law."""
    return {name for name, mutant in chosen if name in EQUIVALENT and not broken_law(mutant)}


ROWS = [(table, row) for table in TABLES.values() for row in table.rows]
STATES = [(table, state) for table in TABLES.values() for state in table.states]


@pytest.mark.parametrize(("table", "row"), ROWS, ids=[sentence(*pair) for pair in ROWS])
def test_the_row_earns_its_place(table, row):
    """No way of breaking this row goes unnoticed, but those that are known to mean the same."""
    chosen = drawn(sentence(table, row), mutants(table, row))
    assert survivors(chosen) == equivalents(chosen)


def test_so_many_mutants_there_are():
    """What the evidence says of mutants: those of rows and those of missing edges, but for the equivalent ones. The full mode judges all."""
    of_rows = [name for table, row in ROWS for name, _ in mutants(table, row) if name not in EQUIVALENT]
    of_edges = [name for table, state in STATES for name, _ in additions(table, state) if name not in EQUIVALENT]
    assert differing(mutants=len(of_rows) + len(of_edges)) == {}


@pytest.mark.parametrize(("table", "source"), STATES, ids=[f"{table.name}: {state}" for table, state in STATES])
def test_no_edge_is_missing_unnoticed(table, source):
    """Every edge that a table does not have would be noticed if it were there: the tables are closed."""
    chosen = drawn(f"{table.name}: {source}", additions(table, source))
    assert survivors(chosen) == equivalents(chosen)


def test_equivalents_are_mutants_of_today():
    """Each listed equivalent is still a mutant of a row or an edge that could be, so that the list cannot go stale."""
    of_rows = {name for table, row in ROWS for name, _ in mutants(table, row)}
    of_edges = {name for table, source in STATES for name, _ in additions(table, source)}
    assert set(EQUIVALENT) <= of_rows | of_edges


def test_the_real_tables_pass_both_judges():
    """The judges are fair: what is not broken passes both."""
    with ExitStack() as stack:
        for table in list(TABLES.values()):
            assert broken_law(table) is None
            stack.enter_context(in_place(evolve(table)))
        assert [found for graph, deaths, _ in behaviour() if (found := difference(graph, deaths=deaths))] == []


@pytest.mark.parametrize("law", LAWS, ids=[law.__name__ for law in LAWS])
def test_every_law_earns_its_place(law):
    """Each law is broken by some wrong table: it can fail."""
    wrong = chain(
        (mutant for table, row in ROWS for _, mutant in mutants(table, row)),
        (mutant for table, source in STATES for _, mutant in additions(table, source)),
        (mutant for table in TABLES.values() for mutant in other_tables(table)),
    )
    assert any(law(mutant) for mutant in wrong)
