"""DOT: the language of Graphviz. Every string is quoted, every backslash and ampersand is doubled, so a name stays a name."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from .look import LIGHT, LOOKS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .picture import Cluster, Edge, Node, Picture

# fmt: off
SHAPES: dict[str, dict[str, str]] = {
    "box":     {"shape": "box", "style": "filled,rounded"},
    "round":   {"shape": "ellipse"},
    "hexagon": {"shape": "hexagon", "margin": "0.05,0.03"},
    "diamond": {"shape": "diamond", "margin": "0.02,0.02"},
    "octagon": {"shape": "octagon"},
    "double":  {"shape": "box", "peripheries": "2"},
}
EDGES: dict[str, dict[str, str]] = {
    "happy": {"color": LIGHT.happy, "penwidth": "2.2", "weight": "30"},
    "way":   {"color": LIGHT.line},
    "fault": {"color": LIGHT.fault, "style": "dashed"},
}
GRAPH = {"bgcolor": "transparent", "fontname": "Arial", "fontsize": "14", "nodesep": "0.45", "rankdir": "TB", "ranksep": "0.5", "style": "rounded"}
NODE = {"fontname": "Arial", "fontsize": "14", "margin": "0.22,0.1", "style": "filled"}
EDGE = {"arrowsize": "0.8", "fontname": "Arial", "fontsize": "12"}
# fmt: on
FRAMED = {"newrank": "true"}
SELF = {"headport": "ne", "tailport": "e"}
"""A loop leaves to the side and comes back at a corner, clear of the arrows that leave below."""
BACK = {"headport": "e", "tailport": "e"}
"""An arrow against the happy path between the same two boxes bends out to the side, where it is seen beside the thick one."""


def to_dot(picture: Picture) -> str:
    """A picture as DOT: one statement a line, `id` and `class` on everything that a page may want to light.

    Where a happy path leads through frames, one order from top to bottom holds for the whole picture: a frame then stands below what leads
    into it, and not beside it.
    """
    thick = frozenset((edge.source, edge.target) for edge in picture.edges if edge.kind == "happy")
    coming = Counter(edge.target for edge in picture.edges)
    framed = bool(thick and picture.clusters)
    alone = frozenset(target for target, often in coming.items() if often == 1 and framed)
    graph = {"class": "statecore", "id": picture.name, **GRAPH, **(FRAMED if framed else {})}
    lines = [
        f"digraph {quoted(picture.title)} {{",
        f"  graph {attributes(graph)};",
        f"  node {attributes(NODE)};",
        f"  edge {attributes(EDGE)};",
        *(f"  {line}" for line in inside(picture, None)),
        *(f"  {edge_line(picture, edge, number, thick, alone)}" for number, edge in enumerate(picture.edges)),
        "}",
    ]
    return "\n".join(lines) + "\n"


def inside(picture: Picture, cluster: str | None) -> Iterator[str]:
    """What stands in a frame: its nodes, then the frames in it."""
    for node in picture.within(cluster):
        yield node_line(picture, node)
    for frame in picture.frames(cluster):
        yield f"subgraph {quoted('cluster_' + frame.id)} {{"
        yield f"  graph {attributes(frame_look(picture, frame))};"
        yield from (f"  {line}" for line in inside(picture, frame.id))
        yield "}"


def frame_look(picture: Picture, frame: Cluster) -> dict[str, str]:
    """The attributes of a frame."""
    return {
        "class": " ".join(("frame", frame.kind, *frame.marks)),
        "id": f"{picture.name}-{frame.id}",
        "label": joined(frame.label),
        "labeljust": "l",
        "color": LIGHT.frame.stroke,
        "fillcolor": LIGHT.frame.fill,
        "style": "filled,rounded",
    }


def node_line(picture: Picture, node: Node) -> str:
    """The statement of a node."""
    look = LOOKS[node.kind]
    drawn = {
        "class": " ".join((node.kind, *node.marks)),
        "id": f"{picture.name}-{node.id}",
        "label": joined(node.label),
        "color": look.light.stroke,
        "fillcolor": look.light.fill,
        "penwidth": str(look.width),
        **SHAPES[look.shape],
    }
    return f"{quoted(node.id)} {attributes(drawn)};"


def edge_line(picture: Picture, edge: Edge, number: int, thick: frozenset[tuple[str, str]], alone: frozenset[str]) -> str:
    """The statement of an edge; edges are numbered, because two may join the same nodes. `thick` is the happy path.

    A node to which one edge alone leads (`alone`) stands as near below it as it can, so that what begins together stands side by side.
    """
    drawn = {"class": edge.kind, "id": f"{picture.name}-edge-{number}", "label": joined(edge.lines), **EDGES[edge.kind]}
    if edge.target in alone:
        drawn["weight"] = str(int(drawn.get("weight", "1")) + 1)
    if edge.source == edge.target:
        drawn |= SELF
    elif (edge.target, edge.source) in thick:
        drawn |= BACK
    return f"{quoted(edge.source)} -> {quoted(edge.target)} {attributes(drawn)};"


def attributes(pairs: dict[str, str]) -> str:
    """An attribute list; a `label` is escaped already, everything else is quoted here."""
    return "[" + ", ".join(f"{key}={value if key == 'label' else quoted(value)}" for key, value in pairs.items()) + "]"


def joined(lines: Iterable[str]) -> str:
    """Lines as one DOT string."""
    return '"' + r"\n".join(map(escaped, lines)) + '"'


def quoted(text: str) -> str:
    """A text as one DOT string."""
    return f'"{escaped(text)}"'


def escaped(text: str) -> str:
    """A text between DOT quotes: no escape sequence, no HTML entity and no end of string is left in it."""
    return text.replace("&", "&amp;").replace("\\", "\\\\").replace('"', r"\"")
