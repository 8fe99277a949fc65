"""The events that the reducer takes: a value or an exception of a call, a decision, a cancellation, a deadline that is over.

A value that cannot be stored fails its step (P10).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from statecore.codec import decode, encode
from statecore.core import DECISIONS, Address, Call, Event, Micros, Node, OpenQuestion, Program, Ref
from statecore.core.owed import until_closed
from statecore.definition import StepOutput
from statecore.definition.questions import AnswersByKey, Ask, AskedQuestion, asked_by, questions_of
from statecore.errors import (
    AgentFailed,
    AskRefused,
    InvalidAnswer,
    NotABool,
    OtherFramework,
    StepFailed,
    UndeclaredAsk,
    UnstorableValue,
    ValueTooLarge,
    quoted,
)
from statecore.lifecycles import BY_WORD, CALL_KINDS, KINDS, exhaustive
from statecore.lifecycles import words as w
from statecore.stores import Body, Decided
from statecore.stores.detail import NO_DETAIL, Detail, definition_text, detail_of, detail_text
from statecore.stores.records import NO_BODY

from . import agents, toolcalls
from .calls import function_of
from .traces import trace_of

if TYPE_CHECKING:
    from statecore.core.state import Death

    from .calls import CallValues
    from .execution import Execution
    from .sharing import Change

ASKED = {"evaluate": "evaluator", "test": "end_condition", "judge": "requires_output_review"}
"""The setting that holds the code of a question of yes or no."""
NUMPY = frozenset({("numpy", "bool_"), ("numpy", "bool")})
"""The bool of numpy, which is no bool of Python; it had the first name until numpy 2."""
GIVES = frozenset({w.succeed, w.stop})
"""The ends of a call that bring an output."""
UNSTORABLE = (UnstorableValue, ValueTooLarge, UndeclaredAsk, AskRefused, OtherFramework)
"""Errors that the next attempt would meet again: no automatic retry follows them (VALUE-3, ASK-4)."""
KEEPS_NOTHING = frozenset({w.fail, w.ask})
"""The ends of a call that undo what it wrote to the session state (RUN-8, ASK-1)."""
MAX_ERROR = 4096
"""Stored error text is bounded (P17)."""


def returned(execution: Execution, call: Call, value: Any, values: CallValues) -> Event:
    """A call returned: the event that it stands for. What cannot be stored fails the step instead (P10)."""
    try:
        event = RETURNED[call.kind](execution, call, value)
        changed = values.changed_state() if event.trigger not in KEEPS_NOTHING else None
        if changed is not None and is_reviewed(execution, event):
            event = event._replace(body=holding(event.body, changed))
        elif changed is not None:
            execution.changes[execution.place(call)] = changed
    except Exception as error:  # noqa: BLE001  # whatever goes wrong with a value is an error of its step
        return failed(execution, call, error)
    if event.body.value is not None and event.trigger in GIVES:
        execution.texts[Ref(call.at, call.turn, call.attempt)] = event.body.value
    return event


def is_reviewed(execution: Execution, event: Event) -> bool:
    """Whether the output that an event brings may be put under review before its step completes."""
    facts = execution.program.nodes[event.at].facts
    return event.trigger in GIVES and (w.needs_review in facts or w.judges_output in facts)


def holding(body: Body, change: Change) -> Body:
    """A body that keeps a change of the session state until the review of its output is over (SESSION-3)."""
    return body._replace(detail=detail_text(detail_of(body.detail)._replace(session=change.text())))


def handed_on(execution: Execution, call: Call, value: Any) -> Event:
    """A step's return value as an event; an agent's result is judged first. Raises `UnstorableValue`, `AgentPaused`, `UnknownAgentResult`."""
    step: Any = execution.compiled.components[call.at]
    adapter = toolcalls.adapter_of(step) if step.agent is not None else None
    if adapter is not None:
        value = toolcalls.given(execution, call, adapter, value)
    if isinstance(value, Ask | list | tuple) and (questions := asked_by(value)):
        return asking(execution, call, questions)
    if step.agent is not None:
        try:
            value = agents.output_of(step.name, value)
        except AgentFailed as error:
            return failed(execution, call, error, said=error.said)
    if type(value) is not StepOutput:
        return execution.event(w.succeed, call, Body("", encode(value, limit=execution.host.limit)))
    if not value.success and not value.stop:
        return failed(
            execution, call, StepFailed(execution.program.nodes[call.at].name, value.error or "no reason given"), said=value.error
        )
    said = NO_DETAIL if value.success else Detail(success=False, error=value.error)
    media = agents.media_of(value)
    if media:
        said = said._replace(media=encode(media, limit=execution.host.limit))
    body = Body(detail_text(said), encode(value.content, limit=execution.host.limit))
    return execution.event(w.stop if value.stop else w.succeed, call, body)


# -- questions -----------------------------------------------------------------------------------------------------------------------

ONLY_STEPS = "only the code of a step asks; ask at the component's own gate, or in a step before it"
"""The advice for an `Ask` of an evaluator, a selector, an end condition or a predicate."""


def asking(execution: Execution, call: Call, asked: Sequence[Ask]) -> Event:
    """The event of a call that asked. Raises `UndeclaredAsk`, `AskRefused`; `UnstorableValue` for notes or choices that cannot be stored."""
    node = execution.program.nodes[call.at]
    if call.kind != KINDS[node.kind].work or not KINDS[node.kind].is_leaf:
        raise AskRefused(node.name, ONLY_STEPS)
    if not node.limits.asks:
        raise UndeclaredAsk(node.name)
    before, limit = execution.cursor_at(call).marks.asked, execution.host.limit
    if before + len(asked) > node.limits.asks:
        why = f"it would ask {before + len(asked)} questions in this visit, and may ask {node.limits.asks} (may_ask)"
        raise AskRefused(node.name, why)
    questions = questions_of(asked, before)
    check_keys(node.name, questions, execution.history().answers(call.at, call.turn) if before else AnswersByKey())
    check_choices(node.name, questions)
    notes = next((each.notes for each in reversed(asked) if each.notes is not None), None)
    said = Detail(number=len(asked), questions=encode([each.plain() for each in questions], limit=limit))
    body = Body(detail_text(said), None if notes is None else encode(notes, limit=limit))
    return execution.event(w.ask, call, body)._replace(number=len(asked))


def check_keys(step_name: str, questions: Sequence[AskedQuestion], before: AnswersByKey) -> None:
    """Raise `AskRefused` for a key that was asked in this visit before (ASK-3)."""
    known = {each.key for each in before}
    for each in questions:
        if each.key in known:
            raise AskRefused(
                step_name, f"the key {quoted(each.key)} is asked twice in one visit; read step_input.answers before asking"
            )
        known.add(each.key)


def check_choices(step_name: str, questions: Sequence[AskedQuestion]) -> None:
    """Raise `AskRefused` for choices of which two are equal: an answer would name both."""
    for each in questions:
        texts = [encode(option) for option in each.options or ()]
        if len(set(texts)) < len(texts):
            raise AskRefused(step_name, "two of its choices are equal")


# -- yes, no, and choices ------------------------------------------------------------------------------------------------------------


def answered(execution: Execution, call: Call, value: Any) -> Event:
    """An evaluator, end condition or predicate said yes or no (GATE-2). Raises `NotABool`."""
    said = value.content if isinstance(value, StepOutput) and value.success and not value.stop else value
    if not isinstance(said, bool) and (type(said).__module__, type(said).__name__) not in NUMPY:
        raise NotABool(execution.program.nodes[call.at].name, ASKED[call.kind], value)
    return execution.event(w.hold if said else w.refute, call)


def chosen(execution: Execution, call: Call, value: Any) -> Event:
    """A selector chose: a name, a component of the choices, or a list of these. Raises `InvalidAnswer`."""
    answers = value if isinstance(value, list | tuple) else [value] if value is not None else []
    names = [answer if isinstance(answer, str) else getattr(answer, "name", answer) for answer in answers]
    choices = chosen_addresses(execution.program.nodes[call.at], names)
    body = Body(detail_text(Detail(choices=tuple(execution.program.nodes[at].name for at in choices)))) if choices else NO_BODY
    return execution.event(w.choose if choices else w.refute, call, body, choices)


def failed(execution: Execution, call: Call, error: Exception, said: str | None = None) -> Event:
    """A call raised: the event that it stands for; the exception itself is kept for the caller of `run`. An `Ask` is a question (ASK-1)."""
    if isinstance(error, Ask):
        try:
            return asking(execution, call, (error,))
        except Exception as refused:  # noqa: BLE001  # whatever is wrong with a question is an error of its step
            error = refused
    execution.raised[call.at, call.turn, call.attempt] = error
    text = bounded(said if said is not None else text_of(error))
    trace = trace_of(error, function_of(execution, call))
    said_of = trouble(execution, call, text, type(error).__name__)._replace(where=trace.where, traceback=trace.text)
    firm = isinstance(error, UNSTORABLE) or toolcalls.is_spent(execution, call)
    return execution.event(w.fail, call, Body(detail_text(said_of)))._replace(firm=firm)


def interrupted(execution: Execution, call: Call, why: str, death: Death = "") -> Event:
    """A call's process died, or was told to stop: the call began, and no end is recorded."""
    said = trouble(execution, call, why, "Interrupted")._replace(death=death or None)
    return execution.event(w.interrupt, call, Body(detail_text(said)))._replace(death=death)


