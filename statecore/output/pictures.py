"""Workflows and runs as pictures: `format()` codes, and what a notebook shows."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from statecore.draw import draw_workflow, outcomes, to_dot, to_mermaid, to_svg, to_text
from statecore.errors import DrawingFailed, MissingExtra, UnknownFormat

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from statecore.core import Address, Program, State
    from statecore.draw import Picture

FORMATS: dict[str, Callable[[Picture], str]] = {
    "mermaid": to_mermaid,
    "dot": to_dot,
    "svg": to_svg,
    "md": outcomes,
    "tree": to_text,
}
"""What may stand behind the colon: `f"{workflow:mermaid}"`; "svg" needs the extra `diagrams`."""


def formatted(
    spec: str, plain: str, program: Program, state: State | None = None, past: Mapping[Address, str] | None = None
) -> str:
    """A workflow, or with a state and what became of its components a run, in one of `FORMATS`; `plain` where none is asked for.

    Raises `UnknownFormat`, and `MissingExtra` for an SVG that nothing can lay out.
    """
    if not spec:
        return plain
    if spec not in FORMATS:
        raise UnknownFormat(spec, FORMATS)
    return FORMATS[spec](draw_workflow(program, state, past))


def bundle(plain: str, program: Program, state: State | None = None, past: Mapping[Address, str] | None = None) -> dict[str, Any]:
    """What a notebook shows: SVG where it can be laid out, Mermaid, and text."""
    picture = draw_workflow(program, state, past)
    shown = {"text/plain": f"{plain}\n{to_text(picture)}", "text/vnd.mermaid": to_mermaid(picture)}
    with suppress(MissingExtra, DrawingFailed):  # the others say the same
        shown["image/svg+xml"] = to_svg(picture)
    return shown
