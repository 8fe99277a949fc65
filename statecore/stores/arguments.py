"""The types of what callers give, looked at before anything is read or stored: each store would take or refuse another type in a way of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from statecore.errors import WrongArgument


def check_texts(call: str, **given: Any) -> None:
    """Raise `WrongArgument` for an argument that is neither a text nor None."""
    for name, value in given.items():
        if value is not None and not isinstance(value, str):
            raise WrongArgument(call, name, "a text", value)


def check_mappings(call: str, **given: Any) -> None:
    """Raise `WrongArgument` for an argument that is neither a mapping nor None."""
    for name, value in given.items():
        if value is not None and not isinstance(value, Mapping):
            raise WrongArgument(call, name, "a mapping", value)


def check_counts(call: str, **given: Any) -> None:
    """Raise `WrongArgument` for an argument that is no whole number."""
    for name, value in given.items():
        if not isinstance(value, int) or isinstance(value, bool):
            raise WrongArgument(call, name, "a whole number", value)
