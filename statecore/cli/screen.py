"""The terminal: options of commands, lines with the time that has passed, colours where they are wanted, commands to be copied."""

from __future__ import annotations

import re
import shlex
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

import click
from attrs import define, field

from statecore.asking.text import TEXT_WIDTH, Miswritten, clean, named
from statecore.core import Seconds

LABEL, WORD = 16, 9
SECRET = re.compile(r"(?<=[?&])password=[^&]*&?|(?<=//)(?P<user>[^:/@]*):[^/]*(?=@)")

COLOURS = {"done": "green", "failed": "red", "waits": "yellow", "skipped": "cyan", "cancelled": "red", "completed": "green"}


def command(*words: str, db: str = "") -> str:
    """A command line to be copied into a shell; a URL's password is left out, which its reader has."""
    line = ["statecore", *words, *(["--db", SECRET.sub(r"\g<user>", db)] if db else [])]
    return " ".join(shlex.quote(word) for word in line)


def interactive() -> bool:
    """Whether there is a person to ask: both ends are a terminal."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def watched() -> bool:
    """Whether somebody sees what is printed besides the results: standard error is a terminal."""
    return sys.stderr.isatty()


def width() -> int:
    """How many signs fit in a line of this terminal; enough for any line where it is none."""
    if not sys.stdout.isatty():
        return LABEL + WORD + TEXT_WIDTH
    from shutil import get_terminal_size  # noqa: PLC0415  # only who follows a run at a terminal pays for it

    return get_terminal_size().columns


@define
class Screen:
    """Where the lines of a command go; a quiet one prints nothing, because its command prints JSON at its end."""

    quiet: bool = False
    began: Seconds = field(factory=time.monotonic)

    def say(self, text: str = "", **style: Any) -> None:
        """One line."""
        if not self.quiet:
            click.echo(click.style(text, **style) if style else text)

    def step(self, name: str, word: str, rest: str = "") -> None:
        """One line of progress: the time since the command began, which component, what became of it."""
        if self.quiet:
            return
        elapsed = f"{time.monotonic() - self.began:8.2f}s"
        colour = COLOURS.get(word)
        label = named(name)
        room = max(20, width() - len(elapsed) - max(len(label), LABEL) - max(len(word), WORD) - 4)
        said = click.style(f"{word:<{WORD}} " if rest else word, fg=colour)
        click.echo(f"{click.style(elapsed, dim=True)}  {label:<{LABEL}} {said}{clean(rest, room)}")


Decorated = TypeVar("Decorated", bound="Callable[..., Any] | click.Command")


class Option(Protocol):
    """An option or argument that several commands share: `json_option: Option = click.option(...)`."""

    def __call__(self, command: Decorated, /) -> Decorated:
        """The command with the option."""
        ...


LEVELS = ("debug", "info", "warning", "error")


def logging_as(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    """Configure the log as an option says; both options of it count, wherever they stand on the line."""
    if not value:
        return
    from .logs import configure  # noqa: PLC0415  # only who logs pays for it

    said = ctx.find_root().meta.setdefault("statecore.log", {})
    said[param.name] = value
    configure(said.get("log_level"), as_json=bool(said.get("log_json")))


def log_options(command: Decorated) -> Decorated:
    """The options of a command that configure its log."""
    level = click.option(
        "--log-level",
        type=click.Choice(LEVELS, case_sensitive=False),
        callback=logging_as,
        expose_value=False,
        help="Write the log to the error output, from this level on.",
    )
    lines = click.option(
        "--log-json", is_flag=True, callback=logging_as, expose_value=False, help="Write the log as JSON, a line for each record."
    )
    return level(lines(command))


json_option: Option = click.option("--json", "as_json", is_flag=True, help="Print JSON and nothing else.")


@contextmanager
def usage_errors() -> Iterator[None]:
    """A text that cannot be read is a wrong use of the command that was given it."""
    try:
        yield
    except Miswritten as error:
        raise click.BadParameter(error.message, param_hint=error.hint) from None
