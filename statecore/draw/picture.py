"""A picture is a graph with words on it, before any format; one table gives each kind of node its shape and colours.

Names are the user's and may hold anything: control characters, escape sequences, right-to-left overrides, a megabyte. Each line of
a picture passes `shown` and each id is made by `ident`, so that no writer can forget it; a writer only quotes its own format. A
shape says the same as a colour, in light and in dark (`LOOKS`, `LIGHT`, `DARK`).
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from hashlib import sha256

from attrs import evolve, field, frozen, validators

LONGEST = 72
"""Characters of a line, its ellipsis included."""

ELLIPSIS = "…"
UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
PLAIN = re.compile(r"[A-Za-z](?:_?[A-Za-z0-9])*")
HASHED = re.compile(r"_[0-9a-f]{12}$")
LONGEST_ID = 40

# words that mean something in DOT or Mermaid, or to every object of the JavaScript that lays Mermaid out, and so cannot be an id there
RESERVED = frozenset(
    {
        "bt",
        "call",
        "class",
        "classdef",
        "click",
        "default",
        "direction",
        "digraph",
        "edge",
        "end",
        "flowchart",
        "graph",
        "hide",
        "href",
    }
    | {"interpolate", "linkstyle", "lr", "node", "note", "rl", "scale", "state", "strict", "style", "subgraph", "tb", "td"}
    | {"constructor", "hasownproperty", "isprototypeof", "propertyisenumerable", "tolocalestring", "tostring", "valueof"}
)
BOX = ":is(polygon, path, ellipse)"


def shown(text: str, longest: int = LONGEST) -> str:
    """A text as one line that can be seen whole: no control or invisible characters, and an ellipsis where it was cut."""
    cut = text[: longest + 1]
    line = " ".join("".join(map(visible, cut)).split())
    return line if len(text) <= longest else line[: longest - 1].rstrip() + ELLIPSIS


def visible(character: str) -> str:
    """A character, or a sign in its place where it could not be seen or would steer the reader's screen."""
    if unicodedata.category(character) not in UNSEEN:
        return character
    code = ord(character)
    return chr(0x2400 + code) if code < 0x20 else "\ufffd"  # noqa: PLR2004  # the block of control pictures mirrors C0


def ident(name: str) -> str:
    """An identifier for any name that every format accepts: the name itself where it can be, else its letters and a digest.

    Never holds two underscores in a row, so that identifiers may be joined by two and no other name is hit.
    """
    plain = len(name) <= LONGEST_ID and PLAIN.fullmatch(name) and not HASHED.search(name)
    if plain and name.lower() not in RESERVED and not name.lower().endswith("direction"):
        return name
    letters = re.sub(r"[^A-Za-z0-9]+", "_", name[:LONGEST_ID]).strip("_")
    digest = sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return f"{letters}_{digest}" if letters[:1].isalpha() else f"x{letters}_{digest}"


def lines_of(lines: Iterable[str]) -> tuple[str, ...]:
    """The lines that say something, each as it can be shown."""
    return tuple(line for line in map(shown, lines) if line)


SAFE = validators.matches_re(r"[A-Za-z][A-Za-z0-9_]*")


@frozen
class Box:
    """A box. `kind` chooses its shape and colours, `marks` are further CSS classes, `cluster` is the frame around it.

    `told` is what became of it in a run; it is written below the first line.
    """

    id: str = field(validator=SAFE)
    lines: tuple[str, ...] = field(converter=lines_of)
    kind: str
    cluster: str | None = None
    marks: tuple[str, ...] = ()
    told: tuple[str, ...] = field(default=(), converter=lines_of)

    @property
    def label(self) -> tuple[str, ...]:
        """All lines, in the order in which they are read."""
        return (*self.lines[:1], *self.told, *self.lines[1:])


@frozen
class Arrow:
    """An arrow. `kind` is `happy` on the way that a reader should see first, `way` elsewhere, `fault` after an error."""

    source: str = field(validator=SAFE)
    target: str = field(validator=SAFE)
    lines: tuple[str, ...] = field(default=(), converter=lines_of)
    kind: str = "way"


