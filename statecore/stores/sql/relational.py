"""`Relational` is the protocol `RunStore` over tables: each method is one transaction of `reading` or `writing`, in any database.

`left` says whether a transaction is stored of which the database cannot say so any more, from what it would have left in the tables. A database
that crashed in the middle of a COMMIT may have given the transaction's number to another one. So the rows are asked: those of a boundary by the
chain's link, which no other rows have, a new run by its seal, a claim by its owner, epoch and instant. The other transactions are not here, because
made twice they are the same as made once: a decision that is stored is returned, a lease, a cancellation and a release set the same values again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from statecore.errors import UnknownRun, UnreadableValue
from statecore.stores.links import digest, link, seal
from statecore.stores.records import Listing

from . import claiming, reading, writing

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from statecore.core import Micros
    from statecore.stores.records import (
        Boundary,
        Decided,
        Entry,
        Identity,
        Obstacle,
        PauseFilter,
        Record,
        RunFilter,
        Text,
        Waiting,
    )

    from .link import Link
    from .reading import Move

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")


class Relational:
    """A `RunStore` over tables, whichever database they are in; the author of a store gives what only its database knows.

    * `_read(work, ...)` calls `work` with a `Link`, and returns its answer. What it reads is of one moment.
    * `_write(work, ...)` does so inside a transaction that may write: committed, and durable, when it returns; undone where `work` raises.
      Of two transactions on one run the second sees what the first has stored: a writer at a time, or a lock on the run's row.
    * A constructor calls this one, has the tables made (`sqlite.opening.migrate` makes those of SQLite, `writing.learn_moves` the moves
      of the lifecycles), and fills `_moves` with `reading.legal_moves`.
    * `close` gives back what was opened. `blocking` says whether a commit waits for a disk or a server.

    Errors of a database are raised by their names in `statecore.errors`: `StoreUnavailable`, `StoreCorrupt`, `UnstorableValue`; `rows.of_value`
    names those of values. `testing.StoreConformance` is the test of it.
    """

    blocking: bool = True
    _moves: dict[Move, int]
    _definitions: dict[str, Text]

    def __init__(self) -> None:
        self._moves, self._definitions = {}, {}

    def _read(
        self, work: Callable[Concatenate[Link, Arguments], Answer], *args: Arguments.args, **more: Arguments.kwargs
    ) -> Answer:
        """Give the result of `work`, which reads of one connection."""
        raise NotImplementedError

    def _write(
        self, work: Callable[Concatenate[Link, Arguments], Answer], *args: Arguments.args, **more: Arguments.kwargs
    ) -> Answer:
        """Give the result of `work` once all that it wrote in one transaction is stored."""
        raise NotImplementedError

    def close(self) -> None:
        """Give back what was opened; the store is not used afterwards."""
        raise NotImplementedError

    # -- runs --------------------------------------------------------------------------------------------------------------------

    def load(self, run_id: str) -> Record:
        """The run as it stands. Raises `UnknownRun`."""
        return self._read(reading.record, run_id, self._definitions)

    def claim_next(  # noqa: PLR0913  # as many as there is to say of a claim
        self, workflow_id: str, owner: str, time: Micros, lease: Micros | None = None, most: int = 1, but: Collection[str] = ()
    ) -> Listing[tuple[Record, bool]]:
        """Take up to `most` runs of a workflow that can go on, those that wait longest first."""
        if self._read(claiming.is_idle, workflow_id, time, but):
            return Listing()
        return self._write(claiming.claim_next, workflow_id, owner, time, lease, most, but, self._definitions)

    def renew(self, run_id: str, epoch: int, lease: Micros) -> None:
        """Renew the lease of a run. Raises `UnknownRun`, `ClaimLost`."""
        self._write(writing.renew, run_id, epoch, lease)

    def commit(self, boundary: Boundary) -> Obstacle:
        """Store a boundary; or what stands against it, having stored nothing.

        Raises `UnknownRun`, `ClaimLost`, `AlreadyDecided`, `RefusedBoundary`.
        """
        return self._write(writing.commit, boundary, self._moves)

    def release(self, run_id: str, epoch: int) -> None:
        """Release a run, if its epoch is still this one."""
        self._write(writing.release, run_id, epoch)

    def request_cancel(self, run_id: str, by: str | None, time: Micros) -> Record:
        """Mark the run to be cancelled at its next boundary. Raises `UnknownRun`."""
        return self._write(writing.request_cancel, run_id, by, time, self._definitions)

    def runs(self, wanted: RunFilter) -> list[Record]:
        """Runs, most recently changed first."""
        return self._read(reading.runs, wanted, self._definitions)

    # -- pauses ------------------------------------------------------------------------------------------------------------------

    def decide(self, decision: Decided, *others: Decided) -> Decided:
        """Store the one decision of a pause. Raises `UnknownRun`, `UnknownPause`, `UnknownDecision`, `AlreadyDecided`, `NotPaused`."""
        return self._write(writing.decide, decision, *others)

    def decisions(self, run_id: str) -> list[Decided]:
        """All decisions of a run, in the order of their pauses."""
        return self._read(reading.decisions, run_id)

    def pauses(self, wanted: PauseFilter) -> list[Waiting]:
        """The inbox: open pauses of runs that have not ended, oldest first."""
        return self._read(reading.inbox, wanted)

    def pause(self, run_id: str, pause_id: str) -> Waiting | None:
        """One pause, open or closed."""
        return self._read(reading.pause, run_id, pause_id)

    # -- journals ----------------------------------------------------------------------------------------------------------------

    def journal(self, run_id: str, after: int = 0, upto: int | None = None) -> list[Entry]:
        """The rows of a run with seq in (after, upto], in order. Raises `UnknownRun`."""
        return self._read(reading.journal, run_id, after, upto)

    def outline(self, run_id: str, after: int = 0, upto: int | None = None) -> list[Entry]:
        """The rows of `journal` without their values: where there is one, it is `FAR`, and only a slice of the journal has it."""
        return self._read(reading.outline, run_id, after, upto)

    def session_state(self, session_id: str, workflow_id: str) -> Text | None:
        """The session state as the run of a session left it that was executed last."""
        return self._read(reading.session_state, session_id, workflow_id)

    def definition(self, fingerprint: str) -> Text | None:
        """The canonical form of a workflow that some run has or had; None where there is none."""
        return self._read(reading.definition, fingerprint)

    def head(self, run_id: str) -> str:
        """The chain's last link."""
        return self._read(reading.head, run_id)


