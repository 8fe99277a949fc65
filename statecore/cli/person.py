"""The person at the terminal: shown what is asked, and asked until the answer is one that fits."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click
from attrs import frozen

from statecore.errors import InvalidInput

from .answers import Answer
from .questions import field_line, particulars, question, shown
from .screen import clean
from .written import CARRIED, assigned, read_object, typed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from statecore.output import Requirement

    from .outcomes import Outcome


@frozen
class Person:
    """The person at the terminal. `later`, or the end of input, leaves the run paused."""

    by: str

    def __call__(self, requirement: Requirement, outcomes: Sequence[Outcome]) -> Answer | None:
        """Ask until the answer is one of those offered."""
        present(requirement)
        offers = [*((outcome.word, outcome.leads_to) for outcome in outcomes), ("later", "leave the run paused")]
        for word, leads_to in offers:
            click.echo(f"    {click.style(f'[{word[0]}]{word[1:]:<6}', bold=True)} -> {leads_to}")
        more = FOLLOWS.get(requirement.kind, "a comment")
        try:
            while True:
                said = line(f"  Your answer ({'/'.join(word[0] for word, _ in offers)}; {more} may follow): ")
                word, _, rest = said.partition(" ")
                if requirement.kind == "route" and is_numbers(said):
                    word, rest = "select", said
                chosen = [offer for offer, _ in offers if word and offer.startswith(word.lower())]
                if chosen == ["later"]:
                    return None
                answer = self.complete(requirement, chosen[0], rest.strip()) if chosen else None
                if answer is not None:
                    click.echo()
                    return answer
                if not chosen:
                    click.echo(f"  Please answer {', '.join(offer for offer, _ in offers)}, or the first letter of one.")
        except EOFError:
            click.echo()
            return None

    def complete(self, requirement: Requirement, word: str, said: str) -> Answer | None:
        """The answer with what it carries, asked for where it was not said; None where it does not fit, after saying why."""
        try:
            match word:
                case "input":
                    answer = Answer(word, self.by, value=written_form(said) if said else form(requirement))
                case "select":
                    answer = Answer(word, self.by, value=choices(requirement, said or line("  Which (numbers or names): ")))
                case "edit":
                    answer = Answer(word, self.by, value=CARRIED["edit"](said or line("  The new output, as JSON or text: ")))
                case "reject" if requirement.kind.endswith("review"):
                    answer = Answer(word, self.by, value=said or line("  What is to be better (may be empty): ") or None)
                case _:
                    return Answer(word, self.by, said or None)
            answer.give(requirement)
        except (InvalidInput, click.BadParameter) as error:
            click.echo(f"  {clean(error)}")
            return None
        return answer


FOLLOWS = {
    "user_input": "values as JSON",
    "route": "numbers or names",
    "output_review": "a text",
    "iteration_review": "what is to be better",
}
"""What may follow the word of an answer in its line."""


def present(requirement: Requirement) -> None:
    """Show a question, what is under review, and what else belongs to it."""
    click.echo()
    click.secho(f"? {question(requirement)}", fg="yellow", bold=True)
    for text in shown(requirement):
        click.echo(f"  | {text}")
    for text in particulars(requirement):
        click.echo(f"  {text}")


def is_numbers(text: str) -> bool:
    """Whether a text is made of numbers and commas."""
    return all(part.strip().isdecimal() for part in text.split(","))


def choices(requirement: Any, text: str) -> list[str]:
    """The choices that numbers or names mean, in the order given."""
    known = requirement.available_choices
    numbered = {str(number): name for number, name in enumerate(known, 1)}
    return [name if name in known else numbered.get(name, name) for name in CARRIED["select"](text)]


def written_form(text: str) -> dict[str, Any]:
    """The values of a form in one line, as a JSON object. Raises `click.BadParameter`."""
    return read_object(text, "input")


def form(requirement: Any) -> dict[str, Any]:
    """The values of a form, field by field; without a schema as NAME=VALUE until an empty line. Raises `EOFError`."""
    if requirement.user_input_schema is not None:
        answers = {each.name: filled(each) for each in requirement.user_input_schema}
        return {name: value for name, value in answers.items() if value is not None}
    words: list[str] = []
    while word := line("  NAME=VALUE (an empty line ends): "):
        try:
            assigned([*words, word], None)
        except click.BadParameter as error:
            click.echo(f"  {clean(error.message)}")
        else:
            words.append(word)
    return assigned(words, None)


def filled(each: Any) -> Any:
    """The value of one field, asked for until it fits; None where it is left out. Raises `EOFError`."""
    while True:
        text = line(f"  {field_line(each)}: ")
        value = typed(each, text) if text else None
        lacking = f"{each.name} is required" if each.required and each.value is None else None
        problem = lacking if value is None else each.wrong(value)
        if problem is None:
            return value
        click.echo(f"  {clean(problem)}")


def line(prompt: str) -> str:
    """A line from the terminal. Raises `EOFError` where the input ends."""
    click.echo(prompt, nl=False)
    read = sys.stdin.readline()  # not input(), which misses a Ctrl-C that comes while it prints its prompt
    if not read:
        raise EOFError
    return read.strip()
