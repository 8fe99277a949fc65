"""The vocabulary of workflows: the components that the user writes, and the objects that user code receives and returns.

Owns: `components`, attrs classes with explicit constructors, so that the two spellings of a setting become one `HumanReview`
(`review`) at once and a wrong one is refused where it was written. `needs` is the table of what gives each setting an effect, `calling`
checks user code and the numbers beside it. `fields` has the policies, `approval` who may decide and the person who does, `forms` the
fields of a form and the check of their values, `schemas` forms from classes and JSON Schema and back, `step_io` the arguments of user
code, `given` those that are made by hand, `outputs` its results, `questions` those that it asks, `agents` the protocol of adapters,
`plain` definitions as plain data,
`media` pictures, recordings, videos and files as values, `alone` the methods of a component by itself. A definition says nothing of
addresses, states or stores: `core.compile` does. No run ever changes it.

May enter: errors, attrs and pure parts of the standard library.

Start with `components.Step`.
"""

from .approval import Approval, Escalate, Person, requester
from .components import Component, Condition, Definition, Loop, Parallel, Router, Step, Steps
from .fields import OnError, OnInterrupt, OnReject, OnTimeout, RunStatus
from .forms import UserInputField
from .outputs import Decision, StepOutput
from .questions import Ask
from .review import HumanReview, pause
from .step_io import RunContext, StepInput

__all__ = [
    "Approval",
    "Ask",
    "Component",
    "Condition",
    "Decision",
    "Definition",
    "Escalate",
    "HumanReview",
    "Loop",
    "OnError",
    "OnInterrupt",
    "OnReject",
    "OnTimeout",
    "Parallel",
    "Person",
    "Router",
    "RunContext",
    "RunStatus",
    "Step",
    "StepInput",
    "StepOutput",
    "Steps",
    "UserInputField",
    "pause",
    "requester",
]
