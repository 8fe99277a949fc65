"""Who answers a pause: whom `--by` names; where nobody is asked, the words given with `--answers`, or nobody. `person` asks."""

from __future__ import annotations

import getpass
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import click
from attrs import define, field, frozen

from statecore.core import DECISIONS
from statecore.definition.fields import checked
from statecore.errors import UnknownStep, suggest
from statecore.output.answers import chosen_names

from .options import Option
from .written import CARRIED

if TYPE_CHECKING:
    from statecore.output import Requirement

    from .outcomes import Outcome

WORDS = tuple(dict.fromkeys(word for words in DECISIONS.values() for word in words))
RETRIES = 10
"""How often `--answers step=retry` has one step run again before the run is left to a person: nothing loops without end."""
AGAIN = ("retry", "reject")
"""Words that may lead to the same question again."""


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
        if self.word == "input":
            value = checked(asked.step_name, asked.user_input_schema, value)
        elif self.word == "select":
            value = chosen_names(asked.step_name, value, asked.available_choices, multiple=asked.allow_multiple_selections)
        requirement.decide(self.word, value, by=self.by, comment=self.comment)


Answering: TypeAlias = "Callable[[Requirement, Sequence[Outcome]], Answer | None]"
"""An answer to a requirement with these outcomes; None leaves it undecided."""


def login() -> str:
    """Who is at this computer, as far as it knows."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a user id without a name
        return "somebody"


by_option: Option = click.option("--by", metavar="NAME", default=login, show_default="who is logged in", help="Who decides.")


def nobody(_requirement: Requirement, _outcomes: Sequence[Outcome]) -> None:
    """Nobody is there to answer."""


@define
class Given:
    """Answers given beforehand. `step=word` answers that step whenever it asks; a bare word answers one pause, the next that it fits."""

    named: Mapping[str, tuple[str, Any]]
    bare: list[tuple[str, Any]]
    by: str
    given: Counter[str] = field(factory=Counter)

    def __call__(self, requirement: Requirement, _outcomes: Sequence[Outcome]) -> Answer | None:
        """The answer to a requirement; None where none was given, or a step was run again often enough."""
        fitting = DECISIONS[requirement.kind]
        for name in (requirement.address, requirement.step_name):
            word, value = self.named.get(name, ("", None))
            if word in fitting:
                self.given[requirement.address] += word in AGAIN
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


CARRYING = re.compile(rf"(?:|(?P<step>[^,]*?)=)(?P<word>{'|'.join(CARRIED)}):(?P<value>.*)", re.DOTALL)
EXAMPLES = {"input": 'input:{"amount": 3}', "select": "select:quick,deep", "edit": "edit:a new text"}


def parse(texts: Iterable[str], by: str) -> Given:
    """The answers written as `word,word` or `step=word,step=word`; the last may carry a value: `step=input:{"n": 3}`.

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
    """The step, word and value of each answer in a text; one that carries a value takes the rest, commas and all."""
    comma, rest = ",", text.strip()
    while comma:
        carrying = CARRYING.match(rest)
        if carrying is not None:
            yield carrying["step"], carrying["word"], CARRIED[carrying["word"]](carrying["value"])
            return
        item, comma, rest = (part.strip() for part in rest.partition(","))
        step, equals, word = item.rpartition("=")
        if word in EXAMPLES:
            message = f"{word!r} carries a value, e.g. {EXAMPLES[word]}."
            raise click.BadParameter(message, param_hint="--answers")
        yield (step if equals else None), word, None
