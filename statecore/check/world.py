"""What the world may do next: every outcome of every call, every answer of every person, and what a clock or an operator may do.

User code is never called. A step may succeed, say stop or fail; an evaluator, a selector or a predicate may answer anything that means
something; only where the definition holds the answer itself (`evaluator=True`) is it known. A question expires where it has a deadline.
"""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING

from attrs import define, field

from statecore.core import REOPEN, START, Compiled, Event, State
from statecore.definition import Condition, Loop, Router
from statecore.lifecycles import TABLES
from statecore.lifecycles import words as w

if TYPE_CHECKING:
    from statecore.core import Address

INTERNAL = frozenset({w.enter, w.start, w.finish, w.leave, w.pause, w.resume, w.cancel})
"""What the core fires by itself, or what concerns the whole run."""

ALL_ROUTES = 4
"""Up to so many choices a selector is given every selection in every order; above, every single choice and every ordered pair."""

LIVE = frozenset({w.running, w.paused})
Offer = tuple[str, tuple["Address", ...]]


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
                Event(trigger, cursor.at, cursor.turn, cursor.attempt, choices=route)
                for cursor in state.cursors
                for trigger, route in self.offers(cursor.at, cursor.phase)
            ]
        return {w.pending: [START], w.failed: [REOPEN]}.get(state.run, [])

    def offers(self, at: Address, phase: str) -> tuple[Offer, ...]:
        """What may happen to a component in a phase."""
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
        triggers = dict.fromkeys(row.on for row in table.rows if row.source == phase and row.on not in left_out)
        return [(trigger, route) for trigger in triggers for route in self.routes(at, trigger)]

    def known(self, at: Address, phase: str) -> frozenset[str]:
        """The answers that are ruled out, because the definition holds the other one."""
        component = self.compiled.components.get(at)
        answer = None
        if phase == w.evaluating and isinstance(component, Condition):
            answer = component.evaluator
        elif phase == w.evaluating and isinstance(component, Loop):
            answer = component.end_condition
        return frozenset({w.fail, w.refute if answer else w.hold}) if isinstance(answer, bool) else frozenset()

    def routes(self, at: Address, trigger: str) -> list[tuple[Address, ...]]:
        """The selections that an event may carry: the empty one for everything but a Router's."""
        if trigger not in (w.select, w.choose):
            return [()]
        component, exits = self.compiled.components.get(at), tuple(self.compiled.program.nodes[at].exits.values())
        several = trigger == w.choose or (isinstance(component, Router) and component.human_review.allow_multiple_selections)
        most = len(exits) if len(exits) <= ALL_ROUTES else 2
        return [route for size in range(1, (most if several else 1) + 1) for route in permutations(exits, size)]

    @property
    def bounds(self) -> list[str]:
        """What was left out, as sentences."""
        wide = [n.name for n in self.compiled.program.nodes.values() if n.kind == "router" and len(n.exits) > ALL_ROUTES]
        said = [f"{name} has more than {ALL_ROUTES} choices: single ones and ordered pairs were tried" for name in wide]
        return said if self.crashes else [*said, "processes do not die (see crashes)"]
