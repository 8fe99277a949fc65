"""Shapes and colours, by the kind of a node: one table for every format, in light and in dark. Shape says what colour says."""

from __future__ import annotations

from attrs import frozen


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

BOX = ":is(polygon, path, ellipse)"


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
