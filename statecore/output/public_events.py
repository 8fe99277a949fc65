"""From what was committed to the events of a stream: a pure function of (before, events, after), by one table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from attrs import frozen

from statecore.codec import decode, decode_plain
from statecore.core import Commit, Micros, Move, Node, OpenQuestion, Program, asks
from statecore.lifecycles import CONDITION, GROUP, LOOP, PARALLEL, ROUTER, RUN, SHOWS, STEP, TABLES, exhaustive
from statecore.lifecycles import words as w
from statecore.runtime.asked import asked_in, questions_in
from statecore.runtime.pieces import Piece
from statecore.stores import Body, Entry, Identity
from statecore.stores.detail import NO_DETAIL, Detail, detail_of
from statecore.stores.history import History, skip_reason
from statecore.stores.replay import Values, replay

from . import events as e
from .custom import CustomEvent

if TYPE_CHECKING:
    from statecore.core.state import Turn
    from statecore.definition import StepOutput

AGAIN = frozenset({w.retry, w.resume, w.wake, w.reject, w.amend})
"""The triggers that begin a step's next attempt."""

PERSON = frozenset({w.confirm, w.reject, w.retry, w.skip, w.edit, w.amend, w.provide, w.give, w.select, w.answer})


@frozen
class Scene:
    """One move with what is around it: whose run, which program, when, and the commit that it is part of."""

    identity: Identity
    program: Program
    commit: Commit
    time: Micros
    content: Callable[[Any], Any]
    history: Callable[[], History]
    read: Callable[[str], Any] = decode

    def fields(self, move: Move) -> dict[str, Any]:
        """The base fields of the event of a move."""
        node = self.program.nodes[move.at] if move.machine != RUN.name else None
        return base_fields(self.identity, self.time, node)


def base_fields(identity: Identity, time: Micros, node: Node | None) -> dict[str, Any]:
    """The fields that every event has; those of a component on an event that tells of one."""
    base: dict[str, Any] = {
        "run_id": identity.run_id,
        "session_id": identity.session_id,
        "workflow_id": identity.workflow_id,
        "workflow_name": identity.workflow_name,
        "created_at": time // 1_000_000,
    }
    if node is not None:
        base |= {
            "step_name": node.name,
            "step_id": node.step_id,
            "step_index": node.index,
            "parent_step_id": node.parent or None,
        }
    return base


def delta(identity: Identity, program: Program, piece: Piece) -> e.RunEvent:
    """A piece of an output in the making; an event of the user's own is told itself, and says whose it is."""
    base = base_fields(identity, piece.time, program.nodes[piece.call.at])
    if isinstance(piece.content, CustomEvent):
        for name, value in base.items():
            object.__setattr__(piece.content, name, value)
        return piece.content
    return e.StepOutputDelta(**base, content=piece.content, attempt=piece.call.attempt)


def said(move: Move) -> Detail:
    """The detail of a move's event."""
    body: Body | None = move.body
    return detail_of(body.detail) if body is not None else NO_DETAIL


def content(scene: Scene, move: Move) -> Any:
    """The output of a completed component: that of its event, or the one that its reference stands for."""
    if move.body is not None and move.body.value is not None:
        return scene.read(move.body.value)
    return scene.content(move.hands_on)


def step_output(scene: Scene, move: Move) -> e.RunEvent:
    """The output of a step."""
    return e.StepOutputEvent(**scene.fields(move), content=content(scene, move), stop=move.trigger == w.stop)


def step_completed(scene: Scene, move: Move) -> e.RunEvent:
    """A step is over."""
    return e.StepCompletedEvent(**scene.fields(move), content=content(scene, move))


Maker: TypeAlias = Callable[[Scene, Move], e.RunEvent | None]


def run_paused(scene: Scene, move: Move) -> e.RunEvent:
    """The run waits for all of these."""
    pauses = tuple(ask.pause_id for ask in asks(scene.program, scene.commit.after.state))
    return e.WorkflowPausedEvent(**scene.fields(move), pause_ids=pauses)


def run_completed(scene: Scene, move: Move) -> e.RunEvent:
    """The run is over."""
    return e.WorkflowCompletedEvent(**scene.fields(move), content=scene.content(move.hands_on), read=lambda: scene.history().tree())


