"""The laws of every reachable state, on every model and on the sampled policies of every kind of component."""

from __future__ import annotations

from collections import deque
from functools import cache
from graphlib import TopologicalSorter
from itertools import combinations, product

import pytest
from attrs import evolve

from statecore.core import CANCEL, REOPEN, Call, Cursor, Event, OpenQuestion, Ref, State, advance, asks, calls, owed
from statecore.core.facts import MAX_INTERRUPTS
from statecore.core.owed import timers
from statecore.core.state import UNMARKED, Gather, Source, Turn
from statecore.errors import RefusedTrigger, StaleEvent
from statecore.lifecycles import TABLES
from statecore.lifecycles import words as w
from tests.model.explore import Graph
from tests.model.models import explored, models, sampled

ENDS = frozenset({w.completed, w.cancelled, w.failed})


@cache
def graphs() -> tuple[Graph, ...]:
    """Everything there is to judge."""
    return (*(explored(name) for name in models()), *sampled())


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
    """A run is paused if and only if people alone owe something; it runs if and only if a call or the end of a delay is owed."""
    for graph, state in states():
        if state.run != w.failed:
            answers, works = asks(graph.program, state), (*calls(graph.program, state), *timers(graph.program, state))
            assert (state.run == w.paused) == (bool(answers) and not works)
            assert (state.run == w.running) == bool(works)


@pytest.mark.spec("LAW-3")
def test_questions_mirror_the_state():
    """Each cursor that waits for a person is one question, or several of its code, each under a name that no other has in the life of the run."""
    for graph in graphs():
        names: dict[str, OpenQuestion] = {}
        for state in graph.edges:
            waiting = [c for c in state.cursors if TABLES[graph.program[c.at].machine].owes.get(c.phase) == "ask"]
            found = asks(graph.program, state)
            wanted = [(c.at, c.turn, c.attempt, number) for c in waiting for number in c.marks.open or (None,)]
            assert [(ask.at, ask.turn, ask.attempt, ask.number) for ask in found] == wanted
            assert len({ask.pause_id for ask in found}) == len(found)
            assert all(names.setdefault(ask.pause_id, ask) == ask for ask in found)


@pytest.mark.spec("LAW-4")
def test_nothing_is_owed_after_the_end():
    """A run that is over owes no call, and nobody but a failed one keeps its place; every move of its last event came before the end."""
    for graph, state in states():
        if state.run in ENDS:
            assert calls(graph.program, state) == ()
            assert state.run == w.failed or (owed(graph.program, state), state.cursors, state.frames, state.endings) == (
                (),
                (),
                (),
                (),
            )
    for graph in graphs():
        for _, _, after in graph.steps():
            ended = [index for index, move in enumerate(after.moves) if move.machine == "run" and move.dest in ENDS]
            assert ended in ([], [len(after.moves) - 1])


@pytest.mark.spec("LAW-1", "LAW-4")
def test_no_event_reaches_a_run_that_is_over():
    """Whatever is offered to a run that is over, at any of its places, by any trigger, is refused; a failed one owes no call and no delay.

    The graphs cannot show it, because they offer nothing to a run that is over.
    """
    triggers = sorted({row.on for table in TABLES.values() for row in table.rows} - {w.cancel})
    offered = delays = 0
    for graph, state in states():
        if state.run not in ENDS:
            continue
        assert (calls(graph.program, state), timers(graph.program, state)) == ((), ())
        delays += any(TABLES[graph.program[c.at].machine].owes.get(c.phase) == "timer" for c in state.cursors)
        places = [(c.at, c.turn, c.attempt) for c in state.cursors] or [(graph.program.first, (), 0)]
        for (at, turn, attempt), trigger in product(places, triggers):
            offered += 1
            with pytest.raises((RefusedTrigger, StaleEvent)):
                advance(graph.program, state, Event(trigger, at, turn, attempt))
    assert offered > 10_000
    assert delays > 0


@pytest.mark.spec("LAW-5", "COND-6")
def test_one_branch_of_a_condition_runs():
    """No path enters both branches of a Condition in one turn, for every Condition of every graph."""
    for graph in graphs():
        for fork in [node for node in graph.program.nodes.values() if node.kind == "condition"]:
            for entered in branches(graph, fork.at, fork.depth):
                turns = [turn for turn, _ in entered]
                assert len(turns) == len(set(turns))


