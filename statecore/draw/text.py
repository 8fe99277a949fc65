"""Pictures as text: a tree for the terminal, tables in Markdown, flowcharts in Mermaid.

The tree shows frames as branches, and an arrow only where it leads elsewhere than to the next line. Markdown is the dialect that
GitHub shows, as is Mermaid. Mermaid looks for directives, comments, icons and HTML in the whole text before it parses it, so quoting
alone does not tame a name: a sign that is not in `KEPT` becomes a numbered entity (`#60;`), which Mermaid shows as the sign.
"""

from __future__ import annotations

import json
import re
from itertools import pairwise
from typing import TYPE_CHECKING

from attrs import frozen

from .picture import LIGHT, LOOKS, Cluster, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from statecore.lifecycles import Table

    from .picture import Arrow, Box, Picture

SIGNS = {"box": "▭", "round": "○", "hexagon": "◆", "diamond": "◇", "octagon": "✕", "double": "◎"}
NOW = "◀ now"
COLUMNS = ("from", "on", "to", "when", "claim", "because")
SPECIAL = re.compile(r"[\\`*{}\[\]|~#!$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "@": "&#64;"})
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


def to_text(picture: Picture) -> str:
    """A picture as indented lines, in reading order."""
    order = [node.id for node in picture.nodes]
    leaving: dict[str, list[Arrow]] = {}
    for edge in picture.edges:
        leaving.setdefault(edge.source, []).append(edge)
    tree = Tree(picture, picture.names(), dict(pairwise(order)), leaving)
    return "\n".join([picture.title, *tree.branch(None)]) + "\n"


@frozen
class Tree:
    """The data that a written branch needs: the picture, and by node its first line, the next node and its arrows."""

    picture: Picture
    names: dict[str, str]
    following: dict[str, str]
    leaving: dict[str, list[Arrow]]

    def branch(self, cluster: str | None) -> Iterator[str]:
        """The lines of everything in a frame."""
        items = self.items(cluster)
        for number, item in enumerate(items):
            last = number == len(items) - 1
            block = self.block(item)
            yield ("└─ " if last else "├─ ") + block[0]
            yield from (("   " if last else "│  ") + line for line in block[1:])

    def items(self, cluster: str | None) -> list[Box | Cluster]:
        """The nodes and frames of a frame, in reading order: a frame stands where its first node stands."""
        place = {node.id: number for number, node in enumerate(self.picture.nodes)}
        found: list[tuple[int, Box | Cluster]] = [(place[node.id], node) for node in self.picture.within(cluster)]
        found += [(self.first(frame.id, place), frame) for frame in self.picture.frames(cluster)]
        return [item for _, item in sorted(found, key=lambda pair: pair[0])]

    def first(self, cluster: str, place: dict[str, int]) -> int:
        """The place of the first node in a frame, at any depth."""
        inner = [place[node.id] for node in self.picture.within(cluster)]
        return min([*inner, *(self.first(frame.id, place) for frame in self.picture.frames(cluster))], default=len(place))

    def block(self, item: Box | Cluster) -> list[str]:
        """The lines of one item: itself, and below it what it leads to or holds."""
        now = [NOW] if "now" in item.marks else []
        told = [f"({', '.join(item.told)})"] if item.told else []
        if isinstance(item, Cluster):
            return [" ".join([f"[{' · '.join(item.lines)}]", *told, *now]), *self.branch(item.id)]
        says = " · ".join([" ".join([*item.lines[:1], *told]), *item.lines[1:]])
        head = " ".join([SIGNS[LOOKS[item.kind].shape], says, *now])
        return [head, *(f"     {line}" for edge in self.leaving.get(item.id, ()) for line in self.way(edge))]

    def way(self, edge: Arrow) -> Iterator[str]:
        """An arrow as a line, where it says more than the order of the lines does."""
        if edge.lines or self.following.get(edge.source) != edge.target:
            yield f"{' · '.join(edge.lines)} → {self.names[edge.target]}".strip()


# -- Markdown ----------------------------------------------------------------------------------------------------------------------


def to_markdown(table: Table) -> str:
    """The rows of a lifecycle: one line a row, in the order of the table."""
    return grid(COLUMNS, ((row.source, row.on, row.dest, row.when, row.claim, row.because) for row in table.rows))


def outcomes(picture: Picture) -> str:
    """Every arrow of a picture as a line: from which box, on what, to which box; of a run, first what became of what."""
    names = picture.names()
    arrows = grid(("from", "on", "to"), ((names[edge.source], ", ".join(edge.lines), names[edge.target]) for edge in picture.edges))
    met = [(each.lines[0], each) for each in picture.clusters if each.lines] + [(names[each.id], each) for each in picture.nodes]
    told = [
        (name, ", ".join(each.told), "now" if "now" in each.marks else "") for name, each in met if each.told or "now" in each.marks
    ]
    return f"{grid(('in this run', 'what became of it', ''), told)}\n{arrows}" if told else arrows


def grid(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [columns, ["---"] * len(columns), *([cell(text) for text in row] for row in rows)]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def cell(text: str) -> str:
    """A text that is shown as it is in a cell: no markup, no HTML, no link."""
    line = SPECIAL.sub(lambda found: "\\" + found[0], shown(text, longest=120)).translate(ENTITIES)
    return re.sub(r"(?i)(?<=www)\.", "&#46;", line.replace("://", "&#58;//"))


# -- Mermaid -----------------------------------------------------------------------------------------------------------------------


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
    """The content of a frame: its nodes, then the frames in it."""
    for node in picture.within(cluster):
        opening, closing = BRACKETS[LOOKS[node.kind].shape]
        yield f"{node.id}{opening}{quoted(node.label)}{closing}"
    for frame in picture.frames(cluster):
        yield f"subgraph {frame.id} [{quoted(frame.label)}]"
        yield from (f"    {line}" for line in inside(picture, frame.id))
        yield "end"


def edge_line(edge: Arrow) -> str:
    """The statement of an edge."""
    label = f"|{quoted(edge.lines)}|" if edge.lines else ""
    return f"{edge.source} {ARROWS[edge.kind]}{label} {edge.target}"


def classes(picture: Picture) -> Iterator[str]:
    """The classes in use, and who bears them."""
    bearers: dict[str, list[str]] = {}
    items: tuple[Box | Cluster, ...] = (*picture.nodes, *picture.clusters)
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
