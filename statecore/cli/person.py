"""The answers to a pause: given with `--answers`, or asked of the person at the terminal; `--by` names the one who decides.

Where the answers are used up and no terminal is there, `nobody` leaves the pause open. `Asker` shows the question, and asks until
an answer fits.
"""

from __future__ import annotations

import getpass
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import TIMEOUT_MAX, Timer
from typing import TYPE_CHECKING, Any, TypeAlias

import click
from attrs import define, field, frozen

from statecore.asking.questions import field_line, particulars, question, shown
from statecore.asking.text import Miswritten, assigned, clean, read_object, read_value, typed
from statecore.definition.forms import checked
from statecore.errors import InvalidInput, UnknownStep, suggest
from statecore.lifecycles import ASK_KINDS, BY_WORD, DECISION_WORDS, SHOWS, exhaustive
from statecore.lifecycles.decisions import INPUT, SELECT
from statecore.runtime.answers import carries, chosen_names

from .screen import Option, usage_errors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from statecore.asking.outcomes import Outcome
    from statecore.output import Requirement

WORDS = tuple(each.word for each in DECISION_WORDS)
RETRIES = 10
"""How often `--answers step=retry` has one step run again before the run is left to a person: nothing loops without end."""
VALUED = "|".join(each.word for each in DECISION_WORDS if each.carries != "nothing")
CARRYING = re.compile(rf"(?:|(?P<step>[^,]*?)=)(?P<word>{VALUED}):(?P<value>.*)", re.DOTALL)
EXAMPLES = {each.word: each.example for each in DECISION_WORDS if each.carries not in ("nothing", "feedback")}
"""An answer with each word that never stands alone."""


@frozen
class Answer:
    """One decision, by whom and why; `value` is what an input, a selection, an edit or a rejection carries."""

    word: str
    by: str
    comment: str | None = None
    value: Any = None

    def give(self, requirement: Requirement) -> None:
        """Record it on a requirement. Raises `InvalidInput` for a value that does not fit."""
        asked: Any = requirement
        value = self.value
        if carries(self.word, "form"):
            value = checked(asked.step_name, asked.user_input_schema, value)
        elif carries(self.word, "reply"):
            value = answer_to(asked, value)
        elif carries(self.word, "names"):
            value = chosen_names(asked.step_name, value, asked.available_choices, multiple=asked.allow_multiple_selections)
        requirement.decide(self.word, value, by=self.by, comment=self.comment)


Answering: TypeAlias = "Callable[[Requirement, Sequence[Outcome]], Answer | None]"
"""An answer to a requirement with these outcomes; None leaves it undecided."""


