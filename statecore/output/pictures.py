"""Workflows and runs as pictures: `format()` codes, and what a notebook shows."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from statecore.core import ROOT
from statecore.draw import Past, draw_workflow, outcomes, to_dot, to_mermaid, to_svg, to_text
from statecore.errors import DrawingFailed, MissingExtra, UnknownFormat
from statecore.lifecycles import KINDS, RUN, Kind
from statecore.lifecycles import words as w
from statecore.stores.history import particulars

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from statecore.core import Address, Program, State
    from statecore.draw import Picture
    from statecore.stores import Entry
    from statecore.stores.history import History

    from .requirement import Requirement

FORMATS: dict[str, Callable[[Picture], str]] = {
    "mermaid": to_mermaid,
    "dot": to_dot,
    "svg": to_svg,
    "md": outcomes,
    "tree": to_text,
}
"""The formats behind the colon: `f"{workflow:mermaid}"`; "svg" needs the extra `diagrams`."""


def formatted(
    spec: str, plain: str, program: Program, state: State | None = None, past: Mapping[Address, Past] | None = None
) -> str:
    """A workflow, or with a state and what became of its components a run, in one of `FORMATS`; `plain` where none is asked for.

    Raises `UnknownFormat`, and `MissingExtra` for an SVG that nothing can lay out.
    """
    if not spec:
        return plain
    if spec not in FORMATS:
        raise UnknownFormat(spec, FORMATS)
    return FORMATS[spec](draw_workflow(program, state, past))


def bundle(plain: str, program: Program, state: State | None = None, past: Mapping[Address, Past] | None = None) -> dict[str, Any]:
    """The picture in a notebook: SVG where it can be laid out, Mermaid, and text."""
    picture = draw_workflow(program, state, past)
    shown = {"text/plain": f"{plain}\n{to_text(picture)}", "text/vnd.mermaid": to_mermaid(picture)}
    with suppress(MissingExtra, DrawingFailed):  # the others say the same
        shown["image/svg+xml"] = to_svg(picture)
    return shown


# -- what became of each component of a run ----------------------------------------------------------------------------------------

CALLED = {w.give: "input", w.amend: "edit"}
DECIDED = frozenset({w.confirm, w.reject, w.retry, w.skip, w.edit, w.amend, w.provide, w.give, w.select, w.answer})


def past_of(program: Program, rows: Iterable[Entry], history: History, open_now: Iterable[Requirement]) -> dict[Address, Past]:
    """The outcome of each component in its newest turn, by address; under `ROOT` who cancelled the run."""
    answers = {each.address: decided(each.decision, each.by) for each in open_now if each.is_resolved}
    said: dict[tuple[Address, tuple[int, ...]], dict[str, str]] = {}
    found: dict[Address, Past] = {}
    for row in rows:
        if row.trigger in DECIDED:
            word = decided(CALLED.get(row.trigger, row.trigger), particulars(row).by)
            said.setdefault((row.at, row.turn), {})[row.source] = word
        if row.machine == RUN.name and row.trigger == w.cancel and (by := particulars(row).by):
            found[ROOT] = Past(w.cancelled, said={w.running: f"by {by}"})
    for visit in history.visits.values():
        why = visit.reason or (visit.failures[-1].get("error_type") if visit.failures else "") or ""
        number, here = iteration(program, visit.at, visit.turn), said.get((visit.at, visit.turn), {})
        found[visit.at] = Past(visit.phase, visit.attempt, number, why, here, answers.get(visit.at, ""))
    return found


def decided(word: str | None, by: str | None) -> str:
    """A decision in a line: word and person."""
    return f"{word} by {by}" if by else str(word)


def iteration(program: Program, at: Address, turn: tuple[int, ...]) -> int:
    """The number of the iteration of the innermost Loop around a component, from 1; 0 where there is none."""
    around, parent = list[Kind](), at
    while parent != ROOT and parent in program.nodes:
        parent = program.nodes[parent].parent
        around.append(KINDS[program.nodes[parent].kind])
    counted = [kind for kind in reversed(around) if kind.numbers]
    numbers = [number + 1 for kind, number in zip(counted, turn, strict=False) if kind.holds == "iterations"]
    return numbers[-1] if numbers else 0
