"""Who answers a pause: the words given with `--answers`, or the person at the terminal."""

from __future__ import annotations

import getpass
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

import click
from attrs import define, field, frozen

from statecore.core import DECISIONS
from statecore.errors import UnknownStep, suggest

from .screen import brief, clean

if TYPE_CHECKING:
    from statecore.output import Requirement

    from .outcomes import Outcome

WORDS = tuple(dict.fromkeys(word for words in DECISIONS.values() for word in words))
RETRIES = 10
"""How often `--answers step=retry` retries one step before the run is left to a person: nothing loops without end."""


@frozen
class Answer:
    """One decision, by whom and why."""

    word: str
    by: str
    comment: str | None = None

    def give(self, requirement: Requirement) -> None:
        """Record it on a requirement."""
        {
            "confirm": lambda: requirement.confirm(by=self.by, comment=self.comment),  # type: ignore[union-attr]
            "reject": lambda: requirement.reject(self.comment, by=self.by),  # type: ignore[union-attr]
            "retry": lambda: requirement.retry(by=self.by, comment=self.comment),  # type: ignore[union-attr]
            "skip": lambda: requirement.skip(by=self.by, comment=self.comment),  # type: ignore[union-attr]
        }[self.word]()


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

    named: Mapping[str, str]
    bare: list[str]
    by: str
    given: Counter[str] = field(factory=Counter)

    def __call__(self, requirement: Requirement, _outcomes: Sequence[Outcome]) -> Answer | None:
        """The answer to a requirement; None where none was given, or a step was retried often enough."""
        fitting = DECISIONS[requirement.kind]
        for name in (requirement.address, requirement.step_name):
            word = self.named.get(name)
            if word in fitting:
                self.given[requirement.address] += word == "retry"
                return Answer(word, self.by) if self.given[requirement.address] <= RETRIES else None
        for word in self.bare:
            if word in fitting:
                self.bare.remove(word)
                return Answer(word, self.by)
        return None

    def check(self, known: Iterable[str]) -> None:
        """Raise `UnknownStep` for an answer to a component that the workflow does not have."""
        names = list(known)
        for name in self.named:
            if name not in names:
                raise UnknownStep(name, names)


def parse(texts: Iterable[str], by: str) -> Given:
    """The answers written as `word,word` or `step=word,step=word`. Raises `click.BadParameter`."""
    given = Given({}, [], by)
    named: dict[str, str] = {}
    for item in (item.strip() for text in texts for item in text.split(",")):
        step, equals, word = item.rpartition("=")
        if word not in WORDS:
            message = f"{word!r} is no answer.{suggest(word, WORDS)} Write e.g. retry,confirm or fetch=retry,deep=reject."
            raise click.BadParameter(message, param_hint="--answers")
        if equals:
            named[step] = word
        else:
            given.bare.append(word)
    given.named = named
    return given


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
                return Answer(chosen[0], self.by, comment.strip() or None)
            click.echo(f"  Please answer {', '.join(offer for offer, _ in offers)}, or the first letter of one.")


def question(requirement: Requirement) -> str:
    """What a requirement asks, in a line."""
    name = clean(requirement.step_name)
    if requirement.kind == "confirmation":
        message = getattr(requirement, "confirmation_message", None)
        return f"{name}: {brief(message)}" if message else f"Run '{name}'?"
    error_type, message = getattr(requirement, "error_type", ""), getattr(requirement, "error_message", "")
    if requirement.kind == "interrupted":
        return f"{name} was interrupted: {brief(message)}"
    return f"{name} failed: {clean(error_type)}: {brief(message)}"
