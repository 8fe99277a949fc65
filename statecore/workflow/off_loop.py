"""`OffLoop`: the methods of a workflow that read or decide, each beside the event loop of the caller."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .options import off_loop

if TYPE_CHECKING:
    from collections.abc import Callable

    from statecore.output import Requirement, WorkflowRunOutput, WorkflowSession
    from statecore.stores import Listing, RunReader


class OffLoop:
    """The methods of a workflow that run beside the event loop. Each is its namesake without `a`."""

    db: RunReader
    decide: Callable[..., Requirement]
    cancel_run: Callable[..., bool]
    get_run_output: Callable[..., WorkflowRunOutput]
    get_session: Callable[..., WorkflowSession | None]
    list_runs: Callable[..., Listing[WorkflowRunOutput]]
    list_pauses: Callable[..., Listing[Requirement]]

    async def adecide(self, run_id: str, pause_id: str, decision: str, **options: Any) -> Requirement:
        """`decide`, off the event loop."""
        return await off_loop(self.db, lambda: self.decide(run_id, pause_id, decision, **options))

    async def acancel_run(self, run_id: str, *, by: str | None = None) -> bool:
        """`cancel_run`, off the event loop."""
        return await off_loop(self.db, lambda: self.cancel_run(run_id, by=by))

    async def aget_run_output(self, run_id: str) -> WorkflowRunOutput:
        """`get_run_output`, off the event loop."""
        return await off_loop(self.db, lambda: self.get_run_output(run_id))

    async def aget_session(self, session_id: str | None = None) -> WorkflowSession | None:
        """`get_session`, off the event loop."""
        return await off_loop(self.db, lambda: self.get_session(session_id))

    async def alist_runs(self, **options: Any) -> Listing[WorkflowRunOutput]:
        """`list_runs`, off the event loop."""
        return await off_loop(self.db, lambda: self.list_runs(**options))

    async def alist_pauses(self, **options: Any) -> Listing[Requirement]:
        """`list_pauses`, off the event loop."""
        return await off_loop(self.db, lambda: self.list_pauses(**options))
