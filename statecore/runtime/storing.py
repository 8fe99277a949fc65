"""A claimed run and its store: the boundaries that are stored, the lease that is renewed, the run that is released.

Both drivers store through `store`; a cancellation that was requested is heard there, and decisions of open questions where the boundary
would park the run. `decided_beside` looks for decisions while something still runs beside the questions (SAID-1). A boundary renews
the lease of its run once a third of it is over, so a run of short steps seldom needs the heartbeat. The heartbeat is one thread in a
process: it renews the leases of all driven runs during long calls, also while something holds up an event loop. It ends with the last
run, and a forked child begins its own.
"""

from __future__ import annotations

import os
from contextlib import suppress
from threading import Condition, Lock, Thread
from time import monotonic
from typing import TYPE_CHECKING, Any, Protocol
from weakref import ref

from statecore.core import Call, Commit, Event, Micros, answerable, asks, calls
from statecore.core.loop import committing
from statecore.core.reducer import stands_at
from statecore.errors import ClaimLost, StoreError, StoreUnavailable
from statecore.lifecycles import words as w
from statecore.stores import Boundary, PauseFilter

from . import ends
from .ends import cancellation, decision_events
from .execution import of_record
from .observers import INFO, WARNING
from .observing import tell_lost, tell_stored, tell_unreleased
from .voting import agreed, looked

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from statecore.core import OpenQuestion
    from statecore.core.state import Death
    from statecore.stores import Decided, Identity

    from .execution import Execution
    from .host import Host

POLL = 0.2
"""After how many seconds a driver that waits for a call or a delay looks for decisions again, where a question is open beside it."""
MANY = 10_000
UNSTORED = "its end could not be stored"
UNRETURNED: dict[tuple[int, str, Micros], Execution] = {}
"""Executions that are over, and whose runs could not be given back, by `place_of`."""
LEFT: dict[int, tuple[Execution, int]] = {}
"""The executions whose claim is kept because calls go on that were not waited for, each with how many."""
LEAVING = Lock()
LONGEST = 1.0
"""How many seconds the thread sleeps at most, and so how long it outlives the last run."""


class Awaited(Protocol):
    """A future, of either kind."""

    def done(self) -> bool:
        """Whether it is over."""

    def add_done_callback(self, fn: Callable[[Any], object], /) -> None:
        """Call something when it is over, or at once where it is."""


def store(execution: Execution, effect: Commit, *, heeds_decisions: bool = True) -> Event | tuple[Event, ...] | None:
    """Store an effect durably; None. Otherwise nothing is stored, and the events that stand against it are returned.

    An event: the cancellation that was requested. Several: the decisions of questions that the effect would leave open while it parks the run.
    """
    heeds_cancel, level = weighed(effect.events)
    boundary = execution.boundary(effect, heeds_cancel=heeds_cancel)
    if not heeds_decisions:
        boundary = boundary._replace(heeds_decisions=False)
    observers, log = execution.host.observers, execution.log
    if observers.each:
        boundary = observers.carried(execution, boundary)
    try:
        obstacle = execution.host.executor.commit(boundary)
    except BaseException as error:
        execution.lost = list(calls(execution.program, execution.state))  # they were called, and nothing says how they ended
        if isinstance(error, ClaimLost) and execution.claim is None:
            tell_lost(execution)
        raise
    if isinstance(obstacle, tuple):
        before = set(asks(execution.program, effect.before))
        open_still = [ask for ask in answerable(execution.program, effect.after.state) if ask in before]
        events = events_of(execution, open_still, agreed(execution, obstacle).values())
        return events or store(execution, effect, heeds_decisions=False)  # the definition asks none of these any more
    if obstacle:
        return requested(execution)
    execution.committed(effect, boundary)
    is_logged = log is not None and log.isEnabledFor(level)
    if observers.each or is_logged:
        tell_stored(execution, effect, boundary, is_logged=is_logged)
    return None


