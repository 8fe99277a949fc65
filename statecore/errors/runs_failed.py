"""SC325 and on: a call of user code did not end as a call does, a run failed of it, or a method was called with another type."""

from __future__ import annotations

from attrs import define

from .base import AS_ERROR, is_empty, worded
from .runs import RunBusy, RunError, UnknownRun


@define(**AS_ERROR)
class StepTimeout(RunError):
    """A call of a step ran longer than its `execution_timeout`: the attempt has failed, and a late result is not used."""

    code = "SC325"
    says = (
        "A call of step {step_name!r} ran longer than {seconds} seconds, its execution_timeout. The attempt has failed: max_retries and "
        "on_error apply. Give the step more time, or let its code end when run_context.stop_requested is set."
    )
    step_name: str
    seconds: object


@define(**AS_ERROR)
class StillRunning(RunBusy):
    """A call of the run was given up and is not over: its step is not called again beside it."""

    code = "SC326"
    says = (
        "A call of run {run_id!r} was given up and still runs in {owner}: nothing was changed. Wait until it is over, end that process, or "
        "force the retry with force=True and by (`statecore retry --force`): then two calls of the step may run at once."
    )


@define(**AS_ERROR)
class RunPurged(UnknownRun):
    """The run was there and was purged: a tombstone keeps its id, its hashes and its instants, and nothing else."""

    code = "SC327"
    says = (
        "Run {run_id!r} was purged at {at}: its tombstone is all that is left, and its id and the key of its start are never used again. "
        "Look into an archive or a backup of that time."
    )
    at: str = ""


@define(**AS_ERROR)
class NotEnded(RunError, ValueError):
    """Values of a run that goes on, or waits, are not erased."""

    code = "SC328"
    says = (
        "Run {run_id!r} is {status}, or a process still executes it: only of a run that has ended values are erased. Nothing was changed; "
        "cancel it first, or wait until it ends."
    )
    run_id: str
    status: str


@define(**AS_ERROR)
class RunErased(RunError, ValueError):
    """Values of the run were erased, so it does not go on."""

    code = "SC329"
    says = (
        "Run {run_id!r} does not go on: values of it were erased ({what}), ordered at {at}. Nothing was changed; start a new run where its "
        "work is still wanted."
    )
    run_id: str
    what: str
    at: str


@define(**AS_ERROR)
class AgentPaused(RunError):
    """An agent's result says that the agent is paused and waits for an answer: its step has failed, and is not done."""

    code = "SC330"
    says = (
        "The agent of step {step_name!r} says that it is paused{_words}. Its step is not done: on_error applies. Let a person decide at a "
        "gate of the step, or answer the agent in a function that is the step's executor."
    )
    step_name: str
    words: str

    @property
    def _words(self) -> str:
        return f": {worded(self.words)}" if not is_empty(self.words) else ""


@define(**AS_ERROR)
class AgentFailed(RunError):
    """An agent's result says that the agent failed, was cancelled or still runs, or says it in an unknown word: its step has failed."""

    code = "SC331"
    says = "The agent of step {step_name!r} says {status}: {words:no words given}. Its step is not done: on_error applies."
    step_name: str
    status: str
    words: str

    @property
    def said(self) -> str:
        """The stored text: the agent's own words, after its status unless that says no more than that it failed."""
        return (
            self.words if self.words and self.status in ("ERROR", "FAILED") else f"{self.status}: {self.words or 'no words given'}"
        )


@define(**AS_ERROR)
class UnknownAgentResult(RunError, ValueError):
    """An agent's result has no content under a known name, and is no value that can be stored."""

    code = "SC332"
    says = (
        "The agent of step {step_name!r} returned {result!t}, which has none of content, output, final_output and raw. Give the step an "
        "adapter: an agent whose run() returns an object with one of these, or a function that calls the agent and returns its text."
    )
    step_name: str
    result: object


@define(**AS_ERROR)
class UndeclaredAsk(RunError):
    """The code of a step asked a question, and the step does not say that it may: it has failed."""

    code = "SC333"
    says = (
        "The code of step {step_name!r} asked a question, and the step may ask none. Nothing was asked: on_error applies. Declare how many "
        "questions it may ask in one visit: Step(..., may_ask=1)."
    )
    step_name: str


@define(**AS_ERROR)
class AskRefused(RunError):
    """The code of a component asked a question that cannot be put: it has failed."""

    code = "SC334"
    says = "The question of {step_name!r} cannot be put: {why}. Nothing was asked: on_error applies. Correct the code, or raise its may_ask."
    step_name: str
    why: str


@define(**AS_ERROR)
class OtherFramework(RunError):
    """The saved state of an agent is of another framework, or another version of it, than this process has: its step has failed."""

    code = "SC335"
    says = (
        "The agent of step {step_name!r} was paused by {saved}, and this process has {here}. Its saved state is not read: on_error applies, "
        "and no automatic retry follows. Install that version and retry the step, or cancel the run and begin another one."
    )
    step_name: str
    saved: str
    here: str


@define(**AS_ERROR)
class RunFailed(RunError):
    """The run that an idempotency key has begun has failed. The cause is the exception, where this process still has it."""

    code = "SC340"
    says = (
        "Run {run_id!r}, which the key {key!r} has begun, failed in step {step_name!r}: {error_type}: {words:no words}. Nothing was "
        "started. Retry it with on_failed='retry' or `statecore resume --retry-failed`; another key begins another run."
    )
    run_id: str
    key: str
    step_name: str
    error_type: str
    words: str


@define(**AS_ERROR)
class WrongArgument(RunError, TypeError):
    """A call was given an argument of a type that it does not take."""

    code = "SC349"
    says = "{call} takes {argument} as {kind}, and was given {given!t}. Nothing was stored; correct the call."
    call: str
    argument: str
    kind: str
    given: object


@define(**AS_ERROR)
class AsksPeople(RunError):
    """A component that asks people was to be executed by itself; there, no person is asked."""

    code = "SC350"
    says = (
        "{component} is executed by itself, and then no person is asked. But {asks}. Run it as Workflow('try', steps=[...]): there the run "
        "pauses, and a person decides."
    )
    component: str
    asks: str


@define(**AS_ERROR)
class AmbiguousSession(RunError, ValueError):
    """A call names no session, and this process has run several of the workflow."""

    code = "SC351"
    says = (
        "{call} names no session, and this process has run several of this workflow: one of another is never taken. Name it, as "
        "{call}(session_id=run.session_id), or give the workflow one, as Workflow(session_id=...)."
    )
    call: str
