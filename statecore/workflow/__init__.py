"""The user's words: `from statecore.workflow import Workflow, Step, Condition, OnError ...`, as in the framework whose words these are.

Owns: the facade. `workflow` has `Workflow`: a definition and a store, and calls that the rooms below perform; `running` has its
methods that begin runs and go on with them. `inbox` has `Inbox`: a
store without a definition, for a process that only reads and decides. `options` has the words of calls, `known` the types of values that a
workflow makes known, `reading` the methods that read, `elsewhere` follows a run of another process, `alone` runs a component by
itself, `streams` has the iterators of events, `terminal` the methods that
show runs in a terminal. The other modules only give names import paths: `condition`, `decorators`, `loop`,
`parallel`, `router`, `step`, `steps`, `types`, `worker`. `Workflow` itself is loaded at its first use.

May enter: all rooms below but drivers of servers: outputs, the runtime, stores, definitions. No command line.

Start with `workflow.Workflow.run`; the guide page "A decision travels" begins here.
"""

from typing import TYPE_CHECKING

from statecore.definition import (
    Condition,
    HumanReview,
    Loop,
    OnError,
    OnInterrupt,
    OnReject,
    OnTimeout,
    Parallel,
    Router,
    Step,
    StepInput,
    StepOutput,
    Steps,
    UserInputField,
    pause,
)
from statecore.lazy import lazy

if TYPE_CHECKING:
    from .workflow import Workflow

__all__ = [
    "Condition",
    "HumanReview",
    "Loop",
    "OnError",
    "OnInterrupt",
    "OnReject",
    "OnTimeout",
    "Parallel",
    "Router",
    "Step",
    "StepInput",
    "StepOutput",
    "Steps",
    "UserInputField",
    "Workflow",
    "pause",
]


if not TYPE_CHECKING:
    __all__, __getattr__, __dir__ = lazy(__name__, __all__, {"Workflow": "statecore.workflow.workflow"})
