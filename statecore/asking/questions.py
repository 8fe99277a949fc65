"""A requirement in words: the question, the things shown with it, and the deadline."""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from statecore.errors import UnreadableValue
from statecore.stores.rules import EXPIRY

from .text import brief, clean, lasting, named

if TYPE_CHECKING:
    from collections.abc import Iterator


ASKED = {
    "user_input": "values are needed",
    "route": "which way?",
    "output_review": "keep this output?",
    "iteration_review": "is this good enough?",
}
LINES, LINE_WIDTH = 100, 1_000


class Question(Protocol):
    """A requirement as far as its words need it; its `kind` says which attributes it has besides."""

    kind: str
    step_name: str
    address: str
    timeout_at: datetime | None
    on_timeout: str | None

    @property
    def is_timed_out(self) -> bool:
        """Whether the deadline is over and nothing is decided."""


def question(requirement: Question) -> str:
    """The question of a requirement, in a line."""
    name, asked = named(requirement.step_name), _any(requirement)
    match requirement.kind:
        case "confirmation":
            return f"{name}: {brief(asked.confirmation_message)}" if asked.confirmation_message else f"Run '{name}'?"
        case "interrupted":
            return f"{name} was interrupted: {brief(asked.error_message)}"
        case "error":
            return f"{name} failed: {named(asked.error_type)}: {brief(asked.error_message)}"
        case kind:
            return f"{name}: {brief(asked.user_input_message or asked.output_review_message or ASKED[kind])}"


def particulars(requirement: Question) -> Iterator[str]:
    """The details of a question, in lines: the fields of a form, the choices, how often an output was rejected, the deadline."""
    asked = _any(requirement)
    if requirement.kind == "user_input":
        yield from map(field_line, asked.user_input_schema or ())
    if requirement.kind == "route":
        yield from (f"{number:>3}  {named(name)}" for number, name in enumerate(asked.available_choices, 1))
        yield "several may be chosen; they run in the order chosen" if asked.allow_multiple_selections else "one is to be chosen"
    if requirement.kind.endswith("review") and asked.retry_count:
        yield f"rejected {asked.retry_count} of at most {asked.max_retries} times"
    if requirement.timeout_at is not None:
        yield deadline(requirement)


def field_line(each: Any) -> str:
    """A field of a form in a line: name, type, what it may be, what it is for."""
    allowed = f", one of {', '.join(map(repr, each.allowed_values))}" if each.allowed_values else ""
    default = f", {brief(each.value)} if left out" if each.value is not None else "" if each.required else ", may be left out"
    described = f"  # {each.description}" if each.description else ""
    return clean(f"{each.name}: {each.field_type}{allowed}{default}{described}")


def deadline(requirement: Question) -> str:
    """Until when a requirement can be decided, and what it takes then."""
    at: Any = requirement.timeout_at
    then = EXPIRY.get(requirement.on_timeout or "cancel", "")
    left = at.timestamp() - time.time()
    if requirement.is_timed_out:
        return f"expired {lasting(-left)} ago: {then} when the run is ticked or goes on"
    return f"until {at:%Y-%m-%d %H:%M:%S} UTC, in {lasting(left)}; then {then}"


def shown(requirement: Question) -> list[str]:
    """The output under review, in lines; empty where there is none."""
    if not requirement.kind.endswith("review"):
        return []
    try:
        output = _any(requirement).step_output
    except UnreadableValue as refusal:
        return [f"(not readable here) {clean(refusal)}"]
    if output is None:
        return []
    from pprint import pformat  # noqa: PLC0415  # only an output under review needs it

    text = output.content if isinstance(output.content, str) else pformat(output.content, width=LINE_WIDTH // 10)
    lines = [clean(line, LINE_WIDTH) for line in text.split("\n")]
    more = [f"... and {len(lines) - LINES} more lines"] if len(lines) > LINES else []
    return [*lines[:LINES], *more]


def _any(requirement: Question) -> Any:
    """A requirement whose kind says which attributes it has."""
    return requirement