def run_failed(scene: Scene, move: Move) -> e.RunEvent:
    """The run failed of the error that its step failed of."""
    error = next((s for m in scene.commit.after.moves if m.dest == w.failed and (s := said(m)).tells_error), NO_DETAIL)
    return e.WorkflowErrorEvent(**scene.fields(move), error=error.error or "", error_type=error.error_type or "")


def step_error(scene: Scene, move: Move) -> e.RunEvent:
    """User code failed."""
    error = said(move)
    return e.StepErrorEvent(
        **scene.fields(move),
        error=error.error or "",
        error_type=error.error_type or "",
        retry_count=error.retry_count or 0,
    )


def step_paused(scene: Scene, move: Move) -> e.RunEvent | None:
    """A person is asked; nobody is where the run was cancelled at the same boundary."""
    owed = asks(scene.program, scene.commit.after.state)
    ask = next((each for each in owed if each.at == move.at and each.turn[: len(move.turn)] == move.turn), None)
    return paused_event(scene, move, ask) if ask is not None else None


def questions_put(scene: Scene, move: Move) -> Iterator[e.RunEvent]:
    """The code of a step asks, perhaps several questions at once."""
    owed = asks(scene.program, scene.commit.after.state)
    return (paused_event(scene, move, each) for each in owed if (each.at, each.turn) == (move.at, move.turn))


def paused_event(scene: Scene, move: Move, ask: OpenQuestion) -> e.RunEvent:
    """The event of a question."""
    node = scene.program.nodes[move.at]
    fields = {**scene.fields(move), "pause_id": ask.pause_id, "kind": ask.kind}
    event, message, more = PAUSE_EVENTS[SHOWS[ask.kind]]
    put = None if ask.number is None else asked_in(ask, scene.commit)
    said = node.asks.get(ask.kind) if put is None else put.message
    if put is not None and put.call is not None:
        return e.StepExecutorPausedEvent(
            **fields, question=said, requires_answer=True, executor_name=put.call.get("agent") or node.name
        )
    made: e.RunEvent = event(**fields, **{message: said}, **more(node))
    return made


def agent_continued(scene: Scene, move: Move) -> Iterator[e.RunEvent]:
    """The agent of a step goes on with the last answer; of the code of a step there is no such event."""
    visit = scene.history().visits.get((move.at, move.turn))
    put = [each for each in (visit.asked if visit is not None else ()) if each.trigger == w.ask]
    calls = [each.call for each in questions_in(put[-1].body.detail) if each.call is not None] if put else []
    if calls:
        name = calls[0].get("agent") or scene.program.nodes[move.at].name
        yield e.StepExecutorContinuedEvent(**scene.fields(move), decision=move.trigger, by=said(move).by, executor_name=name)


PAUSE_EVENTS: dict[str, tuple[type[Any], str, Callable[[Node], dict[str, Any]]]] = {
    "nothing": (e.StepPausedEvent, "confirmation_message", lambda _: {"requires_confirmation": True}),
    "form": (e.StepPausedEvent, "user_input_message", lambda _: {"requires_user_input": True}),
    "choices": (e.RouterPausedEvent, "user_input_message", lambda node: {"available_choices": tuple(node.exits)}),
    "output": (e.StepOutputReviewEvent, "output_review_message", lambda _: {}),
    "question": (e.StepPausedEvent, "question", lambda _: {"requires_answer": True}),
    "error": (e.StepPausedEvent, "confirmation_message", lambda _: {}),
}
"""The event of a question by what it shows: its class, the name that it has for the message, and what it says of the node."""
exhaustive("output.public_events.PAUSE_EVENTS", PAUSE_EVENTS, SHOWS.values())


DECIDED_ITERATION: dict[str, tuple[str, ...]] = {
    w.running: (w.running, w.completed, w.awaiting_review),
    w.evaluating: (w.running, w.completed, w.awaiting_review, w.skipped),
    w.errored_paused: (w.skipped,),
}
"""The rows of a Loop that say whether another iteration may follow the one that is over; before its end condition was called, none does."""


