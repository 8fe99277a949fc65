"""The group of all commands, and the one place where errors become messages and exit codes."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from io import TextIOWrapper
from typing import TYPE_CHECKING, Any, NoReturn

import click

from statecore import __version__

from . import exits

if TYPE_CHECKING:
    from statecore.errors import StatecoreError

NAME = "statecore"


class Later(click.Command):
    """A command that is known by its name and the first line of its help; its module is imported when more is asked of it."""

    def __init__(self, name: str, module: str, summary: str) -> None:
        super().__init__(name, help=summary)
        self.module = module

    def loaded(self) -> click.Command:
        """The command itself, from its module."""
        module = import_module(f".{self.module}", __package__)
        return next(each for each in vars(module).values() if isinstance(each, click.Command) and each.name == self.name)

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """The context of the command itself, which is parsed, asked for help, completed and invoked from then on.

        An unknown option is refused with the nearest one.
        """
        command = self.loaded()
        try:
            return command.make_context(info_name, args, parent, **extra)
        except click.NoSuchOption as error:
            from .nearest import no_option  # noqa: PLC0415  # only a refusal needs it

            raise no_option(error, command) from None


COMMANDS = (
    Later("demo", "demo", "Analyse a file in a workflow that asks questions."),
    Later("run", "running", "Start a run of a workflow and follow it."),
    Later("resume", "running", "Continue a run: apply stored decisions, ask about open pauses."),
    Later("runs", "listing", "List runs; the run that began last comes first."),
    Later("pending", "listing", "List open pauses."),
    Later("show", "listing", "Show a run: steps, decisions, open pauses."),
    Later("confirm", "deciding", "Confirm a pause."),
    Later("reject", "deciding", "Reject a pause."),
    Later("retry", "deciding", "Call a failed or interrupted step again."),
    Later("skip", "deciding", "Skip a failed or interrupted step."),
    Later("input", "deciding", "Give the input that a step asks for."),
    Later("select", "deciding", "Select the children that a Router runs, in this order."),
    Later("answer", "deciding", "Answer a question that a step asks."),
    Later("edit", "deciding", "Replace an output under review, or the input of a step."),
    Later("provide", "deciding", "Give the output of a failed or interrupted step."),
    Later("withdraw", "deciding", "Take back a vote."),
    Later("cancel", "deciding", "Cancel a run."),
    Later("tick", "running", "Apply passed deadlines and stored decisions."),
    Later("recover", "running", "Take over the runs of dead processes."),
    Later("worker", "working", "Execute the runs of workflows that can continue."),
    Later("inbox", "reviewing", "Serve the inbox: web pages where people decide."),
    Later("verify", "care", "Check a store, or an archive, row by row."),
    Later("doctor", "care", "List the problems of a store that need a person."),
    Later("backup", "care", "Copy a store while it is in use."),
    Later("quarantine", "setting_aside", "Set a run aside: no process continues it."),
    Later("purge", "ending", "Remove runs that ended long ago."),
    Later("erase", "ending", "Erase values of a run that has ended."),
    Later("rotate", "rotating", "Encipher the values of a store with its newest key."),
    Later("archive", "auditing", "Write runs into a file, to be verified elsewhere."),
    Later("audit", "auditing", "Print the trail of runs, or the root of a store."),
    Later("compact", "ending", "Give the room of removed rows back to the disk."),
    Later("migrate", "migrating", "Lead a store to the newest format, in place."),
    Later("check", "check", "Prove or refute properties of a workflow for all its runs."),
    Later("diagram", "diagram", "Draw a workflow, or a run on it."),
    Later("export", "check", "Write a workflow as TLA+, for a second and independent checker."),
)
ALIASES = {"approve": "confirm"}
"""Other names of commands; lists and help have the names alone."""
EXITS = "Exit codes: 0 fine, 1 failed or refused, 2 usage, 3 undetermined (another process executes the run), 4 paused: decisions pending."


class InOrder(click.Group):
    """A group that lists its commands in the order in which they are met."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        """The names, as they were added."""
        return list(self.commands)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is meant, perhaps by its other name; an unknown one is refused with the nearest one."""
        args = [ALIASES.get(args[0], args[0]), *args[1:]] if args else args
        if args and not args[0].startswith("-") and args[0] not in self.commands and not ctx.resilient_parsing:
            from .nearest import no_command  # noqa: PLC0415  # only a refusal needs it

            raise no_command(args[0], self.list_commands(ctx), ctx)
        return super().resolve_command(ctx, args)


@click.group(cls=InOrder, epilog=EXITS, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name=NAME)
@click.pass_context
def group(ctx: click.Context) -> None:
    """Human-in-the-loop workflows whose gates cannot be bypassed."""
    if os.environ.get("NO_COLOR"):
        ctx.color = False


for _each in COMMANDS:
    group.add_command(_each)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; its exit code. A named error becomes one message on stderr, without a traceback; with `--json` a document on stdout."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        code: Any = group.main(args=arguments, prog_name=NAME, standalone_mode=False)
    except click.ClickException as error:
        if as_json(arguments):
            from statecore.errors import BadRequest  # noqa: PLC0415  # only a refusal needs it

            why = error.format_message()
            return refused(BadRequest(400, why), error.exit_code, why)
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return told("Interrupted.", exits.INTERRUPTED)
    except Exception as error:
        from statecore.errors import StatecoreError  # noqa: PLC0415  # only a refusal needs it

        if not isinstance(error, StatecoreError):
            raise
        code = exits.exit_of(error)
        if as_json(arguments):
            return refused(error, code)
        from statecore.asking.text import clean  # noqa: PLC0415  # the same

        return told(clean(error), code)
    return code if isinstance(code, int) else exits.FINE


def script() -> NoReturn:
    """The installed command: run a command, and end the process with its exit code."""
    exits.leave(main())


def as_json(arguments: Sequence[str] | None) -> bool:
    """Whether a command was asked for JSON, be it one that its other arguments made no sense of."""
    given = sys.argv[1:] if arguments is None else [*arguments]
    return "--json" in (given[: given.index("--")] if "--" in given else given)


def refused(error: StatecoreError, code: int, why: str | None = None) -> int:
    """Print the problem document of an error to stdout, as the API answers it, perhaps with a sentence of its own; the exit code."""
    from json import dumps  # noqa: PLC0415  # only a refusal needs it

    from statecore.asking.problems import document  # noqa: PLC0415  # the same
    from statecore.asking.text import clean  # noqa: PLC0415  # the same

    detail = clean(error if why is None else why).removeprefix(f"{error.code} ")
    click.echo(dumps(document(error, detail, exit_code=code)))
    return code


def told(message: str, code: int) -> int:
    """Print a message to stderr; the exit code."""
    click.echo(message, err=True)
    return code