def trouble(execution: Execution, call: Call, text: str, error_type: str) -> Detail:
    """The detail recorded of an error; `retry_count` counts the retries that people ordered."""
    reruns = next((c.marks.reruns for c in execution.state.cursors if (c.at, c.turn) == (call.at, call.turn)), 0)
    return Detail(error=text, error_type=error_type, retry_count=reruns)


RETURNED: dict[str, Callable[[Execution, Call, Any], Event]] = {
    "execute": handed_on,
    "evaluate": answered,
    "test": answered,
    "judge": answered,
    "select": chosen,
}
exhaustive("runtime.ends.RETURNED", RETURNED, CALL_KINDS)


def chosen_addresses(node: Node, names: Sequence[Any]) -> tuple[Address, ...]:
    """The addresses of a Router's choices, in the order chosen. Raises `InvalidAnswer` for an unknown or repeated one."""
    if any(not isinstance(name, str) or name not in node.exits for name in names) or len(set(names)) < len(names):
        raise InvalidAnswer(node.name, list(names), node.exits)
    return tuple(node.exits[name] for name in names)


def text_of(error: Exception) -> str:
    """`str(exception)`; where even that fails, its class says so."""
    try:
        return str(error)
    except Exception:  # noqa: BLE001  # user code again
        return f"{type(error).__name__} (which has no text of its own)"


