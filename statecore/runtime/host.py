"""The surroundings of a run, as arguments: its store, its clock, its owner; and `Runnable`, a workflow as far as the runtime knows it."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol, Self, cast

from attrs import Factory, field, frozen

from statecore.codec import LIMIT
from statecore.core import Compiled, Micros, Seconds, stored_program
from statecore.errors import RunsElsewhere
from statecore.stores import RunReader
from statecore.stores.owner import this_process, wall_clock
from statecore.stores.rules import LEASE_SECONDS

from .observers import Observers

if TYPE_CHECKING:
    from statecore.stores import Record, RunStore

REMEMBERED = 16
"""How many exceptions are kept: each holds the frames of its failure, and their values."""
RUN_HERE = "Workflow.run"
"""The refused call where the runs of a store are executed elsewhere."""


class Runnable(Protocol):
    """A workflow as far as the runtime knows it: its program, its store, and the defaults of its runs."""

    id: str
    name: str
    input_schema: Any
    session_id: str | None
    session_state: dict[str, Any]
    user_id: str | None
    metadata: dict[str, Any]
    host: Host
    db: RunReader

    @property
    def compiled(self) -> Compiled:
        """The program, compiled once."""

    def on(self, db: RunReader) -> Self:
        """The same workflow on another store."""


def clock_of(store: RunReader) -> Callable[[], int]:
    """The time by which a store's runs live: that of its server, where many machines share it, else this machine's."""
    clock: Callable[[], Micros] = getattr(store, "clock", wall_clock)
    return clock


@frozen
class Host:
    """A store, a clock in microseconds, the owner that claims runs, how to wait for a number of seconds, and how long a lease lasts.

    The clock is the store's own, where it has one. `session` finds a session by its id, and `dependencies` are live objects; both are for user
    code that asks. `history` gives the text of a session that comes before the prompts of its agents (AGENT-6). `people` gives the roles of a
    person by name (AUTH-4). `asleep` None means asyncio's own. `lease` is in seconds; None takes the store's own (its `lease`), else a minute.
    `max_value_bytes` is the workflow's own bound of a stored value; the store may have another.
    """

    store: RunReader
    clock: Callable[[], Micros] = Factory(lambda host: clock_of(host.store), takes_self=True)
    owner: Callable[[], str] = this_process
    sleep: Callable[[float], None] = time.sleep
    asleep: Callable[[float], Awaitable[None]] | None = None
    lease: Seconds | None = None
    session: Callable[[str], Any] | None = None
    history: Callable[[str], str | None] | None = field(default=None, kw_only=True)
    dependencies: Mapping[str, Any] = field(factory=dict)
    people: Callable[[str], Collection[str]] | None = field(default=None, kw_only=True)
    max_value_bytes: int | None = None
    observers: Observers = field(factory=Observers, eq=False, repr=False)
    """The listeners to what happens to runs here (OBS-1); the same workflow on another store has the same."""
    replays: Callable[[], bool] | None = field(default=None, eq=False, repr=False)
    """Whether what happens now is only repeated from a history, and was told before."""
    failures: dict[str, Exception] = field(factory=dict, eq=False, repr=False)
    """The exceptions of the runs with a key that failed last here, by run id; a second start tells them as its cause (KEY-1)."""

    def remember(self, run_id: str, error: Exception) -> None:
        """Keep the exception of a failed run; of the oldest of too many, forget it."""
        self.failures.pop(run_id, None)
        self.failures[run_id] = error
        while len(self.failures) > REMEMBERED:
            self.failures.pop(next(iter(self.failures)), None)

    @cached_property
    def limit(self) -> int:
        """The most bytes of a value: the smaller bound of the workflow's and the store's; 16 MiB where neither has one (VALUE-4)."""
        bounds = (self.max_value_bytes, getattr(self.store, "max_value_bytes", None))
        return min((bound for bound in bounds if bound is not None), default=LIMIT)

    @cached_property
    def lease_micros(self) -> int:
        """How long a lease lasts unless it is renewed."""
        seconds: float = self.lease if self.lease is not None else getattr(self.store, "lease", LEASE_SECONDS)
        return round(seconds * 1_000_000)

    @cached_property
    def executor(self) -> RunStore:
        """The store, as one whose runs processes such as this one execute. Raises `RunsElsewhere` where it executes none."""
        if not hasattr(self.store, "claim_next"):
            raise RunsElsewhere(RUN_HERE)
        return cast("RunStore", self.store)

    def lease_end(self) -> int:
        """The end of a lease that is taken or renewed now."""
        return self.clock() + self.lease_micros


def compiled_of(record: Record) -> Compiled:
    """A stored run's program, with none of the user's components."""
    return Compiled(stored_program(record.identity.canonical), {})
