"""From what was committed to the events of a stream: a pure function of (before, events, after), by one table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from json import loads
from typing import Any, TypeAlias

from attrs import frozen

from statecore.codec import decode
from statecore.core import Ask, Commit, Move, Program, asks
from statecore.lifecycles import words as w
from statecore.stores import Body, Identity
from statecore.stores.history import SKIP_REASONS

from . import events as e

PERSON = frozenset({w.confirm, w.reject, w.retry, w.skip})


@frozen
class Scene:
    """One move with what is around it: whose run, which program, when, and the commit that it is part of."""

    identity: Identity
    program: Program
    commit: Commit
    time: int
    content: Callable[[Any], Any]

    def fields(self, move: Move) -> dict[str, Any]:
        """The base fields of the event of a move."""
        identity = self.identity
        base: dict[str, Any] = {
            "run_id": identity.run_id,
            "session_id": identity.session_id,
            "workflow_id": identity.workflow_id,
            "workflow_name": identity.workflow_name,
            "created_at": self.time // 1_000_000,
        }
        if move.machine != "run":
            node = self.program.nodes[move.at]
            base |= {"step_name": node.name, "step_id": move.at, "step_index": node.index, "parent_step_id": node.parent or None}
        return base


def said(move: Move) -> dict[str, Any]:
    """What a move's event said besides."""
    body: Body | None = move.body
    particulars: dict[str, Any] = loads(body.detail) if body is not None and body.detail else {}
    return particulars


def value(move: Move) -> Any:
    """The value that a move's event brought."""
    return decode(move.body.value) if move.body is not None and move.body.value is not None else None


Maker: TypeAlias = Callable[[Scene, Move], e.RunEvent | None]


def run_paused(scene: Scene, move: Move) -> e.RunEvent:
    """The run waits for all of these."""
    pauses = tuple(ask.pause_id for ask in asks(scene.program, scene.commit.after.state))
    return e.WorkflowPausedEvent(**scene.fields(move), pause_ids=pauses)


def run_completed(scene: Scene, move: Move) -> e.RunEvent:
    """The run is over."""
    return e.WorkflowCompletedEvent(**scene.fields(move), content=scene.content(move.hands_on))


def run_failed(scene: Scene, move: Move) -> e.RunEvent:
    """The run failed of the error that its step failed of."""
    error = next((s for m in scene.commit.after.moves if m.dest == w.failed and "error" in (s := said(m))), {})
    return e.WorkflowErrorEvent(**scene.fields(move), error=error.get("error", ""), error_type=error.get("error_type", ""))


def step_error(scene: Scene, move: Move) -> e.RunEvent:
    """User code failed."""
    error = said(move)
    return e.StepErrorEvent(
        **scene.fields(move),
        error=error.get("error", ""),
        error_type=error.get("error_type", ""),
        retry_count=error.get("retry_count", 0),
    )


def step_paused(scene: Scene, move: Move) -> e.RunEvent | None:
    """A person is asked; nobody is where the run was cancelled at the same boundary."""
    owed = asks(scene.program, scene.commit.after.state)
    ask = next((each for each in owed if (each.at, each.turn) == (move.at, move.turn)), None)
    return paused_event(scene, move, ask) if ask is not None else None


def paused_event(scene: Scene, move: Move, ask: Ask) -> e.RunEvent:
    """The event of a question."""
    confirmation = ask.kind == "confirmation"
    message = scene.program.nodes[move.at].asks if confirmation else None
    return e.StepPausedEvent(
        **scene.fields(move), pause_id=ask.pause_id, kind=ask.kind, requires_confirmation=confirmation, confirmation_message=message
    )


def branch_started(scene: Scene, move: Move) -> e.RunEvent:
    """A branch was chosen."""
    branch = "steps" if move.trigger in (w.confirm, w.hold) else "else_steps"
    return e.ConditionExecutionStartedEvent(**scene.fields(move), branch=branch)


def step_skipped(scene: Scene, move: Move) -> e.RunEvent:
    """A component was skipped, and why."""
    return e.StepSkippedEvent(**scene.fields(move), reason=SKIP_REASONS.get((move.source, move.trigger), move.trigger))


def cancelled(scene: Scene, move: Move) -> e.RunEvent:
    """The run was cancelled, by whom."""
    by = said(move).get("by")
    return e.WorkflowCancelledEvent(**scene.fields(move), reason=f"cancelled by {by}" if by else None)


def just(event: type[Any], **more: Callable[[Move], Any]) -> Maker:
    """A maker for an event that needs nothing but the move."""

    def make(scene: Scene, move: Move) -> e.RunEvent:
        made: e.RunEvent = event(**scene.fields(move), **{name: read(move) for name, read in more.items()})
        return made

    return make


# (machine, where it is now) -> what watchers hear; the triggers that matter stand in the makers
BY_DEST: dict[tuple[str, str], tuple[Maker, ...]] = {
    ("run", w.paused): (run_paused,),
    ("run", w.completed): (run_completed,),
    ("run", w.failed): (run_failed,),
    ("run", w.cancelled): (cancelled,),
    ("step", w.running): (just(e.StepStartedEvent, attempt=lambda move: move.attempt + (move.trigger in (w.retry, w.resume))),),
    ("step", w.completed): (
        just(e.StepOutputEvent, content=value, stop=lambda move: move.trigger == w.stop),
        just(e.StepCompletedEvent, content=value),
    ),
    ("condition", w.running): (branch_started,),
    ("condition", w.completed): (just(e.ConditionExecutionCompletedEvent),),
    ("group", w.running): (just(e.StepsExecutionStartedEvent),),
    ("group", w.completed): (just(e.StepsExecutionCompletedEvent),),
}
ANYWHERE: dict[str, tuple[Maker, ...]] = {
    w.skipped: (step_skipped,),
    w.awaiting_confirmation: (step_paused,),
    w.errored_paused: (step_paused,),
}


def public_events(scene: Scene) -> Iterator[e.RunEvent]:
    """The events of one commit, in the order of its moves."""
    for move in scene.commit.after.moves:
        if move.trigger == w.start:
            yield e.WorkflowStartedEvent(**scene.fields(move))
            continue
        if move.trigger in PERSON:
            by = said(move).get("by")
            yield e.StepContinuedEvent(**scene.fields(move), decision=move.trigger, by=by)
        if move.trigger == w.fail and move.body is not None:
            yield step_error(scene, move)
        for make in BY_DEST.get((move.machine, move.dest), ()) or ANYWHERE.get(move.dest, ()):
            made = make(scene, move)
            if made is not None:
                yield made
