"""`Inbox` reads a store without a definition. It lists runs and open pauses, decides and cancels; it never calls user code.

The meaning of a run's workflow is stored with the run (`Identity.canonical`), so the place of each pause and the outcome of each answer are
known without the user's code. A reviewer's process needs the store and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime, timedelta
from os import PathLike
from pathlib import Path
from typing import Any, TypeVar

from attrs import evolve

from statecore.core import DECISIONS, Compiled, Micros, Program, Seconds, stored_program
from statecore.definition.approval import Person, as_person
from statecore.errors import (
    AlreadyDecided,
    AmbiguousRun,
    ClaimLost,
    DefinitionError,
    NotPaused,
    NoVote,
    RunBusy,
    RunsElsewhere,
    StoreCorrupt,
    UnknownPause,
    UnknownRun,
    UnreadableValue,
    UnsupportedSetting,
    WrongArgument,
    described,
)
from statecore.lifecycles import words as w
from statecore.output import Requirement, WorkflowRunOutput
from statecore.output.requirement import requirement_of
from statecore.runtime import Host
from statecore.runtime.answers import meaning, stored_value
from statecore.runtime.ends import cancellation
from statecore.runtime.host import compiled_of
from statecore.runtime.judge import check_seen
from statecore.runtime.limits import check_left, forcing
from statecore.runtime.ready import check_put, claiming
from statecore.runtime.storing import store_events
from statecore.runtime.voting import cast, check_unkeyed, withdraw
from statecore.stores import Act, Decided, PauseFilter, Record, RunFilter, RunReader, Waiting
from statecore.stores.abilities import KeepsAside
from statecore.stores.endings import Archived, Archives, Erases, Erasure, Purged, Purges
from statecore.stores.pages import Counted
from statecore.stores.records import Listing, Unread, after_of, unread_of
from statecore.stores.rules import ENDED, STATUS, check_counts, check_request_key, check_texts
from statecore.stores.votes import VOTE, WITHDRAWAL

ALL, MOST_COUNTED = 1_000_000, 1_000
Item = TypeVar("Item")


def glance_of(db: RunReader) -> Callable[[str], Record]:
    """The function that reads a run as far as a listing shows it: a store may leave out a session state that it would have to ask for.

    It raises `UnknownRun`, `StoreCorrupt`, `UnreadableValue`.
    """
    glance: Callable[[str], Record] = getattr(db, "glance", db.load)
    return glance


LISTING = "A listing"
PHASES, PLACE = ("phases", "phases in a tuple"), ("after", "the ids of a run and a pause")


def check_filter(wanted: RunFilter | PauseFilter) -> None:
    """Raise `WrongArgument` for a filter of other types: a number as a step's name would find nothing, in silence."""
    texts = ("run_id", "session_id", "workflow_id", "step_name", "kind", "prefix", "user_id")
    check_texts(LISTING, **{name: getattr(wanted, name, None) for name in texts})
    check_counts(LISTING, limit=wanted.limit)
    if isinstance(wanted, RunFilter):
        check_texts(LISTING, after=wanted.after)
        argument, given, fits = PHASES, wanted.phases, isinstance(wanted.phases, tuple | list | set | frozenset)
    else:
        argument, given, fits = PLACE, wanted.after, type(wanted.after) is tuple and len(wanted.after) == 2  # noqa: PLR2004  # as it says
    if given is not None and not (fits and all(isinstance(each, str) for each in given)):
        raise WrongArgument(LISTING, *argument, given)


def logged(found: Listing[Item]) -> Listing[Item]:
    """A listing; the runs that it could not read are logged, for a caller may not look for them."""
    for each in found.unread:
        from logging import getLogger  # noqa: PLC0415  # the command line has no use for it

        getLogger(__name__).warning("run %r is left out, because it cannot be read: %s", each.run_id, each.why)
    return found


ENDS_IN_TABLES = "SqliteDb and PostgresDb of format 3 can; migrate an older store with `statecore migrate`"
ENDS_IN = "SqliteDb and PostgresDb of format 3 and InMemoryDb can; migrate an older store with `statecore migrate`"
AGO = ("ended_before", "a timedelta, or a datetime with a time zone")


def before(now: Micros, ended: timedelta | datetime) -> Micros:
    """The instant that an age or an instant means. Raises `WrongArgument`."""
    if isinstance(ended, timedelta):
        return now - ended // timedelta(microseconds=1)
    if type(ended) is not datetime or ended.tzinfo is None:
        msg = "purge"
        raise WrongArgument(msg, *AGO, ended)
    return (ended - EPOCH) // timedelta(microseconds=1)


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def check_store(where: str, db: RunReader) -> RunReader:
    """A store as it is given. Raises `DefinitionError` for a path, a URL, a class or anything else that is none."""
    if isinstance(db, str | PathLike):
        write = 'SqliteDb(db_file="...") for a file, PostgresDb("postgresql://...") for a server'
    elif isinstance(db, type):
        write = f"{db.__name__}(...)"
    elif all(callable(getattr(db, method, None)) for method in ("load", "runs", "pauses", "decide", "journal")):
        return db
    else:
        write = "SqliteDb(...), PostgresDb(...) or InMemoryDb()"
    message = f"The db of {where} must be a store, not {described(db)}. Write db={write}."
    raise DefinitionError(message)


