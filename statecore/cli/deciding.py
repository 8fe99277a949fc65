"""Commands that decide: `confirm`, `reject`, `retry`, `skip`, `input`, `select`, `answer`, `edit`, `provide`, `withdraw`, `cancel`.

They need the store, no code of the workflow, and run nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

import click
from attrs import frozen

from statecore.asking.approvals import declared_counts, needed_in_words
from statecore.asking.text import assigned, named, read_json, read_object, short
from statecore.definition import Person
from statecore.errors import NotPaused
from statecore.lifecycles import DECISION_WORDS, DecisionWord, exhaustive
from statecore.lifecycles.decisions import ANSWER, CONFIRM, EDIT, INPUT, PROVIDE, REJECT, RETRY, SELECT, SKIP
from statecore.stores import PauseFilter

from . import exits
from .main import COMMANDS
from .meaning import keyed, keyed_names, meant
from .person import by_option
from .screen import Option, command, json_option, usage_errors
from .stores import db_option, inbox, is_served
from .views import print_json

if TYPE_CHECKING:
    from statecore.output import Requirement

F = TypeVar("F", bound=Callable[..., Any])
Value = Callable[["Requirement | None"], Any]
"""The value that a decision carries, once its requirement is known."""

RUN_HELP = "RUN is a run id or a prefix of it; STEP may be left out where one pause is open."
comment_option: Option = click.option("--comment", metavar="TEXT", help="The reason; it is stored with the decision.")
key_option: Option = click.option(
    "--idempotency-key",
    "key",
    metavar="KEY",
    help="An idempotency key: the same decision with the same key gets the same answer.",
)

seen_option: Option = click.option(
    "--seen",
    metavar="DIGEST",
    help="The digest of the question as you saw it (`seen` in `pending --json`), or its beginning, of 12 digits at least.",
)
roles_option: Option = click.option(
    "--as-role",
    "roles",
    metavar="ROLE",
    multiple=True,
    help="A role of the decider, where the rule of the question takes declared names; may be repeated.",
)
DIGITS = 12
"""So many digits of a digest tell two questions apart."""


@frozen
class Clerk:
    """The person who decides at the command line: name and reason, key, store, and how to print it."""

    by: str
    comment: str | None
    key: str | None
    seen: str | None
    roles: tuple[str, ...]
    db: str | None
    as_json: bool

    def person(self, asked: Requirement | None) -> str | Person:
        """The decider, with the roles that are declared. Raises `click.UsageError` where none count."""
        if not self.roles:
            return self.by
        rule = asked.rule if asked is not None else None
        if rule is None or not declared_counts(rule):
            why = "has no rule, so that no role counts" if rule is None else "takes no declared names: log in, e.g. at the inbox"
            message = f"--as-role is of no use here: this question {why}."
            raise click.UsageError(message)
        return Person(self.by, roles=self.roles)

    def decide(self, run: str, word: str, step: str | None, value: Value = lambda _: None, *, force: bool = False) -> int:
        """Store one decision and say where it leads; one that was made before is said, and changes nothing.

        A request that is repeated with its key means the pause that it decided, wherever the run is now, and is answered as it was.
        """
        box = inbox(self.db)
        run_id = box.find(run)
        place = keyed(box, run_id, self.key, step) or meant(box, run_id, word, step)
        row = box.db.pause(run_id, place.pause_id)
        asked = box.requirement(row, box.show(run_id)) if row is not None else None
        decided = box.decide(
            run_id,
            place.pause_id,
            word,
            value=value(asked),
            by=self.person(asked),
            comment=self.comment,
            idempotency_key=self.key,
            seen=self.shown(asked, word, step) if asked is not None else None,
            force=force,
        )
        before = row.decided if row is not None else None
        if self.as_json:
            print_json(decided.to_dict())
        elif decided.rule is not None and before is None:
            self.told(decided, f"{word} '{named(place.step_name)}' of run {short(run_id)}, by {named(self.by)}")
        elif before is not None and (self.key is None or before.key != self.key):
            said = f"{decided.decision} by {named(decided.by or 'somebody')} at {decided.decided_at}"
            click.echo(f"'{named(place.step_name)}' was decided already: {said}. Nothing changed.")
        else:
            leads_to = {each.word: each.leads_to for each in decided.outcomes}[word]
            who = named(decided.by or "somebody")
            click.echo(f"{word} '{named(place.step_name)}' of run {short(run_id)}, by {who} -> {leads_to}")
            again = command("resume", "TARGET", short(run_id), db=self.db or "")
            if is_served(self.db):
                click.echo("A worker goes on with it.")
            elif row is None or row.pause.closed is None:
                click.echo(f"It counts when the run goes on: {again}")
        return exits.FINE

    def told(self, asked: Requirement, what: str) -> None:
        """Say what was stored about a question with a rule, and what its votes say now."""
        click.echo(f"{what}: {needed_in_words(asked.still_needed, asked.votes_say)}.")
        if asked.votes_say in ("satisfied", "refused") and not is_served(self.db):
            click.echo(f"It counts when the run goes on: {command('resume', 'TARGET', short(asked.run_id), db=self.db or '')}")

    def shown(self, asked: Requirement, word: str, step: str | None) -> str | None:
        """The digest of the question that the person means (GATE-6). Raises `click.UsageError` for one put again that is named by its step alone."""
        digest = asked.shown()
        if self.seen is not None:
            return digest if digest is not None and len(self.seen) >= DIGITS and digest.startswith(self.seen) else self.seen
        if asked.put_again is not None and not asked.is_resolved and step != asked.pause_id:
            name = command(word, short(asked.run_id), asked.pause_id, db=self.db or "")
            message = f"The question of {named(asked.step_name)} was {asked.put_again}. To answer it as it is now, name it:  {name}"
            raise click.UsageError(message)
        return digest


def clerked(function: F) -> Callable[..., int]:
    """A command whose options about who decides, and where, are gathered in a `Clerk`."""

    @by_option
    @comment_option
    @key_option
    @seen_option
    @roles_option
    @db_option
    @json_option
    @wraps(function)
    def gathered(  # noqa: PLR0913  # the options
        *,
        by: str,
        comment: str | None,
        key: str | None,
        seen: str | None,
        roles: tuple[str, ...],
        db: str | None,
        as_json: bool,
        **rest: Any,
    ) -> int:
        code: int = function(Clerk(by, comment, key, seen, roles, db, as_json), **rest)
        return code

    return gathered


def plain(said: DecisionWord) -> click.Command:
    """The command of a word that carries no value."""

    @click.command(said.word, help=f"{said.sentence}\n\n{RUN_HELP}")
    @click.argument("run")
    @click.argument("step", required=False)
    @clerked
    def decide(clerk: Clerk, run: str, step: str | None) -> int:
        return clerk.decide(run, said.word, step)

    return decide


confirm: click.Command = plain(CONFIRM)
skip: click.Command = plain(SKIP)


@click.command(RETRY.word, help=f"{RETRY.sentence}\n\n{RUN_HELP}")
@click.argument("run")
@click.argument("step", required=False)
@click.option("--force", is_flag=True, help="Also beside a call of the step that was given up and still runs.")
@clerked
def retry(clerk: Clerk, run: str, step: str | None, *, force: bool) -> int:
    """Call a step again, by force where its last call is not over."""
    return clerk.decide(run, RETRY.word, step, force=force)


@click.command(help=f"{REJECT.sentence}\n\n{RUN_HELP}")
@click.argument("run")
@click.argument("step", required=False)
@click.option("--feedback", metavar="TEXT", help="Feedback for the next attempt.")
@clerked
def reject(clerk: Clerk, run: str, step: str | None, feedback: str | None) -> int:
    """Say no, with what the next attempt is told."""
    return clerk.decide(run, REJECT.word, step, lambda _: feedback)


@click.command(INPUT.word, help=f"{INPUT.sentence}\n\nEach value is parsed by the type of its field. {RUN_HELP}")
@click.argument("run")
@click.argument("words", nargs=-1, metavar="[STEP] NAME=VALUE...")
@click.option("--json-value", metavar="JSON", help="All values at once, as an object, e.g. '{\"amount\": 3}'.")
@clerked
def give(clerk: Clerk, run: str, words: tuple[str, ...], json_value: str | None) -> int:
    """Give values, typed by the stored form."""
    step, pairs = (words[0], words[1:]) if words and "=" not in words[0] else (None, words)
    if json_value is not None and pairs:
        message = "Give NAME=VALUE or --json-value, not both."
        raise click.UsageError(message)
    if json_value is not None:
        with usage_errors():
            given = read_object(json_value, "--json-value")
        return clerk.decide(run, INPUT.word, step, lambda _: given)
    with usage_errors():
        return clerk.decide(run, INPUT.word, step, lambda asked: assigned(pairs, getattr(asked, "user_input_schema", None)))


@click.command(help=f"{SELECT.sentence}\n\n{RUN_HELP}")
@click.argument("run")
@click.argument("words", nargs=-1, required=True, metavar="[STEP] CHOICE...")
@clerked
def select(clerk: Clerk, run: str, words: tuple[str, ...]) -> int:
    """Choose; the first of several words is the step where a pause has that name."""
    step, choices = step_and_values(clerk, run, words)
    return clerk.decide(run, SELECT.word, step, lambda _: list(choices))


@click.command(
    ANSWER.word,
    help=f"{ANSWER.sentence}\n\nANSWER is a choice, several choices, y or n, a text, or NAME=VALUE... of a form. {RUN_HELP}",
)
@click.argument("run")
@click.argument("words", nargs=-1, required=True, metavar="[STEP] ANSWER...")
@clerked
def answer(clerk: Clerk, run: str, words: tuple[str, ...]) -> int:
    """Answer what a step asks; the first of several words is the step where a pause has that name."""
    step, said = step_and_values(clerk, run, words)
    with usage_errors():
        return clerk.decide(run, ANSWER.word, step, lambda asked: answer_of(asked, said))


def step_and_values(clerk: Clerk, run: str, words: tuple[str, ...]) -> tuple[str | None, tuple[str, ...]]:
    """The step that words name first, None where they name none, and the others."""
    box = inbox(clerk.db)
    run_id = box.find(run)
    rows = box.pending(PauseFilter(run_id=run_id, undecided_only=False, limit=10_000))
    names = {name for row in rows for name in (row.step_name, row.address, row.pause_id)} | keyed_names(box, run_id, clerk.key)
    return (words[0], words[1:]) if len(words) > 1 and words[0] in names else (None, words)


def answer_of(asked: Any, said: tuple[str, ...]) -> Any:
    """The answer that words are, by the question: the values of a form, several choices, or one text."""
    if getattr(asked, "user_input_schema", None) is not None:
        return assigned(said, asked.user_input_schema)
    return list(said) if getattr(asked, "allow_multiple_selections", False) else " ".join(said)


def valued(said: DecisionWord) -> click.Command:
    """The command of a word that carries a value, as JSON or as text."""

    @click.command(said.word, help=f"{said.sentence}\n\n{RUN_HELP}")
    @click.argument("run")
    @click.argument("step", required=False)
    @click.option("--value", metavar="JSON", help="The value, as JSON.")
    @click.option("--text", metavar="TEXT", help="The value, as plain text.")
    @clerked
    def decide(clerk: Clerk, run: str, step: str | None, value: str | None, text: str | None) -> int:
        if (value is None) == (text is None):
            message = "Give --value JSON or --text TEXT, one of the two."
            raise click.UsageError(message)
        with usage_errors():
            given = read_json(value, "--value") if value is not None else text
        return clerk.decide(run, said.word, step, lambda _: given)

    return decide


edit: click.Command = valued(EDIT)
provide: click.Command = valued(PROVIDE)


WORDS = tuple(each.word for each in DECISION_WORDS)
exhaustive("cli.deciding", (each.name or "" for each in (confirm, reject, retry, skip, give, select, answer, edit, provide)), WORDS)
exhaustive("cli.main.COMMANDS", (each.name or "" for each in COMMANDS if each.module == "deciding"), (*WORDS, "withdraw", "cancel"))


@click.command(help=f"Take back a vote.\n\nIt counts no more, and the person may vote once more, until the run goes on. {RUN_HELP}")
@click.argument("run")
@click.argument("step", required=False)
@by_option
@comment_option
@db_option
@json_option
def withdraw(run: str, step: str | None, by: str, comment: str | None, db: str | None, *, as_json: bool) -> int:  # noqa: PLR0913  # the options
    """Take back the vote of a person about a question with a rule."""
    box, clerk = inbox(db), Clerk(by, comment, None, None, (), db, as_json)
    run_id = box.find(run)
    place = meant(box, run_id, CONFIRM.word, step)
    asked = box.withdraw(run_id, place.pause_id, by=by, comment=comment)
    if as_json:
        print_json(asked.to_dict())
    else:
        clerk.told(asked, f"withdrawn: the vote of {named(by)} about '{named(place.step_name)}' of run {short(run_id)}")
    return exits.FINE


@click.command()
@click.argument("run")
@by_option
@db_option
@json_option
def cancel(run: str, by: str, db: str | None, *, as_json: bool) -> int:
    """Cancel a run.

    RUN is a run id or a prefix of it. A paused run is cancelled at once, a running one when its current step has ended.
    """
    box = inbox(db)
    run_id = box.find(run)
    if not box.cancel(run_id, by=by):
        raise NotPaused(run_id, box.show(run_id).status.value)
    status = box.show(run_id).status.value
    if as_json:
        print_json({"run_id": run_id, "status": status})
    elif status == "CANCELLED":
        click.echo(f"Run {short(run_id)} is cancelled.")
    else:
        click.echo(f"Run {short(run_id)} is {status}; it will be cancelled when its present step is over.")
    return exits.FINE
