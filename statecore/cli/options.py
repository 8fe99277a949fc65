"""What an option is to a type checker: a decorator that leaves the type of its command alone; and the one that nearly all commands have."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

import click

from statecore.asking.written import Miswritten

Decorated = TypeVar("Decorated", bound="Callable[..., Any] | click.Command")


class Option(Protocol):
    """An option or argument that several commands share: `json_option: Option = click.option(...)`."""

    def __call__(self, command: Decorated, /) -> Decorated:
        """The command with the option."""
        ...


json_option: Option = click.option("--json", "as_json", is_flag=True, help="Print JSON and nothing else.")


@contextmanager
def usage_errors() -> Iterator[None]:
    """A text that cannot be read is a wrong use of the command that was given it."""
    try:
        yield
    except Miswritten as error:
        raise click.BadParameter(error.message, param_hint=error.hint) from None
