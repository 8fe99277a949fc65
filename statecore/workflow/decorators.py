"""Names handed on: `from statecore.workflow.decorators import pause`."""

from statecore.definition import pause

__all__ = ["pause"]
