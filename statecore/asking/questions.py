"""A requirement in words: the question, the things shown with it, and the deadline."""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from statecore.lifecycles import ASK_KINDS, SHOWS, exhaustive
from statecore.lifecycles.decisions import REJECT
from statecore.stores.rules import EXPIRY

from .text import brief, clean, lasting, named, visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


LINES, LINE_WIDTH = 100, 1_000


class Question(Protocol):
    """A requirement as far as its words need it; its `kind` says which attributes it has besides."""

    kind: str
    words: tuple[str, ...]
    step_name: str
    address: str
    timeout_at: datetime | None
    on_timeout: str | None
    put_again: str | None

    @property
    def is_timed_out(self) -> bool:
        """Whether the deadline is over and nothing is decided."""


def question(requirement: Question) -> str:
    """The question of a requirement, in a line."""
    return PUT[requirement.kind](named(requirement.step_name), _any(requirement))


def title(requirement: Question) -> str:
    """The question of a requirement by its own words: the first line of its message; without one as `question` puts it."""
    said = None if SHOWS[requirement.kind] == "error" else message_of(requirement) or getattr(requirement, "question", None)
    first = next((line.strip() for line in (said or "").splitlines() if line.strip()), None)
    return question(requirement) if first is None else first


def confirming(name: str, asked: Any) -> str:
    """Its message, or whether the step is to run."""
    return f"{name}: {brief(asked.confirmation_message)}" if asked.confirmation_message else f"Run '{name}'?"


def asking(otherwise: str) -> Callable[[str, Any], str]:
    """Its message, or `otherwise` where it has none."""
    return lambda name, asked: f"{name}: {brief(asked.user_input_message or asked.output_review_message or otherwise)}"


PUT: dict[str, Callable[[str, Any], str]] = {
    "confirmation": confirming,
    "user_input": asking("values are needed"),
    "route": asking("which way?"),
    "output_review": asking("keep this output?"),
    "iteration_review": asking("is this good enough?"),
    "question": lambda name, asked: f"{name}: {brief(asked.question)}",
    "error": lambda name, asked: f"{name} failed: {named(asked.error_type)}: {brief(asked.error_message)}",
    "interrupted": lambda name, asked: f"{name} was interrupted: {brief(asked.error_message)}",
}
"""The line of each kind of question, from the name of its step and its requirement."""
exhaustive("asking.questions.PUT", PUT, ASK_KINDS)


def particulars(requirement: Question) -> Iterator[str]:
    """The details of a question, in lines.

    A message that is longer than its line, why it is put again, the fields of a form, the choices, the rejections, the deadline.
    """
    asked = _any(requirement)
    message = message_of(requirement)
    if message is not None and brief(message) != message:  # the line of the question has its beginning alone
        yield from some_of(text_lines(message), LINES)
    if requirement.put_again is not None:
        yield clean(requirement.put_again)
    shows = SHOWS[requirement.kind]
    if shows == "form":
        yield from map(field_line, asked.user_input_schema or ())
    if shows == "choices":
        yield from (f"{number:>3}  {named(name)}" for number, name in enumerate(asked.available_choices, 1))
        yield "several may be chosen; they run in the order chosen" if asked.allow_multiple_selections else "one is to be chosen"
    if shows == "question":
        yield from wanted(asked)
    if shows == "output" and asked.retry_count:
        yield f"rejected {asked.retry_count} of at most {asked.max_retries} times"
    if requirement.timeout_at is not None:
        yield deadline(requirement)


def wanted(asked: Any) -> Iterator[str]:
    """The kind of answer that a question of a step's code takes, in lines: choices, the fields of a form, yes or no."""
    yield from map(field_line, asked.user_input_schema or ())
    yield from (f"{number:>3}  {brief(each)}" for number, each in enumerate(asked.options, 1))
    if asked.options:
        yield "several may be chosen" if asked.allow_multiple_selections else "one is to be chosen"
    if asked.wants == "confirmation":
        yield "yes or no"
    if asked.wants == "tool_call":
        yield from called(asked.call or {})


def called(call: Mapping[str, Any]) -> Iterator[str]:
    """A tool call in lines: its arguments, one a line, the words of the agent, and the answers that it takes."""
    for name, value in call.get("arguments", {}).items():
        first, *more = text_lines(value)
        yield from (clean(line, LINE_WIDTH) for line in (f"{name} = {first}", *more))
    if call.get("words"):
        yield from (clean(f"the agent says: {line}", LINE_WIDTH) for line in text_lines(call["words"]))
    edit = ", or {'approved': true, 'arguments': {...}}" if call.get("editable") else ""
    yield f"yes, no, or no with words for the agent (no: why){edit}"


