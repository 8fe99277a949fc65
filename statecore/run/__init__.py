"""Names handed on: `from statecore.run import RunStatus, RunContext`."""

from statecore.definition import RunContext, RunStatus

__all__ = ["RunContext", "RunStatus"]
