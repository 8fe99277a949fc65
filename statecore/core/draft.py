"""The state in the making. A `Draft` lives for one `advance` and is never seen outside; here are its rows and its places."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import define, field

from statecore.lifecycles import TABLES, fire
from statecore.lifecycles import words as w

from .owed import is_ending
from .program import ROOT, Address, Micros, Node, Program
from .state import Move

if TYPE_CHECKING:
    from .state import Cursor, Ending, Frame, Source, State, Turn


@define
class Draft:
    """A state, taken apart so that moves can be made in it. `fresh` are cursors that have just come to where they are."""

    program: Program
    run: str
    cursors: list[Cursor]
    result: Source | None
    frames: list[Frame]
    endings: list[Ending]
    time: Micros = 0
    fresh: list[Cursor] = field(factory=list)
    moves: list[Move] = field(factory=list)

    # -- rows ------------------------------------------------------------------------------------------------------------------

    def fire(  # noqa: PLR0913  # the parts of a move, one by one
        self,
        node: Node,
        turn: Turn,
        attempt: int,
        phase: str,
        trigger: str,
        facts: frozenset[str],
        body: Any = None,
        gives: Source | None = None,
    ) -> str:
        """Fire a row of a component and record the move; `gives` is what it hands on where it is then completed."""
        dest = fire(node.machine, phase, trigger, facts)
        hands_on = gives if dest == w.completed else None
        self.moves.append(Move(node.machine, node.at, turn[: node.depth], attempt, phase, trigger, dest, body, hands_on))
        return dest

    def fire_run(self, trigger: str, body: Any = None) -> None:
        """Fire a row of the run and record the move."""
        source, self.run = self.run, fire("run", self.run, trigger, frozenset())
        hands_on = self.result if self.run == w.completed else None
        self.moves.append(Move("run", ROOT, (), 0, source, trigger, self.run, body, hands_on))

    def fire_cancel(self, cursor: Cursor) -> None:
        """Cancel what a cursor waits for, where it waits for anything."""
        node = self.program.nodes[cursor.at]
        if cursor.phase in CANCELLABLE[node.machine]:
            self.fire(node, cursor.turn, cursor.attempt, cursor.phase, w.cancel, node.facts)

    # -- places ----------------------------------------------------------------------------------------------------------------

    def around(self, at: Address, turn: Turn, into: dict[Address, tuple[Node, Turn]]) -> None:
        """Collect the components around a place, each with its turn."""
        for node in self.program.ancestors(at):
            into.setdefault(node.at, (node, turn[: node.depth]))

    def open_nodes(self) -> list[tuple[Node, Turn]]:
        """The components that are entered and not left, innermost first."""
        found: dict[Address, tuple[Node, Turn]] = {}
        for cursor in (*self.cursors, *self.fresh):
            self.around(cursor.at, cursor.turn, found)
        for ending in self.endings:
            self.around(ending.at, ending.turn, found)
        return innermost_first(found)

    def inside(self, unit: Address, turn: Turn) -> list[Cursor]:
        """The cursors inside a component, in the turn that it is in."""
        depth = self.program.nodes[unit].depth
        return [c for c in self.cursors if c.turn[:depth] == turn[:depth] and self.program.within(c.at, unit)]

    def is_ending(self, cursor: Cursor) -> bool:
        """Whether a cursor lies in a component that is about to end early, so that nothing of it begins any more."""
        return is_ending(self.program, self.endings, cursor)

    def is_failing(self) -> bool:
        """Whether a step has failed under policy fail, so that nothing begins any more."""
        return any(cursor.phase == w.failed for cursor in self.cursors)

    def owes_call(self, cursor: Cursor) -> bool:
        """Whether a call is owed at a cursor."""
        return TABLES[self.program.nodes[cursor.at].machine].owes.get(cursor.phase) == "call"

    def frame(self, at: Address, turn: Turn) -> Frame:
        """The memory of an entered component; it is taken out."""
        [index] = [index for index, frame in enumerate(self.frames) if (frame.at, frame.turn) == (at, turn)]
        return self.frames.pop(index)


def innermost_first(found: dict[Address, tuple[Node, Turn]]) -> list[tuple[Node, Turn]]:
    """Components in the order in which they are left."""
    return sorted(found.values(), key=lambda each: (-each[0].at.count("/"), each[0].at))


CANCELLABLE: dict[str, frozenset[str]] = {
    name: frozenset(row.source for row in table.rows if row.on == w.cancel and row.source != w.running)
    | ({w.running} if table.owes.get(w.running) == "call" else frozenset())
    for name, table in TABLES.items()
}


def take_apart(program: Program, state: State) -> Draft:
    """A draft that stands where a state stands."""
    return Draft(program, state.run, list(state.cursors), state.result, list(state.frames), list(state.endings))
