"""The arguments of user code: `StepInput` and `RunContext`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from attrs import asdict, define, field

from .given import GivenValues, as_answers
from .outputs import Decision, StepOutput, as_text, history_text, named

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .questions import AnswersByKey


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
    def answers(self) -> AnswersByKey: ...
    def notes(self) -> Any: ...
    def media(self, name: str) -> list[Any] | None: ...


class StopRequest(Protocol):
    """A request to stop: `wait()` blocks a thread, and is awaited inside of an event loop; it tells whether the request was made."""

    def is_set(self) -> bool: ...
    def wait(self, seconds: float | None = None) -> Any: ...


class _Never:
    """The request of a context that no driver has made: it is never made. Its own answer, which may be awaited, too."""

    def is_set(self) -> bool:
        return False

    def wait(self, _seconds: float | None = None) -> _Never:
        return self

    def __bool__(self) -> bool:
        return False

    def __await__(self) -> Iterator[Any]:
        return iter(())


_UNREAD: Any = object()


class StepInput:
    """The argument of an executor. Values are read on access, and belong to this attempt: a change of one affects no other attempt.

    `input` is the run's input; `previous_step_content` the content of the step before on the path taken (None after a skipped
    step); `idempotency_key` is the same for every attempt of one wish, whatever ended the earlier ones, and another after a person has
    rejected the output (KEY-2); `attempt` counts from 0.

    The engine makes it from what is stored; a test makes one from values, to call an executor by hand: `previous_step_outputs` are outputs
    by step name, as `StepOutput` or its plain data, `decision` is the answer at the gate, and `answers` are those to the step's own questions,
    as values by key or in their order.

    Example: `pay(StepInput(input="ada", previous_step_content=12))`, and `statecore.examples.decide_elsewhere`.
    """

    __slots__ = ("_additional", "_input", "_past", "_previous", "_values", "attempt", "idempotency_key", "step_name")
    step_name: str
    idempotency_key: str
    attempt: int

    def __init__(  # as many keywords as an input has values
        self,
        input: Any = None,  # noqa: A002  # the documented name
        previous_step_content: Any = None,
        previous_step_outputs: Mapping[str, StepOutput | Mapping[str, Any]] | None = None,
        additional_data: Mapping[str, Any] | None = None,
        images: Sequence[Any] | None = None,
        videos: Sequence[Any] | None = None,
        audio: Sequence[Any] | None = None,
        files: Sequence[Any] | None = None,
        workflow_session: Any = None,
        *,
        decision: Decision | None = None,
        answers: Mapping[str, Any] | Sequence[Any] = (),
        notes: Any = None,
        step_name: str = "",
        idempotency_key: str = "",
        attempt: int = 0,
    ) -> None:
        outputs = {name: named(name, each) for name, each in (previous_step_outputs or {}).items()}
        media = {"images": images or (), "videos": videos or (), "audio": audio or (), "files": files or ()}
        given = GivenValues(
            input,
            previous_step_content,
            outputs,
            additional_data or {},
            media,
            workflow_session,
            decision,
            as_answers(answers),
            notes,
        )
        self._values: Values = given
        self._past: PastOutputs = given
        self._input = self._previous = self._additional = _UNREAD
        self.step_name, self.idempotency_key, self.attempt = step_name, idempotency_key, attempt

    @classmethod
    def of(cls, values: Values, past: PastOutputs, step_name: str, idempotency_key: str, attempt: int) -> StepInput:
        """The input of a call, which reads its values where the engine keeps them."""
        made = cls.__new__(cls)
        made._values, made._past = values, past  # noqa: SLF001  # its own
        made._input = made._previous = made._additional = _UNREAD  # noqa: SLF001  # the same
        made.step_name, made.idempotency_key, made.attempt = step_name, idempotency_key, attempt
        return made

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
    def answers(self) -> AnswersByKey:
        """The answers to what the code of this step has asked (`Ask`) in this visit, by number or key; every later attempt sees the same."""
        return self._values.answers()

    @property
    def notes(self) -> Any:
        """The notes of the last `Ask` of this visit that has some; None where there are none."""
        return self._values.notes()

    @property
    def workflow_session(self) -> Any:
        """The session of this run as it is stored now, with its runs; this one is the last of them."""
        return self._values.session()

    @property
    def images(self) -> list[Any] | None:
        """The images that the run was given, and those of the step before; None where there are none."""
        return self._values.media("images")

    @property
    def videos(self) -> list[Any] | None:
        """The videos, as `images`."""
        return self._values.media("videos")

    @property
    def audio(self) -> list[Any] | None:
        """The recordings, as `images`."""
        return self._values.media("audio")

    @property
    def files(self) -> list[Any] | None:
        """The files, as `images`."""
        return self._values.media("files")

    def get_input_as_string(self) -> str | None:
        """The run's input as a text: a text as it is, a model or a structure as indented JSON, anything else by `str`; None without one."""
        return as_text(self.input)

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

    def get_workflow_history(self, num_runs: int | None = None) -> list[tuple[str, str]]:
        """The inputs and outputs, as texts, of the completed earlier runs of the session, in order; at most the last `num_runs`."""
        session = self.workflow_session
        runs = [each for each in (session.runs if session is not None else ()) if str(each.status.value) == "COMPLETED"]
        last = runs if num_runs is None else runs[len(runs) - min(num_runs, len(runs)) :]
        return [(as_text(each.input) or "", as_text(each.content) or "") for each in last]

    def get_workflow_history_context(self, num_runs: int | None = None) -> str | None:
        """The history as one text for a prompt; None where there is none."""
        return history_text(self.get_workflow_history(num_runs))

    def to_dict(self) -> dict[str, Any]:
        """Plain data, with the earlier outputs and without the session; `from_dict` reads it."""
        return {
            "input": self.input,
            "previous_step_content": self.previous_step_content,
            "previous_step_outputs": {name: each.to_dict() for name, each in self.previous_step_outputs.items()},
            "additional_data": self.additional_data,
            "images": self.images,
            "videos": self.videos,
            "audio": self.audio,
            "files": self.files,
            "decision": asdict(self.decision) if self.decision is not None else None,
            "answers": [asdict(each) for each in self.answers],
            "notes": self.notes,
            "step_name": self.step_name,
            "idempotency_key": self.idempotency_key,
            "attempt": self.attempt,
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> StepInput:
        """An input from plain data. Raises `TypeError` for a key that an input does not have."""
        said = plain.get("decision")
        return cls(**{**plain, "decision": Decision(**said) if isinstance(said, Mapping) else said})


@define
class RunContext:
    """The run, as an executor with a second parameter `run_context` sees it; changes to `session_state` are kept if the step succeeds.

    `dependencies` are the workflow's own live objects; they are handed over as they are, and never stored. `stop_requested` is set when the
    call is to stop: the run is cancelled, its process shuts down, or the step's time is over. `is_set()` asks; `wait(seconds)` waits, and is
    awaited in an async step. A value that the call returns then is its output (RUN-10).

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
    stop_requested: StopRequest = field(factory=_Never, eq=False, repr=False)
