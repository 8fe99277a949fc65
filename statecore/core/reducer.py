"""`advance`: one event in, the next parked state out. Pure; every change of status is the firing of a row.

An event fires a row at its cursor. Then *microsteps* follow until every cursor waits for the world: a cursor that has left its
component goes to the next one, a component whose last child is over finishes, a fresh cursor enters. At last the joint table says
what became of the run. Several events may be given at once: they are all applied before any microstep, so that a cancellation that
came with a result keeps the next step from beginning.
"""

from __future__ import annotations

from typing import Any

from attrs import define, field

from statecore.errors import StaleEvent
from statecore.lifecycles import JOINT, TABLES, fire
from statecore.lifecycles import words as w

from .events import Advanced, Event, Move
from .program import ROOT, Node, Program
from .state import Cursor, Ref, State, Turn

MAX_INTERRUPTS = 3
"""A step whose process died this often stops and asks a person, whatever its policy (P15)."""

NEW_ATTEMPT = frozenset({w.retry, w.resume})
BY_ERROR = frozenset({w.fail, w.skip})


def advance(program: Program, state: State, *events: Event) -> Advanced:
    """The state after `events`, and the moves that led there.

    Raises `StaleEvent` where an event speaks of a cursor that is not there, `RefusedTrigger` where no row allows it; `state` is
    never changed.
    """
    draft = Draft(program, state.run, list(state.cursors), state.result)
    for event in events:
        if event.at == ROOT:
            AT_ROOT[event.trigger](draft, event)
        else:
            draft.report(event)
    draft.settle()
    return Advanced(State(draft.run, tuple(sorted(draft.cursors, key=place)), draft.result), tuple(draft.moves))


def place(cursor: Cursor) -> tuple[str, Turn]:
    """The order of cursors in a state."""
    return cursor.at, cursor.turn


