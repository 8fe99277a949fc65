"""The letters that lives are spelled in: a `Letter` is a row of a lifecycle that fires somewhere, a `Word` all that one event fires."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from statecore.core import Address


class Letter(NamedTuple):
    """One firing of a row: where, from which phase, on which trigger, to which phase."""

    at: Address
    source: str
    trigger: str
    dest: str


Word = tuple[Letter, ...]