def login() -> str:
    """The login name of this computer's user, as far as it is known."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a user id without a name
        return "somebody"


by_option: Option = click.option(
    "--by", metavar="NAME", default=login, show_default="who is logged in", help="The name of the decider."
)


def nobody(_requirement: Requirement, _outcomes: Sequence[Outcome]) -> None:
    """Leave the question open: there is no terminal and no answer."""


@define
class Given:
    """Answers given beforehand. `step=word` answers that step whenever it asks; a bare word answers one pause, the next that it fits."""

    named: Mapping[str, tuple[str, Any]]
    bare: list[tuple[str, Any]]
    by: str
    given: Counter[str] = field(factory=Counter)

    def __call__(self, requirement: Requirement, _outcomes: Sequence[Outcome]) -> Answer | None:
        """The answer to a requirement; None where none was given, or a step was run again often enough."""
        fitting = requirement.words
        for name in (requirement.address, requirement.step_name):
            word, value = self.named.get(name, ("", None))
            if word in fitting:
                self.given[requirement.address] += BY_WORD[word].repeats
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


def parse(texts: Iterable[str], by: str) -> Given:
    """The answers written as `word,word` or `step=word,step=word`; the last may carry a value: `step=input:{"n": 3}`.

    Raises `click.BadParameter`.
    """
    bare: list[tuple[str, Any]] = []
    named: dict[str, tuple[str, Any]] = {}
    for step, word, value in (item for text in texts for item in items(text)):
        if word not in WORDS:
            message = f"One of them is no answer.{suggest(word, WORDS)} Write e.g. retry,confirm or fetch=retry,deep=reject."
            raise click.BadParameter(message, param_hint="--answers")
        if step is not None:
            named[step] = (word, value)
        else:
            bare.append((word, value))
    return Given(named, bare, by)


def items(text: str) -> Iterator[tuple[str | None, str, Any]]:
    """The step, word and value of each answer in a text; one that carries a value takes the rest, commas and all."""
    comma, rest = ",", text.strip()
    while comma:
        carrying = CARRYING.match(rest)
        if carrying is not None:
            with usage_errors():
                value = read_value(carrying["word"], carrying["value"])
            yield carrying["step"], carrying["word"], value
            return
        item, comma, rest = (part.strip() for part in rest.partition(","))
        step, equals, word = item.rpartition("=")
        if word in EXAMPLES:
            message = f"{word!r} carries a value, e.g. {EXAMPLES[word]}."
            raise click.BadParameter(message, param_hint="--answers")
        yield (step if equals else None), word, None


# -- at the terminal ---------------------------------------------------------------------------------------------------------------


@frozen
class Asker:
    """The person at the terminal. `later`, or the end of input, leaves the run paused."""

    by: str

    def __call__(self, requirement: Requirement, outcomes: Sequence[Outcome]) -> Answer | None:
        """Ask until the answer is one of those offered."""
        present(requirement)
        offers = [*((outcome.word, outcome.leads_to) for outcome in outcomes), ("later", "leave the run paused")]
        for word, leads_to in offers:
            click.echo(f"    {click.style(f'[{word[0]}]{word[1:]:<6}', bold=True)} -> {leads_to}")
        more = FOLLOWS[requirement.kind]
        try:
            with announcing(requirement):
                return self.asked(requirement, offers, more)
        except EOFError:
            click.echo()
            return None

    def asked(self, requirement: Requirement, offers: Sequence[tuple[str, str]], more: str) -> Answer | None:
        """The answer of a person, who is asked until it fits; None for later. Raises `EOFError`."""
        while True:
            said = line(f"  Your answer ({'/'.join(word[0] for word, _ in offers)}; {more} may follow): ")
            word, _, rest = said.partition(" ")
            if SHOWS[requirement.kind] == "choices" and is_numbers(said):
                word, rest = SELECT.word, said
            chosen = [offer for offer, _ in offers if word and offer.startswith(word.lower())]
            if chosen == ["later"]:
                return None
            answer = self.complete(requirement, chosen[0], rest.strip()) if chosen else None
            if answer is not None:
                click.echo()
                return answer
            if not chosen:
                click.echo(f"  Please answer {', '.join(offer for offer, _ in offers)}, or the first letter of one.")

    def complete(self, requirement: Requirement, word: str, said: str) -> Answer | None:
        """The answer with what it carries, asked for where it was not said; None where it does not fit, after saying why."""
        try:
            match BY_WORD[word].carries:
                case "form":
                    answer = Answer(word, self.by, value=written_form(said) if said else form(requirement))
                case "names":
                    answer = Answer(word, self.by, value=choices(requirement, said or line("  Which (numbers or names): ")))
                case "reply":
                    answer = Answer(word, self.by, value=answered(requirement, said))
                case "value":
                    answer = Answer(
                        word, self.by, value=read_value(word, said or line(f"  {VALUE_OF[requirement.kind]}, as JSON or text: "))
                    )
                case "feedback" if SHOWS[requirement.kind] == "output":
                    answer = Answer(word, self.by, value=said or line("  What is to be better (may be empty): ") or None)
                case _:
                    return Answer(word, self.by, said or None)
            answer.give(requirement)
        except (InvalidInput, Miswritten) as error:
            click.echo(f"  {clean(error)}")
            return None
        return answer


@contextmanager
def announcing(requirement: Requirement) -> Iterator[None]:
    """Meanwhile, say that the deadline of a question has passed as soon as it has: an answer comes too late then (TIME-4)."""
    if requirement.timeout_at is None:
        yield
        return
    said = f"  The deadline of this question has passed: its on_timeout, {requirement.on_timeout}, is applied; an answer comes too late."
    left = (requirement.timeout_at - datetime.now(UTC)).total_seconds()
    timer = Timer(max(0.0, min(left, TIMEOUT_MAX)), click.secho, (f"\n{said}",), {"fg": "yellow"})
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


VALUE_OF = {"output_review": "The new output", "confirmation": "The new input", "error": "The value", "interrupted": "The value"}
"""The thing that a value stands for, by the kind of its question."""
FOLLOWS = {
    "confirmation": "a comment",
    "user_input": "values as JSON",
    "route": "numbers or names",
    "output_review": "a text",
    "iteration_review": "what is to be better",
    "question": "the answer",
    "error": "a comment",
    "interrupted": "a comment",
}
"""The text that may follow the word of an answer in its line."""
exhaustive("cli.person.FOLLOWS", FOLLOWS, ASK_KINDS)


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
    return [name if name in known else numbered.get(name, name) for name in read_value(SELECT.word, text)]


def answer_to(requirement: Any, value: Any) -> Any:
    """An answer to the code of a step, as it is stored: choices by number, too, and a form as JSON. Raises `InvalidInput`, `Miswritten`."""
    if isinstance(value, str) and requirement.user_input_schema is not None:
        value = written_form(value)
    options = requirement.options
    if isinstance(value, str) and options:
        parts = [part.strip() for part in value.split(",")] if requirement.allow_multiple_selections else [value.strip()]
        told = {str(each) for each in options}
        numbered = {str(number): each for number, each in enumerate(options, 1)}
        found = [part if part in told else numbered.get(part, part) for part in parts]
        value = found if requirement.allow_multiple_selections else found[0]
    requirement.answer(value)
    return requirement.value


def answered(requirement: Any, said: str) -> Any:
    """The answer to the code of a step, asked for where it was not said. Raises `EOFError`."""
    if requirement.user_input_schema is not None:
        return written_form(said) if said else form(requirement)
    return said or line("  Your answer: ")


def written_form(text: str) -> dict[str, Any]:
    """The values of a form in one line, as a JSON object. Raises `Miswritten`."""
    return read_object(text, INPUT.word)


def form(requirement: Any) -> dict[str, Any]:
    """The values of a form, field by field; without a schema as NAME=VALUE until an empty line. Raises `EOFError`."""
    if requirement.user_input_schema is not None:
        answers = {each.name: filled(each) for each in requirement.user_input_schema}
        return {name: value for name, value in answers.items() if value is not None}
    words: list[str] = []
    while word := line("  NAME=VALUE (an empty line ends): "):
        try:
            assigned([*words, word], None)
        except Miswritten as error:
            click.echo(f"  {clean(error.message)}")
        else:
            words.append(word)
    return assigned(words, None)


def filled(each: Any) -> Any:
    """The value of one field, asked for until it fits; None where it is left out. Raises `EOFError`."""
    while True:
        text = (unseen if each.secret else line)(f"  {field_line(each)}: ")
        value = typed(each, text) if text else None
        lacking = f"{each.name} is required" if each.required and each.value is None else None
        problem = lacking if value is None else each.wrong(value)
        if problem is None:
            return value
        click.echo(f"  {clean(problem)}")


def unseen(prompt: str) -> str:
    """A line from the terminal that is not shown while it is typed; without a terminal a line as any other. Raises `EOFError`."""
    return getpass.getpass(prompt).strip() if sys.stdin.isatty() else line(prompt)


def line(prompt: str) -> str:
    """A line from the terminal. Raises `EOFError` where the input ends."""
    click.echo(prompt, nl=False)
    read = sys.stdin.readline()  # not input(), which misses a Ctrl-C that comes while it prints its prompt
    if not read:
        raise EOFError
    return read.strip()
