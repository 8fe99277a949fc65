"""Names handed on: `from statecore.workflow.parallel import Parallel`."""

from statecore.definition import Parallel

__all__ = ["Parallel"]
