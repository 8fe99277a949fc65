"""Who answers a pause: the words given with `--answers`, or the person at the terminal."""

from __future__ import annotations

import getpass
import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import click
from attrs import define, field, frozen

from statecore.core import DECISIONS
from statecore.errors import InvalidInput, UnknownStep, suggest

from .screen import brief, clean

if TYPE_CHECKING:
    from statecore.definition import UserInputField
    from statecore.output import Requirement

    from .outcomes import Outcome

WORDS = tuple(dict.fromkeys(word for words in DECISIONS.values() for word in words))
RETRIES = 10
"""How often `--answers step=retry` retries one step before the run is left to a person: nothing loops without end."""


@frozen
class Answer:
    """One decision, by whom and why; `value` is what an input, a selection or an edit carries."""

    word: str
    by: str
    comment: str | None = None
    value: Any = None

    def give(self, requirement: Requirement) -> None:
        """Record it on a requirement. Raises `InvalidInput` for a value that does not fit."""
        asked: Any = requirement
        match self.word:
            case "input":
                asked.set_user_input(by=self.by, **self.value)
            case "select":
                asked.select(*self.value, by=self.by)
            case "reject":
                asked.reject(self.value if self.value is not None else self.comment, by=self.by)
            case _:
                requirement.decide(self.word, self.value, by=self.by, comment=self.comment)


Answering: TypeAlias = "Callable[[Requirement, Sequence[Outcome]], Answer | None]"
"""An answer to a requirement with these outcomes; None leaves it undecided."""


