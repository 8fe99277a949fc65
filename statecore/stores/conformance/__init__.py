"""The test of any store: what `records.Store` promises, as test methods that pytest collects. It needs pytest installed.

Theory of operation. A store's author derives a class and says how a store is opened; every test method is then run on a fresh one.

    from statecore.stores.conformance import SharedStoreConformance, StoreConformance

    class TestMyStore(StoreConformance):
        def open_store(self, folder):
            return MyStore(folder / "runs")

A store that outlives its object, and that several processes use, derives `SharedStoreConformance` and gives `opener` instead: what
it returns opens the same store each time it is called, and is pickled into other processes (a `functools.partial` of a class is).

    class TestMyStore(SharedStoreConformance):
        def opener(self, folder):
            return partial(MyStore, folder / "runs")

Where two stores could be compared, `InMemoryDb` is the other one: it is the reading of the rules that has no disk in it.
"""

from .boundaries import Boundaries
from .comparison import Comparison
from .deadlines import Deadlines
from .decisions import Decisions
from .inbox import Inbox
from .journals import Journals
from .leases import Leases
from .processes import Processes
from .runs import Runs
from .threads import Threads


class StoreConformance(Runs, Boundaries, Journals, Inbox, Decisions, Deadlines, Leases, Comparison, Threads):
    """What every store promises."""


class SharedStoreConformance(StoreConformance, Processes):
    """What a store promises besides that outlives its object and is used by several processes."""


__all__ = ["SharedStoreConformance", "StoreConformance"]
