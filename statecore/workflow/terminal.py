"""`Terminal`: the methods of a workflow that show its runs in a terminal. The command line has their lines, and is loaded at their first use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, Unpack

from statecore.lazy import load

if TYPE_CHECKING:
    from collections.abc import Sequence

    from statecore.runtime.launching import RunOptions


class Console(Protocol):
    """The part of the command line that shows runs; the facade does not know it."""

    def show(self, workflow: Any, run_input: Any, options: RunOptions, *, details: bool) -> None:
        """Run a workflow, and print what happens."""

    async def ashow(self, workflow: Any, run_input: Any, options: RunOptions, *, details: bool) -> None:
        """The same on asyncio."""

    def talk(self, workflow: Any, first: Any, user: str, exits: Sequence[str], options: RunOptions) -> None:
        """Run a workflow for each line of a person."""


HOME = "statecore.cli.console"
"""The home of the console, which is loaded at its first use."""
EXITS = ("exit", "quit", "bye")
"""The words that end `cli_app`, where its caller names no others."""


def console() -> Console:
    """The console of the command line."""
    made: Console = load("print_response", HOME, "TerminalConsole", None)()
    return made


class Terminal:
    """The methods that show runs in a terminal."""

    def print_response(
        self,
        input: Any = None,  # noqa: A002  # the word users know
        *,
        show_step_details: bool = True,
        **options: Unpack[RunOptions],
    ) -> None:
        """Start a run, print each event as it happens, then the whole content, or the questions that wait for a person.

        With `show_step_details=False` only the end is printed. Options and refusals are those of `run`; a failure is raised as there.
        """
        console().show(self, input, options, details=show_step_details)

    async def aprint_response(
        self,
        input: Any = None,  # noqa: A002  # the word users know
        *,
        show_step_details: bool = True,
        **options: Unpack[RunOptions],
    ) -> None:
        """`print_response`, on asyncio."""
        await console().ashow(self, input, options, details=show_step_details)

    def cli_app(
        self,
        input: Any = None,  # noqa: A002  # the word users know
        *,
        user: str = "User",
        exit_on: Sequence[str] | None = None,
        **options: Unpack[RunOptions],
    ) -> None:
        """Run the workflow for each line that is typed, in one session, until a word of `exit_on` (exit, quit, bye) or its end.

        `input` is that of a first run. A run that pauses puts its questions to the person at the terminal; a failure is shown, and the next line
        is read. `user` stands before each line. Other options are those of `run`.
        """
        console().talk(self, input, user, EXITS if exit_on is None else exit_on, options)
