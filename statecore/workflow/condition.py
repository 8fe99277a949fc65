"""Names handed on: `from statecore.workflow.condition import Condition`."""

from statecore.definition import Condition

__all__ = ["Condition"]
