"""The reducer refines the oracle on every edge that the oracle reads, not by chance: each row of each lifecycle is fired in front of it."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import pytest
from attrs import define, field

from specs.model.oracle import WITH
from specs.tools.evidence import differing
from statecore.core import BEGINNING, CANCEL, REOPEN, START, Advanced, compile_definition
from statecore.lifecycles import TABLES
from statecore.lifecycles import words as w
from tests.model.definitions import DEFINITIONS
from tests.model.explore import Graph, Label
from tests.model.models import explored, models, sampled
from tests.property.walks import follow, refines

if TYPE_CHECKING:
    from specs.model.oracle import Wait
    from statecore.core import Compiled, State

Path = tuple[Label, ...]


@define
class Read:
    """What the oracle reads of a graph: ways that together use every such edge, each a shortest one to its last edge; and the moves."""

    ways: list[Path] = field(factory=list)
    moves: set[tuple[str, str, str, str]] = field(factory=set)
    edges: int = 0


def read(graph: Graph) -> Read:
    """The part of a graph that the oracle reads, from its beginning on."""
    begun, reading = graph.edges[BEGINNING][(START,)], Read()
    assert isinstance(begun, Advanced)
    found: dict[State, Path] = {begun.state: ()}
    queue, moves = deque(found), list(begun.moves)
    while queue:
        state = queue.popleft()
        onward = [(k, v) for k, v in graph.edges[state].items() if isinstance(v, Advanced) and is_read(graph, k, v)]
        reading.edges += len(onward)
        for label, outcome in onward:
            moves += outcome.moves
            if outcome.state in found:
                reading.ways.append((*found[state], label))
            else:
                found[outcome.state] = (*found[state], label)
                queue.append(outcome.state)
        if not onward:
            reading.ways.append(found[state])
    reading.moves = {(move.machine, move.source, move.trigger, move.dest) for move in moves}
    return reading


def is_read(graph: Graph, label: Label, outcome: Advanced) -> bool:
    """Whether the oracle reads an edge: in a Parallel none that ends or fails one branch while another is open, unless all is cancelled."""
    if len(label) > 1:
        return True
    at, program = label[0].at, graph.program
    if all(around.kind != "parallel" for around in (program.ancestors(at) if at else ())):
        return True
    left = any(move.trigger == w.leave and program[move.at].kind == "parallel" for move in outcome.moves)
    failed = any(cursor.phase == w.failed for cursor in outcome.state.cursors)
    return label[0].trigger != w.stop and not outcome.state.endings and not left and not failed


def answer_of(compiled: Compiled, label: Label, waits: list[Wait]) -> tuple[Wait, str]:
    """The wait that an event answers, and the word, with which a cancellation may come."""
    event, *more = label
    if event in (CANCEL, REOPEN):
        return waits[0], "cancel" if event is CANCEL else "resume"
    here = [wait for wait in waits if (wait.at, wait.turn, wait.attempt) == (event.at, event.turn, event.attempt)]
    wait = next(wait for wait in here if wait.what != "ask" or wait.number == event.number)
    word = f"ask {event.number}" if event.trigger == w.ask else event.trigger
    order = list(compiled.program[event.at].exits.values())
    return wait, " ".join([word, *(str(order.index(at)) for at in event.choices)]) + WITH * len(more)


def play(compiled: Compiled, graph: Graph, path: Path) -> None:
    """One way through a workflow, in front of the oracle."""
    choose = lambda turn, waits: answer_of(compiled, path[turn], waits) if turn < len(path) else None  # noqa: E731
    refines(follow(DEFINITIONS[graph.program.fingerprint], compiled, choose, lambda _, state, *events: edge(graph, state, events)))


def edge(graph: Graph, state: State, label: Label) -> Advanced:
    """What the reducer made of some events when the graph was drawn: a way is many times the beginning of another."""
    found = graph.edges[state][label]
    assert isinstance(found, Advanced)
    return found


@pytest.mark.spec("RUN-1", "RUN-3", "RUN-4", "CONF-1", "CONF-4", "ERR-1", "ERR-7", "SKIP-1", "SKIP-2", "COND-2", "LOOP-3", "PAR-5")
@pytest.mark.spec("REV-1", "REV-4", "TIME-3", "ROUTE-4", "CRASH-2", "CANCEL-1")
@pytest.mark.parametrize("name", models())
def test_a_model_refines_the_oracle(name):
    """On every edge of the model that it reads the reducer waits for what the oracle waits for, and where it ends it ends as the oracle does."""
    graph = explored(name)
    compiled = compile_definition(DEFINITIONS[graph.program.fingerprint])
    for path in read(graph).ways:
        play(compiled, graph, path)


@pytest.mark.parametrize("part", range(8))
def test_every_kind_of_component_refines_the_oracle(part):
    """The same on every such edge of each kind of component under the sampled policies."""
    for graph in sampled()[part::8]:
        compiled = compile_definition(DEFINITIONS[graph.program.fingerprint])
        for path in read(graph).ways:
            play(compiled, graph, path)


def test_the_oracle_is_asked_about_every_row():
    """The edges that are played above fire every row of every lifecycle, but for those that only an unread edge of a Parallel fires."""
    readings = [read(graph) for graph in (*map(explored, models()), *sampled())]
    edges = sum(label != (START,) for graph in (*map(explored, models()), *sampled()) for _, label, _ in graph.steps())
    ways, read_edges = sum(len(each.ways) for each in readings), sum(each.edges for each in readings)
    assert differing(refined_workflows=len(readings), refined_ways=ways, refined_edges=read_edges, oracle_edges=edges) == {}
    fired = set().union(*(each.moves for each in readings))
    rows = {(table.name, row.source, row.on, row.dest) for table in TABLES.values() for row in table.rows}
    assert rows - fired == {
        ("parallel", "running", "fail", "failed"),
        ("parallel", "failed", "resume", "running"),
        ("parallel", "running", "leave", "skipped"),
    }