@define
class Draft:
    """The state in the making. It lives for one `advance` and is never seen outside."""

    program: Program
    run: str
    cursors: list[Cursor]
    result: Ref | None
    fresh: list[Cursor] = field(factory=list)
    moves: list[Move] = field(factory=list)

    # -- events ----------------------------------------------------------------------------------------------------------------

    def report(self, event: Event) -> None:
        """A call ended or a person decided: fire the row at the cursor that waited for it."""
        place = (event.at, event.turn, event.attempt)
        cursor = next((each for each in self.cursors if (each.at, each.turn, each.attempt) == place), None)
        if cursor is None:
            raise StaleEvent(event.at, event.turn, event.attempt, event.trigger)
        self.cursors.remove(cursor)
        if self.run == w.paused:
            self.fire_run(w.resume)
        self.take(cursor, event.trigger, event.body)

    def start(self, event: Event) -> None:
        """The run begins at its first component, or is over at once where it has none."""
        self.fire_run(w.start, event.body)
        if self.program.first != ROOT:
            self.fresh.append(Cursor(self.program.first))

    def cancel(self, event: Event) -> None:
        """Nothing more begins: whatever is open is cancelled, from the inside out, and no cursor is left."""
        around = self.open_nodes()
        for cursor in self.cursors:
            node = self.program.nodes[cursor.at]
            if w.cancel in {row.on for row in TABLES[node.machine].rows if row.source == cursor.phase}:
                self.fire(node, cursor.turn, cursor.attempt, cursor.phase, w.cancel)
        for node in around:
            self.fire(node, (), 0, w.running, w.cancel)
        self.cursors, self.fresh, self.result = [], [], None
        self.fire_run(w.cancel, event.body)

    def reopen(self, event: Event) -> None:
        """A failed run goes on where it failed: each failed call is owed again."""
        self.fire_run(w.resume, event.body)
        failed, self.cursors = self.cursors, []
        for cursor in failed:
            for node in reversed(list(self.program.ancestors(cursor.at))):
                self.fire(node, (), 0, w.failed, w.resume, facts=node.facts | {w.failed_inside})
            self.take(cursor, w.resume, None)

    # -- microsteps ------------------------------------------------------------------------------------------------------------

    def settle(self) -> None:
        """Run to completion, then let the joint table say what became of the run."""
        while self.fresh:
            self.take(self.fresh.pop(), w.enter, None)
        if self.run != w.running:
            return
        trigger = JOINT[self.situation()]
        if trigger == w.cancel:
            self.cancel(Event(w.cancel))
        elif trigger == w.fail:
            for node in self.open_nodes():
                self.fire(node, (), 0, w.running, w.fail)
            self.fire_run(w.fail)
        elif trigger is not None:
            self.fire_run(trigger)

    def situation(self) -> str:
        """The line of the joint table that holds."""
        situation = "none_live"
        for cursor in self.cursors:
            if cursor.phase == w.cancelled:
                return "some_cancelled"
            if cursor.phase == w.failed:
                return "some_failed"
            owes = TABLES[self.program.nodes[cursor.at].machine].owes[cursor.phase]
            if owes == "call":
                situation = "calls_owed"
            elif situation == "none_live":
                situation = "answers_owed"
        return situation

    def take(self, cursor: Cursor, trigger: str, body: Any) -> None:
        """Fire a row at a cursor, and follow it: into the component, on to the next one, or to rest."""
        node = self.program.nodes[cursor.at]
        facts = node.facts if trigger not in CURSOR_FACTS else CURSOR_FACTS[trigger](node, cursor)
        phase = self.fire(node, cursor.turn, cursor.attempt, cursor.phase, trigger, body, facts)
        if phase == w.running and trigger in node.exits:
            self.descend(node, cursor, trigger)
        elif phase in (w.completed, w.skipped):
            self.depart(node, cursor, trigger, phase)
        else:
            attempt = cursor.attempt + (trigger in NEW_ATTEMPT)
            interrupts = cursor.interrupts + 1 if trigger == w.interrupt else 0
            self.cursors.append(Cursor(cursor.at, phase, cursor.turn, attempt, cursor.prev, cursor.last, interrupts))

    def descend(self, node: Node, cursor: Cursor, trigger: str) -> None:
        """Into a component: a fresh cursor at its first child, or straight out where it has none."""
        first = node.exits[trigger]
        if first == node.at:
            self.finish(node, cursor.turn, cursor.prev)
            self.go_on(node, cursor.turn, cursor.prev, cursor.prev)
        else:
            self.fresh.append(Cursor(first, w.pending, cursor.turn, 0, cursor.prev, cursor.last))

    def depart(self, node: Node, cursor: Cursor, trigger: str, phase: str) -> None:
        """Out of a component that is over, taking along what the next one sees as previous content."""
        prev, last = cursor.prev, cursor.last
        if phase == w.completed:
            prev = last = Ref(cursor.at, cursor.turn, cursor.attempt)
            if trigger == w.stop:
                ended = self.end_workflow(node, cursor.turn, prev)
                if ended is None:
                    self.result = last
                    return
                node = ended
        elif trigger in BY_ERROR:
            prev = None
            while node.at != self.program.nodes[cursor.at].leaves:
                node = self.program.nodes[node.parent]
                self.fire(node, cursor.turn, 0, w.running, w.leave)
        elif not node.transparent:
            prev = None
        self.go_on(node, cursor.turn, prev, last)

    def go_on(self, node: Node, turn: Turn, prev: Ref | None, last: Ref | None) -> None:
        """To the next component; each component whose last child this was finishes first, handing on what the child did."""
        while node.next == node.parent:
            if node.parent == ROOT:
                self.result = last
                return
            node = self.program.nodes[node.parent]
            self.finish(node, turn, prev)
            last = prev
        self.fresh.append(Cursor(node.next, w.pending, turn, 0, prev, last))

    def end_workflow(self, node: Node, turn: Turn, prev: Ref) -> Node | None:
        """A step said stop: what is around it finishes, up to its workflow. The nested workflow that ended, None where it is the run."""
        while node.parent != ROOT:
            node = self.program.nodes[node.parent]
            self.finish(node, turn, prev)
            if node.kind == "workflow":
                return node
        return None

    # -- rows ------------------------------------------------------------------------------------------------------------------

    def fire(  # noqa: PLR0913  # the parts of a move, one by one
        self, node: Node, turn: Turn, attempt: int, phase: str, trigger: str, body: Any = None, facts: frozenset[str] | None = None
    ) -> str:
        """Fire a row of a component and record the move."""
        dest = fire(node.machine, phase, trigger, node.facts if facts is None else facts)
        hands_on = Ref(node.at, turn, attempt) if dest == w.completed else None
        self.moves.append(Move(node.machine, node.at, turn, attempt, phase, trigger, dest, body, hands_on))
        return dest

    def finish(self, node: Node, turn: Turn, prev: Ref | None) -> None:
        """Fire `finish` of a component whose last child is over: it hands on what the next one will see."""
        dest = fire(node.machine, w.running, w.finish, node.facts)
        self.moves.append(Move(node.machine, node.at, turn, 0, w.running, w.finish, dest, None, prev))

    def fire_run(self, trigger: str, body: Any = None) -> None:
        """Fire a row of the run and record the move."""
        source, self.run = self.run, fire("run", self.run, trigger, frozenset())
        hands_on = self.result if self.run == w.completed else None
        self.moves.append(Move("run", ROOT, (), 0, source, trigger, self.run, body, hands_on))

    def open_nodes(self) -> list[Node]:
        """The components that are entered and not left, innermost first."""
        around = {node.at: node for cursor in (*self.cursors, *self.fresh) for node in self.program.ancestors(cursor.at)}
        return sorted(around.values(), key=lambda node: (-node.at.count("/"), node.at))


def after_interrupt(node: Node, cursor: Cursor) -> frozenset[str]:
    """The policy for an interrupted call; after `MAX_INTERRUPTS` deaths in a row a person is asked, whatever the policy."""
    if cursor.interrupts + 1 < MAX_INTERRUPTS:
        return node.facts
    return node.facts - {w.interrupt_retries, w.interrupt_fails} | {w.interrupt_pauses}


def after_failure(node: Node, _cursor: Cursor) -> frozenset[str]:
    """Here is where the run had failed."""
    return node.facts | {w.failed_here}


# the few facts that a cursor knows rather than its node, by the trigger that needs them
CURSOR_FACTS = {w.interrupt: after_interrupt, w.resume: after_failure}
AT_ROOT = {w.start: Draft.start, w.cancel: Draft.cancel, w.resume: Draft.reopen}
