"""`Worker` executes the runs of a workflow that can go on, for as long as it is let: any number of them share a store, on any machine.

Theory of operation. A worker asks its store for as many runs as it has hands (`claim_next`): submitted ones, decided ones, those whose deadline is
over, those whose owner died. Each is driven by one thread until it waits for people or is over. Between looks it sleeps until a run is
done, the store gives a hint (`listen`, where it can), or it is time to look again; a hint that is lost costs that time and nothing else.

A worker that is stopped takes no more runs, and gives each that it has back at its next boundary: another one goes on there. What it could
not give back because the store was away it gives back later, so that no run waits for a process that does nothing for it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from threading import Event, Lock, Thread
from time import monotonic
from typing import TYPE_CHECKING, Any

from attrs import define, field, frozen

from statecore.core import Seconds, asks
from statecore.errors import ClaimLost, NotPaused, RunBusy, StoreError, StoreUnavailable, Undecided, UnsupportedSetting
from statecore.lifecycles import words as w
from statecore.stores.rules import STATUS

from .host import Runnable
from .launching import adopting
from .ready import Continuation, describe
from .storing import let_go, loud
from .sync import drive

if TYPE_CHECKING:
    from statecore.runtime import Execution
    from statecore.stores import Record

OVERTAKEN = (Undecided, NotPaused, ClaimLost, RunBusy)
"""What says that somebody else has moved the run meanwhile: there is nothing to do for it."""
POLL, POLL_UNTOLD = 1.0, 0.2
"""After how many seconds a worker looks for work: where its store gives hints, and where it does not."""
SLICE = 0.1
FIRST_WAIT, LONGEST_WAIT = 1.0, 60.0
LEFT_OUT = 500


@frozen
class Went:
    """The state in which a worker left a run: its status ("RUNNING" where the worker gave it back) or "REFUSED", and the reason.

    "WAITING" without a run id: the store does not answer, and the worker waits for it.
    """

    run_id: str
    status: str
    why: str = ""


@define
class Worker:
    """A worker executes the runs of one workflow that can go on, up to `concurrency` at a time, from the store of the workflow.

    Any number of workers share a store, on any machine that reaches it. A worker takes submitted runs, decided runs, runs past a deadline
    and runs whose owner died. It drives each run until the run waits for a person or ends.

    `workflow`: the workflow, with a store that hands out work (`InMemoryDb`, `SqliteDb`, `PostgresDb`); another store raises
    `UnsupportedSetting`. `concurrency`: the number of threads, at least 1. `poll`: seconds between two looks for work; None means 1 s where
    the store notifies its workers and 0.2 s where it does not. `tell`: called with a `Went` for each run that leaves this worker.
    `counts`: the number of runs by their last status. A refused run (its definition has changed, for example) is left alone for a time
    that doubles with each refusal, up to 60 s. `adopt=True` takes over runs of another definition in spite of differences; `by` is the person
    who says so.

    Example: `counts = Worker(workflow, concurrency=2).work(until_idle=True)`
    """

    workflow: Runnable
    concurrency: int = 4
    poll: Seconds | None = None
    tell: Callable[[Went], None] = field(default=lambda _: None)
    adopt: bool = field(default=False, kw_only=True)
    by: str | None = field(default=None, kw_only=True)
    counts: Counter[str] = field(factory=Counter, init=False)
    stopping: bool = field(default=False, init=False)
    _driving: set[str] = field(factory=set, init=False)
    _refused: dict[str, tuple[float, float]] = field(factory=dict, init=False)
    _unreturned: list[Callable[[], None]] = field(factory=list, init=False)
    _hands: list[Future[None]] = field(factory=list, init=False)
    _lock: Lock = field(factory=Lock, init=False)
    _wake: Event = field(factory=Event, init=False)

    def __attrs_post_init__(self) -> None:
        """A worker without hands is refused, and one for a store that has workers of its own."""
        if not hasattr(self.workflow.db, "claim_next"):
            raise UnsupportedSetting(
                type(self).__name__, f"a workflow on {type(self.workflow.db).__name__}", "workers of its own execute the runs there"
            )
        if self.concurrency < 1:
            raise UnsupportedSetting(type(self).__name__, f"concurrency={self.concurrency!r}", "it drives one run at least")
        adopting(adopt=self.adopt, by=self.by)

    def stop(self) -> None:
        """Take no more runs, and give each run back at its next boundary. A signal handler may call this."""
        self.stopping = True

    def work(self, *, until_idle: bool = False) -> Counter[str]:
        """Drive runs until `stop` is called or, with `until_idle`, until no run can go on. Returns `counts`.

        Waits while a store that has answered once is away. Raises `StoreUnavailable` where the store never answered, and other `StoreError`s.
        """
        over = Event()
        ear = Thread(target=self._listen, args=(over,), name="statecore-worker-ear", daemon=True)
        if self._told:
            ear.start()
        try:
            with ThreadPoolExecutor(self.concurrency, thread_name_prefix="statecore-worker") as hands:
                try:
                    self._rounds(hands, until_idle=until_idle)
                finally:
                    self.stopping = True
            self._look_at_hands()
            self._return_all()
        finally:
            over.set()
            if self._told:
                ear.join()
        return self.counts

    @property
    def _told(self) -> bool:
        """Whether the store gives hints."""
        return hasattr(self.workflow.db, "listen")

    def _rounds(self, hands: ThreadPoolExecutor, *, until_idle: bool) -> None:
        """Take what there is, hand it out, wait, and again; where the store is away, wait for it, once it has been there."""
        seen = False
        while not self.stopping:
            began, taken = monotonic(), []
            try:
                self._return_all()
                taken, seen = self._take(), True
            except StoreUnavailable as error:
                if not seen:
                    raise
                self.tell(Went("", "WAITING", str(error)))
            took = monotonic() - began
            for record, doubtful in taken:
                if self.stopping:  # it was told so while the store was looking
                    self._let_be(record, doubtful=doubtful)
                else:
                    self._hands.append(hands.submit(self._go_on, record, doubtful=doubtful))
            self._look_at_hands()
            if not taken:
                if until_idle and not self._driving and not self._unreturned:
                    return
                self._rest(10 * took)

    def _look_at_hands(self) -> None:
        """Raise what a hand could not deal with: whoever is told (a closed terminal, say) could not be told."""
        done = [hand for hand in self._hands if hand.done()]
        self._hands = [hand for hand in self._hands if hand not in done]
        for hand in done:
            hand.result()

    def _take(self) -> list[tuple[Record, bool]]:
        """Claim as many runs as there are free hands."""
        free, host, now = self.concurrency - len(self._driving), self.workflow.host, monotonic()
        if free <= 0:
            return []
        with self._lock:
            but = [run_id for run_id, (until, _) in self._refused.items() if until > now][:LEFT_OUT]
        taken = host.executor.claim_next(self.workflow.id, host.owner(), host.clock(), host.lease_end(), free, but)
        with self._lock:
            self._driving.update(record.identity.run_id for record, _ in taken)
        return taken

    def _rest(self, least: Seconds) -> None:
        """Wait until a hand is free, a hint comes, or it is time to look again."""
        usual = self.poll if self.poll is not None else POLL if self._told else POLL_UNTOLD
        end = monotonic() + max(usual, least)
        while not self.stopping and (left := end - monotonic()) > 0 and not self._wake.wait(min(SLICE, left)):
            pass
        self._wake.clear()

    def _listen(self, over: Event) -> None:
        """Pass the store's hints on."""
        store: Any = self.workflow.db
        while not over.is_set():
            if store.listen(SLICE):
                self._wake.set()

    # -- one run -----------------------------------------------------------------------------------------------------------------

    def _go_on(self, record: Record, *, doubtful: bool) -> None:
        """Drive a run that was claimed, in this thread; whatever happens, the hand is free afterwards."""
        run_id = record.identity.run_id
        try:
            went = self._driven(record, doubtful=doubtful)
            with self._lock:
                self._refused.pop(run_id, None)
        except OVERTAKEN as error:
            self._put_off(run_id, error)
            went = None
        except BaseException as error:  # noqa: BLE001  # one run's trouble, SystemExit of its step included, is not the others'
            went = self._put_off(run_id, error)
        with self._lock:
            self._driving.discard(run_id)
            if went is not None:
                self.counts[went.status] += 1
        self._wake.set()
        if went is not None:
            self.tell(went)

    def _let_be(self, record: Record, *, doubtful: bool) -> None:
        """Give a run back that was claimed and not begun."""
        workflow, run_id = self.workflow, record.identity.run_id
        going = Continuation(workflow.host, workflow.compiled, workflow.id, run_id, ())
        self._give_back(partial(going.give_back, record, doubtful=doubtful))
        with self._lock:
            self._driving.discard(run_id)

    def _driven(self, record: Record, *, doubtful: bool) -> Went:
        """Drive a run to where it waits, ends, or is given back."""
        workflow, run_id = self.workflow, record.identity.run_id
        adopt_by = adopting(adopt=self.adopt, by=self.by)
        going = Continuation(workflow.host, workflow.compiled, workflow.id, run_id, (), adopt_by=adopt_by)
        try:
            ready = going.claimed(record, doubtful=doubtful)
        except BaseException:
            self._give_back(partial(going.give_back, record, doubtful=doubtful))
            raise
        commits = drive(ready.execution, ready.first)
        try:
            for _commit in commits:
                if self.stopping:
                    break
            commits.close()
        except BaseException:
            if not ready.execution.parked:
                self._give_back(partial(let_go, ready.execution))
            raise
        if ready.execution.seq == record.seq and not self.stopping:
            raise Undecided(run_id, ["nothing could be done for it"])
        return went(ready.execution)

    def _put_off(self, run_id: str, error: BaseException) -> Went:
        """Let a run be for a while."""
        with self._lock:
            wait = min(2 * self._refused.get(run_id, (0.0, FIRST_WAIT / 2))[1], LONGEST_WAIT)
            self._refused[run_id] = (monotonic() + wait, wait)
        return Went(run_id, "REFUSED", f"{type(error).__name__}: {error}")

    def _give_back(self, giving: Callable[[], None]) -> None:
        """Release a run, now or when the store is there again."""
        try:
            giving()
        except ClaimLost:
            return
        except StoreError:
            with self._lock:
                self._unreturned.append(giving)

    def _return_all(self) -> None:
        """Give back what could not be given back before."""
        with self._lock:
            waiting, self._unreturned = self._unreturned, []
        for giving in waiting:
            self._give_back(giving)


def went(execution: Execution) -> Went:
    """The outcome of a run that was driven."""
    run_id, state, why = execution.identity.run_id, execution.state, ""
    if state.run == w.paused:
        why = ", ".join(describe(ask, execution.compiled) for ask in asks(execution.program, state))
    elif state.run == w.failed:
        error = loud(execution)
        why = f"{type(error).__name__}: {error}" if error is not None else ""
    return Went(run_id, STATUS[state.run], why)
