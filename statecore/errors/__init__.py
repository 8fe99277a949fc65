"""Every refusal has a name: one tree of errors under `StatecoreError`.

Each message says what happened, why, and what to do next, on one line of at most 2,000 visible signs; the parts of the message are
attributes, so that no caller has to parse a sentence. A class carries a stable `code`. Errors of bad input are `ValueError`s too, because
that is what callers already catch. A refused value is never part of a message; names, ids, words and settings are.

Owns: all classes of errors. `base` has the mechanism and the texts of the parts; the classes stand in the order of their codes, in
`definitions` (SC1, SC2), `runs` (SC3), `stores` (SC4, SC5) and `tools` (SC6, SC7). May enter: attrs and the standard library.

Start with `base.StatecoreError`.
"""

from .base import StatecoreError, described, parts, quoted, rebuilt, suggest
from .definitions import (
    ConflictingSettings,
    DefinitionError,
    DuplicateNames,
    LifecycleError,
    NotAComponent,
    RefusedTrigger,
    StaleEvent,
    UnsupportedSetting,
)
from .runs import (
    AgentFailed,
    AgentPaused,
    AlreadyDecided,
    AmbiguousRun,
    ClaimLost,
    DefinitionChanged,
    DuplicateRun,
    DuplicateStart,
    InvalidAnswer,
    InvalidInput,
    KeyReused,
    NotABool,
    NotPaused,
    PauseExpired,
    RefusedBoundary,
    RulesUnknown,
    RunBusy,
    RunError,
    RunFailed,
    RunsElsewhere,
    StaleDecision,
    StepFailed,
    Undecided,
    UnknownAgentResult,
    UnknownDecision,
    UnknownPause,
    UnknownRun,
    UnknownStep,
)
from .stores import (
    NotAStatecoreStore,
    NotPermitted,
    OutsideFormat,
    RefusedCodec,
    ReplayFailed,
    StoreCorrupt,
    StoreError,
    StoreForked,
    StoreTooNew,
    StoreUnavailable,
    UnreadableValue,
    UnstorableValue,
    ValuesMissing,
    ValueTooLarge,
)
from .tools import (
    DrawingFailed,
    InvalidProperty,
    MissingExtra,
    TargetError,
    TooManyPaths,
    Unanswered,
    UnknownFormat,
)

__all__ = [
    "AgentFailed",
    "AgentPaused",
    "AlreadyDecided",
    "AmbiguousRun",
    "ClaimLost",
    "ConflictingSettings",
    "DefinitionChanged",
    "DefinitionError",
    "DrawingFailed",
    "DuplicateNames",
    "DuplicateRun",
    "DuplicateStart",
    "InvalidAnswer",
    "InvalidInput",
    "InvalidProperty",
    "KeyReused",
    "LifecycleError",
    "MissingExtra",
    "NotABool",
    "NotAComponent",
    "NotAStatecoreStore",
    "NotPaused",
    "NotPermitted",
    "OutsideFormat",
    "PauseExpired",
    "RefusedBoundary",
    "RefusedCodec",
    "RefusedTrigger",
    "ReplayFailed",
    "RulesUnknown",
    "RunBusy",
    "RunError",
    "RunFailed",
    "RunsElsewhere",
    "StaleDecision",
    "StaleEvent",
    "StatecoreError",
    "StepFailed",
    "StoreCorrupt",
    "StoreError",
    "StoreForked",
    "StoreTooNew",
    "StoreUnavailable",
    "TargetError",
    "TooManyPaths",
    "Unanswered",
    "Undecided",
    "UnknownAgentResult",
    "UnknownDecision",
    "UnknownFormat",
    "UnknownPause",
    "UnknownRun",
    "UnknownStep",
    "UnreadableValue",
    "UnstorableValue",
    "UnsupportedSetting",
    "ValueTooLarge",
    "ValuesMissing",
    "described",
    "parts",
    "quoted",
    "rebuilt",
    "suggest",
]

for _name in __all__:
    # an error is known, in a pickle or a traceback, by its public path, and not by the file that it is in today
    globals()[_name].__module__ = __name__
del _name
