"""DOT, the language of Graphviz, and SVG laid out by it.

DOT: each string is quoted, each backslash and ampersand doubled, so a name stays a name. SVG: the layout is made by the `diagrams`
extra (graphviz-pure, the same bytes on every platform) or by an installed `dot`. The style is this package's own and lies in the
file, light and dark. Ids and classes of the picture are in the SVG, prefixed by the picture's name, so that a page can hold several.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from statecore.errors import DrawingFailed, MissingExtra

from .picture import LIGHT, LOOKS, Picture, stylesheet

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .picture import Arrow, Box, Cluster, Picture

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
WORDED = re.compile(r'<g id="(?P<id>[^"]*)" class="(?P<what>edge|cluster) (?P<classes>[^"]*)">\n.*?</g>\n', re.DOTALL)
TEXT = re.compile(r"<text .*?</text>\n")
LEFT = re.compile(r' d="M([-0-9.]+),')
PORTABLE, SYSTEM = "graphviz-pure", "dot"


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
    """The content of a frame: its nodes, then the frames in it."""
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


def node_line(picture: Picture, node: Box) -> str:
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


def edge_line(picture: Picture, edge: Arrow, number: int, thick: frozenset[tuple[str, str]], alone: frozenset[str]) -> str:
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


# -- SVG ---------------------------------------------------------------------------------------------------------------------------


def to_svg(picture: Picture, *, portable: bool = False) -> str:
    """A picture as SVG. With `portable` only graphviz-pure will do, whose bytes are the same everywhere.

    Raises `MissingExtra` where no Graphviz is found, `DrawingFailed` where it gives up.
    """
    drawn = graphviz(to_dot(picture), tool(portable=portable))
    body = re.sub(r"<!--.*?-->\n?", "", drawn[drawn.index("<svg") :], flags=re.DOTALL).replace("&#45;", "-")
    opening, rest = body.split(">", 1)
    opening = opening.replace("<svg ", '<svg class="statecore" role="img" ', 1)
    return f"{opening}>\n{stylesheet()}{words_on_top(rest)}"


def words_on_top(body: str) -> str:
    """The words on arrows and frames are drawn after all lines, so that no line runs through them; headings begin at the left."""
    lifted: list[str] = []

    def lift(found: re.Match[str]) -> str:
        words = "".join(TEXT.findall(found[0]))
        if found["what"] == "cluster" and (left := LEFT.search(found[0])):
            words = re.sub(r'text-anchor="middle" x="[^"]*"', f'text-anchor="start" x="{left[1]}"', words)
        if words:
            lifted.append(f'<g id="{found["id"]}-words" class="words {found["classes"]}">\n{words}</g>\n')
        return TEXT.sub("", found[0])

    lines = WORDED.sub(lift, body)
    end = lines.rindex("</g>\n</svg>")
    return lines[:end] + "".join(lifted) + lines[end:]


def tool(*, portable: bool) -> str:
    """The path of the Graphviz to use: beside this Python first, then on the PATH."""
    import sysconfig  # noqa: PLC0415  # only who draws SVG pays for it
    from shutil import which  # noqa: PLC0415  # as above

    found = which(PORTABLE, path=sysconfig.get_path("scripts")) or which(PORTABLE) or (None if portable else which(SYSTEM))
    if found is None:
        what = "Drawing the same SVG on every machine" if portable else "Drawing SVG"
        raise MissingExtra(what, "diagrams")
    return found


def graphviz(source: str, program: str) -> str:
    """The output of Graphviz for a DOT source. Raises `DrawingFailed`."""
    import subprocess  # noqa: PLC0415  # as above

    done = subprocess.run([program, "-Tsvg"], input=source.encode(), capture_output=True, check=False)  # noqa: S603  # found by `which`
    if done.returncode:
        raise DrawingFailed(program, done.stderr.decode(errors="replace").strip())
    return done.stdout.decode()
