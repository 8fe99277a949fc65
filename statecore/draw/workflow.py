"""A compiled program becomes a picture of the user's workflow: its calls, its gates, and where every answer leads.

No kind of component is drawn by hand. Each walks its own lifecycle table under the facts that hold at its address: a phase in which the
world owes something is a box, a row that holds there is an arrow, and the arrow is followed through `exits`, `next` and `parent` to the
next box, as the reducer does. What a call's failure or a deadline leads to is written in its box; only where a failure leads elsewhere is
there an arrow. Any step may stop its workflow, and a run can be cancelled anywhere; that is not drawn.
"""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING

from attrs import define, evolve, field

from statecore.core import ROOT
from statecore.core import Node as Component
from statecore.core.owed import ASKS
from statecore.lifecycles import TABLES, allowed, fire
from statecore.lifecycles import words as w

from .picture import Cluster, Edge, Node, Picture, happily, ident, shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from statecore.core import Address, Program, State
    from statecore.lifecycles import Table

FAULTS = (w.fail, w.interrupt)
EVERYWHERE = frozenset({*FAULTS, w.expire, w.stop, w.cancel, w.leave, w.resume})
"""Triggers that are no choice of the way: faults and deadlines are written in the box, the others can come anywhere."""

# what the reader calls a trigger, a phase that is reached, a kind of component; any other is called by its own name
SAID = {w.succeed: "", w.finish: "", w.hold: "true", w.refute: "false", w.fail: "error"}
BECOMES = {w.failed: "fail", w.skipped: "skip", w.cancelled: "cancel", w.completed: "go on"}
CALLED = {
    "condition": "Condition",
    "steps": "Steps",
    "workflow": "Workflow",
    "loop": "Loop",
    "router": "Router",
    "parallel": "Parallel",
}
CHOOSING = {w.select, w.choose}

BEGIN, END = f"run___{w.pending}", f"run___{w.completed}"
CANCELLED = f"run___{w.cancelled}"
NAME, MESSAGE_WIDTH, MESSAGE_LINES = 40, 38, 3


def draw_workflow(program: Program, state: State | None = None, past: Mapping[Address, str] | None = None) -> Picture:
    """The picture of a workflow; with `state` what a run waits for is marked `now`, with `past` what became of a component."""
    sketch = Sketch(program)
    sketch.edges.extend(Edge(BEGIN, target) for target in sketch.beginning())
    for component in program.nodes.values():
        if component.at != ROOT:
            sketch.component(component)
    used = {edge.target for edge in sketch.edges}
    ends = [Node(END, (w.completed,), "final", marks=("goal",))]
    if CANCELLED in used or (state is not None and state.run == w.cancelled):
        ends.append(Node(CANCELLED, (w.cancelled,), "final"))
    nodes = (Node(BEGIN, ("start",), "initial"), *sketch.nodes, *ends)
    edges = happily(sketch.edges, BEGIN, END)
    picture = Picture(ident(program.name), f"Workflow: {shown(program.name, NAME)}", nodes, edges, tuple(sketch.clusters))
    return lit(picture, marks(sketch, state, past or {}))


