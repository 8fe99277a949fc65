"""The same workflow for a process whose worker tells its steps when it has heard that it is to stop: sent is not heard."""

from __future__ import annotations

from statecore.runtime.worker import Worker
from tests.postgres.flows import TOLD_TO_STOP, plain

__all__ = ["plain"]
STOP = Worker.stop


def stop(worker: Worker) -> None:
    """Stop, and tell of it."""
    STOP(worker)
    TOLD_TO_STOP.set()


Worker.stop = stop  # type: ignore[assignment,method-assign]