def branches(graph: Graph, fork: str, depth: int) -> list[frozenset[tuple[Turn, str]]]:
    """Which of a Condition's branches were entered, and in which turn, along every path through the graph."""
    seen: set[tuple[State, frozenset[tuple[Turn, str]]]] = set()
    queue = deque([(next(iter(graph.edges)), frozenset[tuple[Turn, str]]())])
    while queue:
        state, entered = here = queue.popleft()
        if here in seen:
            continue
        seen.add(here)
        for after in graph.edges[state].values():
            assert not isinstance(after, str)
            inside = {
                (move.turn[:depth], move.at.removeprefix(f"{fork}/").split("/")[0])
                for move in after.moves
                if move.at.startswith(f"{fork}/")
            }
            queue.append((after.state, entered | inside))
    return [entered for _, entered in seen]


@pytest.mark.spec("LAW-6", "REV-1")
def test_a_step_completes_only_by_a_result():
    """A step completes by the report of the call owed for this attempt, by the word on its output, or by what a person gives at its error."""
    for graph in graphs():
        for state, label, after in graph.steps():
            for move in after.moves:
                if move.machine == "step" and move.dest == w.completed:
                    own = next(c for c in state.cursors if (c.at, c.turn, c.attempt) == (move.at, move.turn, move.attempt))
                    assert (move.at, move.trigger) == (label[0].at, label[0].trigger)
                    assert move.hands_on == Ref(move.at, move.turn, move.attempt)
                    provided = (own.phase, move.trigger) == (w.errored_paused, w.provide)
                    assert own.phase == w.running or provided or own.marks.output == move.hands_on


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


@pytest.mark.spec("LAW-8", "PAR-4")
def test_the_run_and_its_components_agree():
    """A run fails when a call has failed under policy fail and none is in flight; it is cancelled exactly where somebody says so."""
    for graph in graphs():
        for _, label, after in graph.steps():
            failed = any(cursor.phase == w.failed for cursor in after.state.cursors)
            stopped = CANCEL in label or any(m.dest == w.cancelled and m.trigger in (w.reject, w.expire) for m in after.moves)
            assert (after.state.run == w.failed) == (failed and not calls(graph.program, after.state))
            assert (after.state.run == w.cancelled) == stopped


@pytest.mark.spec("LAW-8")
def test_what_a_run_entered_it_leaves():
    """When a run is over so is every component that it entered; where it completed none has failed, and only a stop cancelled any.

    A failed run keeps the places of what waited beside the failure, for its reopening.
    """
    for graph in graphs():
        for state, phases in last_phases(graph):
            last = {phase for _, phase in phases}
            if state.run == w.cancelled:
                assert last <= {w.completed, w.skipped, w.cancelled, w.failed}
            elif state.run == w.completed:
                assert last <= {w.completed, w.skipped, w.cancelled}
            elif state.run == w.failed:
                assert not last & {w.running, w.evaluating, w.judging}


def last_phases(graph: Graph) -> set[tuple[State, frozenset[tuple[tuple[str, Turn], str]]]]:
    """Each reachable state with the phase that each component was last moved to, along every path."""
    seen: set[tuple[State, frozenset[tuple[tuple[str, Turn], str]]]] = set()
    queue = deque([(next(iter(graph.edges)), frozenset[tuple[tuple[str, Turn], str]]())])
    while queue:
        state, phases = here = queue.popleft()
        if here in seen:
            continue
        seen.add(here)
        for after in graph.edges[state].values():
            assert not isinstance(after, str)
            now = dict(phases) | {(move.at, move.turn): move.dest for move in after.moves if move.machine != "run"}
            queue.append((after.state, frozenset(now.items())))
    return seen


AGAIN = frozenset({w.retry, w.amend, w.resume, w.interrupt, w.wake, w.renew, w.answer})
"""The triggers by which a call, or an answer, is owed once more."""