@define
class Sketch:
    """The picture in the making."""

    program: Program
    nodes: list[Node] = field(factory=list)
    edges: list[Edge] = field(factory=list)
    clusters: list[Cluster] = field(factory=list)
    boxes: dict[Address, list[str]] = field(factory=dict)

    # -- boxes -----------------------------------------------------------------------------------------------------------------

    def component(self, node: Component) -> None:
        """Draw one component: its frame where it holds others, and a box for each phase that owes something."""
        if node.exits:
            self.clusters.append(Cluster(place(node.at), (title(node),), node.kind, parent=self.frame_of(node.parent)))
        frame = place(node.at) if node.exits else self.frame_of(node.parent)
        if self.hollow(node):
            self.nodes.append(Node(box(node, w.running), (f"{called(node)} (empty)",), "rests", frame))
            self.arrows(node, w.running, w.finish, self.over(node))
        for phase in self.phases(node):
            self.boxes.setdefault(node.at, []).append(box(node, phase))
            self.nodes.append(self.drawn(node, phase, frame))
            for trigger in choices(node, phase):
                self.arrows(node, phase, trigger, self.ways(node, phase, trigger))
            self.fault_arrows(node, phase)

    def drawn(self, node: Component, phase: str, frame: str | None) -> Node:
        """The box of a component in one phase."""
        if table(node).owes[phase] == "ask":
            return Node(
                box(node, phase),
                (f"{called(node)}?", phase.replace("_", " "), *message(node, phase), *deadline(node, phase)),
                "asks",
                frame,
            )
        faults = tuple(fault(self.program, node, phase, trigger) for trigger in FAULTS if trigger in triggers(node, phase))
        pauses = any(asks(node, fire(node.machine, phase, t, facts_of(node))) for t in FAULTS if t in triggers(node, phase))
        name, faults = called(node), (*again(node, phase), *faults)
        kind = "forks" if len(choices(node, phase)) > 1 else "calls"
        return Node(box(node, phase), (name, *faults), kind, frame, ("pauses",) if pauses else ())

    def phases(self, node: Component) -> tuple[str, ...]:
        """The phases of a component that owe something and are met without a fault, in the order in which a run meets them."""
        met, rest = [table(node).initial], [table(node).initial]
        while rest:
            phase = rest.pop()
            reached = [fire(node.machine, phase, trigger, facts_of(node)) for trigger in choices(node, phase)]
            fresh = [dest for dest in dict.fromkeys(reached) if dest not in met]
            met += fresh
            rest += fresh
        return tuple(phase for phase in met if phase in table(node).owes)

    def hollow(self, node: Component) -> bool:
        """Whether a component holds nothing and owes nothing, so that it would not be seen."""
        return not self.phases(node) and node.exits.get(w.enter) == node.at

    def frame_of(self, at: Address) -> str | None:
        """The frame of what stands in a component."""
        return None if at == ROOT else place(at)

    # -- arrows ----------------------------------------------------------------------------------------------------------------

    def arrows(self, node: Component, phase: str, trigger: str, targets: tuple[str, ...]) -> None:
        """Draw where a trigger leads."""
        if trigger in CHOOSING:
            for name, at in node.exits.items():
                says = f"{trigger} {shown(name, NAME // 2)}"
                self.edges.extend(Edge(box(node, phase), target, (says,)) for target in self.entry(at))
            return
        says = SAID.get(trigger, trigger)
        if says and fire(node.machine, phase, trigger, facts_of(node)) == w.skipped:
            says = f"{says}: skipped"
        self.edges.extend(Edge(box(node, phase), target, (says,)) for target in targets)

    def fault_arrows(self, node: Component, phase: str) -> None:
        """Draw where a fault that is skipped leads, unless it leads where success does."""
        unit = self.program.nodes[node.leaves]
        if unit is node or not any(skips(node, phase, trigger) for trigger in FAULTS):
            return
        here, elsewhere = self.beyond(node), self.beyond(unit)
        self.edges.extend(Edge(box(node, phase), target, ("error: skip",), "fault") for target in elsewhere if target not in here)

    def beginning(self) -> tuple[str, ...]:
        """Where a run begins."""
        return self.entry(self.program.first) if self.program.first != ROOT else (END,)

    def entry(self, at: Address) -> tuple[str, ...]:
        """The boxes in which a component begins."""
        node = self.program.nodes[at]
        return (box(node, w.running),) if self.hollow(node) else self.ways(node, table(node).initial, w.enter)

    def ways(self, node: Component, phase: str, trigger: str) -> tuple[str, ...]:
        """The boxes to which a row leads: a box of its own, into the component, or out of it."""
        dest = fire(node.machine, phase, trigger, facts_of(node))
        if dest in table(node).owes:
            return (box(node, dest),)
        if dest == w.cancelled:
            return (CANCELLED,)
        if dest == w.running and node.kind in ENTERED:
            return tuple(dict.fromkeys(ENTERED[node.kind](self, node, phase)))
        first = node.exits.get(trigger) if dest == w.running else None
        if first is None:
            return self.beyond(node)
        return self.over(node) if first == node.at else self.entry(first)

    def branches(self, node: Component, _phase: str) -> tuple[str, ...]:
        """The boxes in which the branches of a Parallel, or the choices of a Router, begin."""
        return tuple(box for at in node.exits.values() for box in self.entry(at))

    def rounds(self, node: Component, phase: str) -> tuple[str, ...]:
        """The boxes of a Loop's first component; and what is after it, where an iteration may have been the last."""
        again = self.entry(node.exits[w.enter])
        return (*again, *self.beyond(node)) if phase == w.running else again

    def beyond(self, node: Component) -> tuple[str, ...]:
        """The boxes after a component: those of the next one, or what follows when its parent's last child is over."""
        if node.next != node.parent:
            return self.entry(node.next)
        return (END,) if node.parent == ROOT else self.over(self.program.nodes[node.parent])

    def over(self, node: Component) -> tuple[str, ...]:
        """The boxes to which a component leads when what is inside it is over."""
        found = [target for trigger in choices(node, w.running) for target in self.ways(node, w.running, trigger)]
        return tuple(dict.fromkeys(found))


ENTERED = {"parallel": Sketch.branches, "router": Sketch.branches, "loop": Sketch.rounds}


# -- what a component is, by its table and its facts -------------------------------------------------------------------------------


def table(node: Component) -> Table:
    """The lifecycle of a component."""
    return TABLES[node.machine]


def facts_of(node: Component) -> frozenset[str]:
    """The guards that hold at a component as long as no limit is reached."""
    if node.machine == "router" and w.review_retries in node.facts:
        return node.facts | {w.person_rechooses if w.person_chooses in node.facts else w.selector_rechooses}
    return node.facts


def triggers(node: Component, phase: str) -> tuple[str, ...]:
    """The triggers for which a row holds here."""
    return allowed(node.machine, phase, facts_of(node))


