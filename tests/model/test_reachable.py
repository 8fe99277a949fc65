"""The laws of every reachable state, on every model and on every definition that the policies allow."""

from __future__ import annotations

from collections import deque
from functools import cache
from graphlib import TopologicalSorter

import pytest
from attrs import evolve

from statecore.core import CANCEL, REOPEN, Ask, Call, Ref, State, asks, calls, owed
from statecore.core.reducer import MAX_INTERRUPTS
from statecore.lifecycles import TABLES
from statecore.lifecycles import words as w
from tests.model.definitions import programs
from tests.model.explore import Graph, explore
from tests.model.models import models

ENDS = frozenset({w.completed, w.cancelled, w.failed})


@cache
def graphs() -> tuple[Graph, ...]:
    """Everything there is to judge."""
    return tuple(explore(program) for program in (*models().values(), *programs()))


def states() -> list[tuple[Graph, State]]:
    """Every reachable state, with the graph that it is in."""
    return [(graph, state) for graph in graphs() for state in graph.edges]


@pytest.mark.spec("LAW-1")
def test_an_end_is_an_end():
    """Nothing can happen after completed and cancelled; after failed, only a reopening."""
    for graph, state in states():
        if state.run in (w.completed, w.cancelled):
            assert graph.edges[state] == {}
        elif state.run == w.failed:
            assert set(graph.edges[state]) <= {(REOPEN,)}


@pytest.mark.spec("LAW-2", "PAR-3")
def test_paused_is_owed_by_people_alone():
    """A run is paused if and only if a person owes something and nothing runs; and running if and only if a call is owed."""
    for graph, state in states():
        answers, results = asks(graph.program, state), calls(graph.program, state)
        assert (state.run == w.paused) == (bool(answers) and not results)
        assert (state.run == w.running) == bool(results)


@pytest.mark.spec("LAW-3")
def test_questions_mirror_the_state():
    """Each cursor that waits for a person is one question, under a name that no other has in the whole life of the run."""
    for graph in graphs():
        names: dict[str, Ask] = {}
        for state in graph.edges:
            waiting = [c for c in state.cursors if TABLES[graph.program[c.at].machine].owes.get(c.phase) == "ask"]
            found = asks(graph.program, state)
            assert [(ask.at, ask.turn, ask.attempt) for ask in found] == [(c.at, c.turn, c.attempt) for c in waiting]
            assert len({ask.pause_id for ask in found}) == len(found)
            assert all(names.setdefault(ask.pause_id, ask) == ask for ask in found)


@pytest.mark.spec("LAW-4")
def test_nothing_is_owed_after_the_end():
    """A run that is over owes nothing, and every move of its last event came before the end."""
    for graph, state in states():
        if state.run in ENDS:
            assert owed(graph.program, state) == ()
    for graph in graphs():
        for _, _, after in graph.steps():
            ended = [index for index, move in enumerate(after.moves) if move.machine == "run" and move.dest in ENDS]
            assert ended in ([], [len(after.moves) - 1])


@pytest.mark.spec("LAW-5", "COND-6")
def test_one_branch_of_a_condition_runs():
    """No path enters both branches of a Condition, for every Condition of every graph."""
    for graph in graphs():
        for fork in [node for node in graph.program.nodes.values() if node.kind == "condition"]:
            assert {"then", "else"} not in branches(graph, fork.at)


def branches(graph: Graph, fork: str) -> list[set[str]]:
    """Which of a Condition's branches were entered, along every path through the graph."""
    seen: set[tuple[State, frozenset[str]]] = set()
    queue = deque([(next(iter(graph.edges)), frozenset[str]())])
    while queue:
        state, entered = here = queue.popleft()
        if here in seen:
            continue
        seen.add(here)
        for after in graph.edges[state].values():
            assert not isinstance(after, str)
            inside = {move.at.removeprefix(f"{fork}/").split("/")[0] for move in after.moves if move.at.startswith(f"{fork}/")}
            queue.append((after.state, entered | inside))
    return [set(entered) for _, entered in seen]


@pytest.mark.spec("LAW-6")
def test_a_step_completes_only_by_a_result():
    """A step's completion is the report of the call that was owed for this very attempt."""
    for graph in graphs():
        for state, label, after in graph.steps():
            owing = {(call.at, call.attempt) for call in calls(graph.program, state)}
            for move in after.moves:
                if move.machine == "step" and move.dest == w.completed:
                    assert (move.at, move.attempt) in owing
                    assert (move.at, move.trigger) == (label[0].at, label[0].trigger)


@pytest.mark.spec("LAW-7")
def test_an_end_can_be_reached():
    """From every reachable state some end can be reached; and without a cancellation too."""
    for graph in graphs():
        before: dict[State, set[State]] = {state: set() for state in graph.edges}
        for state, label, after in graph.steps():
            if CANCEL not in label:
                before[after.state].add(state)
        found = {state for state in graph.edges if state.run in ENDS}
        queue = list(found)
        while queue:
            new = before[queue.pop()] - found
            found |= new
            queue += new
        assert found == set(graph.edges)


@pytest.mark.spec("LAW-8")
def test_the_run_and_its_components_agree():
    """A run fails exactly with a call that fails under policy fail; it is cancelled exactly by a cancellation or such a rejection."""
    for graph in graphs():
        for _, label, after in graph.steps():
            leaves = [move for move in after.moves if move.machine != "run"]
            failed = [move for move in leaves if move.dest == w.failed and move.trigger in (w.fail, w.interrupt)]
            stopped = CANCEL in label or any(move.trigger == w.reject and move.dest == w.cancelled for move in leaves)
            assert (after.state.run == w.failed) == (bool(failed) and not stopped)
            assert (after.state.run == w.cancelled) == stopped
            assert all(cursor.phase == w.failed for cursor in after.state.cursors) or after.state.run not in ENDS