def weighed(events: tuple[Event, ...]) -> tuple[bool, int]:
    """Whether a boundary of these events heeds a requested cancellation, and the level of its loudest record."""
    heeds_cancel, level = True, INFO
    for event in events:
        heeds_cancel = heeds_cancel and event.trigger != w.cancel
        if event.death or event.trigger == w.renew:
            level = WARNING
    return heeds_cancel, level


def events_of(execution: Execution, asked: Collection[OpenQuestion], stored: Iterable[Decided]) -> tuple[Event, ...]:
    """The events of those questions that are decided, by a stored decision or by one that was handed in."""
    answers = {**execution.answers, **execution.voted, **{each.pause_id: each for each in stored}}
    return decision_events(execution.program, asked, answers, execution.host.clock())


def listens(execution: Execution) -> bool:
    """Whether a question is open, beside what runs, whose answer counts at once."""
    return len(execution.state.cursors) > 1 and bool(answerable(execution.program, execution.state))


def decided_beside(execution: Execution) -> tuple[Event, ...]:
    """The events of what people have decided beside what still runs; () where nothing is new (SAID-1)."""
    asked = answerable(execution.program, execution.state)
    wanted = PauseFilter(run_id=execution.identity.run_id, decided_only=True, limit=MANY)
    try:
        return events_of(execution, asked, looked(execution, execution.host.store.pauses(wanted))) if asked else ()
    except StoreUnavailable:  # the boundary that parks the run asks the store again, and must be stored
        return ()


def store_interruption(execution: Execution, interrupted: list[Call], why: str, death: Death = "") -> None:
    """Calls were interrupted, in this very process unless it was a `death`: store at once that they began and did not end (CRASH-2)."""
    execution.lost = [call for call in execution.lost if call not in interrupted]
    events = tuple(
        event for call in interrupted if stands_at(execution.state, event := ends.interrupted(execution, call, why, death))
    )
    if events:
        store_events(execution, events)


def store_events(execution: Execution, events: tuple[Event, ...]) -> Commit:
    """Store what happened, and nothing after it, with what was decided or cancelled meanwhile; what was stored."""
    commits = committing(execution.program, execution.state, events)
    effect = next(commits)
    while True:
        obstacle = store(execution, effect)
        if obstacle is None:
            return effect
        effect = commits.send(obstacle)


def store_claim(execution: Execution) -> bool:
    """Claim a run as it was read, with a boundary of no rows; False where a cancellation waits, and nothing is claimed.

    Raises `ClaimLost` where the run, or whose it is, has changed since: whoever had it in between may have died in a call.
    """
    host, now = execution.host, execution.host.clock()
    boundary = Boundary(
        run_id=execution.identity.run_id,
        epoch=execution.epoch,
        seq=execution.seq,
        time=now,
        state=execution.state,
        entries=(),
        held=execution.held,
        lease=now + host.lease_micros,
        claim=execution.claim,
    )
    if host.executor.commit(boundary):
        return False
    execution.claim, execution.lease = None, boundary.lease
    return True


def requested(execution: Execution) -> Event:
    """The event of the cancellation that was requested."""
    return cancelled_by(execution, execution.host.store.load(execution.identity.run_id).cancel_by)


def cancelled_by(execution: Execution, by: str | None) -> Event:
    """The event of a cancellation; it says where a call goes on that was given up (RUN-11)."""
    return cancellation(by, execution.host.owner() if execution.keeps_claim else None)


def leave(execution: Execution, left: Iterable[Awaited]) -> None:
    """A driver ends: the run is released, at once or when the last of the calls that were `left` or given up is over (RUN-9, RUN-11)."""
    if execution.host.observers.each:
        execution.host.observers.left(execution)
    waiting = [each for each in left if not each.done()]
    if waiting and not execution.parked:
        execution.keeps_claim = True
        LEFT[id(execution)] = execution, len(waiting)
        for each in waiting:
            each.add_done_callback(lambda _: left_one(execution))
        return
    HEARTBEAT.end(execution)
    if not execution.parked:
        let_go(execution)


