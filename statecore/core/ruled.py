"""The rules of a program: what each `Approval` of the user says, with the addresses of the earlier gates that it names (AUTH-1).

An earlier gate may be named only if every way to the component passes it in the same turn; `Passing` is the pass over the ways that
says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import define, field

from statecore.errors import UnsupportedSetting, suggest
from statecore.lifecycles import KINDS
from statecore.lifecycles import words as w

from .ahead import YES, Search
from .program import ROOT
from .rule import Escalation, Rule
from .state import BEGINNING
from .ways import question_at
from .weaker import GATES

if TYPE_CHECKING:
    from .program import Address, Micros, Program
    from .ways import Onward, Point

SECOND = 1_000_000


def rule_of(approval: Any, *, no_holds: bool, identified: bool, gates: tuple[Address, ...] = ()) -> Rule:
    """The rule of an `Approval`, or of none where a declared name is not enough."""
    if approval is None:
        return Rule(identified=identified, no_holds=no_holds)
    return Rule(
        k=approval.k,
        of=None if callable(approval.of) else approval.of or (),
        also=approval.also,
        requester=any(not isinstance(each, str) for each in approval.exclude),
        gates=gates,
        comment=approval.comment or "",
        escalations=tuple(Escalation(micros(each.after), each.to, each.k, each.instead) for each in approval.escalate),
        via=None if approval.via is None else tuple(sorted(approval.via)),
        identified=identified,
        delegates=approval.delegate,
        no_holds=no_holds,
    )


def micros(seconds: float) -> Micros:
    """A length of time in whole microseconds, at least one."""
    return max(1, round(seconds * SECOND))


def earlier(program: Program, at: Address, name: str) -> Address:
    """The address of the earlier gate that an approval at `at` names. Raises `UnsupportedSetting`, which says what is wrong with it."""
    node = program.nodes[at]
    where, setting = f"{node.name!r}", f"exclude={name!r} of an Approval"
    found = [each for each in program.named.get(name, ()) if each not in (ROOT, at)]
    if not found:
        gates = sorted({each.name for each in program.nodes.values() if each.at not in (ROOT, at) and asks_first(program, each.at)})
        raise UnsupportedSetting(where, setting, f"there is no earlier gate of that name.{suggest(name, gates)}".rstrip("."))
    if len(found) > 1:
        raise UnsupportedSetting(where, setting, f"{len(found)} components have that name; give the earlier gate a name of its own")
    gate = found[0]
    if not asks_first(program, gate):
        why = "it is not certain that this component asks a person; set requires_confirmation=True there"
        raise UnsupportedSetting(where, setting, why)
    outer = {each.at for each in program.ancestors(at)} | {at}
    if any(KINDS[each.kind].holds == "iterations" and each.at not in outer for each in program.ancestors(gate)):
        raise UnsupportedSetting(where, setting, "it is asked in each turn of a Loop that has ended; name a gate outside it")
    if not passes(program, at, gate):
        raise UnsupportedSetting(
            where, setting, "not every way to this component passes it; name a gate that is always asked before"
        )
    return gate


def asks_first(program: Program, at: Address) -> bool:
    """Whether a component certainly puts a question of its own."""
    return any(program.nodes[at].facts & certain for certain, *_ in GATES.values())


@define
class Passing(Search):
    """The pass over the ways, in which the only gate is `gate_at`: every answer passes it, a no and a silence, too."""

    gate_at: Address = field(default=ROOT, kw_only=True)

    def gate(self, point: Point, way: Onward) -> int:  # noqa: ARG002  # whichever way it is
        """The bit of the gate, on each way out of a certain question of it."""
        return int(point.at == self.gate_at and point.phase in YES and question_at(self.program, point) is not None)


def passes(program: Program, at: Address, gate: Address) -> bool:
    """Whether every way to a component passes a gate."""
    search = Passing(program, BEGINNING, gate_at=gate)
    search.run()
    return all(mask for spot, mask in search.needs.items() if spot.point.at == at and spot.point.phase == w.pending)