def bounded(text: str) -> str:
    """Error text, cut visibly where it is too long to store."""
    return text if len(text) <= MAX_ERROR else text[: MAX_ERROR - 1] + "…"


# -- people and the clock ----------------------------------------------------------------------------------------------------------


def decision_events(
    program: Program, asked: Collection[OpenQuestion], answers: Mapping[str, Decided], now: Micros
) -> tuple[Event, ...]:
    """The events of the questions that are answered, in the order of the questions."""
    said = [decision_event(ask, answers[ask.pause_id], program.nodes[ask.at], now) for ask in asked if ask.pause_id in answers]
    return until_closed(said)


def decision_event(ask: OpenQuestion, answer: Decided, node: Node, now: Micros) -> Event:
    """The event that a stored decision stands for."""
    names = decode(answer.value) if BY_WORD[answer.word].carries == "names" and answer.value else ()
    choices = tuple(node.exits[name] for name in names)
    trigger = DECISIONS[ask.kind][answer.word]
    body = decision_body(answer, ask.number)
    return Event(trigger, ask.at, ask.turn, ask.attempt, body, choices, now, answer.by or None, number=ask.number or 0)


def decision_body(answer: Decided, number: int | None = None) -> Body:
    """The body of a decision in the journal: the person and the reason, and which of several questions of a step's code it answers."""
    if not (answer.by or answer.comment) and number is None:
        return Body("", answer.value)
    return Body(detail_text(Detail(by=answer.by or None, comment=answer.comment or None, number=number)), answer.value)


def beginning(program: Program, now: Micros) -> Event:
    """The start of a run; the journal's first row says which definition it follows."""
    return Event(w.start, body=Body(definition_text(program.fingerprint)), time=now)


def cancellation(by: str | None, left: str | None = None) -> Event:
    """The event that a person cancelled the run; `left` is the process in which a call of it goes on, if any."""
    return Event(w.cancel, body=Body(detail_text(Detail(by=by or None, left=left))), by=by or None)


def expiries(asked: Collection[OpenQuestion], decided: Collection[str], now: Micros) -> tuple[Event, ...]:
    """The events of those questions whose deadline is over, and which nobody decided in time (TIME-3)."""
    late = [ask for ask in asked if ask.due is not None and ask.due <= now]
    return until_closed([expiry(ask, now) for ask in late if ask.pause_id not in decided])


def expiry(ask: OpenQuestion, now: Micros) -> Event:
    """The event of a deadline that is over."""
    body = None if ask.number is None else Body(detail_text(Detail(number=ask.number)))
    return Event(w.expire, ask.at, ask.turn, ask.attempt, body, time=now, number=ask.number or 0)
