"""Durability: what is stored of a run, by one protocol with several implementations.

Theory of operation. A store has five kinds of transaction: `begin` a run, `commit` a boundary (the end of something, its output and the
next state, all or nothing), `decide` (which never runs user code), `claim` (with `renew` and `release`). User code runs between
transactions, never inside one. A boundary is accepted only from the run's present owner, at the row where its journal ends; a process
that was taken over can store nothing. `records` are the plain records, `rules` what every store decides alike, `owner` who executes;
`memory` is the reference; `sql` is shared by the stores in tables, `sqlite` and `postgres`, whose files bear the same names; `audit` checks
what is stored. `testing.stores` is the test of any implementation.
"""

from .memory import InMemoryDb
from .records import (
    Body,
    Boundary,
    Claim,
    Decided,
    Entry,
    Identity,
    Pause,
    PauseFilter,
    Record,
    RunFilter,
    RunReader,
    RunStore,
    Waiting,
)

__all__ = [
    "Body",
    "Boundary",
    "Claim",
    "Decided",
    "Entry",
    "Identity",
    "InMemoryDb",
    "Pause",
    "PauseFilter",
    "Record",
    "RunFilter",
    "RunReader",
    "RunStore",
    "Waiting",
]
