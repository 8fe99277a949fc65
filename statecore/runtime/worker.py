"""`Worker` executes the runs of workflows that can go on, for as long as it is let: any number of them share a store, on any machine.

Theory of operation. A worker asks the store of each workflow in turn for as many runs as it has hands (`claim_next`): submitted ones,
decided ones, those whose deadline is over, those whose owner died. Each is driven by one thread, or on the event loop of `arun`, until it
waits for people or is over. Between looks it sleeps until a run is done, a store gives a hint (`listen`, where it can), or it is time to
look again; a hint that is lost costs that time and nothing else.

A worker that is stopped takes no more runs, and gives back each that it has: another one goes on there. What it could not give back
because the store was away it gives back later, so that no run waits for a process that does nothing for it.

A run that is refused, a store that does not answer and a `tell` that raises are reported, and tried again with growing distance; the others
go on meanwhile (RUN-14).
"""

from __future__ import annotations

import asyncio
import inspect
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, Future, wait
from contextlib import aclosing
from functools import partial
from threading import Event, Lock, Thread
from time import monotonic
from typing import TYPE_CHECKING, Any

from attrs import define, field

from statecore.core import Micros, Seconds
from statecore.errors import ClaimLost, NotPaused, RunBusy, StoreError, Undecided, UnsupportedSetting, WrongArgument
from statecore.stores.records import unread_of
from statecore.stores.rules import check_counts, until

from . import aio
from .backoff import Backoff, Telling
from .hands import Hands, LoopThread
from .host import Runnable
from .jobs import Aside, Job, Went, refused, went
from .launching import adopting
from .ready import Ready
from .stopping import Stopped
from .storing import let_go
from .suspects import owes_suspect
from .sync import drive

if TYPE_CHECKING:
    from .execution import Execution

__all__ = ["Went", "Worker"]

OVERTAKEN = (Undecided, NotPaused, ClaimLost, RunBusy)
"""The errors that tell of a run moved by another process meanwhile: there is nothing to do for it."""
POLL, POLL_UNTOLD = 1.0, 0.2
"""After how many seconds a worker looks for work: where its store gives hints, and where it does not."""
SLICE = 0.1
LEFT_OUT = 500
SERVED = "A Worker", "workflow", "a workflow, or several in a list"


