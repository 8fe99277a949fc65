"""What a reviewer would see at once in a rendered picture: nothing overlaps, and the happy path reads in one direction."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from functools import cache
from itertools import combinations

import pytest
from attrs import frozen

from specs.tools.pages import examples
from statecore import Condition, Loop, Parallel, Router, Step, Steps, Workflow
from statecore.draw import Picture, draw_lifecycle, draw_workflow, to_svg
from statecore.draw.picture import stylesheet
from statecore.lifecycles import TABLES
from tests.unit.draw.drawn_runs import paused_in_a_loop

NUMBER = re.compile(r"-?\d+\.?\d*")
TOUCH = 3.0
"""Points that two things may come near each other: the width of a line."""


@frozen
class Shape:
    """A closed outline; a rounded box is its rectangle."""

    corners: tuple[tuple[float, float], ...]

    @property
    def box(self):
        """Left, top, right, bottom."""
        across, down = [x for x, _ in self.corners], [y for _, y in self.corners]
        return min(across), min(down), max(across), max(down)

    def holds(self, x, y):
        """Whether a point lies inside, not merely at the edge."""
        left, top, right, bottom = self.box
        if not (left + TOUCH < x < right - TOUCH and top + TOUCH < y < bottom - TOUCH):
            return False
        inside = False
        for (x1, y1), (x2, y2) in zip(self.corners, (*self.corners[1:], self.corners[0]), strict=True):
            if (y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1:
                inside = not inside
        return inside


def pairs(text):
    """Numbers as points."""
    numbers = [float(number) for number in NUMBER.findall(text)]
    return tuple(zip(numbers[::2], numbers[1::2], strict=True))


def shape_of(element):
    """The outline of a node or frame."""
    for child in element.iter():
        match child.tag.rpartition("}")[2]:
            case "polygon":
                return Shape(pairs(child.get("points")))
            case "path":
                left, top, right, bottom = Shape(pairs(child.get("d"))).box
                return Shape(((left, top), (right, top), (right, bottom), (left, bottom)))
            case "ellipse":
                x, y, rx, ry = (float(child.get(name)) for name in ("cx", "cy", "rx", "ry"))
                return Shape(((x - rx, y - ry), (x + rx, y - ry), (x + rx, y + ry), (x - rx, y + ry)))
    raise AssertionError(element.get("id"))


def curve(path):
    """Points along the Bézier curves of a line."""
    points = pairs(path)
    for start in range(0, len(points) - 1, 3):
        p = points[start : start + 4]
        for step in range(21):
            t = step / 20
            weights = ((1 - t) ** 3, 3 * (1 - t) ** 2 * t, 3 * (1 - t) * t * t, t**3)
            yield tuple(sum(w * each[axis] for w, each in zip(weights, p, strict=True)) for axis in (0, 1))


@frozen
class Rendered:
    """The outlines and lines of a picture, by the ids of its nodes, frames and by the numbers of its edges."""

    nodes: dict[str, Shape]
    frames: dict[str, Shape]
    lines: list[list[tuple[float, float]]]


@cache
def rendered(picture):
    """A picture as Graphviz lays it out."""
    root = ET.fromstring(to_svg(picture, portable=True))  # noqa: S314  # our own output
    found = {element.get("id"): element for element in root.iter() if element.get("id")}
    lines = []
    for number, _ in enumerate(picture.edges):
        [path] = [each for each in found[f"{picture.name}-edge-{number}"].iter() if each.tag.endswith("path")]
        lines.append(list(curve(path.get("d"))))
    nodes = {node.id: shape_of(found[f"{picture.name}-{node.id}"]) for node in picture.nodes}
    return Rendered(nodes, {frame.id: shape_of(found[f"{picture.name}-{frame.id}"]) for frame in picture.clusters}, lines)


def work(step_input):
    """A step."""
    return step_input.input


def large():
    """A workflow of forty components, with every kind of them."""
    return Workflow(
        "order",
        [
            Step("receive", work),
            Step("parse", work, max_retries=2, retry_delay=1),
            Condition(
                "known customer",
                [Step("look up", work)],
                [Step("register", work), Step("welcome", work, requires_confirmation=True)],
                evaluator=work,
            ),
            Parallel(
                Steps("stock", [Step("count", work), Step("reserve", work, on_error="pause"), Step("label", work)]),
                Step("price", work, on_error="skip"),
                Steps("risk", [Step("fraud", work, requires_output_review=True, on_reject="skip"), Step("score", work)]),
                name="inquiries",
            ),
            Loop(
                "negotiation",
                [
                    Step("offer", work),
                    Step("answer", work, requires_user_input=True),
                    Condition("counter", [Step("discount", work)], evaluator=work),
                ],
                max_iterations=3,
                end_condition=work,
            ),
            Condition(
                "large",
                [
                    Step("manager", work, requires_confirmation=True),
                    Step("board", work, requires_confirmation=True, on_reject="cancel"),
                ],
                evaluator=work,
            ),
            Step("approve", work, requires_confirmation=True, on_reject="cancel", timeout=86400),
            Step("charge card", work, on_error="pause"),
            Router(
                "carrier",
                [
                    Step("road", work),
                    Step("rail", work),
                    Steps("air", [Step("customs", work, requires_confirmation=True), Step("fly", work)]),
                ],
                requires_user_input=True,
            ),
            Workflow(
                "ship", [Step("pack", work), Step("weigh", work), Step("hand over", work, on_error="pause"), Step("track", work)]
            ),
            Step("invoice", work, requires_output_review=True, on_reject="retry"),
            Step("thank", work, on_error="skip"),
            Step("survey", work, on_error="skip"),
            Step("archive", work, max_retries=2),
        ],
    )


def pictures() -> dict[str, Picture]:
    """All that is drawn of what ships, a run, and a large workflow."""
    found = {name: draw_lifecycle(table) for name, table in TABLES.items()}
    found |= {f"example {name}": draw_workflow(each.program) for name, each in examples().items()}
    found["a run paused in a Parallel in a Loop"] = draw_workflow(*paused_in_a_loop()._drawn())
    return {**found, "forty components": draw_workflow(large().compiled.program)}


PICTURES = pictures()
every_picture = pytest.mark.parametrize("picture", PICTURES.values(), ids=PICTURES)


def test_the_large_workflow_is_large():
    """It has forty components."""
    assert len(large().compiled.program.nodes) - 1 == 40


@every_picture
def test_no_box_overlaps_another(picture):
    """Boxes stand apart; each stands in its frame, and in no other but those around it."""
    seen = rendered(picture)
    for (one, a), (other, b) in combinations(seen.nodes.items(), 2):
        assert apart(a.box, b.box), (one, other)
    around = {frame.id: frame.parent for frame in picture.clusters}
    for node in picture.nodes:
        frames, frame = set[str](), node.cluster
        while frame is not None:
            frames.add(frame)
            frame = around[frame]
        for name, shape in seen.frames.items():
            assert (within if name in frames else apart)(seen.nodes[node.id].box, shape.box), (node.id, name)


def apart(a, b):
    """Whether two rectangles do not meet."""
    return a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]


def within(a, b):
    """Whether the first rectangle lies in the second."""
    return b[0] <= a[0] and b[1] <= a[1] and a[2] <= b[2] and a[3] <= b[3]


@every_picture
def test_no_line_runs_through_a_box(picture):
    """An arrow meets the two boxes that it joins and no other."""
    seen = rendered(picture)
    for edge, points in zip(picture.edges, seen.lines, strict=True):
        others = {name: shape for name, shape in seen.nodes.items() if name not in (edge.source, edge.target)}
        assert [name for name, shape in others.items() if any(shape.holds(*point) for point in points)] == [], edge


@every_picture
def test_the_happy_path_reads_downwards(picture):
    """Each thick arrow leads to a box that stands below."""
    seen = rendered(picture)
    happy = [edge for edge in picture.edges if edge.kind == "happy"]
    assert happy
    assert [edge for edge in happy if seen.nodes[edge.source].box[3] >= seen.nodes[edge.target].box[1]] == []


def test_words_are_readable_where_halos_are_painted_over_them():
    """Viewers that do not know `paint-order` skip the block that asks for it, and draw no outline around the words of arrows."""
    rest = re.sub(r"@supports \(paint-order: stroke\) \{.*?\n\}", "", stylesheet(), flags=re.DOTALL)
    assert "paint-order" in stylesheet()
    assert "paint-order" not in rest
    assert re.findall(r"\.words text \{[^}]*stroke-width: (\w+)", rest) == ["0"]
