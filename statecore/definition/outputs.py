"""The results of user code and of people, as user code meets them: `StepOutput` and `Decision`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from attrs import asdict, define, evolve, field, frozen


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

    An executor may return one, or any storable value, which is then its content. `success=False` fails the step (ERR-8); `stop=True` ends the
    workflow after it (RUN-3). The rest is filled in on outputs read from a run: `status` (completed, skipped, failed, or the phase it is in),
    `reason`, `failures` (each with error, error_type and attempt), and `steps`, what is inside it. `decisions` are the questions about it that
    were decided or expired, in order. `step_type` is Step, Loop, and so on. `metrics` has its seconds: `duration` without waiting for people, and
    `waited` for them; that of a group counts the time of what is inside it as worked. `images`, `videos`, `audio` and `files` are storable values
    that are kept beside the content.

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
    step_type: str | None = None
    metrics: dict[str, float] = field(factory=dict, eq=False)

    @property
    def is_paused(self) -> bool:
        """Whether the component waits for a person."""
        return self.status.startswith("awaiting") or self.status == "errored_paused"

    def to_dict(self) -> dict[str, Any]:
        """Plain data, with what is inside; `from_dict` reads it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> StepOutput:
        """An output from plain data. Raises `TypeError` for a key that an output does not have."""
        inside = [cls.from_dict(each) for each in plain.get("steps", ())]
        decisions = [Decision(**each) for each in plain.get("decisions", ())]
        return cls(**{**plain, "steps": inside, "decisions": decisions})


class TellAsIs:
    """A value that a generator yields to be told as it is: it is no part of the output. `CustomEvent` is one."""

    __slots__ = ()


def named(name: str, given: Any) -> StepOutput:
    """An earlier output by its step's name, from an output or from its plain data."""
    output = given if isinstance(given, StepOutput) else StepOutput.from_dict(given)
    return output if output.step_name is not None else evolve(output, step_name=name)


def as_text(value: Any, **options: Any) -> str | None:
    """A value as a text for a prompt: a text as it is, a model or a structure as indented JSON, anything else by `str`; None for None."""
    if value is None or isinstance(value, str):
        return value
    dump = getattr(value, "model_dump_json", None)
    if callable(dump):
        return str(dump(indent=2, exclude_none=True))
    if isinstance(value, dict | list | tuple):
        return json.dumps(value, **{"indent": 2, "default": str, "ensure_ascii": False, **options})
    return str(value)


def history_text(history: Sequence[tuple[str, str]]) -> str | None:
    """The inputs and outputs of earlier runs as one text for a prompt; None where there are none."""
    if not history:
        return None
    lines = ["<workflow_history_context>"]
    for number, (asked, answered) in enumerate(history, 1):
        lines += [f"[Workflow Run-{number}]", *([f"User input: {asked}"] if asked else ())]
        lines += [*([f"Workflow output: {answered}"] if answered else ()), ""]
    return "\n".join([*lines, "</workflow_history_context>", ""])
