"""Durability: runs are stored through two protocols with several implementations.

Owns: the records of a run as it is stored, the rules by which every store decides, and the stores themselves. `RunReader` reads runs, takes
decisions and notes cancellations; `RunStore` also takes boundaries, lends runs and hands out runs that can go on.

Theory of operation. A store has four kinds of transaction: `commit` a boundary (the end of something, its output and the next state, atomic;
the first boundary of a process also begins or claims the run), `decide` (which never runs user code), `request_cancel`, and the upkeep
of a lease (`renew`, `release`, `claim_next`). User code runs between transactions, never inside one. A boundary is accepted only from the run's
present owner, at the row where its journal ends; a process that was taken over can store nothing.

Rooms: `records` has the plain records and the protocols, `detail` what a row and a question say, as text and back, `rules` the decisions that every
store takes alike, `taking` those of a boundary, `acts` and `votes` what people do where an approval stands, `naming` the names in its rule,
`links` the chain of rows, `trail` the rows of a run for an auditor,
`abilities` what not every store can, `pages` listings in memory, `evidence` the digests of a question, `aesgcm` the shipped cipher,
`owner` tells whether an owner lives; `memory` is the reference; `sql` is shared by the stores in tables; `sqlite` and `postgres` are mirrored: a file
of one has the name of its counterpart in the other; `audit` checks tables, and knows no driver; `ending` purges and erases in tables, `forgetting`
and `blanking` in memory, where `kept` is all of a run, and `endings` says what that did; `history` folds a journal into what became of each
component, `replay` leads the core along it again; `frames` is what format 3 hashes, `sql3` its tables. May enter: the core, its codec and errors; no
driver of runs, no facade.

Start with `records`, then read `memory` from top to bottom. `testing.stores` is the test of any implementation.
"""

from .acts import Act
from .memory import InMemoryDb
from .records import (
    Body,
    Boundary,
    Claim,
    Decided,
    Entry,
    Identity,
    Listing,
    Obstacle,
    Pause,
    PauseFilter,
    Record,
    RunFilter,
    RunReader,
    RunStore,
    Unread,
    Waiting,
)

__all__ = [
    "Act",
    "Body",
    "Boundary",
    "Claim",
    "Decided",
    "Entry",
    "Identity",
    "InMemoryDb",
    "Listing",
    "Obstacle",
    "Pause",
    "PauseFilter",
    "Record",
    "RunFilter",
    "RunReader",
    "RunStore",
    "Unread",
    "Waiting",
]