def iteration_over(scene: Scene, move: Move) -> Iterator[e.RunEvent]:
    """The notices of a Loop beside its own row: an iteration ended, another began, the Loop began or is over."""
    node = scene.program.nodes[move.at]
    fields, limit = {**scene.fields(move), "max_iterations": node.limits.iterations}, node.limits.iterations
    if move.source in (w.pending, w.awaiting_confirmation) and move.dest == w.running:
        yield e.LoopExecutionStartedEvent(**fields)
        yield e.LoopIterationStartedEvent(**fields, iteration=1)
        return
    number = iteration_of(scene, move)
    if move.dest in DECIDED_ITERATION.get(move.source, ()):
        goes_on, turn = move.dest in (w.running, w.awaiting_review) and number < limit, (*move.turn, number - 1)
        read = partial(results, scene, move, turn)
        yield e.LoopIterationCompletedEvent(**fields, iteration=number, should_continue=goes_on, read=read)
    if move.dest == w.running and move.trigger != w.resume:  # a reopened Loop goes on with the iteration that it was in
        yield e.LoopIterationStartedEvent(**fields, iteration=number + 1)
    if move.dest == w.completed:
        yield e.LoopExecutionCompletedEvent(**fields, total_iterations=number, read=partial(results, scene, move, move.turn))


def iteration_of(scene: Scene, move: Move) -> int:
    """The number, from 1, of the iteration that a Loop's move ends: that of the last move inside it, in this commit or before it.

    An iteration may begin and end in one commit, where nothing inside it calls code.
    """
    depth, number = scene.program.nodes[move.at].depth, 0
    for cursor in scene.commit.before.cursors:
        if (cursor.at == move.at or scene.program.within(cursor.at, move.at)) and cursor.turn[:depth] == move.turn:
            number = cursor.turn[depth] + 1 if len(cursor.turn) > depth else 0
            break
    for each in scene.commit.after.moves:
        if each is move:
            break
        if scene.program.within(each.at, move.at) and each.turn[:depth] == move.turn and len(each.turn) > depth:
            number = each.turn[depth] + 1
    return number


def route_started(scene: Scene, move: Move) -> e.RunEvent | None:
    """A route was chosen; the next of several choices is no new start."""
    if move.trigger == w.finish:
        return None
    choices = next((event.choices for event in scene.commit.events if event.at == move.at), ())
    return e.RouterExecutionStartedEvent(**scene.fields(move), selected_steps=tuple(scene.program.nodes[at].name for at in choices))


def branch_started(scene: Scene, move: Move) -> e.RunEvent:
    """A branch was chosen."""
    branch = "steps" if move.trigger in (w.confirm, w.hold) else "else_steps"
    return e.ConditionExecutionStartedEvent(**scene.fields(move), branch=branch)


def step_skipped(scene: Scene, move: Move) -> e.RunEvent:
    """A component was skipped, and why."""
    return e.StepSkippedEvent(**scene.fields(move), reason=skip_reason(move.source, move.trigger))


def cancelled(scene: Scene, move: Move) -> e.RunEvent:
    """The run was cancelled, by whom."""
    by = said(move).by
    return e.WorkflowCancelledEvent(**scene.fields(move), reason=f"cancelled by {by}" if by else None)


def results(scene: Scene, move: Move, turn: Turn) -> list[StepOutput]:
    """The outputs inside a component, of the turn given."""
    return scene.history().tree_at(move.at, turn)


def begun(event: type[Any], counts: str) -> Maker:
    """A maker for the event of a component that begins, with the number of components inside it under the name that the event has for it."""

    def make(scene: Scene, move: Move) -> e.RunEvent:
        made: e.RunEvent = event(**scene.fields(move), **{counts: inside(scene, move)})
        return made

    return make


def over(event: type[Any], counts: str | None = None) -> Maker:
    """A maker for the event of a component that is over, with the outputs inside it."""

    def make(scene: Scene, move: Move) -> e.RunEvent:
        said = {counts: inside(scene, move)} if counts is not None else {}
        made: e.RunEvent = event(**scene.fields(move), **said, read=partial(results, scene, move, move.turn))
        return made

    return make


