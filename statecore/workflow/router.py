"""Names handed on: `from statecore.workflow.router import Router`."""

from statecore.definition import Router

__all__ = ["Router"]
