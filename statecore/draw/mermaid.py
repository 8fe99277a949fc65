"""Mermaid: a flowchart, the dialect that GitHub and most editors draw. Every label is a quoted string of letters and entities.

Mermaid looks for directives, comments, icons and HTML in the whole text before it parses it, so quoting alone does not tame a name:
every sign that is not on the list `KEPT` becomes a numbered entity (`#60;`), which Mermaid shows as the sign itself.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from .look import LIGHT, LOOKS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .picture import Cluster, Edge, Node, Picture

BRACKETS = {
    "box": ("[", "]"),
    "round": ("([", "])"),
    "hexagon": ("{{", "}}"),
    "diamond": ("{", "}"),
    "octagon": ("[[", "]]"),
    "double": ("[[", "]]"),
}
ARROWS = {"happy": "==>", "way": "-->", "fault": "-.->"}
KEPT = frozenset(" ,?[]→…“”·")
BETWEEN_LETTERS = frozenset("-_")
MARKS = {
    "frame": f"fill:{LIGHT.frame.fill},stroke:{LIGHT.frame.stroke},color:#1f2937",
    "goal": f"fill:{LIGHT.goal.fill},stroke:{LIGHT.goal.stroke}",
    "pauses": "stroke:#b45309,stroke-dasharray:5 3",
    "now": "stroke:#0f172a,stroke-width:5px",
    "past-skipped": "opacity:0.55",
    "past-completed": "stroke:#15803d",
    "past-failed": "stroke:#dc2626",
    "waits": "stroke:#b45309",
}


def to_mermaid(picture: Picture) -> str:
    """A picture as a Mermaid flowchart, top to bottom."""
    lines = [
        "---",
        f"title: {json.dumps(picture.title)}",
        "---",
        "flowchart TB",
        *(f"    {line}" for line in inside(picture, None)),
        *(f"    {edge_line(edge)}" for edge in picture.edges),
        *(f"    {line}" for line in classes(picture)),
    ]
    return "\n".join(lines) + "\n"


def inside(picture: Picture, cluster: str | None) -> Iterator[str]:
    """What stands in a frame: its nodes, then the frames in it."""
    for node in picture.within(cluster):
        opening, closing = BRACKETS[LOOKS[node.kind].shape]
        yield f"{node.id}{opening}{quoted(node.label)}{closing}"
    for frame in picture.frames(cluster):
        yield f"subgraph {frame.id} [{quoted(frame.label)}]"
        yield from (f"    {line}" for line in inside(picture, frame.id))
        yield "end"


def edge_line(edge: Edge) -> str:
    """The statement of an edge."""
    label = f"|{quoted(edge.lines)}|" if edge.lines else ""
    return f"{edge.source} {ARROWS[edge.kind]}{label} {edge.target}"


def classes(picture: Picture) -> Iterator[str]:
    """The classes in use, and who bears them."""
    bearers: dict[str, list[str]] = {}
    items: tuple[Node | Cluster, ...] = (*picture.nodes, *picture.clusters)
    for item in items:
        kind = item.kind if item.kind in LOOKS else "frame"
        for name in (kind, *item.marks):
            bearers.setdefault(name, []).append(item.id)
    for name, look in LOOKS.items():
        if name in bearers:
            yield f"classDef {name} fill:{look.light.fill},stroke:{look.light.stroke},stroke-width:{look.width}px,color:#1f2937"
    yield from (f"classDef {name} {style}" for name, style in MARKS.items() if name in bearers)
    yield from (f"class {','.join(ids)} {name}" for name, ids in bearers.items())


def quoted(lines: Iterable[str]) -> str:
    """Lines as one Mermaid string."""
    return '"' + "<br/>".join(map(escaped, lines)) + '"'


def escaped(line: str) -> str:
    """A line in which nothing but letters, digits and the kept signs stands for itself.

    The word "direction" loses its first letter to an entity: Mermaid takes any line that holds it, before `TB` or its like, for a
    statement, quotes or no quotes.
    """
    text = "".join(character if stands(line, index) else f"#{ord(character)};" for index, character in enumerate(line))
    return re.sub(r"direction(?= )", lambda found: f"#{ord(found[0][0])};{found[0][1:]}", text, flags=re.IGNORECASE)


def stands(line: str, index: int) -> bool:
    """Whether a character of a line means only itself to Mermaid and to the Markdown in it."""
    character = line[index]
    if character in BETWEEN_LETTERS:
        return line[index - 1 : index].isalnum() and line[index + 1 : index + 2].isalnum()
    return character.isalnum() or character in KEPT
