"""`WorkflowSession`: the runs of one conversation, in the order in which they were last executed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import frozen

from .run_output import WorkflowRunOutput

if TYPE_CHECKING:
    from collections.abc import Mapping


@frozen
class WorkflowSession:
    """A session's runs, the one executed last at the end, and the session state as that one left it.

    Example: `workflow.get_session("s").runs[-1].content`.
    """

    session_id: str
    workflow_id: str
    user_id: str | None
    runs: list[WorkflowRunOutput]

    @property
    def session_state(self) -> dict[str, Any]:
        """The session state as the last run left it."""
        return self.runs[-1].session_state if self.runs else {}

    def get_run(self, run_id: str) -> WorkflowRunOutput | None:
        """The run of that id, if it is in this session."""
        return next((run for run in self.runs if run.run_id == run_id), None)

    def to_dict(self) -> dict[str, Any]:
        """Plain data: the session with its runs."""
        return {
            "session_id": self.session_id,
            "workflow_id": self.workflow_id,
            "user_id": self.user_id,
            "session_state": self.session_state,
            "runs": [run.to_dict() for run in self.runs],
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> WorkflowSession:
        """A session from plain data; its runs know no store."""
        runs = [WorkflowRunOutput.from_dict(each) for each in plain["runs"]]
        return cls(plain["session_id"], plain["workflow_id"], plain["user_id"], runs)