@frozen
class Cluster:
    """A frame around nodes and other frames; `parent` is the frame around it, `told` what became of it in a run."""

    id: str = field(validator=SAFE)
    lines: tuple[str, ...] = field(converter=lines_of)
    kind: str
    parent: str | None = None
    marks: tuple[str, ...] = ()
    told: tuple[str, ...] = field(default=(), converter=lines_of)

    @property
    def label(self) -> tuple[str, ...]:
        """All lines, in the order in which they are read."""
        return (*self.lines, *self.told)


@frozen
class Picture:
    """A graph to draw. Its order is the order in which it is read, and in which every writer writes it."""

    name: str = field(validator=SAFE)
    title: str = field(converter=shown)
    nodes: tuple[Box, ...]
    edges: tuple[Arrow, ...]
    clusters: tuple[Cluster, ...] = ()

    def names(self) -> dict[str, str]:
        """The name of each box in a text: its first line; where others have it too, a gate's second line and the frame with it."""
        titles = {cluster.id: cluster.lines[0] for cluster in self.clusters if cluster.lines}
        found = {node.id: node.lines[0] if node.lines else node.id for node in self.nodes}
        gates = {node.id: node.lines[1] for node in self.nodes if node.kind == "asks" and len(node.lines) > 1}
        framed = {node.id: titles[node.cluster] for node in self.nodes if node.cluster in titles}
        for more in (gates, framed):
            often = Counter(found.values())
            found = {one: f"{name} ({more[one]})" if often[name] > 1 and one in more else name for one, name in found.items()}
        return found

    def within(self, cluster: str | None) -> tuple[Box, ...]:
        """The nodes that stand directly in a frame, or in none."""
        return tuple(node for node in self.nodes if node.cluster == cluster)

    def frames(self, parent: str | None) -> tuple[Cluster, ...]:
        """The frames that stand directly in a frame, or in none."""
        return tuple(cluster for cluster in self.clusters if cluster.parent == parent)


def happily(edges: Sequence[Arrow], start: str, goal: str) -> tuple[Arrow, ...]:
    """The edges, those marked `happy` that make up the first way from start to goal, preferring edges that stand first."""
    leaving: dict[str, list[int]] = {}
    for number, edge in enumerate(edges):
        leaving.setdefault(edge.source, []).append(number)
    seen, way, open_ends = {start}, list[int](), [iter(leaving.get(start, ()))]
    while open_ends and not (way and edges[way[-1]].target == goal):
        ahead = next((number for number in open_ends[-1] if edges[number].target not in seen), None)
        if ahead is None:
            open_ends.pop()
            del way[-1:]
        else:
            seen.add(edges[ahead].target)
            way.append(ahead)
            open_ends.append(iter(leaving.get(edges[ahead].target, ())))
    happy = frozenset(way)
    return tuple(evolve(edge, kind="happy") if number in happy else edge for number, edge in enumerate(edges))


# -- looks -------------------------------------------------------------------------------------------------------------------------


@frozen
class Ink:
    """The colours of one box: what fills it, and its outline."""

    fill: str
    stroke: str


@frozen
class Look:
    """How one kind of node is drawn: its shape, how thick its outline is, and its colours by light and by dark."""

    shape: str
    width: float
    light: Ink
    dark: Ink
    says: str


# fmt: off
LOOKS: dict[str, Look] = {
    #                shape      width  light                       dark                        what it says to the reader
    "initial": Look("round",    1.0,   Ink("#ffffff", "#475569"), Ink("#0f172a", "#94a3b8"), "where it begins"),
    "asks":    Look("hexagon",  2.5,   Ink("#ffe1a6", "#b45309"), Ink("#5c3a06", "#fbbf24"), "a gate: a person owes an answer"),
    "calls":   Look("box",      1.5,   Ink("#dbeafe", "#2563eb"), Ink("#172f5c", "#60a5fa"), "user code is called, a result is owed"),
    "delays":  Look("box",      1.0,   Ink("#ede9fe", "#7c3aed"), Ink("#2e1a5e", "#a78bfa"), "a delay: the clock owes its end"),
    "forks":   Look("diamond",  1.5,   Ink("#dbeafe", "#2563eb"), Ink("#172f5c", "#60a5fa"), "user code chooses the way"),
    "rests":   Look("box",      1.0,   Ink("#f1f5f9", "#64748b"), Ink("#1e293b", "#94a3b8"), "nothing is owed here"),
    "final":   Look("double",   1.0,   Ink("#ffffff", "#475569"), Ink("#0f172a", "#94a3b8"), "an end"),
    "failed":  Look("octagon",  2.0,   Ink("#fee2e2", "#dc2626"), Ink("#561616", "#f87171"), "an end that a person may reopen"),
}
# fmt: on


