"""What user code sees of its run: values read when asked for, each call's own copy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from statecore.codec import decode, encode
from statecore.core import Ref
from statecore.core.owed import pause_id
from statecore.definition import RunContext, StepInput, StepOutput
from statecore.lifecycles import words as w
from statecore.stores.history import OVER

if TYPE_CHECKING:
    from statecore.core import Address, Call, Cursor
    from statecore.stores.history import History, Visit

    from .execution import Execution


class CallValues:
    """The values of one call, and its own `session_state`; user code reaches them through a `StepInput` or a `RunContext`."""

    __slots__ = ("_base", "_call", "_execution", "_state", "cursor")
    cursor: Cursor

    def __init__(self, execution: Execution, call: Call, cursor: Cursor) -> None:
        self._execution, self._call, self.cursor = execution, call, cursor
        self._state: dict[str, Any] | None = None
        self._base = execution.session_state

    def run_input(self) -> Any:
        """The run's input."""
        return decode(self._execution.identity.input)

    def previous(self) -> Any:
        """The previous step's content."""
        return self._execution.content(self.cursor.prev)

    def last(self) -> Any:
        """What the last completed component handed on."""
        return self._execution.content(self.cursor.last)

    def additional(self) -> dict[str, Any]:
        """The additional data of the run, with what people gave this step: their input, and what they said of its last output."""
        additional: dict[str, Any] = decode(self._execution.identity.additional_data)
        additional.update(said_to(self._execution, self._call, self.cursor))
        return additional

    def session(self) -> Any:
        """The run's session as it is stored now."""
        session = self._execution.host.session
        return session(self._execution.identity.session_id) if session is not None else None

    def session_state(self) -> dict[str, Any]:
        """This attempt's session state: what the last success left, to be changed freely."""
        if self._state is None:
            state: dict[str, Any] = decode(self._base)
            self._state = state
        return self._state

    def changed_state(self) -> str | None:
        """The session state as this attempt leaves it, encoded; None where it did not change. Raises `UnstorableValue`.

        Where a call beside it has succeeded meanwhile, the keys that this one changed are laid over what that one left.
        """
        if self._state is None:
            return None
        text = encode(self._state)
        if text == self._base:
            return None
        return laid_over(self._base, text, self._execution.session_state)


def laid_over(base: str, mine: str, now: str) -> str:
    """The session state of one call, laid over what another one left meanwhile: of the keys that this one changed, this one's values.

    `base` is what this one began with, `mine` what it left, `now` what is there; all are encoded, and so is the answer.
    """
    if now == base:
        return mine
    before, after, merged = decode(base), decode(mine), decode(now)
    for key in {**before, **after}:  # in an order that a replay has too
        if key not in after:
            merged.pop(key, None)
        elif key not in before or encode(before[key]) != encode(after[key]):
            merged[key] = after[key]
    return encode(merged)


def said_to(execution: Execution, call: Call, cursor: Cursor) -> dict[str, Any]:
    """What people have given a call: `user_input`, and `rejection_feedback` with `previous_output` where its last output was rejected."""
    said: dict[str, Any] = {}
    node = execution.program.nodes[call.at]
    if w.needs_input in node.facts:
        said["user_input"] = execution.answer(pause_id("user_input", call.at, call.turn, 0)) or {}
    rejected = cursor.marks.rejected
    if cursor.marks.reviews:
        attempts: Iterable[int] = range(call.attempt - 1, -1, -1)  # a Router's result is a child's: its review is the newest before
        if isinstance(rejected, Ref) and rejected.at == call.at:
            attempts = [rejected.attempt]
        reviews = [pause_id("output_review", call.at, call.turn, attempt) for attempt in attempts]
        said["rejection_feedback"] = execution.answer(*reviews)
        said["previous_output"] = execution.content(rejected)
    for around in execution.program.ancestors(call.at):
        number = call.turn[around.depth] if around.kind == "loop" else 0
        if number and w.reviews_iterations in around.facts and "rejection_feedback" not in said:
            review = pause_id(
                "iteration_review", around.at, (*call.turn[: around.depth], number - 1), execution.attempt_of(around.at)
            )
            said["rejection_feedback"] = execution.answer(review)
    return said


class Past:
    """Earlier outputs of a run, by step name, as one call sees them.

    What happens in other branches of a Parallel around it is hidden, so that nothing depends on which branch is faster (PAR-5).
    """

    __slots__ = ("_at", "_execution")

    def __init__(self, execution: Execution, at: Address) -> None:
        self._execution, self._at = execution, at

    def seen(self) -> tuple[History, list[Visit]]:
        """The history, and its visits that this call may see, in the order in which they began."""
        history = self._execution.history()
        visits = list(history.visits.values())
        at = self._at
        for around in self._execution.program.ancestors(self._at):
            if around.kind == "parallel":
                inside, branch = f"{around.at}/", f"{at}/"
                visits = [v for v in visits if not v.at.startswith(inside) or f"{v.at}/".startswith(branch)]
            at = around.at
        return history, visits

    def output(self, name: str) -> StepOutput | None:
        """What the newest step of that name handed on; None if it has not run."""
        if all(around.kind != "parallel" for around in self._execution.program.ancestors(self._at)):
            history = self._execution.history()
            key = history.named.get(name)
            return history.output(history.visits[key]) if key is not None else None
        history, visits = self.seen()
        visit = next((each for each in reversed(visits) if each.name == name), None)
        return history.output(visit) if visit is not None else None

    def content(self, name: str) -> Any:
        """The content of the step of that name; None if it was skipped or has not run."""
        output = self.output(name)
        return output.content if output is not None else None

    def outputs(self) -> Mapping[str, StepOutput]:
        """All that is over."""
        history, visits = self.seen()
        return PastMapping(history, {visit.name: visit for visit in visits if visit.phase in OVER})


class PastMapping(Mapping[str, StepOutput]):
    """Earlier outputs by step name, read one by one."""

    def __init__(self, history: History, visits: dict[str, Visit]) -> None:
        self._history, self._visits = history, visits

    def __getitem__(self, name: str) -> StepOutput:
        """One output."""
        return self._history.output(self._visits[name])

    def __iter__(self) -> Iterator[str]:
        """The names, in the order in which the steps began."""
        return iter(self._visits)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._visits)


def values_of(execution: Execution, call: Call) -> CallValues:
    """The values that a call is made with."""
    return CallValues(execution, call, execution.cursor_at(call))


def step_input(execution: Execution, call: Call, values: CallValues) -> StepInput:
    """The input of one call."""
    turn = "".join(f".{n}" for n in call.turn) if call.turn else ""
    key = f"{execution.identity.run_id}/{call.at}{turn}"
    return StepInput(values, Past(execution, call.at), execution.program.nodes[call.at].name, key, call.attempt)


def run_context(execution: Execution, values: CallValues) -> RunContext:
    """The context of one call, for user code that asks for it."""
    identity = execution.identity
    return RunContext(
        run_id=identity.run_id,
        session_id=identity.session_id,
        user_id=identity.user_id,
        workflow_id=identity.workflow_id,
        workflow_name=identity.workflow_name,
        session_state=values.session_state(),
        metadata=decode(identity.metadata),
        dependencies=execution.host.dependencies,
    )
