"""The test of any store: what `records.RunStore` promises, as test methods that pytest collects. It needs pytest installed.

Theory of operation. A store's author derives a class and says how a store is opened; every test method is then run on a fresh one.

    from statecore.testing.stores import SharedStoreConformance, StoreConformance

    class TestMyStore(StoreConformance):
        def open_store(self, folder):
            return MyStore(folder / "runs")

A store that outlives its object, and that several processes use, derives `SharedStoreConformance` and gives `opener` instead: what
it returns opens the same store each time it is called, and is pickled into other processes (a `functools.partial` of a class is).

    class TestMyStore(SharedStoreConformance):
        def opener(self, folder):
            return partial(MyStore, folder / "runs")

Owns: the tests, a file for one or two classes. `runs`: `Runs` (begin, claim, release, cancel, list) and `Pauses`. `boundaries`: `Boundaries` (all
or nothing, fenced, refused without a trace). `decisions`: `Decisions` (one for each pause, idempotency keys) and
`Deadlines`. `renewals`: `PutAgain`. `leases`: `Leases` (with given times, so that no test waits) and `Work` (runs handed to workers).
`comparison`: `Comparison` (random calls, answered as the reference answers them) and `Journals` (order, chain). `threads`: `Threads`
(eight at once). `processes`: `Processes` (eight that decide, two that claim or start, one that is killed at any point and again). `samples`
has the runs and the hooks. No test needs a workflow, a network or a clock; all of them take about twenty seconds for a store on a disk.
May enter: pytest, records, rules and the reference in memory; no workflow.

Start with `samples`, then `runs`.

A test that fails says which promise is broken; `records.RunStore` has them method by method, and `rules` is to be called rather than written
again: `judge`, `check_key`, `check_claim`, `check_fence`, `check_entries`, `check_pauses` and `link` decide, a store only stores. Times that a
store keeps are those that it is given; it reads no clock.

Where two stores could be compared, `InMemoryDb` is the other one: it is the reading of the rules that has no disk in it.
"""

from .boundaries import Boundaries
from .comparison import Comparison, Journals
from .decisions import Deadlines, Decisions
from .leases import Leases, Work
from .processes import Processes
from .renewals import PutAgain
from .runs import Pauses, Runs
from .threads import Threads


class StoreConformance(Runs, Boundaries, Journals, Pauses, Decisions, Deadlines, PutAgain, Leases, Work, Comparison, Threads):
    """The promises of every store, as test methods."""


class SharedStoreConformance(StoreConformance, Processes):
    """The promises of every store, and those of a store that outlives its object and is shared by several processes."""


__all__ = ["SharedStoreConformance", "StoreConformance"]
