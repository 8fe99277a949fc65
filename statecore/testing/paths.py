"""Every run that a workflow can have, as paths that a test replays on the real engine.

A path goes as a driver goes: calls end before people decide. All paths together use every event of every situation at least once; with
properties, of every situation and all that the properties can remember there, so that a property that can be broken is broken on a path.
"""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from hashlib import sha256
from typing import TYPE_CHECKING, Any, TypeAlias

from attrs import evolve, field, frozen

from statecore.check.replay import plan
from statecore.check.story import Beat, beats, sentence, shown
from statecore.check.symmetry import canonical
from statecore.check.world import World
from statecore.core import BEGINNING, DECISIONS, ROOT, Event, OpenQuestion, State, advance, calls
from statecore.core.owed import timers
from statecore.definition import UserInputField
from statecore.errors import TooManyPaths
from statecore.lifecycles import words as w
from statecore.stores import PauseFilter
from statecore.stores.detail import pause_detail
from statecore.workflow.workflow import Workflow

from .doubles import Clock, Planned, Stubs, timed
from .invariants import ENDS, Judge, Memory, assert_properties, of_one_run
from .pacing import paced

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from statecore.check.properties import Property
    from statecore.core import Program
    from statecore.core.owed import Timer
    from statecore.output import WorkflowRunOutput
    from statecore.stores import RunStore, Waiting

Spot: TypeAlias = tuple[State, Memory]
"""A situation, and what each property remembers there."""
Edge: TypeAlias = tuple[Spot, Event, Spot]
LONGEST = 160
"""Letters of a path's text; a longer one is cut, and ends in a hash of the whole."""


@frozen
class Path:
    """One run from start to end: the answer of every call and the decision of every person. Its text is the list of its events."""

    workflow: Workflow = field(repr=False)
    beats: tuple[Beat, ...] = field(repr=False)
    properties: tuple[Property, ...] = field(default=(), repr=False)

    def __str__(self) -> str:
        """The events that decide something, in short: an id for pytest, of which no two paths of a workflow have the same."""
        program = self.workflow.compiled.program
        words = [shown_as(program, beat) for beat in self.beats if beat.event.at != ROOT]
        text = ",".join(words) or "start"
        if len(text) <= LONGEST and not any("," in word for word in words):
            return text
        exact = repr([(beat.event.at, beat.event.trigger, beat.event.choices) for beat in self.beats])
        return f"{text[:LONGEST].rpartition(',')[0] or text[:LONGEST]},~{sha256(exact.encode()).hexdigest()[:12]}"

    @property
    def story(self) -> str:
        """The path in sentences, one a line."""
        return "\n".join(sentence(self.workflow.compiled.program, beat) for beat in self.beats)

    @property
    def status(self) -> str:
        """How the run ends: completed, cancelled or failed."""
        return self.beats[-1].after.state.run

    def run(self, db: RunStore | None = None) -> WorkflowRunOutput:
        """Replay the path on the real engine, with stubs in place of the workflow's code; the run's output.

        Raises `AssertionError` where the run breaks one of the properties that `all_paths` was given, or of the workflow's `checks`.
        """
        program = self.workflow.compiled.program
        stubs = Stubs(plan(program, list(self.beats)))
        clock = Clock()
        own = Workflow(self.workflow.name, paced(self.workflow.definition, stubs, self.beats).steps, db)
        flow = timed(own, clock)
        run_id = f"path {self}"
        ahead = deque(self.beats)
        flow.host = evolve(flow.host, sleep=lambda seconds: meanwhile(flow, clock, run_id, ahead, seconds))
        while ahead:
            act(flow, clock, run_id, ahead.popleft())
        assert_properties(flow.db, self.properties, run_id)
        return flow.get_run_output(run_id)


def shown_as(program: Program, beat: Beat) -> str:
    """An event in short: the component's name (its address, where several have that name), its trigger, and the choices that it made."""
    name, *choices = shown(program, beat.event.at), *(at.rpartition("/")[2] for at in beat.event.choices)
    return f"{name}:{beat.event.trigger}" + (f"({'+'.join(choices)})" if choices else "")