CLAIM = "SELECT owner, epoch, updated FROM run WHERE run_id = ?"


def left(connection: Link, work: Callable[..., Any], args: Sequence[Any], answer: Any) -> bool:
    """Whether `work`, which answered so, is stored. False also means that it may be made again."""
    seen = WITNESSES.get(work)
    return seen is not None and seen(connection, answer, *args)


def boundary_is_there(connection: Link, obstacle: Obstacle, boundary: Boundary, *_: Any) -> bool:
    """Whether a boundary's rows are in the journal; where it has none, whether its run, or its lease, is there."""
    claim = boundary.claim
    if obstacle:  # something stands against it, and nothing was stored
        return True
    if boundary.entries:
        return rows_are_there(connection, boundary)
    if claim is None:
        return False
    if claim.identity is not None:
        return run_is_there(connection, claim.identity)
    return claimed(connection, boundary.run_id, claim.owner, boundary.epoch, boundary.time)


def rows_are_there(connection: Link, boundary: Boundary) -> bool:
    """Whether the journal has the link that the boundary's rows lead to."""
    try:
        number = reading.number_of(connection, boundary.run_id)
        chain = reading.link_at(connection, boundary.run_id, number, boundary.seq)
        for entry in boundary.entries:
            chain = link(chain, boundary.run_id, entry)
        return reading.link_at(connection, boundary.run_id, number, boundary.seq + len(boundary.entries)) == chain
    except (UnknownRun, UnreadableValue):  # there is no such run, or no such row
        return False


def run_is_there(connection: Link, identity: Identity) -> bool:
    """Whether a run is who it was to be, to the microsecond."""
    values = map(digest, (identity.input, identity.additional_data, identity.metadata))
    sealed = seal(*writing.who(identity), *values, identity.fingerprint, identity.rules, identity.key)
    row = connection.execute("SELECT seal FROM run WHERE run_id = ?", (identity.run_id,)).fetchone()
    return row is not None and bytes(row[0]) == sealed


def claimed(connection: Link, run_id: str, owner: str, epoch: int, time: Micros) -> bool:
    """Whether a run is claimed by an owner since an instant, and was not moved since: another thread of the owner's would be another instant."""
    return bool(connection.execute(CLAIM, (run_id,)).fetchone() == (owner, epoch, time))


def claims_are_there(
    connection: Link, answer: list[tuple[Record, bool]], _workflow_id: str, owner: str, time: Micros, *_: Any
) -> bool:
    """Whether runs were claimed, all together."""
    return all(claimed(connection, record.identity.run_id, owner, record.epoch, time) for record, _ in answer)


WITNESSES: dict[Callable[..., Any], Callable[..., bool]] = {
    writing.commit: boundary_is_there,
    claiming.claim_next: claims_are_there,
}