def login() -> str:
    """Who is at this computer, as far as it knows."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a user id without a name
        return "somebody"


def nobody(_requirement: Requirement, _outcomes: Sequence[Outcome]) -> None:
    """Nobody is there to answer."""


# -- given beforehand --------------------------------------------------------------------------------------------------------------


@define
class Given:
    """Answers given beforehand. `step=word` answers that step whenever it asks; a bare word answers one pause, the next that it fits."""

    named: Mapping[str, tuple[str, Any]]
    bare: list[tuple[str, Any]]
    by: str
    given: Counter[str] = field(factory=Counter)

    def __call__(self, requirement: Requirement, _outcomes: Sequence[Outcome]) -> Answer | None:
        """The answer to a requirement; None where none was given, or a step was retried often enough."""
        fitting = DECISIONS[requirement.kind]
        for name in (requirement.address, requirement.step_name):
            word, value = self.named.get(name, ("", None))
            if word in fitting:
                self.given[requirement.address] += word == "retry"
                return Answer(word, self.by, None, value) if self.given[requirement.address] <= RETRIES else None
        for word, value in self.bare:
            if word in fitting:
                self.bare.remove((word, value))
                return Answer(word, self.by, None, value)
        return None

    def check(self, known: Iterable[str]) -> None:
        """Raise `UnknownStep` for an answer to a component that the workflow does not have."""
        names = list(known)
        for name in self.named:
            if name not in names:
                raise UnknownStep(name, names)


CARRYING = ("input", "select", "edit", "reject")
CARRIES = re.compile(rf"(?:(?P<step>[^=]*)=)?(?P<word>{'|'.join(CARRYING)}):(?P<value>.*)", re.DOTALL)


def parse(texts: Iterable[str], by: str) -> Given:
    """The answers written as `word,word` or `step=word,step=word`, or one that carries a value: `step=input:{"n": 3}`.

    Raises `click.BadParameter`.
    """
    bare: list[tuple[str, Any]] = []
    named: dict[str, tuple[str, Any]] = {}
    for step, word, value in (item for text in texts for item in items(text)):
        if word not in WORDS:
            message = f"{word!r} is no answer.{suggest(word, WORDS)} Write e.g. retry,confirm or fetch=retry,deep=reject."
            raise click.BadParameter(message, param_hint="--answers")
        if step is not None:
            named[step] = (word, value)
        else:
            bare.append((word, value))
    return Given(named, bare, by)


def items(text: str) -> Iterator[tuple[str | None, str, Any]]:
    """The step, word and value of each answer in a text."""
    carrying = CARRIES.fullmatch(text.strip())
    if carrying is not None:
        yield carrying["step"], carrying["word"], carried(carrying["word"], carrying["value"])
        return
    for item in text.split(","):
        step, equals, word = item.strip().rpartition("=")
        yield (step if equals else None), word, None


def carried(word: str, text: str) -> Any:
    """The value that an answer carries: an object for an input, names for a selection, JSON or plain text for an edit."""
    if word == "select":
        return [name.strip() for name in text.split(",")]
    if word == "reject":
        return text
    try:
        value = json.loads(text)
    except ValueError:
        value = text
    if word == "input" and not isinstance(value, dict):
        message = f'{text!r} is no JSON object. Write e.g. {{"amount": 3}}.'
        raise click.BadParameter(message)
    return value


# -- asked -------------------------------------------------------------------------------------------------------------------------


@frozen
class Person:
    """The person at the terminal. `later`, or the end of input, leaves the run paused."""

    by: str

    def __call__(self, requirement: Requirement, outcomes: Sequence[Outcome]) -> Answer | None:
        """Ask until the answer is one of those offered."""
        click.echo()
        click.secho(f"? {question(requirement)}", fg="yellow", bold=True)
        offers = [*((outcome.word, outcome.leads_to) for outcome in outcomes), ("later", "leave the run paused")]
        for word, leads_to in offers:
            click.echo(f"    {click.style(f'[{word[0]}]{word[1:]:<6}', bold=True)} -> {leads_to}")
        while True:
            click.echo(f"  Your answer ({'/'.join(word[0] for word, _ in offers)}; a comment may follow): ", nl=False)
            line = sys.stdin.readline()  # not input(), which misses a Ctrl-C that comes while it prints its prompt
            if not line:
                click.echo()
                return None
            said = line.strip()
            word, _, comment = said.partition(" ")
            chosen = [offer for offer, _ in offers if word and offer.startswith(word.lower())]
            if chosen == ["later"]:
                return None
            if chosen:
                click.echo()
                return self.complete(requirement, chosen[0], comment.strip())
            click.echo(f"  Please answer {', '.join(offer for offer, _ in offers)}, or the first letter of one.")

    def complete(self, requirement: Requirement, word: str, said: str) -> Answer | None:
        """The answer with what it carries, asked for where it was not said; None where the input ended."""
        if word not in ("input", "select", "edit"):
            return Answer(word, self.by, said or None)
        asked: Any = requirement
        while True:
            try:
                value = form(asked) if word == "input" else carried(word, said or line(f"  {PROMPTS[word]}: "))
                answer = Answer(word, self.by, None, value)
                answer.give(asked)
            except EOFError:
                return None
            except (InvalidInput, click.BadParameter) as error:
                click.echo(f"  {error}")
                said = ""
            else:
                return answer


PROMPTS = {"select": "Which, separated by commas", "edit": "The new output, as JSON or text"}


def form(asked: Any) -> dict[str, Any]:
    """The values of a form, field by field. Raises `EOFError` where the input ends."""
    if asked.user_input_schema is None:
        given: dict[str, Any] = carried("input", line("  The values, as a JSON object: "))
        return given
    values = {}
    for each in asked.user_input_schema:
        allowed = f", one of {', '.join(map(str, each.allowed_values))}" if each.allowed_values else ""
        text = line(f"  {clean(each.name)} ({each.field_type}{clean(allowed)}{'' if each.required else ', optional'}): ")
        if text:
            values[each.name] = typed(each, text)
    return values


def typed(each: UserInputField, text: str) -> Any:
    """A text as a value of a field's type; what is no such value is left as it is, for the form to refuse."""
    if each.field_type == "str":
        return text
    try:
        return json.loads(text.lower() if each.field_type == "bool" else text)
    except ValueError:
        return text


def line(prompt: str) -> str:
    """A line from the terminal. Raises `EOFError` where the input ends."""
    click.echo(prompt, nl=False)
    read = sys.stdin.readline()
    if not read:
        raise EOFError
    return read.strip()


def question(requirement: Requirement) -> str:
    """What a requirement asks, in a line."""
    name = clean(requirement.step_name)
    if requirement.kind == "confirmation":
        message = getattr(requirement, "confirmation_message", None)
        return f"{name}: {brief(message)}" if message else f"Run '{name}'?"
    if requirement.kind in ASKED:
        asked: Any = requirement
        shown = f" {brief(asked.step_output.content)}" if asked.requires_output_review and asked.step_output is not None else ""
        choices = f" ({', '.join(map(clean, asked.available_choices))})" if asked.available_choices else ""
        return (
            f"{name}: {brief(asked.user_input_message or asked.output_review_message or ASKED[requirement.kind])}{choices}{shown}"
        )
    error_type, message = getattr(requirement, "error_type", ""), getattr(requirement, "error_message", "")
    if requirement.kind == "interrupted":
        return f"{name} was interrupted: {brief(message)}"
    return f"{name} failed: {clean(error_type)}: {brief(message)}"


ASKED = {
    "user_input": "values are needed",
    "route": "which way?",
    "output_review": "keep this output?",
    "iteration_review": "is this good enough?",
}