@frozen
class Theme:
    """The colours of everything but the kinds."""

    page: Ink
    frame: Ink
    goal: Ink
    line: str
    happy: str
    fault: str


LIGHT = Theme(Ink("#ffffff", "#1f2937"), Ink("#f8fafc", "#94a3b8"), Ink("#dcfce7", "#15803d"), "#64748b", "#0f172a", "#dc2626")
DARK = Theme(Ink("#0d1117", "#e2e8f0"), Ink("#161b22", "#64748b"), Ink("#0f3d24", "#4ade80"), "#94a3b8", "#f8fafc", "#f87171")

# Graphviz measures with its own fonts at the sizes in DOT; drawn smaller, the words keep inside their boxes in any font
FIXED = (
    'svg.statecore text { font-family: Arial, Helvetica, "Liberation Sans", sans-serif; font-size: 12px; stroke: none }',
    "svg.statecore .words text { font-size: 10px; stroke-width: 0 }",
    # where the halo would be painted over the words, there is none
    "@supports (paint-order: stroke) {",
    "  svg.statecore .words text { paint-order: stroke; stroke-linejoin: round; stroke-width: 6px }",
    "}",
    "svg.statecore .words.frame text { font-size: 12px }",
    ".statecore .node text:first-of-type, .statecore .words.frame text:first-of-type { font-weight: bold }",
    ".statecore .node.pauses > :not(text) { stroke-dasharray: 5 3 }",
    ".statecore .past-skipped { opacity: 0.55 }",
    f".statecore .now {BOX} {{ stroke-width: 5 }}",
    f".statecore .now.final {BOX} {{ stroke-width: 3 }}",
)


def stylesheet() -> str:
    """The style of an SVG: the light rules, then what differs where the reader prefers dark."""
    light = rules(LIGHT, {kind: look.light for kind, look in LOOKS.items()})
    dark = rules(DARK, {kind: look.dark for kind, look in LOOKS.items()})
    body = "\n".join([*FIXED, *light, "@media (prefers-color-scheme: dark) {", *(f"  {rule}" for rule in dark), "}"])
    return f"<style>\n{body}\n</style>"


def rules(theme: Theme, inks: dict[str, Ink]) -> list[str]:
    """The rules that depend on light or dark."""
    edges = {"": theme.line, ".happy": theme.happy, ".fault": theme.fault}
    return [
        f"svg.statecore {{ background: {theme.page.fill} }}",
        f".statecore text {{ fill: {theme.page.stroke} }}",
        f"svg.statecore .words text {{ stroke: {theme.page.fill} }}",
        f"svg.statecore .words.frame text {{ stroke: {theme.frame.fill} }}",
        *(rule for name, color in edges.items() for rule in arrow(f".statecore .edge{name}", color)),
        *filled(".statecore .frame", theme.frame),
        *(rule for kind, ink in inks.items() for rule in filled(f".statecore .node.{kind}", ink)),
        *filled(".statecore .node.goal", theme.goal),
        outlined(".statecore .node.pauses", inks["asks"].stroke),
        *filled(".statecore .node.past-completed", theme.goal),
        *filled(".statecore .node.past-failed", inks["failed"]),
        outlined(".statecore .frame.past-completed", theme.goal.stroke),
        outlined(".statecore .frame.past-failed", inks["failed"].stroke),
        outlined(".statecore .node.now", theme.happy),
        outlined(".statecore .node.now.waits", inks["asks"].stroke),
    ]


def filled(selector: str, ink: Ink) -> tuple[str, str]:
    """A box in an ink; the outer line of a double border stays empty."""
    return outlined(selector, ink.stroke), f'{selector} {BOX}:not([fill="none"]) {{ fill: {ink.fill} }}'


def outlined(selector: str, color: str) -> str:
    """The outline of a box."""
    return f"{selector} {BOX} {{ stroke: {color} }}"


def arrow(selector: str, color: str) -> tuple[str, str]:
    """A line and its head."""
    return f"{selector} path {{ stroke: {color} }}", f"{selector} polygon {{ fill: {color}; stroke: {color} }}"