@define
class Worker:
    """A worker executes the runs of workflows that can go on, up to `concurrency` at a time, from the stores of the workflows.

    Any number of workers share a store, on any machine that reaches it. A worker takes submitted runs, decided runs, runs past a deadline
    and runs whose owner died. It drives each run until the run waits for a person or ends.

    `workflow`: a workflow or a list of workflows, each with a store that hands out work (`InMemoryDb`, `SqliteDb`, `PostgresDb`); another
    store raises `UnsupportedSetting`. `concurrency`: the number of runs at a time, at least 1. `poll`: seconds between two looks for work;
    None means 1 s where the stores notify their workers and 0.2 s where one does not. `tell`: a plain function, called on a thread with a
    `Went` for each run that leaves this worker. A call that raises is logged and repeated with growing distance, a last time when the work
    ends; `untold` lists what could not be told. `counts`: the number of runs by their last status. A refused run (its definition has
    changed, for example) and a store that does not answer are left alone for a time that doubles with each refusal, up to 60 s.
    `grace`: the seconds that a store has for its answers once `stop` was called.
    `adopt=True` takes over runs of another definition in spite of differences; `by` is the person who says so.
    Example: `counts = Worker([payout, refund], concurrency=2).work(until_idle=True)`
    """

    workflow: Runnable | Sequence[Runnable]
    concurrency: int = 4
    poll: Seconds | None = None
    tell: Callable[[Went], None] = field(default=lambda _: None)
    adopt: bool = field(default=False, kw_only=True)
    by: str | None = field(default=None, kw_only=True)
    grace: Seconds = field(default=10.0, kw_only=True)
    counts: Counter[str] = field(factory=Counter, init=False)
    stopping: bool = field(default=False, init=False)
    workflows: tuple[Runnable, ...] = field(init=False)
    _turn: int = field(default=0, init=False)
    _at_work: bool = field(default=False, init=False)
    _answered: set[int] = field(factory=set, init=False)
    _away: Backoff[int] = field(init=False)
    _refused: Backoff[tuple[int, str]] = field(factory=Backoff, init=False)
    _telling: Telling[Went] = field(init=False)
    _driving: set[tuple[int, str]] = field(factory=set, init=False)
    _delayed: dict[tuple[int, str], tuple[Runnable, Micros]] = field(factory=dict, init=False)
    _suspects: Aside = field(factory=Aside, init=False)
    _unreturned: list[Callable[[], None]] = field(factory=list, init=False)
    _hands: list[Future[None]] = field(factory=list, init=False)
    _loop: asyncio.AbstractEventLoop | None = field(default=None, init=False)
    _executions: set[Execution] = field(factory=set, init=False)
    _steps: LoopThread = field(factory=LoopThread, init=False)
    _lock: Lock = field(factory=Lock, init=False)
    _wake: Event = field(factory=Event, init=False)

    def __attrs_post_init__(self) -> None:
        """A worker without hands or workflows is refused, and one for a store that has workers of its own."""
        given = self.workflow
        self.workflows = tuple(given) if isinstance(given, Sequence) else (given,)
        for setting, why in self._refusals():
            raise UnsupportedSetting(type(self).__name__, setting, why)
        adopting(adopt=self.adopt, by=self.by)
        self._away, self._telling = Backoff(self._usual), Telling(self.tell)

    def _refusals(self) -> Iterator[tuple[str, str]]:
        """The settings that no worker has, and why."""
        check_counts("A Worker", concurrency=self.concurrency)
        for workflow in self.workflows:
            if not hasattr(workflow, "db"):
                raise WrongArgument(*SERVED, workflow)
            if not hasattr(workflow.db, "claim_next"):
                yield f"a workflow on {type(workflow.db).__name__}", "workers of its own execute the runs there"
        places = Counter((workflow.id, id(workflow.db)) for workflow in self.workflows)
        for (name, _), count in places.items():
            if count > 1:
                yield f"the workflow {name!r} twice", "one of them would take the runs of the other"
        if not places:
            yield "no workflow", "it serves one at least"
        if self.concurrency < 1:
            yield f"concurrency={self.concurrency!r}", "it drives one run at least"
        if inspect.iscoroutinefunction(self.tell):
            yield "an async tell", "it is called on a thread; give a plain function"

    @property
    def untold(self) -> list[Went]:
        """The calls of `tell` that have failed so far, in order, without those that succeeded later."""
        return list(self._telling.untold.values())

    def stop(self) -> None:
        """Take no more runs, and give each back: async calls are cancelled, others waited for. A signal handler may call this.

        From now on a store that gives no answer is waited for no longer than `grace` says.
        """
        self.stopping = True
        if self._at_work:
            self._hurry(self.grace / 2)
        for execution in list(self._executions):
            execution.halt()

    def _hurry(self, seconds: Seconds | None) -> None:
        """Bound the time that each store is waited for, where a store can be silent."""
        for store in {id(workflow.db): workflow.db for workflow in self.workflows}.values():
            hurry = getattr(store, "hurry", None)
            if hurry is not None:
                hurry(seconds)

    async def arun(self, *, until_idle: bool = False) -> Counter[str]:
        """Work in the running event loop: async steps run on it, plain steps on threads. Returns and raises as `work` does.

        Where the task is cancelled, the calls in flight are cancelled and waited for, and the runs are given back.
        """
        self._loop = asyncio.get_running_loop()
        done = asyncio.wrap_future(Hands("statecore-worker", 1).submit(partial(self.work, until_idle=until_idle)))
        try:
            return await asyncio.shield(done)
        except asyncio.CancelledError:
            self.stop()
            await asyncio.wait([done])
            raise

    def work(self, *, until_idle: bool = False) -> Counter[str]:
        """Drive runs until `stop` is called or, with `until_idle`, until no run can go on. Returns `counts`.

        Waits while a store that has answered once is away. Raises the `StoreError` of a store where none has ever answered.
        """
        over, self._at_work = Event(), True
        stores = {id(workflow.db): workflow.db for workflow in self.workflows if hasattr(workflow.db, "listen")}
        ears = [Thread(target=self._listen, args=(store, over), daemon=True) for store in stores.values()]
        for ear in ears:
            ear.start()
        try:
            try:
                self._rounds(Hands("statecore-worker", self.concurrency), until_idle=until_idle)
            finally:
                self.stop()
                wait(self._hands)
            self._look_at_hands()
            self._return_all()
        finally:
            self._steps.close(wait=all(hand.done() for hand in self._hands))
            over.set()
            for ear in ears:
                ear.join(self.grace / 2)  # one that connects just now ends with its process
            self._at_work = False
            self._hurry(None)
            self._telling.again(last=True)
        return self.counts

    @property
    def _usual(self) -> Seconds:
        """The seconds between two looks."""
        told = all(hasattr(workflow.db, "listen") for workflow in self.workflows)
        return self.poll if self.poll is not None else POLL if told else POLL_UNTOLD

    def _rounds(self, hands: Hands, *, until_idle: bool) -> None:
        """Take what there is, hand it out, wait, and again."""
        while not self.stopping:
            began = monotonic()
            self._return_all()
            self._telling.again()
            taken = self._take()
            took = monotonic() - began
            for job in taken:
                if self.stopping:  # it was told so while the store was looking
                    self._let_be(job)
                else:
                    self._hands.append(hands.submit(self._go_on, job))
            self._look_at_hands()
            if not taken:
                if until_idle and not (self._driving or self._unreturned or self._delayed or self._suspects):
                    return
                self._rest(10 * took)

    def _look_at_hands(self) -> None:
        """Raise what ends a process, where a hand met it in `tell`."""
        done = [hand for hand in self._hands if hand.done()]
        self._hands = [hand for hand in self._hands if hand not in done]
        for hand in done:
            hand.result()

    def _take(self) -> list[Job]:
        """Claim as many runs as there are free hands; first from the workflow after the one that was served last.

        Where one owes a suspect nothing else is taken: it is driven alone once the others are over (RUN-13).
        """
        with self._lock:
            if self._suspects or self._suspects.is_one_driven(self._driving, list(self._executions)):
                return self._suspects.next(self._driving)
        taken: list[Job] = []
        first, away, trouble = self._turn, self._away.waiting(), None
        for number in range(len(self.workflows)):
            place = (first + number) % len(self.workflows)
            free = self.concurrency - len(self._driving)
            if free <= 0 or place in away:
                continue
            try:
                found = self._take_of(self.workflows[place], free)
                taken += found
                self._turn = place + 1 if found else self._turn
            except Exception as error:  # noqa: BLE001  # whatever one store cannot do is not the others' affair
                trouble = error
                self._away.failed(place)
                if self._answered or len(self.workflows) > 1:
                    self._telling.say(Went("", "WAITING", str(error), self.workflows[place].id))
            else:
                self._answered.add(place)
                self._away.succeeded(place)
        if trouble is not None and not self._answered:
            raise trouble
        several = sum(job.doubtful for job in taken) > 1
        return [job._replace(beside=several and job.doubtful) for job in taken]

    def _take_of(self, workflow: Runnable, free: int) -> list[Job]:
        """Claim up to so many runs of one workflow."""
        host = workflow.host
        but = [run_id for place, run_id in self._refused.waiting() if place == id(workflow)][:LEFT_OUT]
        found = host.executor.claim_next(workflow.id, host.owner(), host.clock(), host.lease_end(), free, but)
        jobs = [Job(workflow, record, doubtful) for record, doubtful in found]
        with self._lock:
            self._driving.update(job.key for job in jobs)
        for job in jobs:
            self._delayed.pop(job.key, None)
        for bad in unread_of(found):  # it stays in the store as it is, and the others go on
            self._refused.failed((id(workflow), bad.run_id))
            self.counts["REFUSED"] += 1
            self._telling.say(Went(bad.run_id, "REFUSED", f"it cannot be read: {bad.why}", workflow.id))
        return jobs

    def _rest(self, least: Seconds) -> None:
        """Wait until a hand is free, a hint comes, a delay is over, or it is time to look again."""
        dues = [(due - workflow.host.clock()) / 1_000_000 for workflow, due in list(self._delayed.values())]
        end = monotonic() + max(min([self._usual, *dues]), least)
        while not self.stopping and (left := end - monotonic()) > 0 and not self._wake.wait(min(SLICE, left)):
            pass
        self._wake.clear()

    def _listen(self, store: Any, over: Event) -> None:
        """Pass a store's hints on. One that cannot be listened to just now is asked again; meanwhile the worker looks by the clock."""
        while not over.is_set():
            try:
                if store.listen(SLICE):
                    self._wake.set()
            except Exception:  # noqa: BLE001  # a hint that is lost costs time and nothing else
                over.wait(self._usual)

    # -- one run -----------------------------------------------------------------------------------------------------------------

    def _go_on(self, job: Job) -> None:
        """Drive a run that was claimed, in this thread; whatever happens, the hand is free afterwards."""
        try:
            went = self._driven(job)
            self._refused.succeeded(job.key)
        except OVERTAKEN as error:
            self._put_off(job, error)
            went = None
        except BaseException as error:  # noqa: BLE001  # one run's trouble, SystemExit of its step included, is not the others'
            went = self._put_off(job, error)
        with self._lock:
            self._driving.discard(job.key)
            if went is not None:
                self.counts[went.status] += 1
        self._wake.set()
        if went is not None:
            self._telling.say(went)

    def _let_be(self, job: Job) -> None:
        """Give a run back that was claimed and not begun."""
        if not job.alone:  # that one was given back already
            self._give_back(partial(job.going(None).give_back, job.record, doubtful=job.doubtful))
        with self._lock:
            self._driving.discard(job.key)

    def _driven(self, job: Job) -> Went | None:
        """Drive a run to where it waits, ends, or is given back; None where it waits for a delay, which holds no hand (RUN-12)."""
        going = job.going(adopting(adopt=self.adopt, by=self.by))
        try:
            ready = going.ready() if job.alone else going.claimed(job.record, doubtful=job.doubtful)
        except BaseException:
            if not job.alone:
                self._give_back(partial(going.give_back, job.record, doubtful=job.doubtful))
            raise
        if owes_suspect(ready.execution.state) and not job.alone and self.concurrency > 1:
            with self._lock:
                self._suspects.add(job)
            self._give_back(partial(let_go, ready.execution))
            return None
        try:
            self._drive(ready)
        except BaseException:
            if not ready.execution.parked:
                self._give_back(partial(let_go, ready.execution))
            raise
        if ready.execution.parked and (due := until(ready.execution.state)) is not None:
            self._delayed[job.key] = job.workflow, due
            return None
        if ready.execution.seq == job.record.seq and not self.stopping:
            raise Undecided(job.record.identity.run_id, ["nothing could be done for it"])
        return went(ready.execution)

    def _drive(self, ready: Ready) -> None:
        """Drive a run in this thread, or on the event loop while this thread waits."""
        execution = ready.execution
        execution.parks_delays = True
        self._executions.add(execution)
        try:
            if self.stopping:
                execution.halt()
            if self._loop is not None:
                asyncio.run_coroutine_threadsafe(self._adrive(ready), self._loop).result()
            else:
                for _commit in drive(execution, ready.first, self._steps):
                    pass
        except (Stopped, CancelledError):
            if not self.stopping:
                raise
        finally:
            self._executions.discard(execution)

    async def _adrive(self, ready: Ready) -> None:
        """Drive a run in a task of the event loop."""
        async with aclosing(aio.drive(ready.execution, ready.first)) as commits:
            async for _commit in commits:
                pass

    def _put_off(self, job: Job, error: BaseException) -> Went:
        """Let a run be for a while."""
        self._refused.failed(job.key)
        return refused(job, error)

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
        for place, giving in enumerate(waiting):
            if self.stopping and self._unreturned:  # the store is away, and one attempt says so for all
                with self._lock:
                    self._unreturned += waiting[place:]
                return
            self._give_back(giving)
