"""For tests of your own workflows: a clock, scripted reviewers, stubs, every path, invariants, and Hypothesis strategies and machines.

Theory of operation. A test needs what production has, with the world as an argument: `Clock` is time that the test moves, `Reviewer` the
person, `Stubs` the user code. `all_paths` asks the core which runs there are and replays each on the real engine; `workflow_machine` lets
Hypothesis run, decide, crash, reopen, cancel and wait; `assert_invariants` says what every store must obey after anything.

`pytest` finds fixtures of this package by itself (`statecore.testing.plugin`). Hypothesis is needed by `strategies` and `machine` only:
pip install 'statecore[testing]'. Names are loaded when first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .doubles import Clock, Planned, Reviewer, Stubs, stubbed, timed
    from .invariants import assert_invariants
    from .machine import workflow_machine
    from .paths import Path, all_paths
    from .stores import SharedStoreConformance, StoreConformance

_HOMES = {
    "Clock": ".doubles",
    "Path": ".paths",
    "Planned": ".doubles",
    "Reviewer": ".doubles",
    "SharedStoreConformance": "statecore.testing.stores",
    "StoreConformance": "statecore.testing.stores",
    "Stubs": ".doubles",
    "all_paths": ".paths",
    "assert_invariants": ".invariants",
    "stubbed": ".doubles",
    "timed": ".doubles",
    "workflow_machine": ".machine",
}

__all__ = [
    "Clock",
    "Path",
    "Planned",
    "Reviewer",
    "SharedStoreConformance",
    "StoreConformance",
    "Stubs",
    "all_paths",
    "assert_invariants",
    "stubbed",
    "timed",
    "workflow_machine",
]


def __getattr__(name: str) -> Any:
    """The name from its home. Raises `MissingExtra` where it needs a package that is not there."""
    if name not in _HOMES:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    try:
        return getattr(import_module(_HOMES[name], __name__), name)
    except ModuleNotFoundError as missing:
        if missing.name not in ("hypothesis", "pytest"):
            raise
        from statecore.errors import MissingExtra  # noqa: PLC0415  # only who lacks it

        what = f"statecore.testing.{name}"
        raise MissingExtra(what, "testing") from missing
