"""Names handed on: `from statecore.run.base import RunStatus`."""

from statecore.definition import RunContext, RunStatus

__all__ = ["RunContext", "RunStatus"]
