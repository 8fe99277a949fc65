"""Adoption: whether a run that was parked under one program may go on under another (GATE-8), as a list of what speaks against it.

| rule    | it speaks against it that                                                                                 |
|---------|-----------------------------------------------------------------------------------------------------------|
| place   | a place of the run is gone, of another kind, or a Parallel that it has entered has other branches (GATE-8b) |
| gate    | a gate that is ahead is not at its address in the new program                                              |
| behind  | a step that is ahead stands behind fewer gates                                                             |
| weaker  | a gate, or what an error or a death leads to, is weaker                                                     |
| twice   | a component that is over would begin again                                                                 |
| dropped | a step that was ahead is still defined, and is ahead no longer                                             |
| version | the program has a lower version, or a call that is owed has another one                                    |
| answer  | an answer that has been given would mean something else (GATE-7, GATE-7b); `answers` finds these            |

More gates, stricter gates, new steps and steps that are no longer defined speak against nothing. Nor does what a no leads to at the question
where the run stands: where that has changed, the question is put again, and the no is given to what it asks now (GATE-7).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from statecore.lifecycles import KINDS, LEAVES, TABLES
from statecore.lifecycles import words as w
from statecore.lifecycles.decisions import REJECT

from .ahead import Ahead, Gate, Round, ahead, point_of
from .evidence import means_the_same
from .owed import asks
from .program import ROOT
from .state import DECISIONS
from .ways import Point, walk, ways
from .weaker import has_gate, weakened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .program import Address, Node, Program
    from .state import Cursor, Frame, State

Rule: TypeAlias = Literal["place", "gate", "behind", "weaker", "twice", "dropped", "version", "answer"]
CALLED = {
    "confirmation": "gate",
    "user_input": "form",
    "route": "route",
    "output_review": "output review",
    "iteration_review": "iteration review",
}
"""A gate by the kind of its question, in words."""
AFTER_FAILURE = frozenset({w.errored_paused, w.failed})
"""The phases in which a call has failed that may be made again."""
NO_AT = {w.awaiting_review: "a no at the review"}
"""The name of a no in a comparison, by the phase of the question; in every other phase it is that at the gate."""


class Difference(NamedTuple):
    """One thing that speaks against it: the rule, the address that it is about, and the sentence. `firm`: no order overrules it."""

    rule: Rule
    at: Address
    says: str
    firm: bool = False

    def __str__(self) -> str:
        """The sentence."""
        return self.says


def differences(old: Program, new: Program, state: State) -> list[Difference]:
    """Why a run in this state, which follows `old`, may not go on under `new`; empty where it may."""
    if old.fingerprint == new.fingerprint:
        return []
    gone = list(dict.fromkeys(places(old, new, state)))
    if gone:  # there is no place from which the rest could be seen
        return gone
    was = ahead(old, state)
    again = asked_again(old, new, state, was)
    now = ahead(new, state, again)
    found = [
        *dropped_gates(old, new, was),
        *barer_steps(old, new, was, now),
        *weaker_parts(old, new, was, state, again),
        *repeated_parts(old, new, was, now),
        *dropped_steps(old, new, was, now),
        *other_versions(old, new, state),
    ]
    return list(dict.fromkeys(found))


def asked_again(old: Program, new: Program, state: State, was: Ahead) -> frozenset[Point]:
    """The open questions that no other round asks, and whose no leads to something else in the new program: they are put again."""
    open_asks = [
        (ask, point_of(cursor))
        for cursor in state.cursors
        for ask in asks(old, state)
        if (ask.at, ask.turn) == (cursor.at, cursor.turn)
    ]
    return frozenset(
        point
        for ask, point in open_asks
        if REJECT.word in DECISIONS[ask.kind]
        and was.reached.get(ask.at) == {None}
        and not means_the_same(old, new, ask.at, ask.kind, REJECT.word)
    )


def new_gates(old: Program, new: Program, state: State) -> list[Gate]:
    """The gates that a run which goes on under `new` may be asked in addition."""
    if old.fingerprint == new.fingerprint or list(places(old, new, state)):
        return []
    was, now = ahead(old, state), ahead(new, state)
    return [gate for key, gate in now.gates.items() if key not in was.gates and has_gate(new.nodes[gate.at], gate.kind)]


# -- GATE-8b: places ---------------------------------------------------------------------------------------------------------------


def places(old: Program, new: Program, state: State) -> Iterator[Difference]:
    """The places where a run stands that are not there, or not the same: its cursors, what is around them, what its frames remember."""
    for at in [
        *(cursor.at for cursor in state.cursors),
        *(at for each in state.endings for at in (each.unit, each.at) if at != ROOT),
    ]:
        yield from same_way(old, new, at)
    for cursor in state.cursors:
        if cursor.at in new.nodes and new.nodes[cursor.at].kind == old.nodes[cursor.at].kind:
            yield from same_calls(old, new, cursor)
    for frame in state.frames:
        yield from same_way(old, new, frame.at)
        if frame.at in old.nodes and frame.at in new.nodes and new.nodes[frame.at].kind == old.nodes[frame.at].kind:
            yield from same_frame(old, new, frame)


def same_way(old: Program, new: Program, at: Address) -> Iterator[Difference]:
    """A place, and each component around it, from the outside in."""
    was = [old.nodes[at], *old.ancestors(at)] if at in old.nodes else []
    for node in reversed(was):
        other = new.nodes.get(node.at)
        if other is None:
            yield Difference("place", node.at, f"{node.at!r}, where the run stands, is gone", firm=True)
        elif (node.kind, node.machine) != (other.kind, other.machine):
            yield Difference("place", node.at, f"{node.at!r} was a {node.kind} and is now a {other.kind}", firm=True)
        elif (node.parent, node.depth) != (other.parent, other.depth):
            yield Difference("place", node.at, f"{node.at!r} is now inside other components", firm=True)
    if not was:
        yield Difference("place", at, f"{at!r}, where the run stands, is gone", firm=True)


def same_calls(old: Program, new: Program, cursor: Cursor) -> Iterator[Difference]:
    """The call that is owed at a place, or made again after a failure, where the new program never makes it: a person decides there by now."""
    at, stands, calls = (
        cursor.at,
        point_of(cursor),
        [phase for phase, owed in TABLES[old.nodes[cursor.at].machine].owes.items() if owed == "call"],
    )
    ahead_of_it = (
        [stands] if cursor.phase in calls else [way.to for way in ways(old, stands)] if cursor.phase in AFTER_FAILURE else []
    )
    known, todo = set[Point](), [Point(at, w.pending), Point(at, w.running)]
    while todo:
        point = todo.pop()
        if point.at == at and point not in known:
            known.add(point)
            todo += [way.to for way in ways(new, point)]
    for point in ahead_of_it:
        if point.at == at and point.phase in calls and point not in known:
            yield Difference("place", at, f"{at!r}, where the run stands, makes that call no more ({point.phase})", firm=True)


def same_frame(old: Program, new: Program, frame: Frame) -> Iterator[Difference]:
    """The branches of an entered Parallel, and the choices that an entered Router has still to run."""
    was, now = old.nodes[frame.at], new.nodes[frame.at]
    if KINDS[was.kind].holds == "branches":
        for name in [name for name in {**was.exits, **now.exits} if was.exits.get(name) != now.exits.get(name)]:
            change = "has lost" if name in was.exits else "has a new"
            yield Difference("place", frame.at, f"{frame.at!r}, which the run has entered, {change} branch {name!r}", firm=True)
    for at in frame.rest:
        if at not in now.exits.values():
            yield Difference("place", frame.at, f"choice {at!r} of {frame.at!r}, which is still to run, is gone", firm=True)


# -- GATE-8 (a), (b): gates ----------------------------------------------------------------------------------------------------------


def dropped_gates(old: Program, new: Program, was: Ahead) -> Iterator[Difference]:
    """The gates ahead that are not at their address in the new program."""
    for gate in was.gates.values():
        node = new.nodes.get(gate.at)
        if has_gate(old.nodes[gate.at], gate.kind) and (node is None or not has_gate(node, gate.kind)):
            yield Difference("gate", gate.at, f"it would drop the {CALLED[gate.kind]} of {gate.name!r}")


def barer_steps(old: Program, new: Program, was: Ahead, now: Ahead) -> Iterator[Difference]:
    """The components ahead in both that stand behind fewer gates in the new program. One at a new address takes the gates of all of its name."""
    named: dict[str, frozenset[Gate]] = {}
    for (at, _), before in was.begins.items():
        name = old.nodes[at].name
        named[name] = named.get(name, frozenset()) | before
    for (at, turn), after in now.begins.items():
        name = new.nodes[at].name
        wanted = gates_before(was, at, turn) if at in was.reached else named.get(name, frozenset())
        still = {(gate.name, gate.kind) for gate in after}
        for gate in sorted(each for each in wanted if (each.name, each.kind) not in still):
            yield Difference("behind", at, f"{name!r} would no longer stand behind the {CALLED[gate.kind]} of {gate.name!r}")


def gates_before(was: Ahead, at: Address, turn: Round) -> frozenset[Gate]:
    """The gates before an occurrence: in this round, or in any where it is not reached in this one."""
    if (at, turn) in was.begins:
        return was.begins[at, turn]
    return frozenset(gate for (each, _), before in was.begins.items() if each == at for gate in before)


def weaker_parts(old: Program, new: Program, was: Ahead, state: State, again: frozenset[Point]) -> Iterator[Difference]:
    """Components ahead that ask less, or let more happen by themselves, than before; but for a no at a question that is put again."""
    informed = {(point.at, NO_AT.get(point.phase, "a no at the gate")) for point in again}
    due = frozenset(cursor.at for cursor in state.cursors if cursor.marks.due is not None)
    for at in was.reached:
        if at in new.nodes and new.nodes[at].machine == old.nodes[at].machine:
            for says in weakened(old.nodes[at], new.nodes[at], has_deadline=at in due):
                if (at, says) not in informed:
                    yield Difference("weaker", at, f"{says} of {old.nodes[at].name!r} would be weaker")


# -- GATE-8 (c), (d): what has been passed ------------------------------------------------------------------------------------------


def steps_of(program: Program) -> list[Node]:
    """The leaves that call user code."""
    return [node for node in program.nodes.values() if node.kind in LEAVES]


def repeated_parts(old: Program, new: Program, was: Ahead, now: Ahead) -> Iterator[Difference]:
    """Components that the run has passed in this turn, and that would begin in it. A gate would be asked twice: that is firm."""
    passed: dict[str, list[Address]] = {}
    possible = {point.at for point in walk(old, [Point(old.first, w.pending)], lambda _: False)}
    for node in old.nodes.values():
        if node.at in possible and None not in was.reached.get(node.at, ()):
            passed.setdefault(node.name, []).append(node.at)
    for node in new.nodes.values():
        for turn in now.entered.get(node.at, ()):
            known = turn in was.reached.get(node.at, ())
            before = [at for at in passed.get(node.name, ()) if turn is None or turn not in old.nodes or not old.within(at, turn)]
            if before and not known:
                asks_twice = node.at in before and any(
                    has_gate(old.nodes[node.at], kind) and has_gate(node, kind) for kind in CALLED
                )
                yield Difference("twice", node.at, f"it would begin {node.name!r}, which the run has passed", firm=asks_twice)
                break


def dropped_steps(old: Program, new: Program, was: Ahead, now: Ahead) -> Iterator[Difference]:
    """Steps that were ahead, are still defined, and are ahead no longer: in this turn, or at all."""
    defined = {node.name for node in steps_of(new)}
    for node in steps_of(old):
        rounds = was.reached.get(node.at, set())
        if not rounds or node.name not in defined:
            continue
        held = [at for at in new.named[node.name] if new.nodes[at].kind in LEAVES]
        same = [at for at in held if at == node.at]
        still = set[Round]().union(*[now.reached.get(at, set()) for at in same or held])
        if not still or (None in rounds and None not in still):
            yield Difference("dropped", node.at, f"it would leave out {node.name!r}, which is still ahead")


# -- versions ----------------------------------------------------------------------------------------------------------------------


def other_versions(old: Program, new: Program, state: State) -> Iterator[Difference]:
    """A lower version of the workflow, and another version of a step whose call is owed."""
    if (new.version or 0) < (old.version or 0):
        yield Difference("version", ROOT, f"it is version {new.version or 0}, and the run follows version {old.version}")
    for cursor in state.cursors:
        was, now = old.nodes[cursor.at], new.nodes[cursor.at]
        owes = TABLES[was.machine].owes.get(cursor.phase) in ("call", "timer") or cursor.phase == w.failed
        if owes and (was.version or 0) != (now.version or 0):
            yield other_call(was, now)


def other_call(was: Node, now: Node) -> Difference:
    """A call that is owed by one version of a component and would be made by another one."""
    says = f"the call of {was.name!r} was begun by its version {was.version or 0}, and this is version {now.version or 0}"
    return Difference("version", was.at, says)
