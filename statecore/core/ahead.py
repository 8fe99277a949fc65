"""`ahead`: what lies before a run, and which gates stand before each part of it.

A component stands behind a gate where no way from the run's places reaches it unless the gate is answered yes. That is one pass over the
ways (`ways`): each spot has the gates that every way to it needs, and a spot with several ways to it needs what all of them need. A
Parallel ends when every branch has ended, so what follows it needs the gates of all its branches.

A spot is a point with its *round*: the outermost loop or router that was gone round on the way, None for what comes in this turn. A round
ends where its loop is left.
"""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from attrs import define, field

from statecore.lifecycles import KINDS
from statecore.lifecycles import words as w

from .evidence import kind_of
from .ways import END, Onward, Point, past, ways

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .program import Address, Node, Program
    from .state import Cursor, State

Round: TypeAlias = "Address | None"
YES: dict[str, frozenset[str]] = {
    w.awaiting_confirmation: frozenset({w.confirm, w.amend}),
    w.awaiting_input: frozenset({w.give}),
    w.awaiting_route: frozenset({w.select}),
    w.awaiting_review: frozenset({w.confirm, w.edit}),
}
"""The phases of gates, and the answers that open them. A silence that approves opens one as well."""
CALLS_CODE = frozenset({w.running, w.evaluating})


class Reaching(NamedTuple):
    """A point in a round; of a Router that the run has entered, after which of its children."""

    point: Point
    round: Round
    after: Address | None = None


class Gate(NamedTuple):
    """A question that a person answers before a run goes on: its address, the name there, and the kind of question."""

    at: Address
    name: str
    kind: str


class Ahead(NamedTuple):
    """The part of a program ahead of a run. `begins` has the components that call user code, by address and round, with the gates before each.

    `gates` are the gates that may be asked, `reached` the rounds in which each address is reached, `entered` those in which it begins.
    """

    begins: dict[tuple[Address, Round], frozenset[Gate]]
    gates: dict[tuple[Address, str], Gate]
    reached: dict[Address, set[Round]]
    entered: dict[Address, set[Round]]


def ahead(program: Program, state: State, asked_again: frozenset[Point] = frozenset()) -> Ahead:
    """The part ahead of a run in this state, if it follows this program from here on. Each place of the state must be in the program.

    At a question of `asked_again` a no opens the gate as a yes does: it is given to the question as this program asks it.
    """
    search = Search(program, state, asked_again)
    search.run()
    found = Ahead({}, {}, {}, {})
    for spot, mask in search.needs.items():
        at, phase = spot.point
        node = program.nodes[at]
        found.reached.setdefault(at, set()).add(spot.round)
        if phase == w.pending:
            found.entered.setdefault(at, set()).add(spot.round)
        if phase in YES:
            found.gates[at, kind_of(node, phase)] = gate_of(node, phase)
        if phase in CALLS_CODE and not (phase == w.running and node.exits):
            key = at, spot.round
            before = search.gates_in(mask)
            found.begins[key] = found.begins[key] & before if key in found.begins else before
    return found


def gate_of(node: Node, phase: str) -> Gate:
    """The gate that a component puts in a phase."""
    return Gate(node.at, node.name, kind_of(node, phase))


