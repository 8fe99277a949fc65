"""Every run that a workflow can have, as paths that a test replays on the real engine; and the invariants of every store.

A path goes as a driver goes: calls end before people decide. All paths together use every event of every situation at least once.
An invariant is judged from the rows of a store through the core, whatever happened to it.
"""

from __future__ import annotations

from collections import Counter, deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeAlias

from attrs import field, frozen

from statecore.check.replay import plan
from statecore.check.story import Beat, beats, sentence
from statecore.check.symmetry import canonical
from statecore.check.world import World
from statecore.core import BEGINNING, DECISIONS, ROOT, Ask, Event, State, advance, asks, calls, stored_program, timers
from statecore.definition import UserInputField
from statecore.errors import TooManyPaths
from statecore.lifecycles import words as w
from statecore.stores import PauseFilter, RunFilter
from statecore.stores.detail import pause_detail
from statecore.stores.replay import Replayed, replay
from statecore.workflow.workflow import Workflow

from .doubles import Clock, Planned, Stubs, stubbed, timed

if TYPE_CHECKING:
    from collections.abc import Callable

    from statecore.core import Compiled, Program
    from statecore.output import WorkflowRunOutput
    from statecore.stores import Entry, Record, RunReader, RunStore, Waiting

Edge: TypeAlias = tuple[State, Event, State]
ENDS = frozenset({w.completed, w.cancelled, w.failed})


@frozen
class Path:
    """One run from start to end: the answer of every call and the decision of every person. Its text is the list of its events."""

    workflow: Workflow = field(repr=False)
    beats: tuple[Beat, ...] = field(repr=False)

    def __str__(self) -> str:
        """The events that decide something, in short: an id for pytest."""
        shown = [shown_as(beat) for beat in self.beats if beat.event.at != ROOT]
        return ",".join(shown) or "start"

    @property
    def story(self) -> str:
        """The path in sentences, one a line."""
        return "\n".join(sentence(self.workflow.compiled.program, beat) for beat in self.beats)

    @property
    def status(self) -> str:
        """How the run ends: completed, cancelled or failed."""
        return self.beats[-1].after.state.run

    def run(self, db: RunStore | None = None) -> WorkflowRunOutput:
        """Replay the path on the real engine with stubs in place of the workflow's code; the run's output, and `stubs` beside it."""
        program = self.workflow.compiled.program
        stubs = Stubs(plan(program, list(self.beats)))
        clock = Clock()
        own = Workflow(self.workflow.name, stubbed(self.workflow.definition, stubs).steps, db)
        flow = timed(own, clock)
        run_id = f"path {self}"[:200]
        for beat in self.beats:
            act(flow, clock, run_id, beat)
        return flow.get_run_output(run_id)


def shown_as(beat: Beat) -> str:
    """An event in short: the last part of its address, its trigger, and the choices that it made."""
    name, *choices = (at.rpartition("/")[2] for at in (beat.event.at, *beat.event.choices))
    return f"{name}:{beat.event.trigger}" + (f"({'+'.join(choices)})" if choices else "")


def act(flow: Workflow, clock: Clock, run_id: str, beat: Beat) -> None:
    """Make an event happen; the ends of calls are the stubs' affair, and delays the clock's."""
    event, item = beat.event, beat.owed
    if event.at == ROOT:
        go(lambda: flow.run("", run_id=run_id))
    elif event.trigger == w.expire:
        clock.now = max([clock.now, *(row.pause.deadline or 0 for row in pauses(flow, run_id) if row.pause.at == event.at)])
        go(flow.tick)
    elif isinstance(item, Ask):
        word = next(word for word, trigger in DECISIONS[item.kind].items() if trigger == event.trigger)
        exits = flow.compiled.program.nodes[event.at].exits
        names = [name for at in event.choices for name, where in exits.items() if where == at]
        value = {w.select: names, w.give: answers(flow, run_id, item.pause_id), w.edit: "edited"}.get(event.trigger)
        flow.decide(run_id, item.pause_id, word, value=value)
        go(lambda: flow.continue_run(run_id=run_id))


def pauses(flow: Workflow, run_id: str) -> list[Waiting]:
    """The open pauses of a run."""
    return flow.db.pauses(PauseFilter(run_id=run_id, undecided_only=False, limit=10_000))


def answers(flow: Workflow, run_id: str, pause_id: str) -> dict[str, Any]:
    """The values that a person may give for a form: for each field that has to be given, the first value that it allows."""
    row = flow.db.pause(run_id, pause_id)
    schema = (pause_detail(row.pause.detail).schema if row is not None else None) or ()
    fields = [UserInputField.from_dict(each) for each in schema]
    return {each.name: each.allowed_values[0] if each.allowed_values else SOME[each.field_type] for each in fields if each.required}


SOME: dict[str, Any] = {"str": "text", "int": 1, "float": 1.0, "bool": True, "list": [], "dict": {}}


def go(drive: Callable[[], object]) -> None:
    """Drive a run; a failure that the path plans is part of it."""
    with suppress(Planned):
        drive()


# -- which paths there are ---------------------------------------------------------------------------------------------------------


def all_paths(workflow: Workflow, *, most: int = 1_000) -> list[Path]:
    """Paths that together use every event of every situation of a workflow, for `pytest.mark.parametrize("path", ..., ids=str)`.

    No code of the workflow is called. Raises `TooManyPaths` where more than `most` situations would have to be looked at.
    """
    compiled = workflow.compiled
    edges, came = drawn(compiled, most)
    ends = ways_out(edges)
    todo = dict.fromkeys(edges)
    found: list[Path] = []
    for edge in reversed(edges):  # those that were met last lie deepest, and use many of the others on their way
        if edge in todo and edge[2] in ends:
            way = [*way_to(came, edge[0]), edge, *ends[edge[2]]]
            for each in way:
                todo.pop(each, None)
            found.append(Path(workflow, tuple(beats(compiled.program, [event for _, event, _ in way]))))
    return sorted(found, key=lambda path: (len(path.beats), str(path)))


