"""Names handed on: `from statecore.workflow.loop import Loop`."""

from statecore.definition import Loop

__all__ = ["Loop"]