@define
class Search:
    """The pass: `needs` has for each spot the gates of every way to it, as bits; a spot that is not in it is not reached."""

    program: Program
    state: State
    asked_again: frozenset[Point] = frozenset()
    needs: dict[Reaching, int] = field(factory=dict)
    bits: dict[Point, int] = field(factory=dict)
    closed: dict[tuple[Address, Round], dict[Address, int]] = field(factory=dict)
    todo: list[Reaching] = field(factory=list)
    stands: frozenset[Point] = frozenset()
    rest: dict[Address, tuple[Address, ...]] = field(factory=dict)
    unspent: frozenset[Address] = frozenset()
    """The loops around the run that have another iteration to come after this one, unless an end is tested or reviewed before."""

    def run(self) -> None:
        """Begin at the places of the state, and follow every way until nothing changes."""
        program, state = self.program, self.state
        self.rest = {frame.at: frame.rest for frame in state.frames if holds(program.nodes[frame.at]) == "choices"}
        self.unspent = frozenset(unspent(program, state))
        for frame in state.frames:
            if holds(program.nodes[frame.at]) == "branches":
                self.closed[frame.at, None] = {at: 0 for at, _ in frame.done}
        if state.run == w.pending and program.first != END.at:
            self.reach(Reaching(Point(program.first, w.pending), None), 0)
        self.stands = frozenset(point_of(cursor) for cursor in state.cursors)
        for point in self.stands:
            self.reach(Reaching(point, None), 0)
        for ending in state.endings:
            unit = program.nodes[ending.unit]
            self.go(
                Reaching(Point(ending.unit, w.running), None), Onward(ending.how, END if ending.unit == END.at else past(unit)), 0
            )
        while self.todo:
            spot = self.todo.pop()
            mask = self.needs[spot]
            for way in ways(program, spot.point):
                if self.is_open(spot, way):
                    self.go(spot, way, mask | self.gate(spot.point, way))

    def gates_in(self, mask: int) -> frozenset[Gate]:
        """The gates of a mask."""
        nodes = self.program.nodes
        return frozenset(gate_of(nodes[point.at], point.phase) for point, bit in self.bits.items() if mask & bit)

    def reach(self, spot: Reaching, mask: int) -> None:
        """A way leads to a spot through these gates: it needs those that every way needs."""
        known = self.needs.get(spot)
        new = mask if known is None else known & mask
        if new != known and spot.point != END:
            self.needs[spot] = new
            self.todo.append(spot)

    def go(self, spot: Reaching, way: Onward, mask: int) -> None:
        """Follow a way; where it ends a branch, see whether that ends the Parallel."""
        at = way.to.at
        to = Reaching(way.to, self.round_of(spot, way))
        if way.to.phase != w.running or holds(self.program.nodes[at]) != "branches" or spot.point.at == at:
            chosen = way.to.phase == w.running and to.round is None and at in self.rest and spot.point.at != at
            self.reach(to._replace(after=self.child_of(at, spot.point.at)) if chosen else to, mask)
            return
        branch = self.child_of(at, spot.point.at)
        done = self.closed.setdefault((at, to.round), {})
        done[branch] = done.get(branch, mask) & mask
        if done.keys() >= set(self.program.nodes[at].exits.values()):
            self.reach(to, reduce(or_, done.values(), 0))

    def child_of(self, at: Address, inside: Address) -> Address:
        """The child of a component in which another one is."""
        while self.program.nodes[inside].parent != at:
            inside = self.program.nodes[inside].parent
        return inside

    def gate(self, point: Point, way: Onward) -> int:
        """The bit of a gate that a way opens."""
        approves = way.trigger == w.expire and w.timeout_approves in self.program.nodes[point.at].facts
        informed = way.trigger == w.reject and point in self.asked_again
        if point.phase not in YES or not (approves or informed or way.trigger in YES[point.phase]):
            return 0
        return self.bits.setdefault(point, 1 << len(self.bits))

    def is_open(self, spot: Reaching, way: Onward) -> bool:
        """Whether a way is taken from here: out of a Router that is running, only the one to the next of the choices that are left.

        A step that a person may skip after three deaths alone is no way around its review: both programs have it.
        """
        at, phase = spot.point
        if (
            way.trigger == w.interrupt
            and way.to.phase == w.errored_paused
            and w.interrupt_pauses not in self.program.nodes[at].facts
        ):
            return False
        if phase != w.running or spot.round is not None:
            return True
        if at in self.unspent and way.trigger == w.finish:
            return way.to.at == at or self.goes_round(spot.point, way)
        if at not in self.rest:
            return True
        left = self.rest[at]
        left = left[left.index(spot.after) + 1 :] if spot.after in left else left
        if left and way.trigger == w.finish:
            return way.to == Point(left[0], w.pending)
        return way.to.phase != w.pending or way.to.at not in self.program.nodes[at].exits.values() or way.to.at in left

    def round_of(self, spot: Reaching, way: Onward) -> Round:
        """The round after a way: another one where it goes round a loop or chooses anew, none where the loop is left."""
        at, around = spot.point.at, spot.round
        if self.goes_round(spot.point, way) and (around is None or not self.program.within(at, around)):
            around = at
        if around is None or way.to == END or not (way.to.at == around or self.program.within(way.to.at, around)):
            return None
        return around

    def goes_round(self, point: Point, way: Onward) -> bool:
        """Whether a way begins another iteration of a loop, or another choice of a Router."""
        node = self.program.nodes[point.at]
        if holds(node) == "iterations":
            return way.to == Point(node.exits[w.enter], w.pending) and point.phase in (w.running, w.evaluating, w.awaiting_review)
        again = point.phase == w.awaiting_review or (point.phase == w.errored_paused and point not in self.stands)
        return holds(node) == "choices" and again and way.to.at == node.at and way.to.phase in (w.evaluating, w.awaiting_route)


def unspent(program: Program, state: State) -> Iterator[Address]:
    """The loops that a run has entered, and that have further iterations in this program."""
    for frame in state.frames:
        inside = [cursor.turn for cursor in state.cursors if program.within(cursor.at, frame.at)]
        more = holds(program.nodes[frame.at]) == "iterations" and inside
        if more and inside[0][len(frame.turn)] + 1 < program.nodes[frame.at].limits.iterations:
            yield frame.at


def holds(node: Node) -> str:
    """The way in which a component holds others."""
    return KINDS[node.kind].holds if node.at != END.at else "nothing"


def point_of(cursor: Cursor) -> Point:
    """Where a cursor stands."""
    return Point(cursor.at, cursor.phase)
