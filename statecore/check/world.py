"""The next acts of the world: every outcome of every call, every answer of every person, and what a clock or an operator may do.

User code is never called. A step may succeed, say stop or fail; an evaluator, a selector or a predicate may answer anything that means
something; only where the definition holds the answer itself (`evaluator=True`) is it known. A question expires where it has a deadline.


The letters that lives are spelled in: a `Letter` is a row of a lifecycle that fires somewhere, a `Word` all that one event fires.

Laws of one event: what must hold of every step that the engine takes, whatever the workflow.

Each law looks at a situation, an event and what followed; together with the continuity of moves they hold by induction for whole runs.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from itertools import permutations
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from attrs import define, field

from statecore.core import CANCEL, REOPEN, START, Advanced, Compiled, Event, Program, State, advance
from statecore.lifecycles import KINDS, LEAVES, RUN, TABLES
from statecore.lifecycles import words as w

if TYPE_CHECKING:
    from statecore.core import Address, Move, Node

INTERNAL = frozenset({w.enter, w.start, w.finish, w.leave, w.pause, w.resume, w.cancel, w.renew})
"""The triggers that the core fires by itself, that concern the whole run, or that put a question again and lead back to the same situation."""

ALL_ROUTES = 4
"""Up to so many choices a selector is given every selection in every order; above, every single choice and every ordered pair."""

LIVE = frozenset({w.running, w.paused})
Offer = tuple[str, tuple["Address", ...], int]
MOST_ASKED = 2
"""Up to so many questions of a step's code are tried in one visit (ASK-5)."""


@define
class World:
    """The offers of a workflow's situations; with `crashes`, processes die too."""

    compiled: Compiled
    crashes: bool = False
    offered: dict[tuple[Address, str], tuple[Offer, ...]] = field(factory=dict)

    def events(self, state: State) -> list[Event]:
        """Everything that may happen in a situation, but an ordered cancellation."""
        if state.run in LIVE:
            return [
                Event(
                    trigger,
                    cursor.at,
                    cursor.turn,
                    cursor.attempt,
                    choices=route,
                    number=cursor.marks.open[0] if cursor.marks.open else number,
                )
                for cursor in state.cursors
                for trigger, route, number in self.offers(cursor.at, cursor.phase)
                if number <= self.most(cursor.at) - cursor.marks.asked or trigger != w.ask
            ]
        return {w.pending: [START], w.failed: [REOPEN]}.get(state.run, [])

    def most(self, at: Address) -> int:
        """How many questions of a step's code are tried in one visit."""
        return min(MOST_ASKED, self.compiled.program.nodes[at].limits.asks)

    def offers(self, at: Address, phase: str) -> tuple[Offer, ...]:
        """The events that may happen to a component in a phase."""
        key = at, phase
        if key not in self.offered:
            self.offered[key] = tuple(self.offers_anew(at, phase))
        return self.offered[key]

    def offers_anew(self, at: Address, phase: str) -> list[Offer]:
        """The same, asked of the tables."""
        node = self.compiled.program.nodes[at]
        table = TABLES[node.machine]
        if phase not in table.owes:
            return []
        left_out = INTERNAL | self.known(at, phase) | (frozenset() if self.crashes else {w.interrupt})
        if node.limits.timeout is None:
            left_out |= {w.expire}
        rows = [row for row in table.rows if row.when not in w.OFFERED or row.when in node.facts]
        triggers = dict.fromkeys(row.on for row in rows if row.source == phase and row.on not in left_out)
        offers: list[Offer] = [
            (trigger, route, 0) for trigger in triggers if trigger != w.ask for route in self.routes(at, trigger)
        ]
        return [*offers, *((w.ask, (), number) for number in range(1, self.most(at) + 1) if w.ask in triggers)]

    def known(self, at: Address, phase: str) -> frozenset[str]:
        """The answers that are ruled out, because the definition holds the other one."""
        code = KINDS[self.compiled.program.nodes[at].kind].calls.get(phase) if phase == w.evaluating else None
        component = self.compiled.components.get(at)
        answer = attrgetter(code.setting)(component) if code is not None and component is not None else None
        return frozenset({w.fail, w.refute if answer else w.hold}) if isinstance(answer, bool) else frozenset()

    def routes(self, at: Address, trigger: str) -> list[tuple[Address, ...]]:
        """The selections that an event may carry: the empty one for everything but a Router's."""
        if trigger not in (w.select, w.choose):
            return [()]
        node = self.compiled.program.nodes[at]
        exits = tuple(node.exits.values())
        several = trigger == w.choose or (at in self.compiled.components and bool(node.multiple))
        most = len(exits) if len(exits) <= ALL_ROUTES else 2
        return [route for size in range(1, (most if several else 1) + 1) for route in permutations(exits, size)]

    @property
    def bounds(self) -> list[str]:
        """The parts that were left out, as sentences."""
        wide = [
            n.name for n in self.compiled.program.nodes.values() if KINDS[n.kind].holds == "choices" and len(n.exits) > ALL_ROUTES
        ]
        said = [f"{name} has more than {ALL_ROUTES} choices: single ones and ordered pairs were tried" for name in wide]
        said += [
            f"{n.name} may ask {n.limits.asks} questions: at most {MOST_ASKED} in a visit were tried"
            for n in self.compiled.program.nodes.values()
            if n.limits.asks > MOST_ASKED
        ]
        return said if self.crashes else [*said, "processes do not die (see crashes)"]


