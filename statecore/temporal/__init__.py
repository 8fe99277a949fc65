"""Temporal as the distributed engine: the same definitions and the same core; a run is a Temporal workflow, a call of user code an activity.

Owns: three rooms, by the side on which a file runs: `client` is outside of a Temporal server, `workflow` inside of a run's workflow,
`activities` where user code runs. `Run` is the workflow: it performs the effects of `core.loop` as every driver does, on a store in
its own memory (`Ledger`) which Temporal rebuilds by replay. A commit changes the ledger; a call becomes one activity,
`statecore.call`, whose result says how it ended; a decision is an update, which a validator judges on a copy first. The open pauses
of a run are written into its memo, so that they are listed while no worker lives. `TemporalDb` is the same store seen from outside:
a reader of runs that decides, so that the facade and the commands work on it unchanged.

Messages are plain JSON around texts of statecore's own codec, checked for their size before they are sent (`wire`, which has
the place of large values, too); `orders` are the messages to a worker. A failure of a step is decided by the core, and comes as a result; a death
of a worker is seen by Temporal, and told to the core as an interruption.

May enter: the runtime and all rooms below, and `temporalio`, which no other room imports. No facade.

Start with `workflow.run`.
"""

from typing import TYPE_CHECKING

from statecore.lazy import TEMPORAL, lazy

if TYPE_CHECKING:
    from statecore.temporal.client.db import TemporalDb
    from statecore.temporal.client.workflows import TemporalWorkflows

    from .wire import FolderValues, Values

_HOMES = {
    "FolderValues": "statecore.temporal.wire",
    "TemporalDb": "statecore.temporal.client.db",
    "TemporalWorkflows": "statecore.temporal.client.workflows",
    "Values": "statecore.temporal.wire",
}

__all__ = ["FolderValues", "TemporalDb", "TemporalWorkflows", "Values"]

if not TYPE_CHECKING:
    __all__, __getattr__, __dir__ = lazy(__name__, __all__, _HOMES, dict.fromkeys(__all__, TEMPORAL))
