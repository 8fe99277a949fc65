"""Pictures out of tables: `draw_lifecycle` of one lifecycle, `draw_workflow` of a compiled workflow, with or without a run on it.

A lifecycle has a box for each state and a line on an arrow for each row. A crowded table is not read as one graph: there each state
has its ends beside it, except for the goal, which is drawn once; claims and the rows of `cancel` stand in the table alone.

A workflow is its calls, its gates, and the place where each answer leads. No kind of component is drawn by hand. Each walks its own
table under the facts at its address: a phase in which the world owes something is a box, a row that holds is an arrow, and the
arrow is followed through `exits`, `next` and `parent`, as the reducer does. A failure or a deadline is written in its box, and has
an arrow only where it leads elsewhere. A Parallel has two more boxes, where its branches part and meet. Any step may stop its
workflow, and a run can be cancelled anywhere; that is not drawn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from attrs import define, evolve, field

from statecore.core import ROOT
from statecore.core import Node as Component
from statecore.lifecycles import words as w

from .boxes import (
    FAULTS,
    NAME,
    OVER,
    after,
    asks,
    before,
    box,
    called,
    choices,
    holds,
    leads,
    pauses,
    place,
    said,
    skips,
    table,
    times,
    title,
    written,
)
from .boxes import WAITS as WAITS_FOR
from .picture import Arrow, Box, Cluster, Picture, happily, ident, shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from statecore.core import Address, Program, State
    from statecore.lifecycles import Row, Table

    from .boxes import Past

OWED_KIND = {"ask": "asks", "call": "calls", "timer": "delays"}
CROWDED = 20
"""A table with more rows than this is crowded."""
CHOOSING = {w.select, w.choose}
BEGIN, END = f"run___{w.pending}", f"run___{w.completed}"
CANCELLED = f"run___{w.cancelled}"
WAITS = {"ask": "waits", "call": "runs", "timer": "sleeps"}


def draw_lifecycle(table: Table) -> Picture:
    """The picture of a table. Rows between the same two states share an arrow, on which each has its line."""
    goal = w.completed if w.completed in table.final else next((s for s in table.states if s in table.final), "")
    labels: dict[tuple[str, str], list[str]] = {}
    for row in drawn(table):
        labels.setdefault((row.source, row.dest), []).append(label(row, claim=not crowded(table)))
    aside = table.final - {goal} if crowded(table) else frozenset()
    nodes = [
        Box(ident(state), (state,), kind_of(table, state), marks=("goal",) if state == goal else ())
        for state in table.states
        if state not in aside
    ]
    nodes += [Box(beside(source, dest), (dest,), "final") for source, dest in labels if dest in aside]
    edges = [
        Arrow(ident(source), beside(source, dest) if dest in aside else ident(dest), lines)
        for (source, dest), lines in labels.items()
    ]
    title = f"Lifecycle: {table.title or table.name}"
    return Picture(ident(table.name), title, tuple(nodes), happily(edges, ident(table.initial), ident(goal)))


def crowded(table: Table) -> bool:
    """Whether a table has too many rows to draw them all."""
    return len(table.rows) > CROWDED


def drawn(table: Table) -> tuple[Row, ...]:
    """The rows that are in the picture."""
    return tuple(row for row in table.rows if not (crowded(table) and row.on == w.cancel))


def beside(source: str, end: str) -> str:
    """The id of an end that is drawn beside one state."""
    return f"{ident(source)}___{ident(end)}"


def label(row: Row, *, claim: bool) -> str:
    """The text of a row on its arrow: the trigger, the guard, and the claim that wants it."""
    guard = "" if row.when == w.always else f" [{row.when}]"
    return f"{row.on}{guard} · {row.claim}" if claim else f"{row.on}{guard}"


def kind_of(table: Table, state: str) -> str:
    """The kind of a state for a reader; an end says more than a debt, and a debt more than a beginning."""
    if state in table.final:
        return "final"
    if state == w.failed:
        return "failed"
    if state in table.owes:
        return OWED_KIND[table.owes[state]]
    return "initial" if state == table.initial else "rests"


# -- workflows ---------------------------------------------------------------------------------------------------------------------


class Way(NamedTuple):
    """Where an arrow leads, and what is written on it besides the answer."""

    to: str
    says: str = ""


def draw_workflow(program: Program, state: State | None = None, past: Mapping[Address, Past] | None = None) -> Picture:
    """The picture of a workflow; with `state` what a run waits for is marked `now`, with `past` what became of each component is told."""
    sketch = Sketch(program)
    sketch.draw()
    used = {edge.target for edge in sketch.edges}
    ends = [Box(END, (w.completed,), "final", marks=("goal",))]
    if CANCELLED in used or (state is not None and state.run == w.cancelled):
        ends.append(Box(CANCELLED, (w.cancelled,), "final"))
    nodes = (Box(BEGIN, ("start",), "initial"), *sketch.nodes, *ends)
    edges = happily(sketch.edges, BEGIN, END)
    picture = Picture(ident(program.name), f"Workflow: {shown(program.name, NAME)}", nodes, edges, tuple(sketch.clusters))
    return lit(picture, marks(sketch, state, past or {}), told(sketch, state, past or {}))


@define
class Sketch:
    """The picture in the making. `open` are the components whose children are being drawn, outermost first."""

    program: Program
    nodes: list[Box] = field(factory=list)
    edges: list[Arrow] = field(factory=list)
    clusters: list[Cluster] = field(factory=list)
    boxes: dict[Address, list[str]] = field(factory=dict)
    open: list[Component] = field(factory=list)

    # -- boxes -----------------------------------------------------------------------------------------------------------------

    def draw(self) -> None:
        """Draw every component: what comes before its children, they, and what comes after them."""
        first = self.entry(self.program.first) if self.program.first != ROOT else (Way(END),)
        self.join(BEGIN, first)
        for node in self.program.nodes.values():
            if node.at != ROOT:
                self.close(node.parent)
                self.begin(node)
        self.close(ROOT)

    def begin(self, node: Component) -> None:
        """Draw a component's frame, where it holds others, and the boxes that come before these."""
        if node.exits:
            self.clusters.append(Cluster(place(node.at), (title(node),), node.kind, parent=self.frame_of(node.parent)))
            self.open.append(node)
        for phase in before(node):
            self.phase(node, phase)
        if self.hollow(node):
            self.rest(node, w.running, f"{called(node)} (empty)")
            self.join(box(node, w.running), self.over(node))
        elif holds(node) == "branches":
            limit = node.limits.concurrency
            self.rest(node, w.running, f"{called(node)}: side by side", f"at most {limit} at once" if limit else "")
            self.join(box(node, w.running), tuple(way for at in node.exits.values() for way in self.entry(at)))

    def close(self, parent: Address) -> None:
        """Draw what comes after the children of all open components but those around `parent`."""
        while self.open and not (self.open[-1].at == parent or self.program.within(parent, self.open[-1].at)):
            node = self.open.pop()
            for phase in after(node):
                self.phase(node, phase)
            if holds(node) == "branches":
                self.rest(node, w.finish, f"{called(node)}: all are over")
                self.join(box(node, w.finish), self.over(node))

    def phase(self, node: Component, phase: str) -> None:
        """Draw the box of a component in one phase, and the arrows out of it."""
        owes = table(node).owes[phase]
        kind = "asks" if owes == "ask" else "forks" if len(choices(node, phase)) > 1 else "calls"
        stands_out = ("pauses",) if pauses(node, phase) else ()
        self.add(node, Box(box(node, phase), written(self.program, node, phase), kind, self.frame(node), stands_out))
        for trigger in choices(node, phase):
            self.arrows(node, phase, trigger)
        self.fault_arrows(node, phase)

    def rest(self, node: Component, phase: str, *lines: str) -> None:
        """Draw a box in which nothing is owed."""
        self.add(node, Box(box(node, phase), lines, "rests", self.frame(node)))

    def add(self, node: Component, drawn: Box) -> None:
        """Put a box down, and remember whose it is."""
        self.boxes.setdefault(node.at, []).append(drawn.id)
        self.nodes.append(drawn)

    def hollow(self, node: Component) -> bool:
        """Whether a component holds nothing and owes nothing, so that it would not be seen."""
        return not before(node) and node.exits.get(w.enter) == node.at

    def frame(self, node: Component) -> str | None:
        """The frame in which a component's boxes stand: its own, where it holds others."""
        return place(node.at) if node.exits else self.frame_of(node.parent)

    def frame_of(self, at: Address) -> str | None:
        """The frame of what stands in a component."""
        return None if at == ROOT else place(at)

    # -- arrows ----------------------------------------------------------------------------------------------------------------

    def join(self, source: str, ways: tuple[Way, ...], says: str = "", kind: str = "way") -> None:
        """Draw an arrow to each place."""
        self.edges.extend(Arrow(source, way.to, (says, way.says), kind) for way in ways)

    def arrows(self, node: Component, phase: str, trigger: str) -> None:
        """Draw where a trigger leads."""
        if trigger in CHOOSING:
            for name, at in node.exits.items():
                self.join(box(node, phase), self.entry(at), f"{trigger} {shown(name, NAME // 2)}")
        else:
            self.join(box(node, phase), self.ways(node, phase, trigger), said(node, phase, trigger))

    def fault_arrows(self, node: Component, phase: str) -> None:
        """Draw where a fault that is skipped leads, unless it leads where success does."""
        unit = self.program.nodes[node.leaves]
        if unit is node or not any(skips(node, phase, trigger) for trigger in FAULTS):
            return
        here = {way.to for way in self.beyond(node)}
        self.join(box(node, phase), tuple(way for way in self.beyond(unit) if way.to not in here), "error: skip", "fault")

    def entry(self, at: Address) -> tuple[Way, ...]:
        """The boxes in which a component begins."""
        node = self.program.nodes[at]
        return (Way(box(node, w.running)),) if self.hollow(node) else self.ways(node, table(node).initial, w.enter)

    def ways(self, node: Component, phase: str, trigger: str) -> tuple[Way, ...]:
        """The boxes to which a row leads: a box of its own, into the component, or out of it."""
        dest = leads(node, phase, trigger)
        if dest in table(node).owes or (dest == w.running and holds(node) == "branches"):
            return (Way(box(node, dest)),)
        if dest == w.cancelled:
            return (Way(CANCELLED),)
        if dest != w.running:
            return self.beyond(node)
        first = node.exits[w.enter if holds(node) == "iterations" else trigger]
        if first == node.at:
            return self.over(node)
        again = "again" if holds(node) == "iterations" and trigger == w.finish else ""
        return tuple(Way(way.to, way.says or again) for way in self.entry(first))

    def beyond(self, node: Component) -> tuple[Way, ...]:
        """The boxes after a component: those of the next one, or what follows when its parent's last child is over."""
        if node.next != node.parent:
            return self.entry(node.next)
        if node.parent == ROOT:
            return (Way(END),)
        parent = self.program.nodes[node.parent]
        return (Way(box(parent, w.finish)),) if holds(parent) == "branches" else self.over(parent)

    def over(self, node: Component) -> tuple[Way, ...]:
        """The boxes to which a component leads when what is inside it is over; a Loop's last iteration leads out of it."""
        found = [way for trigger in choices(node, w.running) for way in self.ways(node, w.running, trigger)]
        if holds(node) == "iterations" and node.limits.iterations > 1:
            found += [Way(way.to, f"after {times(node.limits.iterations)}") for way in self.beyond(node)]
        return tuple(dict.fromkeys(found))