class Letter(NamedTuple):
    """One firing of a row: where, from which phase, on which trigger, to which phase."""

    at: Address
    source: str
    trigger: str
    dest: str


Word = tuple[Letter, ...]


class Law(Enum):
    """The laws of one event, each with its sentence."""

    divergence = "the engine takes every event that the lifecycles offer"
    cancel = "a run that is not over can be cancelled"
    continuity = "every component goes on from the phase that it was in"
    inside = "nothing begins in a component that has not begun"
    gates = "a component with a gate asks when it is entered"
    skip_out = "skip is a way out of every error pause"
    skip_none = "a skipped step hands on nothing"


def cancel_possible(program: Program, state: State) -> str:
    """Why a live run cannot be cancelled; empty where it can."""
    try:
        after = advance(program, state, CANCEL).state
    except Exception as error:  # noqa: BLE001  # whatever it is, a cancellation must not raise it
        return f"{type(error).__name__}: {error}"
    return "" if after.run == w.cancelled and not after.cursors else f"the run is {after.run} after a cancellation"


def continuity(program: Program, state: State, _event: Event, after: Advanced) -> str:
    """The first move of each cursor's component leaves the cursor's phase, each later one the phase that the one before led to."""
    phases = {cursor.at: cursor.phase for cursor in state.cursors}
    for move in after.moves:
        if move.machine == RUN.name:
            continue
        was = w.pending if move.trigger == w.enter else phases.get(move.at, w.running if program.nodes[move.at].exits else None)
        if was is None or move.source not in (was, w.failed):
            return f"{move.at} was {was} and left {move.source}"
        phases[move.at] = move.dest
    return ""


def inside(program: Program, state: State, _event: Event, after: Advanced) -> str:
    """Where a child begins, its parent has begun in this event, or was open before it."""
    opened: set[str] = set()
    for move in after.moves:
        if move.dest == w.running:
            opened.add(move.at)
        parent = program.nodes[move.at].parent
        if move.trigger == w.enter and parent and parent not in opened:
            if not any(program.within(cursor.at, parent) for cursor in state.cursors):
                return f"{move.at} began although {parent} had not"
            opened.add(parent)
    return ""


GATES = {w.needs_confirmation: w.awaiting_confirmation, w.needs_input: w.awaiting_input, w.needs_route: w.awaiting_route}


def gates(program: Program, _state: State, _event: Event, after: Advanced) -> str:
    """A component whose facts hold a gate enters into its question."""
    for move in after.moves:
        if move.trigger == w.enter:
            asks = {GATES[fact] for fact in GATES.keys() & program.nodes[move.at].facts}
            if asks and move.dest not in asks:
                return f"{move.at} was {move.dest} at once"
    return ""


def skip_out(_program: Program, _state: State, event: Event, after: Advanced) -> str:
    """A skip leaves the component that had failed."""
    if event.trigger != w.skip:
        return ""
    last = next((m for m in after.moves if m.at == event.at and m.source == w.errored_paused), None)
    return "" if last is not None and last.dest == w.skipped else f"{event.at} was not skipped"


def skip_none(program: Program, state: State, _event: Event, after: Advanced) -> str:
    """A skipped step hands on nothing, and the next step has no previous content."""
    for move in after.moves:
        if move.dest == w.skipped and move.hands_on is not None:
            return f"{move.at} handed on {move.hands_on}"
        if move.dest == w.skipped and move.machine in LEAVES:
            why = followed(state, after, move, program.nodes[move.at])
            if why:
                return why
    return ""


def followed(state: State, after: Advanced, move: Move, node: Node) -> str:
    """Why what follows a skipped step right behind it sees content; empty where it does not, or where nothing follows."""
    before = {(cursor.at, cursor.turn) for cursor in state.cursors}
    for cursor in after.state.cursors:
        beside = cursor.at == node.next != node.parent and (cursor.at, cursor.turn) not in before
        if beside and node.leaves == node.at and cursor.prev is not None:
            return f"{cursor.at} got {cursor.prev} after {move.at} was skipped"
    return ""


JUDGES: tuple[tuple[Law, Callable[[Program, State, Event, Advanced], str]], ...] = (
    (Law.continuity, continuity),
    (Law.inside, inside),
    (Law.gates, gates),
    (Law.skip_out, skip_out),
    (Law.skip_none, skip_none),
)
"""Each law with the function that says why it does not hold here; empty where it holds."""