def drawn(compiled: Compiled, most: int) -> tuple[list[Edge], dict[State, Edge]]:
    """Every edge of a workflow's situations, as a driver goes, and the first edge to each. Raises `TooManyPaths`."""
    world = World(compiled)
    edges: list[Edge] = []
    came: dict[State, Edge] = {}
    queue = deque([BEGINNING])
    seen = {BEGINNING}
    while queue:
        state = queue.popleft()
        for event in as_driven(compiled, world, state):
            after = canonical(compiled.program, advance(compiled.program, state, event).state)
            edges.append((state, event, after))
            if after not in seen:
                if len(seen) >= most:
                    raise TooManyPaths(compiled.program.name, most)
                seen.add(after)
                came[after] = edges[-1]
                queue.append(after)
    return edges, came


def as_driven(compiled: Compiled, world: World, state: State) -> list[Event]:
    """The events that may happen next: the first call to end, where any is owed; else what people, deadlines and delays do. A failed run is over."""
    if state.run == w.failed:
        return []
    offered = world.events(state)
    owed = calls(compiled.program, state)
    return [event for event in offered if (event.at, event.turn) == (owed[0].at, owed[0].turn)] if owed else offered


def ways_out(edges: list[Edge]) -> dict[State, list[Edge]]:
    """For each situation the shortest way from it to an end."""
    into: dict[State, list[Edge]] = {}
    for edge in edges:
        into.setdefault(edge[2], []).append(edge)
    ways: dict[State, list[Edge]] = {state: [] for state in into if state.run in ENDS}
    queue = deque(ways)
    while queue:
        after = queue.popleft()
        for edge in into.get(after, ()):
            if edge[0] not in ways:
                ways[edge[0]] = [edge, *ways[after]]
                queue.append(edge[0])
    return ways


def way_to(came: dict[State, Edge], state: State) -> list[Edge]:
    """The first way to a situation."""
    way: list[Edge] = []
    while state in came:
        way.append(came[state])
        state = came[state][0]
    return way[::-1]


ALL = 1_000_000
OVER = frozenset({w.completed, w.skipped, w.cancelled})


def assert_invariants(db: RunReader, run_id: str | None = None) -> int:
    """Assert what must hold of every run of a store, or of one run; how many journals that were.

    A journal is gap-free and equals the moves of the core on its events; the state at its end is the stored one; no
    move leaves an end; a run is paused if and only if a person owes a decision and no code runs; the open pauses are
    those of the state, and each has at most one decision.
    """
    records = [db.load(run_id)] if run_id is not None else db.runs(RunFilter(limit=ALL))
    for record in records:
        check_run(db, record)
    return len(records)


def check_run(db: RunReader, record: Record) -> None:
    """Assert it of one run."""
    run_id = record.identity.run_id
    rows = db.journal(run_id)
    assert [row.seq for row in rows] == list(range(1, record.seq + 1)), f"run {run_id!r}: the journal has gaps"
    check_ends(run_id, rows)
    played = replay(lambda fingerprint: program_of(db, fingerprint), rows)
    program, state = reached(record, played)
    assert state == record.state, f"run {run_id!r}: its journal leads to {state}, and it is {record.state}"
    check_owed(db, run_id, program, state)


def check_ends(run_id: str, rows: list[Entry]) -> None:
    """Nothing leaves completed, skipped or cancelled, and only a reopening leaves failed."""
    over: dict[object, str] = {}
    for row in rows:
        key = (row.machine, row.at, row.turn)
        assert over.get(key) not in OVER, f"run {run_id!r}: row {row.seq} moves {row.at!r}, which was {over.get(key)}"
        if row.source == w.failed:
            assert row.trigger == w.resume, f"run {run_id!r}: row {row.seq} leaves failed by {row.trigger}"
        over[key] = row.dest


def check_owed(db: RunReader, run_id: str, program: Program, state: State) -> None:
    """Paused is owing, and the inbox is what the state asks."""
    owed, working = asks(program, state), (*calls(program, state), *timers(program, state))
    if state.run in (w.running, w.paused):
        assert (state.run == w.paused) == (bool(owed) and not working), f"run {run_id!r} is {state.run} and owes {owed}, {working}"
        inbox = [row.pause.pause_id for row in db.pauses(PauseFilter(run_id=run_id, undecided_only=False, limit=ALL))]
        assert sorted(inbox) == sorted(ask.pause_id for ask in owed), (
            f"run {run_id!r}: the inbox says {inbox}, the state asks {owed}"
        )
    decided = Counter(each.pause_id for each in db.decisions(run_id))
    assert not decided or max(decided.values()) == 1, f"run {run_id!r}: a pause was decided twice: {decided}"


def reached(record: Record, played: list[Replayed]) -> tuple[Program, State]:
    """Where a journal leads, and the program that holds there."""
    if played:
        return played[-1].program, played[-1].commit.after.state
    return stored_program(record.identity.canonical), BEGINNING


def program_of(db: RunReader, fingerprint: str) -> Program | None:
    """A program that some run of a store follows."""
    canonical = db.definition(fingerprint)
    return stored_program(canonical) if canonical is not None else None