def choices(node: Component, phase: str) -> tuple[str, ...]:
    """The triggers that choose the way."""
    return tuple(trigger for trigger in triggers(node, phase) if trigger not in EVERYWHERE)


def asks(node: Component, phase: str) -> bool:
    """Whether a person owes an answer in a phase."""
    return table(node).owes.get(phase) == "ask"


def skips(node: Component, phase: str, trigger: str) -> bool:
    """Whether a fault can end in a skip, at once or by a person's word."""
    if trigger not in triggers(node, phase):
        return False
    dest = fire(node.machine, phase, trigger, facts_of(node))
    return dest == w.skipped or (asks(node, dest) and w.skip in triggers(node, dest))


def fault(program: Program, node: Component, phase: str, trigger: str) -> str:
    """What a fault leads to, in words: `error → pause: retry, skip`."""
    dest = fire(node.machine, phase, trigger, facts_of(node))
    if dest == phase:
        becomes = w.retry
    elif asks(node, dest):
        becomes = f"pause: {', '.join(answer for answer in triggers(node, dest) if answer not in EVERYWHERE)}"
    else:
        becomes = BECOMES.get(dest, dest)
    left = f" (leaves {shown(program.nodes[node.leaves].name, NAME // 2)})" if node.leaves != node.at else ""
    return f"{SAID.get(trigger, trigger)} → {becomes}{left if skips(node, phase, trigger) else ''}"


def message(node: Component, phase: str) -> tuple[str, ...]:
    """The sentence that a person is shown, in lines short enough for a box."""
    kind = "iteration_review" if (node.machine, phase) == ("loop", w.awaiting_review) else ASKS[phase]
    sentence = node.asks.get(kind)
    if not sentence:
        return ()
    return tuple(wrap(f"“{shown(sentence, MESSAGE_WIDTH * MESSAGE_LINES)}”", MESSAGE_WIDTH, break_on_hyphens=False))


def deadline(node: Component, phase: str) -> tuple[str, ...]:
    """What silence leads to: `timeout 60 s → skip`; and how often a review may be rejected."""
    lines = []
    if node.limits.timeout is not None and w.expire in triggers(node, phase):
        dest = fire(node.machine, phase, w.expire, facts_of(node))
        lines.append(f"timeout {node.limits.timeout / 1_000_000:g} s → {BECOMES.get(dest, 'go on')}")
    if phase == w.awaiting_review and w.review_retries in node.facts and node.machine != "loop":
        lines.append(f"reject → again, at most {node.limits.reviews} times")
    return tuple(lines)


def again(node: Component, phase: str) -> tuple[str, ...]:
    """How often a call is tried again by itself."""
    return (f"error → again, at most {node.limits.retries} times",) if phase == w.running and node.limits.retries else ()


def called(node: Component) -> str:
    """The name of a component, so that it can be seen."""
    return shown(node.name, NAME) or "(blank)"


def title(node: Component) -> str:
    """The heading of a frame."""
    limit = f", at most {node.limits.iterations} times" if node.kind == "loop" else ""
    return f"{CALLED.get(node.kind, node.kind)}: {called(node)}{limit}"


def place(at: Address) -> str:
    """The id of an address: its parts, joined by two underscores."""
    return "__".join(map(ident, at.split("/")))


def box(node: Component, phase: str) -> str:
    """The id of a box: the component's own for a call of a leaf, else with the phase behind it."""
    return place(node.at) if table(node).owes.get(phase) == "call" and not node.exits else f"{place(node.at)}___{phase}"


# -- a run on the picture of its workflow ------------------------------------------------------------------------------------------


def marks(sketch: Sketch, state: State | None, past: Mapping[Address, str]) -> dict[str, tuple[str, ...]]:
    """The marks of a run, by the id of what bears them."""
    found: dict[str, tuple[str, ...]] = {}
    for at, status in past.items():
        for bearer in (place(at), *sketch.boxes.get(at, ())):
            found[bearer] = ("past", f"past-{ident(status.lower())}")
    for cursor in state.cursors if state else ():
        node = sketch.program.nodes[cursor.at]
        boxes = sketch.boxes.get(cursor.at, [place(cursor.at)])
        there = box(node, cursor.phase)
        waits = {"ask": "waits", "call": "runs"}.get(table(node).owes.get(cursor.phase, ""), f"past-{cursor.phase}")
        found[there if there in boxes else boxes[-1]] = ("now", waits)
    ends = {w.pending: BEGIN, w.completed: END, w.cancelled: CANCELLED}
    if state is not None and state.run in ends:
        found[ends[state.run]] = ("now",)
    return found


def lit(picture: Picture, found: Mapping[str, tuple[str, ...]]) -> Picture:
    """The picture with marks added to what bears them."""
    return evolve(
        picture,
        nodes=tuple(evolve(node, marks=(*node.marks, *found.get(node.id, ()))) for node in picture.nodes),
        clusters=tuple(evolve(frame, marks=(*frame.marks, *found.get(frame.id, ()))) for frame in picture.clusters),
    )