def left_one(execution: Execution) -> None:
    """One call more is over that was left; after the last one the run is released."""
    with LEAVING:
        _, count = LEFT[id(execution)]
        if count > 1:
            LEFT[id(execution)] = execution, count - 1
            return
        del LEFT[id(execution)]
    HEARTBEAT.end(execution)
    try:
        let_go(execution)
    except Exception:  # noqa: BLE001  # the run is over here, and no caller is left to be told
        tell_unreleased(execution)


def let_go(execution: Execution) -> None:
    """Release the run, so that it can be continued at once; a parked run was released with its boundary.

    Calls whose end could not be stored are stored as interrupted first (CRASH-2). Where even that cannot be stored the lease is kept, and
    this process gives the run back as soon as it can (`give_back_left`); if it ends before, the next owner knows that the calls are in doubt.
    """
    place = place_of(execution.identity)
    if execution.host.observers.each:
        execution.host.observers.left(execution)
    UNRETURNED.pop(place, None)
    try:
        if execution.lost:
            try:
                store_interruption(execution, execution.lost, UNSTORED)
            except ClaimLost:  # what the store reported as failed was stored, or another process has the run
                with suppress(ClaimLost):
                    interrupt_rest(execution)
        execution.host.executor.release(execution.identity.run_id, execution.epoch)
    except StoreError:
        UNRETURNED[place] = execution
        raise


def place_of(identity: Identity) -> tuple[int, str, Micros]:
    """The process and the run. A forked child gives nothing back for its parent; the file may have another name by now, or another store object."""
    return os.getpid(), identity.run_id, identity.created


def give_back_left(host: Host, run_id: str) -> None:
    """Give back a run that this process executes no longer, and could not give back; does nothing where there is none.

    Raises the store's error where it still cannot. A run that was taken over meanwhile is left alone.
    """
    record = host.store.load(run_id)
    execution = UNRETURNED.pop(place_of(record.identity), None)
    if execution is not None and execution.epoch == record.epoch:
        execution.host = host  # the store object of that time may be closed
        let_go(execution)


def interrupt_rest(execution: Execution) -> None:
    """Store the lost calls as interrupted which the run still owes, where the boundary that was reported as failed is stored."""
    record = execution.host.store.load(execution.identity.run_id)
    if record.epoch == execution.epoch and record.owner is not None:
        now = of_record(execution.host, execution.compiled, record)
        store_interruption(now, [call for call in calls(now.program, now.state) if call in execution.lost], UNSTORED)


def loud(execution: Execution) -> Exception | None:
    """The executor's own exception, where the run failed of it in this process, with a note of where (ERR-1)."""
    failed = [cursor for cursor in execution.state.cursors if cursor.phase == w.failed] if execution.state.run == w.failed else []
    places = [(cursor.at, cursor.turn, cursor.attempt) for cursor in failed]
    place = next((place for place in places if place in execution.raised), None)
    if place is None:
        return None
    error, node = execution.raised[place], execution.program.nodes[place[0]]
    if execution.identity.key is not None:
        execution.host.remember(execution.identity.run_id, error)
    note = f"statecore: run {execution.identity.run_id!r} failed in step {node.name!r} ({node.at})"
    with suppress(Exception):  # a frozen exception takes no note, and is raised all the same
        error.add_note(note)
    return error


def raise_loud(execution: Execution) -> None:
    """Raise the exception that the run failed of in this process, if any."""
    error = loud(execution)
    if error is not None:
        raise error


# -- the heartbeat -----------------------------------------------------------------------------------------------------------------


