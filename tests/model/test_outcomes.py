"""The consequence of a decision word is true: in every reachable state the core does what the outcome says."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace
from typing import get_args

from statecore.asking.outcomes import Code, Consequence, outcomes
from statecore.core import DECISIONS, Advanced, Event, OpenQuestion, Program, State, asks
from statecore.core.evidence import offered
from statecore.lifecycles import words as w
from tests.model.explore import Graph
from tests.model.test_reachable import graphs


def answered(graph: Graph) -> list[tuple[State, OpenQuestion, str, Event, Advanced]]:
    """Every answer of the graph by a person: the state, the question, the word, and what the core made of it."""
    found = []
    for state, label, after in graph.steps():
        for ask in asks(graph.program, state) if len(label) == 1 else ():
            event = label[0]
            if (event.at, event.turn, event.attempt) != (ask.at, ask.turn, ask.attempt):
                continue
            found += [(state, ask, word, event, after) for word, trigger in DECISIONS[ask.kind].items() if trigger == event.trigger]
    return found


def asked(state: State, ask: OpenQuestion, program: Program) -> SimpleNamespace:
    """The requirement of a question, as far as its outcomes need it."""
    cursor = next(each for each in state.cursors if (each.at, each.turn) == (ask.at, ask.turn))
    words = offered(program.nodes[ask.at], ask.kind)
    return SimpleNamespace(
        kind=ask.kind, words=words, address=ask.at, retry_count=cursor.marks.reviews, ends_workflow=cursor.marks.stopping
    )


ENDS = {"cancels": w.cancelled, "gives_up": w.cancelled, "skips": w.skipped, "discards": w.skipped}
ENDS |= {"keeps": w.completed, "replaces": w.completed, "provides": w.completed}
"""The phase that the component reaches, by the code; the others leave it alive."""


def wrong(said: Consequence, state: State, event: Event, after: Advanced) -> str | None:
    """Why a consequence is not what happened; None where it is."""
    move = next(each for each in after.moves if each.at == event.at and each.trigger == event.trigger)
    if ENDS.get(said.code) != (move.dest if move.dest in ENDS.values() else None):
        return f"{said.code} says {ENDS.get(said.code)}, and it is {move.dest}"
    if said.code in ("cancels", "gives_up") and after.state.run != w.cancelled and not after.state.endings:
        return "the run is not cancelled"
    if said.code == "runs_branch":
        return not_entered(said, after)
    ends_elsewhere = state.endings or after.state.endings or any(cursor.phase == w.failed for cursor in state.cursors)
    return None if said.then is None or ends_elsewhere else wrong_after(said.then, after)


def wrong_after(then: Consequence, after: Advanced) -> str | None:
    """Why what comes next is not what happened."""
    if then.code == "run_ends" and after.state.run != w.completed:
        return f"the run is {after.state.run}"
    return not_entered(then, after) if then.code == "goes_on" else None


def not_entered(said: Consequence, after: Advanced) -> str | None:
    """Why the first of some components is not the first that was entered."""
    entered = [each.at for each in after.moves if each.trigger == w.enter]
    return None if entered[:1] == [said.components[0].at] else f"{said.components[0].at} is not entered: {entered}"


def test_an_outcome_says_what_the_core_does():
    """For every question of every reachable state, each word does what its code says, and goes on where `then` says."""
    codes: Counter[Code] = Counter()
    faults = []
    for graph in graphs():
        for state, ask, word, event, after in answered(graph):
            requirement = asked(state, ask, graph.program)
            said = {each.word: each.consequence for each in outcomes(graph.program, requirement)}[word]
            codes[said.code] += 1
            if (fault := wrong(said, state, event, after)) is not None:
                faults.append((graph.program.name, ask, word, str(said), fault))
    assert faults[:5] == []
    assert set(codes) >= {*get_args(Code)[:4], *get_args(Code)[5:14]}, codes
