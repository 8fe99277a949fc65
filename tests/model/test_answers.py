"""SAID-1 on every reachable state: when an answer counts, and what it does to the boundary that it joins.

An answer that joins a boundary is two edges of the graph, one after the other: so what TLC says of the graph holds of such boundaries, too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from statecore.core import DECISIONS, Advanced, Call, Event, OpenQuestion, Program, State, Timer, advance, answerable, asks, calls
from statecore.core.loop import Commit, committing
from statecore.core.owed import timers
from statecore.lifecycles import words as w
from tests.model.explore import Graph, Label
from tests.model.test_reachable import graphs


def words(graph: Graph, state: State, ask: OpenQuestion) -> list[Event]:
    """The answers of people to a question, as the graph has them."""
    triggers = set(DECISIONS[ask.kind].values())
    place = (ask.at, ask.turn, ask.attempt)
    found = [label[0] for label, led_to in graph.edges[state].items() if len(label) == 1 and isinstance(led_to, Advanced)]
    return [event for event in found if (event.at, event.turn, event.attempt) == place and event.trigger in triggers]


def led(graph: Graph, state: State, *labels: Label) -> State | None:
    """Where some edges lead, one after the other; None where one of them is not there."""
    for label in labels:
        outcome = graph.edges[state].get(label)
        if not isinstance(outcome, Advanced):
            return None
        state = outcome.state
    return state


@pytest.mark.spec("SAID-1")
def test_an_answer_that_joins_a_boundary_is_an_edge_of_its_own():
    """A boundary that would park the run, with an answer: the state is that of the two one after the other, in one order or the other."""
    seen: Counter[str] = Counter()
    for graph in graphs():
        for state, label, outcome in graph.steps():
            if outcome.state.run != w.paused or state.run != w.running or len(label) > 1:
                continue
            for ask in set(asks(graph.program, state)) & set(answerable(graph.program, outcome.state)):
                for answer in words(graph, state, ask):
                    joined = advance(graph.program, state, *label, answer).state
                    ways = led(graph, state, label, (answer,)), led(graph, state, (answer,), label)
                    assert joined in ways, (graph.program.name, label, answer)
                    seen["after" if joined == ways[0] else "before"] += 1
    assert seen["after"] > 500
    assert seen["after"] > 10 * seen["before"], seen


@pytest.mark.spec("SAID-1")
def test_every_question_of_a_paused_run_takes_an_answer():
    """Where only people are waited for, each open question counts; where the run is over, none does."""
    for graph in graphs():
        for state in graph.edges:
            if state.run == w.paused:
                assert answerable(graph.program, state) == asks(graph.program, state) != ()
            elif state.run != w.running:
                assert answerable(graph.program, state) == ()


@pytest.mark.spec("SAID-1", "PAR-4", "RUN-3")
def test_no_answer_counts_where_an_end_is_decided():
    """Beside what runs, a question counts if and only if the calls can end well and leave it open in a run that is not over."""
    seen: Counter[bool] = Counter()
    for graph in graphs():
        known: dict[tuple[State, OpenQuestion], bool] = {}
        for state in graph.edges:
            if state.run == w.running and (open_asks := asks(graph.program, state)):
                counts = answerable(graph.program, state)
                for ask in open_asks:
                    assert (ask in counts) == survives(graph, state, ask, known), (graph.program.name, state, ask)
                    seen[ask in counts] += 1
    assert min(seen.values()) > 50, seen


def survives(graph: Graph, state: State, ask: OpenQuestion, known: dict[tuple[State, OpenQuestion], bool]) -> bool:
    """Whether the calls and delays of a state can end well, so that the question is asked still in a paused run; nobody answers or cancels."""
    if state.run != w.running:
        return state.run == w.paused and ask in asks(graph.program, state)
    if (state, ask) not in known:
        known[state, ask] = any(survives(graph, after, ask, known) for after in ends(graph, state))
    return known[state, ask]


def ends(graph: Graph, state: State) -> Iterator[State]:
    """Where the ends of the calls and delays of a state lead, failures and deaths left out."""
    works: list[Call | Timer] = [*calls(graph.program, state), *timers(graph.program, state)]
    places = {(each.at, each.turn, each.attempt) for each in works}
    for label, outcome in graph.edges[state].items():
        [event, *more] = label
        if more or (event.at, event.turn, event.attempt) not in places or event.trigger in (w.interrupt, w.fail):
            continue
        if isinstance(outcome, Advanced):
            yield outcome.state


# -- the generator that drivers share ----------------------------------------------------------------------------------------------


def boundary() -> tuple[Program, State, Event, Event]:
    """A program that is about to park, the result that parks it, and an answer to the question that is open beside it."""
    for graph in graphs():
        for state, label, outcome in graph.steps():
            if outcome.state.run == w.paused and state.run == w.running and len(label) == 1:
                for ask in asks(graph.program, state):
                    if ask in asks(graph.program, outcome.state) and words(graph, state, ask):
                        return graph.program, state, label[0], words(graph, state, ask)[0]
    raise AssertionError


@pytest.mark.spec("SAID-1", "CANCEL-1")
def test_what_stands_against_a_commit_joins_it():
    """Decisions are added to the events, and a cancellation takes the place of decisions; what was stored at last is returned."""
    program, state, event, answer = boundary()
    commits = committing(program, state, (event,))
    assert next(commits) == Commit(state, (event,), advance(program, state, event))
    assert commits.send((answer,)) == Commit(state, (event, answer), advance(program, state, event, answer))
    cancel = Event(w.cancel)
    cancelled = Commit(state, (event, cancel), advance(program, state, event, cancel))
    assert commits.send(cancel) == cancelled
    with pytest.raises(StopIteration) as stored:
        commits.send(None)
    assert stored.value.value == cancelled
