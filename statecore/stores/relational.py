"""`Relational` is the protocol `Store` over tables: each method is one transaction of `reading` or `writing`, whichever database it is in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

from . import reading, writing
from .rules import check_beginning

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from .link import Link
    from .records import Boundary, Decided, Entry, Identity, Micros, PauseFilter, Record, RunFilter, Text, Waiting

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")


class Relational:
    """What stores in a database share; each gives `_read` and `_write`, and opens and closes what is behind them."""

    _moves: dict[tuple[str, str, str, str], int]
    _definitions: dict[str, Text]

    def _read(
        self, work: Callable[Concatenate[Link, Arguments], Answer], *args: Arguments.args, **more: Arguments.kwargs
    ) -> Answer:
        """What `work` reads of one connection."""
        raise NotImplementedError

    def _write(
        self, work: Callable[Concatenate[Link, Arguments], Answer], *args: Arguments.args, **more: Arguments.kwargs
    ) -> Answer:
        """What `work` answers, once all that it wrote in one transaction is stored."""
        raise NotImplementedError

    def _commit(self, boundary: Boundary) -> bool:
        """One boundary, which was checked."""
        return self._write(writing.commit, boundary, self._moves)

    def _expect(self, *texts: Text | None) -> None:
        """Large values are about to be written."""

    # -- runs --------------------------------------------------------------------------------------------------------------------

    def begin(self, identity: Identity, session_state: Text, owner: str, lease: Micros | None = None) -> Record:
        """Store a new run, claimed by `owner`. Raises `DuplicateRun`."""
        check_beginning(identity, session_state)
        self._expect(identity.input, identity.additional_data, identity.metadata, session_state)
        return self._write(writing.begin, identity, session_state, owner, lease, self._definitions)

    def load(self, run_id: str) -> Record:
        """The run as it stands. Raises `UnknownRun`."""
        return self._read(reading.record, run_id, self._definitions)

    def claim(self, run_id: str, owner: str, time: Micros, lease: Micros | None = None) -> tuple[Record, bool]:
        """Take the run for execution. Raises `UnknownRun`, `RunBusy`."""
        return self._write(writing.claim, run_id, owner, time, lease, self._definitions)

    def claim_next(  # noqa: PLR0913  # as many as there is to say of a claim
        self, workflow_id: str, owner: str, time: Micros, lease: Micros | None = None, most: int = 1, but: Collection[str] = ()
    ) -> list[tuple[Record, bool]]:
        """Take up to `most` runs of a workflow that can go on, those that wait longest first."""
        return self._write(writing.claim_next, workflow_id, owner, time, lease, most, but, self._definitions)

    def renew(self, run_id: str, epoch: int, lease: Micros) -> None:
        """Let a claim last longer. Raises `UnknownRun`, `ClaimLost`."""
        self._write(writing.renew, run_id, epoch, lease)

    def commit(self, boundary: Boundary) -> bool:
        """Store a boundary; True, having stored nothing, where a cancellation waits.

        Raises `UnknownRun`, `ClaimLost`, `AlreadyDecided`, `RefusedBoundary`.
        """
        self._expect(boundary.session_state, *[entry.body.value for entry in boundary.entries])
        if boundary.claim is not None and boundary.claim.identity is not None:
            new, state = boundary.claim.identity, boundary.claim.session_state
            check_beginning(new, state)
            self._expect(new.input, new.additional_data, new.metadata, state)
        return self._commit(boundary)

    def release(self, run_id: str, epoch: int) -> None:
        """Give a claim back, if it is still this one."""
        self._write(writing.release, run_id, epoch)

    def request_cancel(self, run_id: str, by: str | None, time: Micros) -> Record:
        """Mark the run to be cancelled at its next boundary. Raises `UnknownRun`."""
        return self._write(writing.request_cancel, run_id, by, time, self._definitions)

    def runs(self, wanted: RunFilter) -> list[Record]:
        """Runs, most recently changed first."""
        return self._read(reading.runs, wanted, self._definitions)

    # -- pauses ------------------------------------------------------------------------------------------------------------------

    def decide(self, decision: Decided) -> Decided:
        """Store the one decision of a pause. Raises `UnknownRun`, `UnknownPause`, `UnknownDecision`, `AlreadyDecided`, `NotPaused`."""
        self._expect(decision.value)
        return self._write(writing.decide, decision)

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

    def session_state(self, session_id: str, workflow_id: str) -> Text | None:
        """The session state as the run of a session left it that was executed last."""
        return self._read(reading.session_state, session_id, workflow_id)

    def definition(self, fingerprint: str) -> Text | None:
        """The canonical form of a workflow that some run has or had; None where there is none."""
        return self._read(reading.definition, fingerprint)

    def head(self, run_id: str) -> str:
        """The chain's last link."""
        return self._read(reading.head, run_id)
