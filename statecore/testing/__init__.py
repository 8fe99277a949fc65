"""For tests of your own workflows: a clock, scripted reviewers, stubs, every path, invariants, and Hypothesis strategies and machines.

Owns: the world as an argument of a test. `doubles` has `Clock`, time that the test moves, `Reviewer`, the person, and `Stubs`, the
user code. `paths` asks the core which runs there are, and replays each on the real engine, at the times
that `pacing` gives it; `invariants` says what every store must obey
after anything, and judges a user's own properties; `machine` lets Hypothesis run, decide, crash, reopen, cancel and wait; `strategies`
makes definitions; `plugin` has the fixtures that pytest finds by itself; `stores` is the test of any store, `adapters` that of any adapter of
an agent framework.

May enter: the facade and all rooms below, as in a user's own test; no command line. Hypothesis is needed by `strategies` and
`machine` only, pytest by `plugin` and `stores`: pip install 'statecore[testing]'. Names are loaded when first used.

Start with `doubles`.
"""

from typing import TYPE_CHECKING

from statecore.lazy import HYPOTHESIS, PYTEST, lazy

if TYPE_CHECKING:
    from .adapters import AdapterCase, AdapterConformance
    from .doubles import Clock, Planned, Reviewer, Stubs, stubbed, timed
    from .invariants import assert_invariants, assert_properties
    from .machine import workflow_machine
    from .paths import Path, all_paths
    from .stores import SharedStoreConformance, StoreConformance

_HOMES = {
    "AdapterCase": "statecore.testing.adapters",
    "AdapterConformance": "statecore.testing.adapters",
    "Clock": "statecore.testing.doubles",
    "Path": "statecore.testing.paths",
    "Planned": "statecore.testing.doubles",
    "Reviewer": "statecore.testing.doubles",
    "SharedStoreConformance": "statecore.testing.stores",
    "StoreConformance": "statecore.testing.stores",
    "Stubs": "statecore.testing.doubles",
    "all_paths": "statecore.testing.paths",
    "assert_invariants": "statecore.testing.invariants",
    "assert_properties": "statecore.testing.invariants",
    "stubbed": "statecore.testing.doubles",
    "timed": "statecore.testing.doubles",
    "workflow_machine": "statecore.testing.machine",
}

__all__ = [
    "AdapterCase",
    "AdapterConformance",
    "Clock",
    "Path",
    "Planned",
    "Reviewer",
    "SharedStoreConformance",
    "StoreConformance",
    "Stubs",
    "all_paths",
    "assert_invariants",
    "assert_properties",
    "stubbed",
    "timed",
    "workflow_machine",
]


if not TYPE_CHECKING:
    __all__, __getattr__, __dir__ = lazy(
        __name__,
        __all__,
        _HOMES,
        {"SharedStoreConformance": PYTEST, "StoreConformance": PYTEST, "workflow_machine": HYPOTHESIS},
    )