def again_line(told: Mapping[str, str]) -> str:
    """Why a question is put again, and the answer that was given before, in a line: `told` is what the store keeps of that (GATE-7a)."""
    why = f"put again: {brief(told.get('why', 'the definition has changed'))}"
    if "word" not in told:
        return why
    comment = f" ({brief(told['comment'])})" if "comment" in told else ""
    who = named(told["by"]) if "by" in told else "a person"
    said = "no" if told["word"] == REJECT.word else brief(told["word"])
    return f"{why}; {who} said {said} under the former definition{comment}"


def field_line(each: Any) -> str:
    """A field of a form in a line: name, type, what it may be, what it is for."""
    some = "some of" if each.field_type == "list" else "one of"
    allowed = f", {some} {', '.join(map(repr, each.allowed_values))}" if each.allowed_values else ""
    default = f", {brief(each.value)} if left out" if each.value is not None else "" if each.required else ", may be left out"
    described = f"  # {each.description}" if each.description else ""
    kind = "secret" if each.secret else "bool (y or n)" if each.field_type == "bool" else each.field_type
    return clean(f"{each.name}: {kind}{bounds(each)}{allowed}{default}{described}")


def bounds(each: Any) -> str:
    """The bounds of a field in words."""
    ends = (
        (each.minimum, "at least"),
        (each.maximum, "at most"),
        (each.min_length, "of length at least"),
        (each.max_length, "of length at most"),
    )
    told = [f"{word} {value}" for value, word in ends if value is not None]
    return "".join(f", {text}" for text in told) + (f", matching {each.pattern}" if each.pattern is not None else "")


def deadline(requirement: Question) -> str:
    """Until when a requirement can be decided, and what it takes then."""
    at: Any = requirement.timeout_at
    then = EXPIRY.get(requirement.on_timeout or "cancel", "")
    left = at.timestamp() - time.time()
    if requirement.is_timed_out:
        return f"overdue since {lasting(-left)}: {then} when the run is ticked or goes on"
    return f"until {at:%Y-%m-%d %H:%M:%S} UTC, in {lasting(left)}; then {then}"


def shown(requirement: Question, most: int = LINES) -> list[str]:
    """The output under review, in lines, at most so many and then how many more there are; empty where there is none."""
    if SHOWS[requirement.kind] != "output":
        return []
    output = _any(requirement).shown_output()
    return some_of(text_lines(output.content), most) if output is not None else []


def some_of(lines: list[str], most: int) -> list[str]:
    """The first of some lines, each cut where it is very long, and how many more there are."""
    more = [f"... and {len(lines) - most:,} more lines"] if len(lines) > most else []
    return [*(clean(line, LINE_WIDTH) for line in lines[:most]), *more]


def text_lines(value: Any) -> list[str]:
    """A value as lines of text, whole, as its author wrote them."""
    from pprint import pformat  # noqa: PLC0415  # only what is decided about needs it

    return (value if isinstance(value, str) else pformat(value, width=LINE_WIDTH // 10)).split("\n")


def message_of(requirement: Question) -> str | None:
    """The message of a question, as its author wrote it."""
    asked = _any(requirement)
    names = ("confirmation_message", "user_input_message", "output_review_message", "error_message")
    return next((told for name in names if (told := getattr(asked, name, None)) is not None), None)


def whole(requirement: Question) -> Iterator[str]:
    """All that a person decides about, in lines of visible signs, none of them cut (GATE-12)."""
    asked = _any(requirement)
    about = dict(asked.about or {})
    requester = about.pop("requested_by", None)
    yield f"asked: {asked.created_at}" + (f", in a run for {named(requester)}" if requester is not None else "")
    message = message_of(requirement)
    for title, value in ([("message", message)] if message is not None else []) + [
        (HEADS[name], each) for name, each in about.items()
    ]:
        if value is not None:
            yield f"{title}:"
            yield from (f"  {visible(line)}" for line in text_lines(value))


HEADS = {
    "run_input": "input of the run",
    "previous_step_content": "previous output",
    "output": "output under review",
    "unreadable": "not readable",
}
"""The headings of what a question is about."""


def _any(requirement: Question) -> Any:
    """A requirement whose kind says which attributes it has."""
    return requirement
