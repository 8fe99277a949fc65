"""`Reading`: the methods of a workflow that read its runs, its sessions and what people owe, and their twins beside an event loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import frozen

from statecore.codec import decode
from statecore.definition.outputs import as_text, history_text
from statecore.errors import UnknownRun
from statecore.lifecycles import words as w
from statecore.output import WorkflowSession
from statecore.stores import PauseFilter, RunFilter
from statecore.stores.rules import check_counts, check_texts

from .elsewhere import POLL, afollow, follow
from .options import HISTORY_RUNS, instant_of, off_loop, phases_of, whole

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from datetime import datetime

    from statecore.core import Seconds
    from statecore.definition import RunStatus
    from statecore.output import Requirement, WorkflowRunOutput
    from statecore.output.events import RunEvent
    from statecore.stores import Listing, RunReader

    from .inbox import Inbox
    from .running import Sessions


@frozen
class Interaction:
    """One run of a session as a conversation has it: what was asked, and what came of it."""

    input: Any
    output: Any


class Reading:
    """The reading methods of a workflow. A name that begins with `a` is its namesake beside the event loop."""

    db: RunReader
    id: str
    session_id: str | None
    num_history_runs: int | None
    _sessions: Sessions
    decide: Callable[..., Requirement]
    cancel_run: Callable[..., bool]

    if TYPE_CHECKING:

        @property
        def inbox(self) -> Inbox:
            """The store of this workflow, seen as what people owe."""

    def _meant(self, call: str) -> str | None:
        """The session of a call that names none: the workflow's own, where it has one, else the one that this object ran last here."""
        return self.session_id or self._sessions.meant(call)

    def get_run_output(self, run_id: str, session_id: str | None = None, user_id: str | None = None) -> WorkflowRunOutput:
        """Return a run as it is stored. Raises `UnknownRun`, also for a run of another session or user than the one that is named."""
        check_texts("get_run_output", run_id=run_id, session_id=session_id, user_id=user_id)
        record = self.db.load(run_id)
        if session_id not in (None, record.identity.session_id) or user_id not in (None, record.identity.user_id):
            raise UnknownRun(run_id)
        return self.inbox.view(record)

    def follow(self, run_id: str, *, after: int = 0, poll: Seconds = POLL, until_rest: bool = False) -> Iterator[RunEvent]:
        """Yield the events of a run that any process executes: those that are stored, then each new one, until the run has ended.

        `after`: the number of events that the caller has had, for a reader that comes back. `poll`: seconds between two looks at the store.
        With `until_rest` it ends where the run waits for a person, too. Nothing is executed or written. Raises `UnknownRun`.
        """
        check_texts("follow", run_id=run_id)
        return follow(self.inbox, run_id, after=after, poll=poll, until_rest=until_rest)

    def afollow(self, run_id: str, *, after: int = 0, poll: Seconds = POLL, until_rest: bool = False) -> AsyncIterator[RunEvent]:
        """`follow`, on asyncio: `async for event in workflow.afollow(run_id)`."""
        check_texts("afollow", run_id=run_id)
        return afollow(self.inbox, run_id, after=after, poll=poll, until_rest=until_rest)

    def get_run(self, run_id: str) -> WorkflowRunOutput | None:
        """A run as it is stored; None where there is none."""
        try:
            return self.get_run_output(run_id)
        except UnknownRun:
            return None

    def get_last_run_output(self, session_id: str | None = None, user_id: str | None = None) -> WorkflowRunOutput | None:
        """The run of a session that was executed last, of that user where one is named; the workflow's own session by default."""
        check_texts("get_last_run_output", session_id=session_id, user_id=user_id)
        limit = 1 if user_id is None else 1_000_000
        session_id = self._meant("get_last_run_output") if session_id is None else session_id
        if session_id is None:
            return None
        wanted = RunFilter(session_id, self.id, limit=limit, by_claim=True, user_id=user_id)
        records = whole(self.db.runs(wanted))
        return self.inbox.view(records[0]) if records else None

    def get_session_state(self, session_id: str | None = None) -> dict[str, Any]:
        """The session state as the session's last run left it; that of the workflow's own session by default."""
        check_texts("get_session_state", session_id=session_id)
        session_id = self._meant("get_session_state") if session_id is None else session_id
        kept = self.db.session_state(session_id, self.id) if session_id is not None else None
        state: dict[str, Any] = decode(kept) if kept is not None else {}
        return state

    def get_chat_history(self, session_id: str | None = None, num_runs: int | None = None) -> list[Interaction]:
        """The inputs and outputs of a session's completed runs, in the order of execution; at most the last `num_runs`."""
        if num_runs is not None:
            check_counts("get_chat_history", num_runs=num_runs)
        session = self.get_session(session_id)
        done = [each for each in (session.runs if session is not None else ()) if each.has_completed()]
        last = done if num_runs is None else done[len(done) - min(num_runs, len(done)) :]
        return [Interaction(each.input, each.content) for each in last]

    def history_text(self, session_id: str) -> str | None:
        """The last `num_history_runs` completed runs of a session, as agents are told them (AGENT-6); None where there are none."""
        wanted = RunFilter(session_id, self.id, (w.completed,), limit=self.num_history_runs or HISTORY_RUNS, by_claim=True)
        runs = [self.inbox.view(each) for each in reversed(whole(self.db.runs(wanted)))]
        return history_text([(as_text(each.input) or "", as_text(each.content) or "") for each in runs])

    def get_session_metrics(self, session_id: str | None = None) -> dict[str, Any]:
        """The metrics of a session's runs, each added up: seconds, steps, attempts."""
        session = self.get_session(session_id)
        every = [each.metrics for each in (session.runs if session is not None else ())]
        return {name: sum(each[name] for each in every) for name in ("duration", "steps", "attempts")}

    def get_session(self, session_id: str | None = None) -> WorkflowSession | None:
        """A session's runs, the one executed last at the end; this workflow's own session by default. None where it has no run.

        A thread that serves several customers in turn names the session: without a name the one is meant that ran last there (SESSION-1).
        """
        check_texts("get_session", session_id=session_id)
        session_id = self._meant("get_session") if session_id is None else session_id
        if session_id is None:
            return None
        records = self.db.runs(RunFilter(session_id=session_id, workflow_id=self.id, limit=1_000_000, by_claim=True))
        if not whole(records):
            return None
        return WorkflowSession(
            session_id, self.id, records[0].identity.user_id, [self.inbox.view(each) for each in reversed(records)]
        )

    def list_runs(
        self,
        *,
        session_id: str | None = None,
        user_id: str | None = None,
        status: RunStatus | str | None = None,
        limit: int = 100,
        after: str | None = None,
    ) -> Listing[WorkflowRunOutput]:
        """Runs of this workflow, the one begun last first, behind the run `after`: the id in `after` of the page before (None at the end).

        `unread` of the returned list names runs that cannot be read.
        """
        phases = None if status is None else phases_of(status)
        return self.inbox.runs(RunFilter(session_id, self.id, phases, limit, after, user_id=user_id))

    def list_pauses(
        self,
        *,
        run_id: str | None = None,
        session_id: str | None = None,
        step_name: str | None = None,
        kind: str | None = None,
        due_before: datetime | None = None,
        limit: int = 100,
        after: tuple[str, str] | None = None,
    ) -> Listing[Requirement]:
        """The inbox: the open, undecided pauses of the runs of this workflow, oldest first.

        `due_before`: pauses with a deadline before it, the soonest first. `after` is that of the page before, None at its end.
        An overdue pause (`is_timed_out`) takes its `on_timeout` with `tick`, `recover`, `continue_run` or a worker; nothing is written here.
        """
        due = None if due_before is None else instant_of("list_pauses", due_before)
        return self.inbox.pending(PauseFilter(run_id, session_id, self.id, step_name, kind, True, limit, after, due))  # noqa: FBT003

    # -- beside the event loop ----------------------------------------------------------------------------------------------------

    async def adecide(self, run_id: str, pause_id: str, decision: str, **options: Any) -> Requirement:
        """`decide`, off the event loop."""
        return await off_loop(self.db, lambda: self.decide(run_id, pause_id, decision, **options))

    async def acancel_run(self, run_id: str, *, by: str | None = None) -> bool:
        """`cancel_run`, off the event loop."""
        return await off_loop(self.db, lambda: self.cancel_run(run_id, by=by))

    async def aget_run_output(self, run_id: str, session_id: str | None = None, user_id: str | None = None) -> WorkflowRunOutput:
        """`get_run_output`, off the event loop."""
        return await off_loop(self.db, lambda: self.get_run_output(run_id, session_id, user_id))

    async def aget_run(self, run_id: str) -> WorkflowRunOutput | None:
        """`get_run`, off the event loop."""
        return await off_loop(self.db, lambda: self.get_run(run_id))

    async def aget_last_run_output(self, session_id: str | None = None, user_id: str | None = None) -> WorkflowRunOutput | None:
        """`get_last_run_output`, off the event loop."""
        return await off_loop(self.db, lambda: self.get_last_run_output(session_id, user_id))

    async def aget_session_state(self, session_id: str | None = None) -> dict[str, Any]:
        """`get_session_state`, off the event loop."""
        return await off_loop(self.db, lambda: self.get_session_state(session_id))

    async def aget_chat_history(self, session_id: str | None = None, num_runs: int | None = None) -> list[Interaction]:
        """`get_chat_history`, off the event loop."""
        return await off_loop(self.db, lambda: self.get_chat_history(session_id, num_runs))

    async def aget_session_metrics(self, session_id: str | None = None) -> dict[str, Any]:
        """`get_session_metrics`, off the event loop."""
        return await off_loop(self.db, lambda: self.get_session_metrics(session_id))

    async def aget_session(self, session_id: str | None = None) -> WorkflowSession | None:
        """`get_session`, off the event loop."""
        return await off_loop(self.db, lambda: self.get_session(session_id))

    async def alist_runs(self, **options: Any) -> Listing[WorkflowRunOutput]:
        """`list_runs`, off the event loop."""
        return await off_loop(self.db, lambda: self.list_runs(**options))

    async def alist_pauses(self, **options: Any) -> Listing[Requirement]:
        """`list_pauses`, off the event loop."""
        return await off_loop(self.db, lambda: self.list_pauses(**options))
