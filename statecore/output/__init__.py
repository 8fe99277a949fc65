"""The objects that users read: run outputs, requirements, sessions and the events of a stream. All of them are derived from the store.

Owns: `run_output`, a run as it stood when it was read, and `plain_run`, its plain data; `requirement`, an open question that records a
decision, `kinds` what it asks for, `voted`
who may, `executors` the words of an agent's framework for it, `asked_now` the open questions of a run, `place`, where it stands in the
workflow, and `posted`, an answer in its plain data; `session`, the runs
of one conversation; `events`, the classes of a stream, `event_names` their words, `custom` those of users, and `public_events`, the pure
function from commits to them; `pictures`, what `format()` and a notebook show.

May enter: all rooms below: the runtime, drawing, stores, the core. No `Workflow` and no `Inbox`: those make outputs.

Start with `run_output.WorkflowRunOutput`.
"""

from .requirement import ErrorRequirement, Requirement, StepRequirement
from .run_output import WorkflowRunOutput
from .session import WorkflowSession

__all__ = ["ErrorRequirement", "Requirement", "StepRequirement", "WorkflowRunOutput", "WorkflowSession"]
