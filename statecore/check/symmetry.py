"""Fewer situations for the same verdicts: a state without its past, and branches that are alike taken as one.

`canonical` forgets the past. A `State` already forgets finished components; it still has references to outputs, counters that only
count, and instants. Nothing in the core decides by these, so each is put to one constant; a counter that a lifecycle asks for stays.

`Symmetry` exchanges branches. Two branches of a Parallel are alike where the same may happen in both, at every place, and no
property names a place in either. Renaming the one to the other turns runs into runs, so the graph after the renaming (`settle`) is
bisimilar to the whole graph, and every property keeps its verdict. Where `max_concurrency` decides which branch begins first,
branches are not interchangeable. A way through the settled graph has its own names; `unsettled` gives the events of a real run back.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable
from typing import TYPE_CHECKING

from attrs import define, evolve, field, fields

from statecore.core import BEGINNING, Cursor, Event, Frame, Ref, State, advance
from statecore.core.facts import knows
from statecore.core.reducer import place
from statecore.core.state import UNMARKED, Ending, Marks
from statecore.lifecycles import KINDS, TABLES, exhaustive
from statecore.lifecycles import words as w

from .atoms import Atom, places_of

if TYPE_CHECKING:
    from statecore.core import Address, Program

    from .world import World

OLD = Ref("", (), 0)
"""Stands for everything that was handed on earlier; so what a component hands on now can be told from it."""

COUNTS_RETRIES = frozenset({w.running, w.backing_off})
exhaustive("check.symmetry.canonical_marks",
           ("interrupts", "retries", "reruns", "reviews", "output", "rejected", "stopping", "due", "deaths", "put", "asked", "open"),
           (each.name for each in fields(Marks)), "core.state")  # fmt: skip
exhaustive("check.symmetry.canonical_cursor", ("at", "phase", "turn", "attempt", "prev", "last", "marks"),
           (each.name for each in fields(Cursor)), "core.state")  # fmt: skip
exhaustive("check.symmetry.canonical_frame", ("at", "turn", "prev", "last", "attempt", "marks", "rest", "done"),
           (each.name for each in fields(Frame)), "core.state")  # fmt: skip
exhaustive(
    "check.symmetry.canonical", ("unit", "at", "turn", "how", "prev", "last"), (each.name for each in fields(Ending)), "core.state"
)
Renaming = dict["Address", "Address"]
Piece = tuple[Hashable, ...]


def canonical(program: Program, state: State) -> State:
    """The situation of a state, without its past."""
    return State(
        state.run,
        tuple([canonical_cursor(program, each) for each in state.cursors]),
        None,
        tuple([canonical_frame(program, each) for each in state.frames]),
        tuple([Ending(each.unit, each.at, each.turn, each.how, OLD, OLD) for each in state.endings]),
    )


def canonical_cursor(program: Program, cursor: Cursor) -> Cursor:
    """A cursor that forgets what it was handed, and how often it was tried."""
    if cursor.prev is OLD and cursor.last is OLD and cursor.attempt == 0 and cursor.marks is UNMARKED:
        return cursor
    marks = canonical_marks(program, cursor.at, cursor.marks, cursor.phase)
    return Cursor(cursor.at, cursor.phase, cursor.turn, 0, OLD, OLD, marks)


def canonical_frame(program: Program, frame: Frame) -> Frame:
    """A frame that forgets the same."""
    marks = canonical_marks(program, frame.at, frame.marks, w.running)
    return Frame(frame.at, frame.turn, OLD, OLD, 0, marks, frame.rest, tuple([(at, None) for at, _ in frame.done]))


def canonical_marks(program: Program, at: str, marks: Marks, phase: str) -> Marks:
    """The marks that decide something: deaths, retries while they count, rejected reviews where they are limited, stop, a deadline."""
    if marks is UNMARKED:
        return UNMARKED
    kept = Marks(
        interrupts=marks.interrupts,
        retries=marks.retries if phase in COUNTS_RETRIES else 0,
        reviews=marks.reviews if knows(program.nodes[at], w.reviews_spent) else 0,
        output=None if marks.output is None else OLD,
        stopping=marks.stopping,
        due=None if marks.due is None else 0,
        deaths=marks.deaths,
        asked=marks.asked,
        open=tuple(range(marks.asked - len(marks.open), marks.asked)),  # which of several is answered first makes no difference
    )
    return UNMARKED if kept == UNMARKED else kept


# -- branches that are alike -------------------------------------------------------------------------------------------------------


@define
class Group:
    """Branches of one Parallel that are alike: for each of them its places, in the same order, each with its number there."""

    parallel: Address
    branches: tuple[dict[Address, int], ...]

    @property
    def rows(self) -> list[list[Address]]:
        """The places by number, for each branch."""
        return [list(branch) for branch in self.branches]


@define
class Symmetry:
    """The groups of a program, innermost first. What stands in a branch is a piece; each piece has a number, by which branches are sorted."""

    program: Program
    groups: tuple[Group, ...]
    numbers: dict[Piece, int] = field(factory=dict)

    def settle(self, state: State) -> tuple[State, Renaming]:
        """The situation that stands for this one, and how places were renamed on the way to it."""
        whole: Renaming = {}
        for group in self.groups:
            order = self.order(group, state)
            if order != sorted(order):
                rows = group.rows
                renaming = {old: new for to, at in enumerate(order) for old, new in zip(rows[at], rows[to], strict=True)}
                state = renamed(self.program, state, renaming)
                whole = composed(whole, renaming)
        return state, whole

    def order(self, group: Group, state: State) -> list[int]:
        """The branches, sorted by what stands in each."""
        numbers = [self.numbers.setdefault(piece(state, branch), len(self.numbers)) for branch in group.branches]
        return sorted(range(len(numbers)), key=numbers.__getitem__)

    def representatives(self) -> Renaming:
        """For each place the one that stands for all that are alike."""
        found = {at: at for at in self.program.nodes}
        for group in self.groups:
            for places in zip(*group.rows, strict=True):
                same = {found[at] for at in places}
                found.update(dict.fromkeys([at for at, one in found.items() if one in same], min(same)))
        return found

    def unsettled(self, events: Iterable[Event]) -> tuple[Event, ...]:
        """The events of a real run, of those of a way through the settled graph."""
        state, back, real = BEGINNING, {at: at for at in self.program.nodes}, []
        for number, event in enumerate(told := tuple(events), start=1):
            real.append(event._replace(at=back[event.at], choices=tuple([back[at] for at in event.choices])))
            if number < len(told):  # the last may be one that the engine does not take
                state, renaming = self.settle(canonical(self.program, advance(self.program, state, event).state))
                back = {renaming.get(at, at): was for at, was in back.items()}
        return tuple(real)


def piece(state: State, branch: dict[Address, int]) -> Piece:
    """The content of a branch, in numbers instead of names; where there is none, it is over."""

    def number(at: Address) -> Hashable:
        return branch.get(at, at)

    return (
        tuple([(branch[c.at], c.phase, c.turn, c.marks) for c in state.cursors if c.at in branch]),
        tuple(
            [
                (branch[f.at], f.turn, f.marks, tuple(map(number, f.rest)), tuple([number(at) for at, _ in f.done]))
                for f in state.frames
                if f.at in branch
            ]
        ),
        tuple([(rank, number(e.unit), branch[e.at], e.turn, e.how) for rank, e in enumerate(state.endings) if e.at in branch]),
    )


def renamed(program: Program, state: State, renaming: Renaming) -> State:
    """A situation with other names for its places, in order again."""
    order = {at: number for number, at in enumerate(program.nodes)}

    def new(at: Address) -> Address:
        return renaming.get(at, at)

    frames = [
        evolve(
            each,
            at=new(each.at),
            rest=tuple(map(new, each.rest)),
            done=tuple(sorted([(new(at), what) for at, what in each.done], key=lambda one: order[one[0]])),
        )
        for each in state.frames
    ]
    return State(
        state.run,
        tuple(sorted([evolve(each, at=new(each.at)) for each in state.cursors], key=place)),
        state.result,
        tuple(sorted(frames, key=place)),
        tuple([evolve(each, unit=new(each.unit), at=new(each.at)) for each in state.endings]),
    )


def composed(first: Renaming, then: Renaming) -> Renaming:
    """One renaming after another."""
    return {**then, **{old: then.get(new, new) for old, new in first.items()}}


# -- which are alike ---------------------------------------------------------------------------------------------------------------


def symmetry(world: World, atoms: Iterable[Atom]) -> Symmetry | None:
    """The symmetry of a world that leaves these atoms alone; None where no two branches are alike."""
    program = world.compiled.program
    named = set(places_of(program, atoms))
    found = [
        group
        for node in program.nodes.values()
        if KINDS[node.kind].holds == "branches"
        for group in groups_of(world, node.at, named)
    ]
    return Symmetry(program, tuple(sorted(found, key=lambda group: -group.parallel.count("/")))) if found else None


def groups_of(world: World, parallel: Address, named: set[Address]) -> list[Group]:
    """The groups of one Parallel."""
    node = world.compiled.program.nodes[parallel]
    if node.limits.concurrency is not None:
        return []
    shapes: dict[Piece, list[dict[Address, int]]] = defaultdict(list)
    for root in node.exits.values():
        inside = [at for at in world.compiled.program.nodes if at == root or world.compiled.program.within(at, root)]
        places = {at: number for number, at in enumerate(inside)}
        if not named & places.keys():
            shapes[shape(world, places)].append(places)
    return [Group(parallel, tuple(branches)) for branches in shapes.values() if len(branches) > 1]


def shape(world: World, places: dict[Address, int]) -> Piece:
    """All that the semantics depends on in a branch, and all that may happen there, in numbers instead of names."""
    found: list[Hashable] = []

    def number(at: Address) -> Hashable:
        return places.get(at, at)

    for at in places:
        node = world.compiled.program.nodes[at]
        phases = TABLES[node.machine].owes
        offers = [
            (phase, trigger, tuple(map(number, route)), count)
            for phase in phases
            for trigger, route, count in world.offers(at, phase)
        ]
        exits = tuple(("" if KINDS[node.kind].is_wide else key, number(to)) for key, to in node.exits.items())
        links = number(node.parent), number(node.next), number(node.leaves)
        found.append((node.kind, node.machine, node.facts, node.transparent, node.depth, node.limits, *links, exits, tuple(offers)))
    return tuple(found)