@pytest.mark.spec("LAW-8")
def test_what_a_run_entered_it_leaves():
    """When a run is over every component that was entered is over too; in a completed run none has failed or was cancelled."""
    for graph in graphs():
        for state, phases in last_phases(graph):
            if state.run in ENDS:
                over = {w.completed, w.skipped} if state.run == w.completed else {w.completed, w.skipped, w.cancelled, w.failed}
                assert {phase for _, phase in phases} <= over


def last_phases(graph: Graph) -> set[tuple[State, frozenset[tuple[str, str]]]]:
    """Each reachable state with the phase that each component was last moved to, along every path."""
    seen: set[tuple[State, frozenset[tuple[str, str]]]] = set()
    queue = deque([(next(iter(graph.edges)), frozenset[tuple[str, str]]())])
    while queue:
        state, phases = here = queue.popleft()
        if here in seen:
            continue
        seen.add(here)
        for after in graph.edges[state].values():
            assert not isinstance(after, str)
            now = dict(phases) | {move.at: move.dest for move in after.moves if move.machine != "run"}
            queue.append((after.state, frozenset(now.items())))
    return seen


@pytest.mark.spec("LAW-9")
def test_nothing_repeats_by_itself():
    """Without retry, reopening and interruption, and with all counters forgotten, every run is finite."""
    for graph in graphs():
        after: dict[State, set[State]] = {}
        for state, label, found in graph.steps():
            if label[0].trigger not in (w.retry, w.resume, w.interrupt):
                after.setdefault(uncounted(state), set()).add(uncounted(found.state))
        TopologicalSorter(after).prepare()


def uncounted(state: State) -> State:
    """The state with its counters at zero: what it would be if nobody had counted."""

    def zero(ref: Ref | None) -> Ref | None:
        return ref and ref._replace(attempt=0)

    cursors = [evolve(c, attempt=0, interrupts=0, prev=zero(c.prev), last=zero(c.last)) for c in state.cursors]
    return State(state.run, tuple(cursors), zero(state.result))


@pytest.mark.spec("CONF-1", "CONF-5", "CONF-6")
def test_a_gate_is_asked_before_and_once():
    """A gated component begins only by its confirmation (or the retry of what was confirmed); one that is rejected never does."""
    for graph in graphs():
        gated = {node.at for node in graph.program.nodes.values() if w.needs_confirmation in node.facts}
        for _, _, after in graph.steps():
            for move in after.moves:
                if move.at in gated and move.source == w.pending:
                    assert move.dest == w.awaiting_confirmation
                if move.at in gated and move.trigger in (w.retry, w.resume, w.interrupt):
                    assert move.dest != w.awaiting_confirmation


@pytest.mark.spec("COND-4")
def test_a_gated_condition_is_never_evaluated():
    """Where a person confirms a Condition, no state owes a call of its evaluator."""
    for graph, state in states():
        for item in owed(graph.program, state):
            if isinstance(item, Call) and item.kind == "evaluate":
                assert w.needs_confirmation not in graph.program[item.at].facts


@pytest.mark.spec("CANCEL-1")
def test_a_cancellation_always_cancels():
    """In every state that is not over a cancellation, alone or with a result, leaves a cancelled run that owes nothing."""
    for graph in graphs():
        for _, label, after in graph.steps():
            if CANCEL in label:
                assert after.state == State(w.cancelled)


@pytest.mark.spec("ERR-4", "CRASH-2")
def test_only_a_retry_is_an_attempt():
    """A retry and a reopening call again as the next attempt; dying does not, nor does anything else."""
    for graph in graphs():
        for state, label, after in graph.steps():
            again = label[0].trigger in (w.retry, w.resume) and CANCEL not in label
            for before, now in [(b, n) for b in state.cursors for n in after.state.cursors if (b.at, b.turn) == (n.at, n.turn)]:
                assert now.attempt == before.attempt + again


@pytest.mark.spec("CRASH-2")
def test_the_third_death_is_put_to_a_person():
    """A call whose process died three times in a row is not owed again: a person is asked, whatever the policy."""
    for _, state in states():
        for cursor in state.cursors:
            assert cursor.interrupts < MAX_INTERRUPTS or cursor.phase == w.errored_paused


@pytest.mark.spec("COND-1", "COND-2", "COND-6")
def test_each_answer_leads_to_its_branch():
    """Yes leads into `steps` and no into `else_steps`, whether a person says it or the evaluator."""
    for graph in graphs():
        forks = {node.at for node in graph.program.nodes.values() if node.kind == "condition"}
        for _, label, after in graph.steps():
            event = label[0]
            if event.at in forks and CANCEL not in label:
                other = {w.confirm: "else", w.hold: "else", w.reject: "then", w.refute: "then"}.get(event.trigger, "nowhere")
                assert not [move for move in after.moves if move.at.startswith(f"{event.at}/{other}/")]


def test_the_core_refuses_nothing_that_it_offers():
    """No event that the tables offer is refused: each outcome of the graphs is a state."""
    assert [found for graph in graphs() for out in graph.edges.values() for found in out.values() if isinstance(found, str)] == []