def act(flow: Workflow, clock: Clock, run_id: str, beat: Beat) -> None:
    """Make an event happen; the ends of calls are the stubs' affair, and delays the clock's."""
    event, item = beat.event, beat.owed
    if event.at == ROOT:
        go(lambda: flow.run("", run_id=run_id))
    elif event.trigger == w.expire:
        clock.now = max([clock.now, *(row.pause.deadline or 0 for row in pauses(flow, run_id) if row.pause.at == event.at)])
        go(flow.tick)
    elif isinstance(item, OpenQuestion):
        decided(flow, run_id, event, item)
        go(lambda: flow.continue_run(run_id=run_id))


def decided(flow: Workflow, run_id: str, event: Event, item: OpenQuestion) -> None:
    """Store the decision of a person."""
    word = next(word for word, trigger in DECISIONS[item.kind].items() if trigger == event.trigger)
    exits = flow.compiled.program.nodes[event.at].exits
    names = [name for at in event.choices for name, where in exits.items() if where == at]
    value = {
        w.select: names,
        w.give: answers(flow, run_id, item.pause_id),
        w.edit: "edited",
        w.amend: "amended",
        w.provide: "provided",
        w.answer: "answered",
    }.get(event.trigger)
    flow.decide(run_id, item.pause_id, word, value=value)


def meanwhile(flow: Workflow, clock: Clock, run_id: str, ahead: deque[Beat], seconds: float) -> None:
    """Let a person decide while the driver waits for a delay, where the path has it so; else the time passes."""
    record = flow.db.load(run_id)
    waiting = set(timers(flow.compiled.program, record.state))
    while ahead and not isinstance(ahead[0].owed, OpenQuestion) and not is_due(ahead[0].event, waiting):
        ahead.popleft()  # what a call did, and what has waited long enough
    beat = ahead[0] if ahead else None
    if beat is not None and isinstance(beat.owed, OpenQuestion) and beat.event.trigger != w.expire:
        decided(flow, run_id, ahead.popleft().event, beat.owed)
    else:
        clock.sleep(seconds)


def is_due(event: Event, waiting: Iterable[Timer]) -> bool:
    """Whether an event is the end of one of these delays."""
    return event.trigger == w.wake and any(
        (event.at, event.turn, event.attempt) == (each.at, each.turn, each.attempt) for each in waiting
    )


def pauses(flow: Workflow, run_id: str) -> list[Waiting]:
    """The open pauses of a run."""
    return flow.db.pauses(PauseFilter(run_id=run_id, undecided_only=False, limit=10_000))


def answers(flow: Workflow, run_id: str, pause_id: str) -> dict[str, Any]:
    """The values that a person may give for a form: for each field that has to be given, the first value that it allows."""
    row = flow.db.pause(run_id, pause_id)
    schema = (pause_detail(row.pause.detail).schema if row is not None else None) or ()
    fields = [UserInputField.from_dict(each) for each in schema]
    return {each.name: some(each) for each in fields if each.required}


SOME: dict[str, Any] = {
    "str": "text",
    "text": "text",
    "int": 1,
    "float": 1.0,
    "decimal": "1.00",
    "bool": True,
    "date": "2026-12-24",
    "datetime": "2026-12-24T18:00:00+00:00",
    "email": "ada@example.org",
    "list": [],
    "dict": {},
    "file": b"file",
}


def some(each: UserInputField) -> Any:
    """A value that fits a field: a choice, a bound, a text of the least length; of a pattern it is a guess."""
    allowed, least = list(each.allowed_values or ()), each.min_length or 0
    guesses = [[allowed[0]] * max(1, least), allowed[0]] if allowed else []
    guesses += [value for value in (SOME[each.field_type], each.minimum, each.maximum) if value is not None]
    guesses += ["x" * least, b"x" * least, [SOME[each.item_type or "str"]] * least]
    return next((value for value in guesses if each.wrong(value) is None), guesses[0])