@pytest.mark.spec("LAW-9", "RUN-2")
def test_nothing_repeats_by_itself():
    """Without retry, reopening, delay, interruption, rejected reviews, answers to code and renewed questions every run is finite.

    So it is with all counters forgotten.
    """
    for graph in graphs():
        after: dict[State, set[State]] = {}
        for state, label, found in graph.steps():
            if label[0].trigger not in AGAIN and not is_review_rejected(state, label[0]):
                after.setdefault(uncounted(state), set()).add(uncounted(found.state))
        TopologicalSorter(after).prepare()


def is_review_rejected(state: State, event: Event) -> bool:
    """Whether a person gives a reviewed output back."""
    return event.trigger == w.reject and spoken_of(state, event).phase == w.awaiting_review


def spoken_of(state: State, event: Event) -> Cursor:
    """The cursor that an event speaks of."""
    return next(c for c in state.cursors if (c.at, c.turn, c.attempt) == (event.at, event.turn, event.attempt))


def uncounted(state: State) -> State:
    """The state with its counters at zero: what it would be if nobody had counted. Turns remain: a loop's iterations are finite."""

    def zero(source: Source | None) -> Source | None:
        if isinstance(source, Gather):
            return Gather(tuple((name, zero(each)) for name, each in source.branches))
        return source and source._replace(attempt=0)

    def plain(each):
        marks = evolve(UNMARKED, output=zero(each.marks.output), rejected=zero(each.marks.rejected), stopping=each.marks.stopping)
        return evolve(each, attempt=0, marks=marks, prev=zero(each.prev), last=zero(each.last))

    frames = tuple(evolve(plain(f), done=tuple((at, zero(source)) for at, source in f.done)) for f in state.frames)
    endings = tuple(evolve(e, prev=zero(e.prev), last=zero(e.last)) for e in state.endings)
    return State(state.run, tuple(map(plain, state.cursors)), zero(state.result), frames, endings)


GATES = {w.needs_confirmation: w.awaiting_confirmation, w.needs_input: w.awaiting_input, w.needs_route: w.awaiting_route}
"""What a component that asks first knows, and where it then waits."""


@pytest.mark.spec("CONF-1", "CONF-5", "CONF-6", "CONF-7", "PAR-6", "INPUT-1", "ROUTE-4")
def test_a_gate_is_asked_before_and_once():
    """What asks first is never entered but into its question, at every depth; and no repetition of what was confirmed asks again."""
    for graph in graphs():
        gated = {at: GATES[fact] for at, node in graph.program.nodes.items() for fact in GATES if fact in node.facts}
        for _, _, after in graph.steps():
            for move in after.moves:
                if move.at in gated and move.source == w.pending:
                    assert move.dest == gated[move.at]
                if move.trigger in AGAIN - {w.renew}:
                    assert move.dest not in (w.awaiting_confirmation, w.awaiting_input)


@pytest.mark.spec("CONF-8")
def test_every_turn_asks_anew():
    """A step in a Loop or Router enters once in each turn: no two entries of one turn, on any edge, and each is at its own name."""
    for graph in graphs():
        for state, _, after in graph.steps():
            entered = [(move.at, move.turn) for move in after.moves if move.trigger == w.enter]
            assert len(entered) == len(set(entered))
            standing = {(c.at, c.turn) for c in state.cursors if c.phase != w.pending}
            assert not standing & set(entered)


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


@pytest.mark.spec("ERR-4", "CRASH-2", "RUN-2")
def test_only_a_repetition_is_an_attempt():
    """A retry, a delay that is over, a review given back, the last answer to code and a reopening call again as the next attempt; nothing else.

    What stands in another branch is not touched by it.
    """
    for graph in graphs():
        for state, label, after in graph.steps():
            event = label[0]
            if CANCEL in label:
                continue
            here = {(cursor.at, cursor.turn): cursor for cursor in after.state.cursors}
            for before in state.cursors:
                now = here.get((before.at, before.turn))
                own = (before.at, before.turn, before.attempt) == (event.at, event.turn, event.attempt)
                repeated = own and (event.trigger in (w.retry, w.amend, w.wake) or is_review_rejected(state, event))
                repeated |= own and before.phase == w.awaiting_answer and now is not None and now.phase == w.running
                reopened = event == REOPEN and before.phase == w.failed
                assert now is None or now.attempt == before.attempt + (repeated or reopened)


