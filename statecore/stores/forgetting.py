"""The runs of a store in memory, and how it forgets those that are more than it is to keep, and those that are purged (P27)."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from statecore.core import Micros, Seconds
from statecore.errors import NotEnded, RunErased, RunPurged, UnknownRun

from .blanking import blank
from .endings import DECIDED, LAST, OWNED, Erasure, Purged, check_step, ordered
from .kept import Kept
from .owner import OfProcess
from .rules import ENDED, STATUS, check_text, clock_text

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from .records import Boundary, Identity, Text


class Forgetting(OfProcess):
    """The runs of a store in memory, and how they are forgotten."""

    keep: int | None

    def __init__(self) -> None:
        self._over: dict[str, None] = {}  # the runs that have ended, in the order in which they did
        self._runs: dict[str, Kept] = {}  # in claim order, as those of each session
        self._sessions: dict[str, dict[str, Kept]] = {}
        self._starts: dict[tuple[str, str], str] = {}
        self._purged: dict[str, Micros] = {}  # the ids of purged runs, and when they were purged
        self._left: dict[tuple[str, str], Text] = {}  # the states of sessions of which the last run was purged
        super().__init__()

    def _kept(self, run_id: str) -> Kept:
        """All that is kept of a run. Raises `UnknownRun`, `RunPurged`."""
        try:
            return self._runs[run_id]
        except KeyError:
            if run_id in self._purged:
                raise RunPurged(run_id, at=clock_text(self._purged[run_id])) from None
            raise UnknownRun(run_id) from None

    def _forget(self, run_id: str, phase: str) -> None:
        """Note that a run has ended, or goes on again; forget the runs that ended first, where there are more than are kept."""
        if phase in ENDED:
            self._over[run_id] = None
        elif self._over:
            self._over.pop(run_id, None)
        while self.keep is not None and len(self._over) > self.keep:
            identity = self._drop(next(iter(self._over)))
            self._left.pop((identity.session_id, identity.workflow_id), None)
            if identity.key is not None:
                del self._starts[identity.workflow_id, identity.key]

    def _drop(self, run_id: str) -> Identity:
        """Forget an ended run; who it was."""
        del self._over[run_id]
        identity = self._runs.pop(run_id).identity
        self._leave_session(identity)
        return identity

    def _leave_session(self, identity: Identity) -> None:
        """Take a run from its session; where the session was erased, it has left it before."""
        session = self._sessions.get(identity.session_id, {})
        if session.pop(identity.run_id, None) is not None and not session:
            del self._sessions[identity.session_id]

    def purge(  # noqa: PLR0913  # as many as there is to say of a purge
        self,
        ended_before: Micros,
        time: Micros,
        *,
        workflow_id: str | None = None,
        keep_decisions: bool = False,
        by: str | None = None,  # noqa: ARG002  # a store in memory keeps no tombstones
        plan: bool = False,
        progress: Callable[[int], None] | None = None,
    ) -> Purged:
        """Remove the runs that ended before an instant. Their ids, and the keys of their starts, stay taken while the process lives."""
        self._own(bool(self._runs))
        kept: Counter[str] = Counter()
        runs, rows, gone = 0, 0, set[str]()
        with self._lock:
            for found in [self._runs[run_id] for run_id in self._over]:
                if found.updated >= ended_before or workflow_id not in (None, found.identity.workflow_id):
                    continue
                why = self._staying(found, gone, keep_decisions=keep_decisions)
                if why is not None:
                    kept[why] += 1
                    continue
                runs, rows = runs + 1, rows + len(found.entries)
                gone.add(found.identity.run_id)
                if not plan:
                    self._bury(found, time)
        if progress is not None:
            progress(runs)
        return Purged(runs, rows, 1, kept, planned=plan)

    def erase(  # noqa: PLR0913  # as many as there is to say of an erasure
        self,
        run_id: str,
        by: str,
        time: Micros,
        *,
        fields: Collection[str] = (),
        step: str | None = None,
        reason: str | None = None,
        wait: Seconds = 0,  # noqa: ARG002  # there is no file to wait for
    ) -> Erasure:
        """Take values of an ended run away; the state of the session goes for this run alone, and the one that a purged run left.

        No order is kept, only the first one's text and instant: the run does not go on. Raises `UnknownRun`, `NotEnded`, `UnsupportedSetting`.
        """
        self._own(bool(self._runs))
        check_text(by, reason, step)
        what = ordered(fields, step)
        with self._lock:
            kept = self._kept(run_id)
            if kept.state.run not in ENDED or kept.owner is not None:
                raise NotEnded(run_id, STATUS[kept.state.run])
            check_step(what, [entry.at for entry in kept.entries])
            identity = kept.identity
            bodies = blank(kept, what)
            kept.erased = kept.erased or (what.text, time)
            if step is None and "session" in what.fields:
                self._leave_session(identity)
                bodies += self._left.pop((identity.session_id, identity.workflow_id), None) is not None
        return Erasure(run_id, what.told, bodies, done=True)

    @staticmethod
    def _check_erased(kept: Kept, boundary: Boundary) -> None:
        """Raise `RunErased` for an ended run that is to go on after values of it were erased."""
        if kept.erased is not None and kept.state.run in ENDED and boundary.entries:
            raise RunErased(kept.identity.run_id, kept.erased[0], clock_text(kept.erased[1]))

    def _staying(self, found: Kept, gone: set[str], *, keep_decisions: bool) -> str | None:
        """Why an ended run stays; None where it goes."""
        if found.owner is not None:
            return OWNED
        if keep_decisions and found.decisions:
            return DECIDED
        same = [each for each in self._of_session(found.identity) if each.identity.run_id not in gone]
        return LAST if len(same) > 1 and same[-1] is found else None

    def _of_session(self, identity: Identity) -> list[Kept]:
        """The runs of a session and a workflow, in claim order."""
        session = self._sessions.get(identity.session_id, {}).values()
        return [each for each in session if each.identity.workflow_id == identity.workflow_id]

    def _bury(self, found: Kept, time: Micros) -> None:
        """Remove a run; where it is the only one of its session, the state of the session stays."""
        whose = found.identity.session_id, found.identity.workflow_id
        if self._of_session(found.identity) == [found]:
            self._left[whose] = found.session_state
        self._drop(found.identity.run_id)
        self._purged[found.identity.run_id] = time
