"""The workflows of a package: each module of it that has a `workflow`. Nothing here knows what a Workflow is but that it is compiled."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from statecore.core import Program

EXAMPLES = "statecore.examples"
"""Named, not imported: this floor lies below the examples, and only the command that writes their pages goes up to them."""


@frozen
class Example:
    """A workflow, the module that has it, and what that module says of itself in its first paragraph."""

    module: str
    program: Program
    says: str


def examples(package: str = EXAMPLES) -> dict[str, Example]:
    """The workflows of a package by the name of their module, in order of these."""
    found: dict[str, Example] = {}
    for name in sorted(module.name for module in iter_modules(import_module(package).__path__)):
        module = import_module(f"{package}.{name}")
        if (workflow := getattr(module, "workflow", None)) is not None:
            says = " ".join((module.__doc__ or "").split("\n\n")[0].split())
            found[name] = Example(module.__name__, workflow.compiled.program, says)
    return found
