"""Names handed on: `from statecore.workflow.steps import Steps`."""

from statecore.definition import Steps

__all__ = ["Steps"]