def inside(scene: Scene, move: Move) -> int:
    """How many components stand in a component."""
    return sum(each.parent == move.at for each in scene.program.nodes.values())


def just(event: type[Any], **more: Callable[[Move], Any]) -> Maker:
    """A maker for an event that needs nothing but the move."""

    def make(scene: Scene, move: Move) -> e.RunEvent:
        made: e.RunEvent = event(**scene.fields(move), **{name: read(move) for name, read in more.items()})
        return made

    return make


# (machine, where it is now) -> what watchers hear; the triggers that matter stand in the makers
BY_DEST: dict[tuple[str, str], tuple[Maker, ...]] = {
    (RUN.name, w.paused): (run_paused,),
    (RUN.name, w.completed): (run_completed,),
    (RUN.name, w.failed): (run_failed,),
    (RUN.name, w.cancelled): (cancelled,),
    (STEP.name, w.running): (just(e.StepStartedEvent, attempt=lambda move: move.attempt + (move.trigger in AGAIN)),),
    (STEP.name, w.completed): (step_output, step_completed),
    (CONDITION.name, w.running): (branch_started,),
    (CONDITION.name, w.completed): (over(e.ConditionExecutionCompletedEvent),),
    (ROUTER.name, w.running): (route_started,),
    (ROUTER.name, w.completed): (over(e.RouterExecutionCompletedEvent),),
    (PARALLEL.name, w.running): (begun(e.ParallelExecutionStartedEvent, "parallel_step_count"),),
    (PARALLEL.name, w.completed): (over(e.ParallelExecutionCompletedEvent, "parallel_step_count"),),
    (GROUP.name, w.running): (begun(e.StepsExecutionStartedEvent, "steps_count"),),
    (GROUP.name, w.completed): (over(e.StepsExecutionCompletedEvent, "steps_count"),),
}
BESIDE: dict[str, Callable[[Scene, Move], Iterator[e.RunEvent]]] = {LOOP.name: iteration_over}
"""The events that watchers hear of each move of a component, besides; an iteration ends and begins by rows of its Loop."""
exhaustive("output.public_events.BY_DEST", {machine for machine, _ in BY_DEST} | BESIDE.keys(), TABLES)

ANYWHERE: dict[str, tuple[Maker, ...]] = {
    w.skipped: (step_skipped,),
    w.awaiting_confirmation: (step_paused,),
    w.awaiting_input: (step_paused,),
    w.awaiting_route: (step_paused,),
    w.awaiting_review: (step_paused,),
    w.awaiting_answer: (),  # `questions_put` says it, once for each question
    w.errored_paused: (step_paused,),
}


def past_events(
    identity: Identity, programs: Callable[[str], Program | None], rows: Sequence[Entry], times: Callable[[str], Micros | None]
) -> Iterator[e.RunEvent]:
    """The events that watchers of a run heard, from its journal; `times` says when a question was decided, which no row does.

    Values of unknown types are plain data (VALUE-2).
    """
    values, history = Values(read=decode_plain), History(times=times, read=decode_plain)
    for past in replay(programs, rows):
        values.learn(past)
        history.extend(past.rows)
        scene = Scene(identity, past.program, past.commit, past.time, values.content, lambda: history, decode_plain)
        yield from public_events(scene)


def public_events(scene: Scene) -> Iterator[e.RunEvent]:
    """The events of one commit, in the order of its moves."""
    for move in scene.commit.after.moves:
        if move.trigger == w.start:
            yield e.WorkflowStartedEvent(**scene.fields(move))
            continue
        if move.trigger in PERSON:
            by = said(move).by
            yield e.StepContinuedEvent(**scene.fields(move), decision=move.trigger, by=by)
        if move.trigger == w.answer and move.dest == w.running:
            yield from agent_continued(scene, move)
        if move.trigger == w.fail and move.body is not None:
            yield step_error(scene, move)
        if move.trigger == w.ask:
            yield from questions_put(scene, move)
        if move.machine in BESIDE:
            yield from BESIDE[move.machine](scene, move)
        for make in BY_DEST.get((move.machine, move.dest), ()) or ANYWHERE.get(move.dest, ()):
            made = make(scene, move)
            if made is not None:
                yield made
