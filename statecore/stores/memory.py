"""`InMemoryDb` keeps runs in this process: the same rules as every store, with a lock for a transaction and nothing on disk."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from attrs import evolve

from statecore.core import Micros
from statecore.errors import ClaimLost, DuplicateRun, DuplicateStart, OutsideFormat, UnknownPause

from .acts import Act
from .evidence import with_evidence
from .forgetting import Forgetting
from .frames.questions import question_id
from .kept import Kept, by_id, by_number
from .links import GENESIS, link
from .owner import alive
from .pages import instant, is_wanted, matches, paged, run_matches, said_of
from .records import Boundary, Decided, Entry, Identity, Listing, Obstacle, PauseFilter, Record, RunFilter, Text, Waiting
from .rules import (
    ENDED,
    bounded,
    check_beginning,
    check_claim,
    check_entries,
    check_fence,
    check_key,
    check_pauses,
    check_text,
    checked_bound,
    heeds,
    judge,
    place_of,
    slice_of,
)
from .taking import judge_all, parks_paused, waiting_decisions
from .trail import Audited
from .votes import judged, votes_stand, with_acts

if TYPE_CHECKING:
    from collections.abc import Collection


NAME = "InMemoryDb"


class InMemoryDb(Forgetting, Audited):
    """A store in the memory of this process. It is lost with the process, and safe for its threads.

    `keep` is how many ended runs it keeps, None all: of more it forgets those that ended first, with values, keys, and the state of a session
    that has no other run; never a run that goes on or waits. `max_value_bytes` bounds each stored value, 16 MiB without it. A forked child reads
    the runs of its parent, and stores nothing there: `StoreForked`.

    Example: `Workflow("w", steps, db=InMemoryDb())`, which is what a workflow without `db` has.
    """

    blocking = False
    keeps_votes = True

    def __init__(self, keep: int | None = 1000, *, max_value_bytes: int | None = None) -> None:
        self.keep: int | None = checked_bound(NAME, "keep", keep)
        self.max_value_bytes: int | None = checked_bound(NAME, "max_value_bytes", max_value_bytes)
        self._definitions: dict[str, Text] = {}
        self._begun = 0
        super().__init__()

    def _new(self, identity: Identity, session_state: Text) -> Kept:
        """A new run, about to be claimed. Raises `DuplicateStart`, `DuplicateRun`."""
        check_beginning(identity, session_state)
        if identity.key is not None and (identity.workflow_id, identity.key) in self._starts:
            raise DuplicateStart(identity.key, self._starts[identity.workflow_id, identity.key])
        if identity.run_id in self._runs or identity.run_id in self._purged:
            raise DuplicateRun(identity.run_id)
        self._begun += 1
        return Kept(identity, self._begun, session_state, identity.created)

    def _take(self, kept: Kept, owner: str, time: Micros, lease: Micros | None) -> None:
        """Claim a run: it is the last one of the claim order from now on."""
        identity = kept.identity
        kept.owner, kept.lease, kept.epoch, kept.updated = owner, lease, kept.epoch + 1, time
        for order in (self._runs, self._sessions.setdefault(identity.session_id, {})):
            order.pop(identity.run_id, None)
            order[identity.run_id] = kept
        self._definitions[identity.fingerprint] = identity.canonical
        if identity.key is not None:
            self._starts[identity.workflow_id, identity.key] = identity.run_id

    def load(self, run_id: str) -> Record:
        """The run as it stands. Raises `UnknownRun`."""
        with self._lock:
            return self._kept(run_id).record()

    def claim_next(  # noqa: PLR0913  # as many as there is to say of a claim
        self, workflow_id: str, owner: str, time: Micros, lease: Micros | None = None, most: int = 1, but: Collection[str] = ()
    ) -> list[tuple[Record, bool]]:
        """Take up to `most` runs of a workflow that can go on, those that wait longest first."""
        self._own(bool(self._runs))
        with self._lock:
            mine = [
                kept for kept in self._runs.values() if kept.identity.workflow_id == workflow_id and kept.identity.run_id not in but
            ]
            free = [kept for kept in mine if kept.owner is None and kept.can_go_on(time)]
            left = [
                kept
                for kept in mine
                if kept.owner is not None and kept.state.run not in ENDED and not alive(kept.owner, kept.lease, time)
            ]
            taken = [(kept, kept.owner is not None) for kept in [*free, *left][: bounded(most)]]
            for kept, _ in taken:
                self._take(kept, owner, time, lease)
            return [(kept.record(), doubtful) for kept, doubtful in taken]

    def renew(self, run_id: str, epoch: int, lease: Micros) -> None:
        """Renew the lease of a run. Raises `ClaimLost` where another process has claimed it."""
        self._own(bool(self._runs))
        with self._lock:
            kept = self._kept(run_id)
            if kept.epoch != epoch or kept.owner is None:
                raise ClaimLost(run_id)
            kept.lease = lease

    def commit(self, boundary: Boundary) -> Obstacle:
        """Store a boundary; or what stands against it, having stored nothing. Raises `ClaimLost`, `AlreadyDecided`."""
        self._own(bool(self._runs))
        with self._lock:
            claim = boundary.claim
            new = claim.identity if claim is not None else None
            kept = self._kept(boundary.run_id) if new is None or claim is None else self._new(new, claim.session_state)
            if claim is not None:
                check_claim(boundary.run_id, kept.owner, kept.lease, boundary.time)
            check_fence(boundary, kept.epoch, kept.seq)
            self._check_erased(kept, boundary)
            if heeds(boundary, kept.cancel_requested):
                return True
            check_entries(boundary, kept.state.run)
            check_text(boundary.session_state)
            if boundary.decisions or boundary.closed or boundary.opened or parks_paused(boundary):
                waiting = self._answer(kept, boundary)
                if waiting:
                    return waiting
            if claim is not None:
                self._take(kept, claim.owner, boundary.time, boundary.lease)
            kept.entries.extend(boundary.entries)
            kept.state, kept.held, kept.updated = boundary.state, dict(boundary.held), boundary.time
            if boundary.definition is not None:
                fingerprint, canonical = boundary.definition
                kept.identity = evolve(kept.identity, fingerprint=fingerprint, canonical=canonical)
                self._definitions[fingerprint] = canonical
            if boundary.session_state is not None:
                kept.session_state = boundary.session_state
            if boundary.parks:
                kept.owner = kept.lease = None
            elif boundary.lease is not None:
                kept.lease = boundary.lease
            self._forget(boundary.run_id, kept.state.run)
            return False

    @staticmethod
    def _answer(kept: Kept, boundary: Boundary) -> tuple[Decided, ...]:
        """Store the decisions and pauses of a boundary; or the decisions that stand against it. All refusals come before the first change."""
        voted = votes_stand(kept.voted())
        fresh = judge_all(boundary, kept.pauses, kept.decisions, kept.state.run, voted)
        check_pauses(boundary, kept.pauses, kept.open_at)
        waiting = waiting_decisions(boundary, kept.open_at, voted | kept.decisions | fresh)
        if waiting:
            return waiting
        kept.decisions.update(fresh)
        for pause_id in boundary.closed:
            kept.pauses[pause_id] = evolve(kept.pauses[pause_id], closed=boundary.time)
            del kept.open_at[pause_id]
        for pause in boundary.opened:
            kept.pauses[pause.pause_id] = with_evidence(pause)
            kept.open_at[pause.pause_id] = place_of(pause)
            with suppress(OutsideFormat):  # a NUL has a place here, and in no other store: such a question has no short name
                kept.questions[question_id(pause.run_id, pause.pause_id)] = pause.pause_id
        return ()

    def release(self, run_id: str, epoch: int) -> None:
        """Release a run, if its epoch is still this one."""
        self._own(bool(self._runs))
        with self._lock:
            kept = self._kept(run_id)
            if kept.epoch == epoch:
                kept.owner = kept.lease = None

    def decide(self, decision: Decided, *others: Decided) -> Decided:
        """Store the one decision of a pause. Raises `UnknownRun`, `UnknownPause`, `UnknownDecision`, `AlreadyDecided`, `NotPaused`."""
        self._own(bool(self._runs))
        with self._lock:
            kept = self._kept(decision.run_id)
            judged = dict(kept.decisions)
            for new in (decision, *others):
                pause = kept.pauses.get(new.pause_id)
                if pause is None:
                    raise UnknownPause(new.run_id, new.pause_id, kept.open_at)
                if new.key is not None:
                    check_key(next((each for each in judged.values() if each.key == new.key), None), new)
                judged[new.pause_id] = judge(pause, judged.get(new.pause_id), new, kept.state.run) or new
            kept.decisions.update(judged)
            return judged[decision.pause_id]

    def act(self, new: Act) -> Act:
        """Store a vote, a withdrawal or a lapse, judged by the rule of its question; as `abilities.KeepsVotes` says."""
        self._own(bool(self._runs))
        with self._lock:
            kept = self._kept(new.run_id)
            pause = kept.pauses.get(new.pause_id)
            if pause is None:
                raise UnknownPause(new.run_id, new.pause_id, kept.open_at)
            stored, is_new = judged(kept.waiting(pause), new, kept.state.run)
            kept.acts[new.pause_id] = with_acts(kept.acts.get(new.pause_id, ()), stored, is_new=is_new)
            return stored

    def request_cancel(self, run_id: str, by: str | None, time: Micros) -> Record:
        """Mark the run to be cancelled at its next boundary. Raises `UnknownRun`."""
        self._own(bool(self._runs))
        with self._lock:
            kept = self._kept(run_id)
            if kept.cancel_requested is None and kept.state.run not in ENDED:
                kept.cancel_by, kept.cancel_requested = by, time
            return kept.record()

    def journal(self, run_id: str, after: int = 0, upto: int | None = None) -> list[Entry]:
        """The rows of a run with seq in (after, upto], in order. Raises `UnknownRun`."""
        with self._lock:
            first, last = slice_of(after, upto)
            kept = self._kept(run_id)
            return kept.entries[max(first - kept.elsewhere, 0) : max(last - kept.elsewhere, 0)]

    def decisions(self, run_id: str) -> list[Decided]:
        """All decisions of a run, in the order of their pauses."""
        with self._lock:
            kept = self._kept(run_id)
            return [kept.decisions[pause_id] for pause_id in kept.pauses if pause_id in kept.decisions]

    def pauses(self, wanted: PauseFilter) -> list[Waiting]:
        """The inbox: open pauses of runs that have not ended, oldest first."""
        with self._lock:
            kepts = [self._kept(wanted.run_id)] if wanted.run_id is not None else list(self._runs.values())
            rows = [
                row
                for kept in kepts
                if kept.state.run not in ENDED
                for row in self._placed(kept, wanted)
                if matches(row[1], wanted)
            ]
            last = None if wanted.after is None else self._last(*wanted.after)
        page = paged(
            rows,
            lambda row: (instant(row[1], wanted), *row[0]),
            last and (instant(last[1], wanted), *last[0]),
            wanted,
            lambda row: row[1],
        )
        end: Waiting | None = page.after
        return Listing([row[1] for row in page], after=None if end is None else (end.pause.run_id, end.pause.pause_id))

    def _placed(self, kept: Kept, wanted: PauseFilter) -> list[tuple[tuple[int, int], Waiting]]:
        """The open pauses of a run, each with its place in the order of all; without those that are decided otherwise than is wanted."""
        return [
            ((kept.number, n), kept.waiting(pause))
            for n, pause in enumerate(kept.pauses.values())
            if pause.pause_id in kept.open_at and is_wanted(said_of(kept.waiting(pause), wanted), wanted)
        ]

    def _last(self, run_id: str, pause_id: str) -> tuple[tuple[int, int], Waiting]:
        """A pause with its place. Raises `UnknownRun`, `UnknownPause`."""
        kept = self._kept(run_id)
        if pause_id not in kept.pauses:
            raise UnknownPause(run_id, pause_id, kept.open_at)
        return (kept.number, list(kept.pauses).index(pause_id)), kept.waiting(kept.pauses[pause_id])

    def pause(self, run_id: str, pause_id: str) -> Waiting | None:
        """One pause, open or closed."""
        with self._lock:
            kept = self._kept(run_id)
            pause = kept.pauses.get(pause_id)
            return kept.waiting(pause) if pause is not None else None

    def question(self, question_id: str) -> Waiting | None:
        """The question with a short name, open or closed."""
        with self._lock:
            for kept in self._runs.values():
                pause_id = kept.questions.get(question_id)
                if pause_id is not None:
                    return kept.waiting(kept.pauses[pause_id])
        return None

    def past_questions(self, after: tuple[str, str] | None, limit: int) -> Listing[Waiting]:
        """Questions that are decided or closed, the one asked last first; `after` is the key of the page before."""
        with self._lock:
            last = None if after is None else self._last(*after)
            places = [
                ((pause.opened, kept.number, n), kept.waiting(pause))
                for kept in self._runs.values()
                for n, pause in enumerate(kept.pauses.values())
                if pause.pause_id not in kept.open_at or pause.pause_id in kept.decisions
            ]
        key = None if last is None else (last[1].pause.opened, *last[0])
        rows = sorted((each for each in places if key is None or each[0] < key), key=lambda each: each[0], reverse=True)
        page = [row for _, row in rows[: bounded(limit)]]
        return Listing(page, after=(page[-1].pause.run_id, page[-1].pause.pause_id) if page and len(rows) > len(page) else None)

    def runs(self, wanted: RunFilter) -> list[Record]:
        """Runs, the one begun last first; those of a prefix in the order of their ids. Raises `UnknownRun` for an unknown `after`."""
        with self._lock:
            kepts = self._runs if wanted.session_id is None else self._sessions.get(wanted.session_id, {})
            key = by_id if wanted.prefix else by_number
            last = None if wanted.after is None else key(self._kept(wanted.after))
            found = [kept for kept in kepts.values() if run_matches(kept.identity, kept.state.run, wanted)]
            if wanted.by_claim:
                return Listing([kept.record() for kept in found[::-1][: bounded(wanted.limit)]])
            page = paged(found, key, last, wanted, by_id)
            return Listing([kept.record() for kept in page], after=page.after)

    def session_state(self, session_id: str, workflow_id: str) -> Text | None:
        """The session state as the run of a session left it that was executed last."""
        with self._lock:
            kepts = reversed(self._sessions.get(session_id, {}).values())
            left = self._left.get((session_id, workflow_id))
            return next((kept.session_state for kept in kepts if kept.identity.workflow_id == workflow_id), left)

    def definition(self, fingerprint: str) -> Text | None:
        """The canonical form of a workflow that some run has or had; None where there is none."""
        with self._lock:
            return self._definitions.get(fingerprint)

    def head(self, run_id: str) -> str:
        """The chain's last link, computed when asked for."""
        chain = GENESIS
        for entry in self.journal(run_id):
            chain = link(chain, run_id, entry)
        return chain.hex()

    def close(self) -> None:
        """Forget everything."""
        with self._lock:
            for each in (self._runs, self._sessions, self._starts, self._over, self._purged, self._left):
                each.clear()