@pytest.mark.spec("CRASH-2")
def test_the_third_death_is_put_to_a_person():
    """A call whose process died three times in a row is not owed again: a person is asked, whatever the policy."""
    for _, state in states():
        for cursor in state.cursors:
            assert cursor.marks.interrupts < MAX_INTERRUPTS or cursor.phase == w.errored_paused


@pytest.mark.spec("COND-1", "COND-2", "COND-6")
def test_each_answer_leads_to_its_branch():
    """Yes leads into `steps` and no into `else_steps`, whether a person says it or the evaluator."""
    for graph in graphs():
        forks = {node.at for node in graph.program.nodes.values() if node.kind == "condition"}
        for _, label, after in graph.steps():
            event = label[0]
            if event.at in forks and CANCEL not in label:
                other = {w.confirm: "else", w.hold: "else", w.expire: "else", w.reject: "then", w.refute: "then"}.get(
                    event.trigger, "nowhere"
                )
                assert not [move for move in after.moves if move.at.startswith(f"{event.at}/{other}/")]


@pytest.mark.spec("PAR-4")
def test_after_a_failure_nothing_begins():
    """While a failed call waits for those in flight no component is entered: the run is going to fail."""
    for graph in graphs():
        for state, label, after in graph.steps():
            if any(cursor.phase == w.failed for cursor in state.cursors) and label != (REOPEN,):
                assert [move for move in after.moves if move.trigger == w.enter] == []


@pytest.mark.spec("PAR-4", "RUN-3")
def test_an_ending_waits_for_calls_alone():
    """What is told to end early does so as soon as no call in it is owed, unless a call in it failed: no ending is ever stuck."""
    for graph, state in states():
        for ending in state.endings:
            depth = graph.program[ending.unit].depth
            inside = [c for c in state.cursors if c.turn[:depth] == ending.turn[:depth] and graph.program.within(c.at, ending.unit)]
            owing = {(call.at, call.turn) for call in calls(graph.program, state)}
            assert any((c.at, c.turn) in owing or c.phase == w.failed for c in inside)


@pytest.mark.spec("RUN-3")
def test_nothing_begins_in_what_ends():
    """Inside a component that is about to end early nothing enters any more."""
    for graph in graphs():
        for state, _, after in graph.steps():
            for ending in state.endings:
                if ending in after.state.endings:
                    entered = [m for m in after.moves if m.trigger == w.enter and graph.program.within(m.at, ending.unit)]
                    assert [m for m in entered if m.turn[: len(ending.turn)] == ending.turn[: len(m.turn)]] == []


@pytest.mark.spec("PAR-2")
def test_every_branch_sees_what_was_before():
    """What a branch of a Parallel finds as previous content is what the Parallel found, whatever the others have done."""
    for graph, state in states():
        for frame in state.frames:
            branches = set(graph.program[frame.at].exits.values()) if graph.program[frame.at].kind == "parallel" else ()
            for cursor in state.cursors:
                if cursor.at in branches and cursor.turn == frame.turn:
                    assert cursor.prev == frame.prev


@pytest.mark.spec("PAR-5")
def test_the_order_in_which_calls_end_makes_no_difference():
    """Two results that are owed at once lead to the same state in either order, unless the first one ends the run."""
    for name in models():
        graph = explored(name)
        for state in graph.edges:
            owing = calls(graph.program, state)
            for one, two in combinations(owing, 2) if len(owing) > 1 else ():
                if {one.kind, two.kind} == {"execute"}:
                    first, second = (Event(w.succeed, call.at, call.turn, call.attempt) for call in (one, two))
                    there = advance(graph.program, advance(graph.program, state, first).state, second)
                    back = advance(graph.program, advance(graph.program, state, second).state, first)
                    assert there.state == back.state


def test_the_core_refuses_nothing_that_it_offers():
    """No event that the tables offer is refused: each outcome of the graphs is a state."""
    assert [found for graph in graphs() for out in graph.edges.values() for found in out.values() if isinstance(found, str)] == []