def go(drive: Callable[[], object]) -> None:
    """Drive a run; a failure that the path plans is part of it."""
    with suppress(Planned):
        drive()


# -- which paths there are ---------------------------------------------------------------------------------------------------------


def all_paths(workflow: Workflow, *, properties: Iterable[Property | str] = (), most: int = 1_000) -> list[Path]:
    """Paths that together use every event of every situation of a workflow, for `pytest.mark.parametrize("path", ..., ids=str)`.

    Properties, as `statecore.check` reads them, and the workflow's `checks` are asserted by `Path.run`: where one can be broken without a
    cancellation, a death or a reopening, it is broken on some path. No code of the workflow is called. Raises `TooManyPaths` where more than
    `most` situations would have to be looked at, `InvalidProperty` for a property that no single run can break, and `UnknownStep`.
    """
    compiled = workflow.compiled
    judge = Judge(compiled.program, of_one_run(properties, workflow))
    edges, came = drawn(judge, World(compiled), most)
    ends = ways_out(edges)
    todo = dict.fromkeys(edges)
    found: list[Path] = []
    for edge in reversed(edges):  # those that were met last lie deepest, and use many of the others on their way
        if edge in todo and edge[2] in ends:
            way = [*way_to(came, edge[0]), edge, *ends[edge[2]]]
            for each in way:
                todo.pop(each, None)
            found.append(Path(workflow, tuple(beats(compiled.program, [event for _, event, _ in way])), judge.properties))
    return sorted(found, key=lambda path: (len(path.beats), str(path)))


def drawn(judge: Judge, world: World, most: int) -> tuple[list[Edge], dict[Spot, Edge]]:
    """Every edge of a workflow's situations, as a driver goes, and the first edge to each. Raises `TooManyPaths`."""
    program, begun = judge.program, (BEGINNING, judge.beginning)
    edges: list[Edge] = []
    came: dict[Spot, Edge] = {}
    queue = deque([begun])
    seen = {begun}
    while queue:
        state, memory = spot = queue.popleft()
        for event in as_driven(world, state):
            found = advance(program, state, event)
            after = canonical(program, found.state), judge.after(memory, found.moves)
            edges.append((spot, event, after))
            if after not in seen:
                if len(seen) >= most:
                    raise TooManyPaths(program.name, most)
                seen.add(after)
                came[after] = edges[-1]
                queue.append(after)
    return edges, came


def as_driven(world: World, state: State) -> list[Event]:
    """The events that may happen next: the first call to end, where any is owed; else what people, delays and deadlines do. A failed run is over.

    A driver that waits for a delay applies what people decide meanwhile, and deadlines when no delay is left.
    """
    if state.run == w.failed:
        return []
    offered, program = world.events(state), world.compiled.program
    owed = calls(program, state)
    if owed:
        return [event for event in offered if (event.at, event.turn) == (owed[0].at, owed[0].turn)]
    return [event for event in offered if event.trigger != w.expire or not timers(program, state)]


def ways_out(edges: list[Edge]) -> dict[Spot, list[Edge]]:
    """For each situation the shortest way from it to an end."""
    into: dict[Spot, list[Edge]] = {}
    for edge in edges:
        into.setdefault(edge[2], []).append(edge)
    ways: dict[Spot, list[Edge]] = {spot: [] for spot in into if spot[0].run in ENDS}
    queue = deque(ways)
    while queue:
        after = queue.popleft()
        for edge in into.get(after, ()):
            if edge[0] not in ways:
                ways[edge[0]] = [edge, *ways[after]]
                queue.append(edge[0])
    return ways


def way_to(came: dict[Spot, Edge], spot: Spot) -> list[Edge]:
    """The first way to a situation."""
    way: list[Edge] = []
    while spot in came:
        way.append(came[spot])
        spot = came[spot][0]
    return way[::-1]