# -- a run on the picture of its workflow ------------------------------------------------------------------------------------------


def marks(sketch: Sketch, state: State | None, past: Mapping[Address, Past]) -> dict[str, tuple[str, ...]]:
    """The marks of a run, by the id of what bears them; a branch that has not begun bears none."""
    found: dict[str, tuple[str, ...]] = {}
    for at, each in past.items():
        for bearer in (place(at), *sketch.boxes.get(at, ())) if each.phase in OVER else ():
            found[bearer] = ("past", f"past-{each.phase}")
    for cursor in state.cursors if state else ():
        node = sketch.program.nodes[cursor.at]
        if cursor.phase != table(node).initial:
            waits = WAITS.get(table(node).owes.get(cursor.phase, ""), f"past-{cursor.phase}")
            found[seat(sketch, node, cursor.phase)] = ("now", waits)
    ends = {w.pending: BEGIN, w.completed: END, w.cancelled: CANCELLED}
    if state is not None and state.run in ends:
        found[ends[state.run]] = ("now",)
    return found


def told(sketch: Sketch, state: State | None, past: Mapping[Address, Past]) -> dict[str, tuple[str, ...]]:
    """The outcomes of the components of a run, by the id of what tells it: what was decided stands at its gate, the state at the call or frame."""
    found: dict[str, tuple[str, ...]] = {}
    for at, each in past.items():
        if at == ROOT:
            found[CANCELLED] = tuple(each.said.values())
        elif at in sketch.program.nodes:
            node = sketch.program.nodes[at]
            for phase, says in each.said.items():
                found[seat(sketch, node, phase)] = (says,)
            bearer = place(at) if node.exits else seat(sketch, node, w.running)
            found[bearer] = (*each.lines(), *found.get(bearer, ()))
    for cursor in state.cursors if state else ():
        node = sketch.program.nodes[cursor.at]
        if (gate := box(node, cursor.phase)) in sketch.boxes.get(cursor.at, ()) and asks(node, cursor.phase):
            found[gate] = (past[cursor.at].waits if cursor.at in past else WAITS_FOR,)
    return found


def seat(sketch: Sketch, node: Component, phase: str) -> str:
    """The box of a phase; one that is met only after a fault has none, and is seen where the call is made again."""
    boxes = sketch.boxes.get(node.at, [place(node.at)])
    called_again = (box(node, each) for each in (w.running, w.evaluating))
    return next((each for each in (box(node, phase), *called_again) if each in boxes), boxes[-1])


def lit(picture: Picture, found: Mapping[str, tuple[str, ...]], said: Mapping[str, tuple[str, ...]]) -> Picture:
    """The picture with marks added to what bears them, and what is told of it."""
    return evolve(
        picture,
        nodes=tuple(
            evolve(node, marks=(*node.marks, *found.get(node.id, ())), told=said.get(node.id, ())) for node in picture.nodes
        ),
        clusters=tuple(
            evolve(frame, marks=(*frame.marks, *found.get(frame.id, ())), told=said.get(frame.id, ())) for frame in picture.clusters
        ),
    )