class Inbox:
    """An inbox lists the runs and open pauses of a store, stores decisions and requests cancellations, without the code of the workflows.

    `db`: the store. `host`: the clock and the identity of this process; None makes one for the store. `compiled`: a compiled workflow, used
    for runs whose stored definition equals it. `store_events`: keep the events of a run on its output. No method executes user code.

    Example: `Inbox(SqliteDb(db_file="runs.db")).pending(PauseFilter(workflow_id="payout"))`
    """

    db: RunReader
    host: Host
    compiled: Compiled | None
    store_events: bool

    def __init__(
        self, db: RunReader, host: Host | None = None, compiled: Compiled | None = None, *, store_events: bool = False
    ) -> None:
        self.db, self.compiled, self.store_events = check_store("an inbox", db), compiled, store_events
        self.host = host or Host(db)

    # -- reading -----------------------------------------------------------------------------------------------------------------

    def find(self, prefix: str) -> str:
        """Return the id of the one run whose id equals `prefix` or begins with it. Raises `UnknownRun`, `AmbiguousRun`."""
        check_texts("Inbox.find", prefix=prefix)
        try:
            return glance_of(self.db)(prefix).identity.run_id
        except (StoreCorrupt, UnreadableValue):
            return prefix  # the run is there, and what is done with it says what is wrong
        except UnknownRun:
            if not prefix:
                raise
            records = self.db.runs(RunFilter(limit=ALL, prefix=prefix))
            found = [*(record.identity.run_id for record in records), *(each.run_id for each in unread_of(records))]
            if not found:
                raise
            if len(found) > 1:
                raise AmbiguousRun(prefix, found) from None
            return found[0]

    def show(self, run_id: str) -> WorkflowRunOutput:
        """Return a run as it is stored. Raises `UnknownRun`."""
        check_texts("Inbox.show", run_id=run_id)
        return self.view(self.db.load(run_id))

    def runs(self, wanted: RunFilter) -> Listing[WorkflowRunOutput]:
        """Return the runs that fit the filter; the run that began last comes first. `unread` of the page names runs that cannot be read.

        `after` of the page is the key of the next one: `RunFilter(..., after=page.after)`; None at the end.
        """
        check_filter(wanted)
        found = self.db.runs(wanted)
        return logged(Listing(map(self.view, found), unread_of(found), after_of(found)))

    def pending(self, wanted: PauseFilter) -> Listing[Requirement]:
        """Return the requirements of the open pauses that fit the filter, oldest first.

        A pause whose deadline has passed is overdue (`is_timed_out`): a decision comes too late for it, and its `on_timeout` is applied when
        the run is ticked, recovered or continued, or by a worker (TIME-4). Nothing is written here (GATE-9).

        A run that cannot be read keeps no other from being listed: `unread` of the page names it (P23). `after` of the page is the key of the next
        one; None at the end. A page may have fewer rows than its limit and a key: it reads at most 1,000 (P26).
        """
        found = self.placed(wanted)
        return logged(Listing((requirement for _, requirement in found), found.unread, found.after))

    def placed(self, wanted: PauseFilter) -> Listing[tuple[Waiting, Requirement]]:
        """Return the rows of `pending` with their requirements, and log nothing."""
        check_filter(wanted)
        rows, found = self.db.pauses(wanted), []
        unread, views = {each.run_id: each for each in unread_of(rows)}, dict[str, WorkflowRunOutput]()
        for row in rows:
            run_id = row.pause.run_id
            try:
                if run_id not in views and run_id not in unread:  # it says where a pause stands, no more
                    views[run_id] = self.view(glance_of(self.db)(run_id), waiting=())
            except (StoreCorrupt, UnreadableValue) as error:
                unread[run_id] = Unread(run_id, error.why)
            if run_id in views:
                found.append((row, self.requirement(row, views[run_id])))
        return Listing(found, unread.values(), after_of(rows))

    def count(self, wanted: RunFilter | PauseFilter, *, exact: bool = False) -> Counted:
        """Return how many runs, or open pauses, fit the filter. It stops after 1,000 rows (`more` of the count), unless `exact`."""
        check_filter(wanted)
        counting = getattr(self.db, "count", None)
        if counting is not None:
            found: Counted = counting(wanted, exact=exact)
            return found
        whole = evolve(wanted, after=None, limit=ALL if exact else MOST_COUNTED + 1)
        rows = self.db.pauses(whole) if isinstance(whole, PauseFilter) else self.db.runs(whole)
        number = len(rows) + len(unread_of(rows))
        return Counted(number, more=False) if exact or number <= MOST_COUNTED else Counted(MOST_COUNTED, more=True)

    def quarantine(self, run_id: str, *, release: bool = False) -> bool:
        """Set a run aside: no worker takes it and no process continues it, before it is taken back with `release`. Its rows are not looked at.

        Returns whether it is set aside now. Raises `UnknownRun`, `RunBusy` where a living process executes it, and `UnsupportedSetting` where the
        store is not of format 3.
        """
        check_texts("quarantine", run_id=run_id)
        store = self.db
        if not isinstance(store, KeepsAside):
            raise UnsupportedSetting(
                type(store).__name__, "quarantine", "stores of format 3 set runs aside: SqliteDb and PostgresDb"
            )
        if release:
            store.take_back(run_id)
            return False
        store.set_aside(run_id, self.host.clock())
        return True

    def purge(  # as many as there is to say of a purge
        self,
        ended_before: timedelta | datetime,
        *,
        workflow: str | None = None,
        keep_decisions: bool = False,
        by: str | None = None,
        plan: bool = False,
        progress: Callable[[int], None] | None = None,
    ) -> Purged:
        """Remove the runs that ended before an instant, or longer ago than an age, whole; a run that goes on or waits stays.

        `workflow`: only of the workflow with this id. `keep_decisions`: runs in which a person decided stay. `by`: the person who purges.
        `plan`: nothing is removed. `progress` is told how many runs are gone. Raises `UnsupportedSetting` where the store cannot purge.

        Example: `Inbox(db).purge(timedelta(days=90), plan=True)`
        """
        check_texts("purge", workflow=workflow, by=by)
        store, now = self.db, self.host.clock()
        if not isinstance(store, Purges):
            raise UnsupportedSetting(type(store).__name__, "purge", ENDS_IN)
        return store.purge(
            before(now, ended_before), now, workflow_id=workflow, keep_decisions=keep_decisions, by=by, plan=plan, progress=progress
        )

    def archive(self, run_ids: Sequence[str], to: str | Path) -> Archived:
        """Write runs into a new file, with all that is needed to verify them elsewhere. Raises `UnknownRun`, `StoreUnavailable`."""
        if not isinstance(self.db, Archives):
            raise UnsupportedSetting(type(self.db).__name__, "archive", ENDS_IN_TABLES)
        return self.db.archive(run_ids, to, self.host.clock())

    def erase(  # as many as there is to say of an erasure
        self,
        run_id: str,
        *,
        by: str,
        fields: Collection[str] = (),
        step: str | None = None,
        reason: str | None = None,
        wait: Seconds = 10.0,
    ) -> Erasure:
        """Replace values of an ended run by their commitments: of some fields or of all, of one step or of the whole run.

        `fields`: of input, output, form, message, comment, by, error, session, user. `by` and `reason` are kept with the order. It waits for
        `wait` seconds for readers that hold a trace back; where `done` of the result is False, call it again. Raises `UnknownRun`, `NotEnded`,
        `UnsupportedSetting`.

        Example: `Inbox(db).erase("run-1", by="dpo", fields=["output"])`
        """
        check_texts("erase", run_id=run_id, by=by, step=step, reason=reason)
        store = self.db
        if not isinstance(store, Erases):
            raise UnsupportedSetting(type(store).__name__, "erase", ENDS_IN)
        return store.erase(run_id, by, self.host.clock(), fields=fields, step=step, reason=reason, wait=wait)

    def program(self, run_id: str) -> Program:
        """Return the program to which the workflow was compiled when the run began."""
        check_texts("Inbox.program", run_id=run_id)
        return stored_program(self.db.load(run_id).identity.canonical)

    def view(self, record: Record, *, waiting: Sequence[Waiting] | None = None) -> WorkflowRunOutput:
        """Return the output of a stored run. `waiting` holds its pauses where they need not be read again."""
        return WorkflowRunOutput(self.host, record, self.compiled_of(record), store_events=self.store_events, waiting=waiting)

    def compiled_of(self, record: Record) -> Compiled:
        """Return the compiled workflow of a run: this inbox's where it is the same, else the stored one, which has no user code."""
        if self.compiled is not None and self.compiled.program.fingerprint == record.identity.fingerprint:
            return self.compiled
        return compiled_of(record)

    @staticmethod
    def requirement(row: Waiting, view: WorkflowRunOutput) -> Requirement:
        """Return the requirement of one pause."""
        return requirement_of(row, view.place(row))

    # -- deciding ----------------------------------------------------------------------------------------------------------------

    def decide(
        self,
        run_id: str,
        pause_id: str,
        decision: str,
        *,
        value: Any = None,
        by: str | Person | None = None,
        comment: str | None = None,
        idempotency_key: str | None = None,
        seen: str | None = None,
        force: bool = False,
    ) -> Requirement:
        """Store the one decision of a pause, and execute nothing; the next process that continues the run applies it.

        Where the pause has an approval, this is the vote of `by` (AUTH-2), who says with `seen` what they were shown; `votes_say` of the requirement
        that comes back is what all votes say now. Raises `MayNotDecide` there.

        The same decision again returns the stored one; a question that was put again since takes none. `seen` is the digest of the question
        that the person was shown (`requirement.seen`).
        A retry of a step whose call was given up and is not over raises `StillRunning`, unless it is forced (`force=True` with `by`).
        Raises `AlreadyDecided`, `NotPaused`, `PauseExpired`, `UnknownRun`, `UnknownPause`, `UnknownDecision`, `StaleDecision`.
        """
        who, by = by, by.name if isinstance(by, Person) else by
        check_texts("decide", run_id=run_id, pause_id=pause_id, decision=decision, by=by, comment=comment)
        check_texts("decide", seen=seen, idempotency_key=idempotency_key)
        check_request_key("decide", idempotency_key)
        forced = forcing(force=force, by=by) if force else None
        record = self.db.load(run_id)
        row = self.db.pause(run_id, pause_id)
        if row is None:
            if record.state.run in ENDED:
                raise NotPaused(run_id, STATUS[record.state.run])
            raise UnknownPause(run_id, pause_id, [each.pause.pause_id for each in self.db.pauses(PauseFilter(run_id=run_id))])
        if row.pause.closed is not None:
            check_put(self.db, row.pause)
        if row.decided is None and seen is not None:
            check_seen(record.identity.canonical, row.pause, seen)
        component = self.compiled.components.get(row.pause.at) if self.compiled is not None else None
        decision, value = meaning(row.pause, decision, value)
        text = stored_value(row.pause, decision, value, component, limit=self.host.limit)
        if DECISIONS[row.pause.kind].get(decision) in (w.retry, w.amend):
            check_left(self.host, record, forced)
        shown = seen if row.pause.seen is not None else None
        if row.pause.rule is not None:
            check_unkeyed(idempotency_key)
            new = Act(run_id, pause_id, VOTE, self.host.clock(), decision, value=text, comment=comment, seen=shown)
            cast(self.host, new, as_person(who) if who else None)
            return self.requirement(self.db.pause(run_id, pause_id) or row, self.view(record, waiting=()))
        try:
            self.db.decide(Decided(run_id, pause_id, decision, self.host.clock(), text, by, comment, idempotency_key, seen=shown))
        except (NotPaused, AlreadyDecided):  # it may have been put again in between
            check_put(self.db, row.pause)
            raise
        return self.requirement(self.db.pause(run_id, pause_id) or row, self.view(record, waiting=()))

    def withdraw(self, run_id: str, pause_id: str, *, by: str | Person, comment: str | None = None) -> Requirement:
        """Take back the vote of a person, a yes or a no, until the outcome is applied; the person may vote once more then (AUTH-2).

        Raises `NoVote`, `MayNotDecide`, `AlreadyDecided`, `NotPaused`, `UnknownRun`, `UnknownPause`.
        """
        check_texts("withdraw", run_id=run_id, pause_id=pause_id, comment=comment)
        who, record, row = as_person(by), self.db.load(run_id), self.db.pause(run_id, pause_id)
        if row is not None and row.pause.rule is None:
            raise NoVote(pause_id, who.name)
        withdraw(self.host, Act(run_id, pause_id, WITHDRAWAL, self.host.clock(), by=who.name, via=who.via, comment=comment))
        return self.requirement(self.db.pause(run_id, pause_id), self.view(record, waiting=()))  # type: ignore[arg-type]  # it has an act

    def cancel(self, run_id: str, *, by: str | None = None) -> bool:
        """Cancel a run: at once where no process executes it, else at its next boundary. Returns False where the run had ended already."""
        check_texts("cancel_run", run_id=run_id, by=by)
        record = self.db.request_cancel(run_id, by, self.host.clock())
        if record.state.run in ENDED:
            return False
        while record.state.run not in ENDED:
            try:
                store_events(claiming(self.host, self.compiled_of(record), record), (cancellation(by),))
            except (RunBusy, RunsElsewhere):
                return True
            except ClaimLost:
                record = self.db.load(run_id)
            else:
                return True
        return record.state.run == "cancelled"
