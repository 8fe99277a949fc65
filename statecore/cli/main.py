"""The group of all commands, and the one place where errors become messages and exit codes."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from typing import Any, NoReturn

import click

from statecore import __version__
from statecore.errors import StatecoreError

from . import care, deciding, exits, listing, running, working
from .check import check
from .demo import demo
from .diagram import diagram
from .export import export
from .screen import clean

NAME = "statecore"
COMMANDS = (
    demo,
    running.run,
    running.resume,
    listing.runs,
    listing.pending,
    listing.show,
    deciding.confirm,
    deciding.reject,
    deciding.retry,
    deciding.skip,
    deciding.give,
    deciding.select,
    deciding.edit,
    deciding.cancel,
    running.tick,
    running.recover,
    working.worker,
    care.verify,
    care.doctor,
    care.backup,
    check,
    diagram,
    export,
)
EXITS = "Exit codes: 0 fine, 1 failed or refused, 2 usage, 3 undetermined (another process is at it), 4 paused: decisions pending."


class InOrder(click.Group):
    """A group that lists its commands in the order in which they are met."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        """The names, as they were added."""
        return list(self.commands)


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
    """Run a command; its exit code. A named error becomes one message on stderr, without a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        code: Any = group.main(args=arguments, prog_name=NAME, standalone_mode=False)
    except StatecoreError as error:
        return told(clean(error), exits.exit_of(error))
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return told("Interrupted.", exits.INTERRUPTED)
    return code if isinstance(code, int) else exits.FINE


def script() -> NoReturn:
    """What the installed command does: run a command, and end the process with its exit code."""
    exits.leave(main())


def told(message: str, code: int) -> int:
    """Print a message to stderr; the exit code."""
    click.echo(message, err=True)
    return code