class Heartbeat:
    """Which runs this process drives; a run that was forgotten without being ended is no longer among them."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Begin with nothing, as in a forked child: its parent's runs and its parent's thread are not its own."""
        self._changed = Condition()
        self._driven: dict[int, ref[Execution]] = {}
        self._seen: dict[int, tuple[int | None, float]] = {}
        self._thread: Thread | None = None
        self._seconds = LONGEST

    def begin(self, execution: Execution) -> None:
        """A run is being driven from now on."""
        seconds = execution.host.lease_micros / 3_000_000
        with self._changed:
            self._driven[id(execution)] = ref(execution)
            if seconds < self._seconds:
                self._seconds = seconds
                self._changed.notify()
            if self._thread is None:
                thread = Thread(target=self._beat_on, name="statecore-heartbeat", daemon=True)
                with suppress(RuntimeError):  # an interpreter on its way out starts no thread; what it drives still is short enough
                    thread.start()
                    self._thread = thread

    def end(self, execution: Execution) -> None:
        """A run is no longer driven."""
        with self._changed:
            self._driven.pop(id(execution), None)
            self._seen.pop(id(execution), None)

    def _beat_on(self) -> None:
        """Look after all runs, again and again, until there is none."""
        while True:
            with self._changed:
                self._changed.wait(self._seconds)
                self._driven = {key: found for key, found in self._driven.items() if found() is not None}
                self._seen = {key: seen for key, seen in self._seen.items() if key in self._driven}
                if not self._driven:
                    self._thread, self._seconds = None, LONGEST
                    return
                driven = list(self._driven.values())
            for found in driven:
                execution = found()
                if execution is not None:
                    self.look_for_cancel(execution, also=self.look_after(execution))
                del execution

    def is_due(self, execution: Execution) -> bool:
        """Whether a third of a lease is over: by the host's clock, or, where that was set back, by the time that has passed here."""
        host, passed = execution.host, monotonic()
        lease, since = self._seen.get(id(execution), (None, passed))
        if lease != execution.lease or id(execution) not in self._seen:
            self._seen[id(execution)] = (execution.lease, passed)
            since = passed
        left = 0 if execution.lease is None else execution.lease - host.clock()
        return 3 * left <= 2 * host.lease_micros or 3_000_000 * (passed - since) >= host.lease_micros

    def look_after(self, execution: Execution) -> bool:
        """Whether one run's lease was renewed, because a third of it is over. A run that another process has claimed is left alone.

        Other trouble is tried again.
        """
        if execution.parked or not self.is_due(execution):
            return False
        host = execution.host
        lease = max(host.lease_end(), execution.lease or 0)
        try:
            host.executor.renew(execution.identity.run_id, execution.epoch, lease)
            execution.lease = lease
            self._seen[id(execution)] = (lease, monotonic())
            host.observers.renewed(execution)
        except ClaimLost:
            tell_lost(execution)
            self.end(execution)
        except Exception:  # noqa: BLE001  # whatever a store cannot do now, a thread that died would never do again
            return False
        else:
            return True
        return False

    def look_for_cancel(self, execution: Execution, *, also: bool) -> None:
        """Tell the calls of a run to stop whose cancellation was requested (RUN-10); a run whose call hangs ends (RUN-11).

        It looks where a call may hear it, and `also` where a lease was renewed. Trouble is tried again.
        """
        with suppress(Exception):
            stops = [stop for stop in list(execution.stops) if not stop.is_set()]
            rests = id(execution) in LEFT and execution.state.run == w.paused
            if not (stops or rests or also or execution.told):
                return
            record = execution.host.store.load(execution.identity.run_id)
            if record.cancel_requested is None:
                return
            for stop in stops:
                stop.set()
            if execution.told is None:
                execution.told = execution.host.clock()
                execution.wake()
            with execution.ending:
                hangs = execution.is_calling and execution.host.clock() >= execution.told + execution.host.lease_micros
                if (rests or hangs) and execution.cut is None:
                    execution.keeps_claim = True
                    execution.cut = store_events(execution, (cancelled_by(execution, record.cancel_by),))


HEARTBEAT = Heartbeat()
with suppress(AttributeError):  # there is no fork everywhere
    os.register_at_fork(after_in_child=HEARTBEAT.forget)
