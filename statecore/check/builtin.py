"""Properties that hold of every workflow, or else something is wrong: with the definition (a dead branch) or with the engine.

Three kinds. Laws of one event were judged while the graph was drawn. Some are about the whole graph: an end can be reached, nothing is dead. The
others follow each component through its own life: the edges that were seen of it are a small graph, and a phase must not be reachable in
it around another. Since moves are continuous (a law of one event), what holds of the small graphs holds of all runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from statecore.core import ROOT, Event, Node
from statecore.lifecycles import KINDS
from statecore.lifecycles import words as w

from .atoms import AWAITING, ERRORS
from .wording import Finding, Verdict
from .world import GATES, Law

if TYPE_CHECKING:
    from statecore.core import Address

    from .graph import Graph
    from .world import Letter

GATE = AWAITING - {w.awaiting_review, w.awaiting_answer}
WORKING = frozenset({w.running, w.evaluating})
Lives = dict["Address", set["Letter"]]


def builtin(graph: Graph) -> list[Finding]:
    """All of them."""
    lives = lives_of(graph)
    found = [finding(graph, law.value, law_offence(graph, law)) for law in Law]
    found += [finding(graph, text, judge(graph, lives)) for text, judge in OF_LIVES.items()]
    whole = [(text, judge(graph)) for text, judge in OF_GRAPHS.items()]
    return found + [finding(graph, text, offence) for text, offence in whole] + [nothing_dead(graph, lives)]


Offending = tuple[int, Event | None, str] | None
"""A situation, the event in it, and why; None where nothing offends."""


def finding(graph: Graph, text: str, offence: Offending) -> Finding:
    """The finding about a built-in property: refuted where something offends, else proved if all was seen."""
    if offence is not None:
        number, event, why = offence
        events = graph.real([*graph.path(number), *([event] if event is not None else [])])
        return Finding(text, Verdict.refuted, builtin=True, events=events, why=why)
    return Finding(text, Verdict.proved if graph.complete else Verdict.undetermined, builtin=True)


def law_offence(graph: Graph, law: Law) -> Offending:
    """The first offence against a law of one event."""
    found = graph.offences.get(law)
    return None if found is None else (found.at, found.event, found.why)


# -- lives -----------------------------------------------------------------------------------------------------------------------


def lives_of(graph: Graph) -> Lives:
    """The edges that were seen of each component; components at the same place of interchangeable branches share one life."""
    alike = {at: at for at in graph.program.nodes} if graph.alike is None else graph.alike.representatives()
    shared: Lives = {at: set() for at in alike.values()}
    lives = {at: shared[one] for at, one in alike.items()}
    for word in graph.spelled:
        for letter in word:
            lives[letter.at].add(letter)
    return lives


def reach(life: Iterable[Letter], start: str, passing: Callable[[Letter], bool]) -> dict[str, Letter]:
    """The phases that can be reached from a phase over the edges that pass, each with the edge that first reached it."""
    found: dict[str, Letter] = {}
    queue = [start]
    while queue:
        here = queue.pop()
        for letter in life:
            if letter.source == here and letter.dest not in found and passing(letter):
                found[letter.dest] = letter
                queue.append(letter.dest)
    return found


def gated(graph: Graph) -> list[Node]:
    """The components that have a gate."""
    return [node for node in graph.program.nodes.values() if GATES.keys() & node.facts]


def first_use(graph: Graph, letter: Letter) -> tuple[int, Event | None]:
    """Where an edge of a life was first seen."""
    spelled = {number for number, word in enumerate(graph.spelled) if letter in word}
    return next((at, edge.event) for at, edges in enumerate(graph.out) for edge in edges if edge.word in spelled)


def offending(graph: Graph, letter: Letter | None) -> Offending:
    """The offence that an edge of a life is."""
    if letter is None:
        return None
    number, event = first_use(graph, letter)
    return number, event, f"{letter.at}: {letter.source} -{letter.trigger}-> {letter.dest}"


def runs_ungated(graph: Graph, lives: Lives) -> Offending:
    """A gated component works without a word from a person or a deadline; or a step works although the word was no."""
    for node in gated(graph):
        found = reach(lives[node.at], w.pending, lambda letter: letter.source not in GATE)
        refused = [x for x in lives[node.at] if x.source in GATE and x.trigger == w.reject and x.dest in WORKING]
        bad = next((found[phase] for phase in sorted(WORKING & found.keys())), None)
        if bad is None and KINDS[node.kind].holds != "fork" and refused:
            bad = refused[0]
        if bad is not None:
            return offending(graph, bad)
    return None


def errors_ungated(graph: Graph, lives: Lives) -> Offending:
    """A gated component is at an error pause before its gate was answered."""
    for node in gated(graph):
        found = reach(lives[node.at], w.pending, lambda letter: letter.source not in GATE)
        if ERRORS & found.keys():
            return offending(graph, found[w.errored_paused])
    return None


def completes_idle(graph: Graph, lives: Lives) -> Offending:
    """A component completes although it never worked."""
    for at, life in lives.items():
        found = reach(life, w.pending, lambda letter: letter.dest != w.running)
        if w.completed in found and at != ROOT:
            return offending(graph, found[w.completed])
    return None


def second_branch(graph: Graph, lives: Lives) -> Offending:
    """A Condition enters a branch again after it has entered one; a reopening goes on in the same."""
    for node in graph.program.nodes.values():
        if KINDS[node.kind].holds == "fork":
            found = reach(lives[node.at], w.running, lambda letter: letter.trigger != w.resume)
            if w.running in found:
                return offending(graph, found[w.running])
    return None


OF_LIVES: dict[str, Callable[[Graph, Lives], Offending]] = {
    "nothing runs before its confirmation or input": runs_ungated,
    "confirmation comes before the error pause": errors_ungated,
    "only what was executed is completed": completes_idle,
    "at most one branch of a Condition runs": second_branch,
}


# -- the whole graph -------------------------------------------------------------------------------------------------------------


def deadlock(graph: Graph) -> Offending:
    """A situation in which the run is not over and nothing can happen."""
    for number, edges in enumerate(graph.out):
        if not edges and not graph.is_end(number) and explored(graph, number):
            return number, None, "nothing can happen here, and the run is not over"
    return None


def explored(graph: Graph, number: int) -> bool:
    """Whether the core was asked about a situation; in a graph that is not whole the last ones were not."""
    return number < graph.asked


def endless(graph: Graph) -> Offending:
    """A situation from which no end can be reached; only a whole graph can tell."""
    if not graph.complete:
        return None
    before: list[list[int]] = [[] for _ in graph.states]
    for number, edges in enumerate(graph.out):
        for edge in edges:
            before[edge.target].append(number)
    able = {number for number in range(len(graph.states)) if graph.is_end(number)}
    queue = list(able)
    while queue:
        new = [number for number in before[queue.pop()] if number not in able]
        able.update(new)
        queue += new
    stuck = next((number for number in range(len(graph.states)) if number not in able), None)
    return None if stuck is None else (stuck, None, "from here the run cannot come to an end")


OF_GRAPHS: dict[str, Callable[[Graph], Offending]] = {
    "no situation is a deadlock": deadlock,
    "an end can be reached from everywhere": endless,
}


def nothing_dead(graph: Graph, lives: Lives) -> Finding:
    """Every component, and so every branch, can begin in some run; no single run shows that one cannot."""
    text = "no step and no branch is dead"
    if not graph.complete:
        return Finding(text, Verdict.undetermined, builtin=True)
    dead = [at for at, life in lives.items() if at != ROOT and not any(letter.dest in WORKING | GATE for letter in life)]
    outermost = [at for at in dead if graph.program.nodes[at].parent not in dead]
    if outermost:
        return Finding(text, Verdict.refuted, builtin=True, why=f"can never begin: {', '.join(outermost)}")
    return Finding(text, Verdict.proved, builtin=True)
