"""The input and output of user code: `StepInput`, `RunContext`, `StepOutput`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from attrs import asdict, define, field, frozen

if TYPE_CHECKING:
    from collections.abc import Mapping


@frozen
class Decision:
    """The end of a question: the word of a person with its value, the person, the reason, and the time of the decision (ISO 8601, UTC).

    `kind` is the kind of the question. Where the deadline was over first, `expired` is True and there is no word.

    Example: `step_input.decision`, and `step_input.get_step_output("pay").decisions`.
    """

    kind: str
    word: str | None
    value: Any = None
    by: str | None = None
    comment: str | None = None
    time: str = ""
    expired: bool = False


@define
class StepOutput:
    """The output of a component: its `content`, and its status.

    An executor may return one, or any storable value, which is then its content. `success=False` fails the step (ERR-8);
    `stop=True` ends the workflow after it (RUN-3). The rest is filled in on outputs read from a run: `status` (completed, skipped,
    failed, or the phase it is in), `reason`, `failures` (each with error, error_type and attempt), and `steps`, what is inside it.
    `decisions` are the questions about it that were decided or expired, in order. `images`, `videos`, `audio` and `files` are storable
    values that are kept beside the content.

    Example: `return StepOutput(content=total, stop=total == 0)`.
    """

    content: Any = None
    step_name: str | None = None
    success: bool = True
    error: str | None = None
    stop: bool = False
    steps: list[StepOutput] = field(factory=list)
    status: str = "completed"
    reason: str | None = None
    error_type: str | None = None
    attempt: int = 0
    address: str | None = None
    failures: list[dict[str, Any]] = field(factory=list)
    images: list[Any] = field(factory=list)
    videos: list[Any] = field(factory=list)
    audio: list[Any] = field(factory=list)
    files: list[Any] = field(factory=list)
    decisions: list[Decision] = field(factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, with what is inside."""
        return asdict(self)


class PastOutputs(Protocol):
    """Where a `StepInput` finds what earlier steps handed on; every look-up gives a fresh, equal value."""

    def content(self, name: str) -> Any: ...
    def output(self, name: str) -> StepOutput | None: ...
    def outputs(self) -> Mapping[str, StepOutput]: ...


class Values(Protocol):
    """Where a `StepInput` finds its values; each is read from what is stored, so no attempt sees another's changes."""

    def run_input(self) -> Any: ...
    def previous(self) -> Any: ...
    def last(self) -> Any: ...
    def additional(self) -> dict[str, Any]: ...
    def session(self) -> Any: ...
    def decision(self) -> Decision | None: ...


_UNREAD: Any = object()


class StepInput:
    """The argument of an executor. Values are read on access, and belong to this attempt: a change of one affects no other attempt.

    `input` is the run's input; `previous_step_content` the content of the step before on the path taken (None after a skipped
    step); `idempotency_key` is the same for every attempt of this step in this run; `attempt` counts from 0.

    Example: `statecore.examples.decide_elsewhere`.
    """

    __slots__ = ("_additional", "_input", "_past", "_previous", "_values", "attempt", "idempotency_key", "step_name")
    step_name: str
    idempotency_key: str
    attempt: int

    def __init__(self, values: Values, past: PastOutputs, step_name: str, idempotency_key: str, attempt: int) -> None:
        self._values, self._past = values, past
        self._input = self._previous = self._additional = _UNREAD
        self.step_name, self.idempotency_key, self.attempt = step_name, idempotency_key, attempt

    @property
    def input(self) -> Any:
        """The run's input."""
        if self._input is _UNREAD:
            self._input = self._values.run_input()
        return self._input

    @property
    def previous_step_content(self) -> Any:
        """The content of the step before this one on the path taken; None after a skipped step."""
        if self._previous is _UNREAD:
            self._previous = self._values.previous()
        return self._previous

    @property
    def additional_data(self) -> dict[str, Any]:
        """The additional data that the caller of `run` gave beside the input."""
        if self._additional is _UNREAD:
            self._additional = self._values.additional()
        additional: dict[str, Any] = self._additional
        return additional

    @property
    def decision(self) -> Decision | None:
        """The decision at the gate, the form or the route of this component; None without such a question.

        Where it has none itself, that of the nearest component around it: the no that leads to an else branch, the choice of a route.
        """
        return self._values.decision()

    @property
    def workflow_session(self) -> Any:
        """The session of this run as it is stored now, with its runs; this one is the last of them."""
        return self._values.session()

    @property
    def previous_step_outputs(self) -> Mapping[str, StepOutput]:
        """All earlier outputs of this run, by step name; the newest where a name occurs twice."""
        return self._past.outputs()

    def get_step_output(self, name: str) -> StepOutput | None:
        """The output of the step of that name; None if it has not run. Raises `UnknownStep` where the workflow has no such name."""
        return self._past.output(name)

    def get_step_content(self, name: str) -> Any:
        """The content of the step of that name; None if it was skipped or has not run. Raises `UnknownStep`, as `get_step_output`."""
        return self._past.content(name)

    def get_last_step_content(self) -> Any:
        """The content of the last completed component on the path, even if the step before this one was skipped."""
        return self._values.last()

    def get_all_previous_content(self) -> str:
        """Every earlier content as text, in order, each under its step's name."""
        outputs = self._past.outputs()
        return "\n\n".join(f"=== {name} ===\n{output.content}" for name, output in outputs.items() if output.content is not None)


@define
class RunContext:
    """The run, as an executor with a second parameter `run_context` sees it; changes to `session_state` are kept if the step succeeds.

    `dependencies` are the workflow's own live objects; they are handed over as they are, and never stored.

    Example: `def pay(step_input: StepInput, run_context: RunContext): run_context.session_state["paid"] = True`.
    """

    run_id: str
    session_id: str | None
    user_id: str | None
    workflow_id: str
    workflow_name: str
    session_state: dict[str, Any]
    metadata: dict[str, Any] = field(factory=dict)
    dependencies: Mapping[str, Any] = field(factory=dict)
