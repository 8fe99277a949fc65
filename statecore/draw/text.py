"""Text: a picture as a tree for the terminal. Frames are branches; an arrow is written where it does not simply lead to the next line."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from attrs import frozen

from .look import LOOKS
from .picture import Cluster

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .picture import Edge, Node, Picture

SIGNS = {"box": "▭", "round": "○", "hexagon": "◆", "diamond": "◇", "octagon": "✕", "double": "◎"}
NOW = "◀ now"


def to_text(picture: Picture) -> str:
    """A picture as indented lines, in reading order."""
    order = [node.id for node in picture.nodes]
    leaving: dict[str, list[Edge]] = {}
    for edge in picture.edges:
        leaving.setdefault(edge.source, []).append(edge)
    tree = Tree(picture, picture.names(), dict(pairwise(order)), leaving)
    return "\n".join([picture.title, *tree.branch(None)]) + "\n"


@frozen
class Tree:
    """What is needed to write a branch: the picture, and by node its first line, the next node and its arrows."""

    picture: Picture
    names: dict[str, str]
    following: dict[str, str]
    leaving: dict[str, list[Edge]]

    def branch(self, cluster: str | None) -> Iterator[str]:
        """The lines of everything in a frame."""
        items = self.items(cluster)
        for number, item in enumerate(items):
            last = number == len(items) - 1
            block = self.block(item)
            yield ("└─ " if last else "├─ ") + block[0]
            yield from (("   " if last else "│  ") + line for line in block[1:])

    def items(self, cluster: str | None) -> list[Node | Cluster]:
        """The nodes and frames of a frame, in reading order: a frame stands where its first node stands."""
        place = {node.id: number for number, node in enumerate(self.picture.nodes)}
        found: list[tuple[int, Node | Cluster]] = [(place[node.id], node) for node in self.picture.within(cluster)]
        found += [(self.first(frame.id, place), frame) for frame in self.picture.frames(cluster)]
        return [item for _, item in sorted(found, key=lambda pair: pair[0])]

    def first(self, cluster: str, place: dict[str, int]) -> int:
        """The place of the first node in a frame, at any depth."""
        inner = [place[node.id] for node in self.picture.within(cluster)]
        return min([*inner, *(self.first(frame.id, place) for frame in self.picture.frames(cluster))], default=len(place))

    def block(self, item: Node | Cluster) -> list[str]:
        """The lines of one item: itself, and below it what it leads to or holds."""
        now = [NOW] if "now" in item.marks else []
        told = [f"({', '.join(item.told)})"] if item.told else []
        if isinstance(item, Cluster):
            return [" ".join([f"[{' · '.join(item.lines)}]", *told, *now]), *self.branch(item.id)]
        says = " · ".join([" ".join([*item.lines[:1], *told]), *item.lines[1:]])
        head = " ".join([SIGNS[LOOKS[item.kind].shape], says, *now])
        return [head, *(f"     {line}" for edge in self.leaving.get(item.id, ()) for line in self.way(edge))]

    def way(self, edge: Edge) -> Iterator[str]:
        """An arrow as a line, where it says more than the order of the lines does."""
        if edge.lines or self.following.get(edge.source) != edge.target:
            yield f"{' · '.join(edge.lines)} → {self.names[edge.target]}".strip()
