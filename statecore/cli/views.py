"""Stored runs and their open questions, as lines for people and as plain data for programs."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, get_args

import click

from statecore.asking.approvals import needed_in_words, rule_in_words, vote_lines
from statecore.asking.questions import particulars, question, shown, whole
from statecore.asking.text import brief, clean, named, short
from statecore.codec import decode_plain, encode
from statecore.core.owed import next_put
from statecore.definition.forms import HIDDEN, hidden
from statecore.errors import UnreadableValue
from statecore.lifecycles import LEAVES
from statecore.lifecycles import words as w
from statecore.stores.history import History
from statecore.stores.rules import clock_text

from .screen import COLOURS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from statecore import WorkflowRunOutput
    from statecore.output import Requirement
    from statecore.runtime.judge import Judgement
    from statecore.stores import Decided
    from statecore.stores.history import Visit
    from statecore.workflow.inbox import Inbox

JSON_LIMIT = 1 << 40
SHOWN = 5
"""How many lines of an output under review a list shows."""
SAID = {w.completed: "done", w.running: "running", w.awaiting_confirmation: "waits", w.errored_paused: "waits"}


COLOUR_OF = {"refused": "yellow", "stranded": "red"}


def print_json(value: Any) -> None:
    """Plain data as one line of JSON; a value that JSON lacks is written with its tag, as the store writes it; a secret is hidden."""
    click.echo(encode(hidden(value), limit=JSON_LIMIT))


def run_document(inbox: Inbox, run_id: str) -> dict[str, Any]:
    """A run as plain data, with what each answer to its open pauses leads to."""
    view = inbox.show(run_id)
    pending = [each.to_dict() for each in view.requirements if not each.is_resolved]
    try:
        return {**view.to_dict(), "pending": pending}
    except UnreadableValue as refusal:  # damage
        return {"run_id": run_id, "status": view.status.value, "unreadable": str(refusal), "pending": pending}


def shown_document(inbox: Inbox, run_id: str) -> dict[str, Any]:
    """All that is known of a run, as plain data: its decisions, and its failures with their tracebacks, besides."""
    document = run_document(inbox, run_id)
    try:
        more = {"decisions": decision_documents(inbox, run_id), "failures": failure_documents(inbox, run_id)}
    except UnreadableValue:  # damage, which the document says
        return document
    return {**document, **more}


def readable(text: str | None) -> str:
    """A stored value in a line; of a type that this process does not know, its plain data."""
    if text is None:
        return ""
    try:
        return brief(decode_plain(text))
    except UnreadableValue:
        return f"(not readable here) {HIDDEN if '$secret' in text else brief(text)}"


def handed_on(history: History, visit: Visit) -> str:
    """The output that a component passed on, in a line; of a type that this process does not know, its plain data."""
    try:
        content = history.content(visit)
    except UnreadableValue:  # damage
        return readable(visit.value)
    return brief(content) if content is not None else ""


def run_lines(inbox: Inbox, run_id: str, *, full: bool = False) -> Iterator[str]:
    """A run for people: what it is, what became of its steps, what it waits for; `full` shows whole what is decided about."""
    record, view = inbox.db.load(run_id), inbox.show(run_id)
    yield f"Run {clean(run_id)} of {named(view.workflow_name)}: {coloured(view.status.value)}"
    yield f"  began {clock_text(record.identity.created)}, session {clean(view.session_id)}"
    yield f"  input: {readable(record.identity.input)}"
    if record.owner is not None:
        yield f"  executed by {clean(record.owner)}"
    yield ""
    yield from step_lines(inbox, run_id)
    for requirement in view.requirements:
        yield ""
        yield from pause_lines(requirement, full=full)
    if not full and any(not each.is_resolved for each in view.requirements):
        yield click.style("\n  All that is decided about, whole: show --full", dim=True)


def step_lines(inbox: Inbox, run_id: str) -> Iterator[str]:
    """The outcome of each component, indented by its depth; decisions and failures below."""
    history = History(read=decode_plain).extend(inbox.db.journal(run_id))
    decisions = inbox.db.decisions(run_id)
    unused = {each.pause_id for each in inbox.show(run_id).unused_decisions}
    for visit in history.visits.values():
        indent = "  " * (1 + depth(history, visit))
        said = SAID.get(visit.phase, visit.phase)
        label = click.style(f"{said:<10}", fg=COLOURS.get(said))
        told = visit.reason or (handed_on(history, visit) if visit.machine in LEAVES else "")
        yield f"{indent}{named(visit.name):<18} {label} {told}".rstrip()
        for failure in visit.failures:
            kind, text = named(str(failure.get("error_type"))), brief(failure["error"])
            yield f"{indent}  attempt {failure['attempt'] + 1} failed: {kind}: {text}"
            yield from (f"{indent}    {line}" for line in failure_lines(failure, whole=failure is visit.failures[-1]))
        for decided in decisions:
            if decided.pause_id.startswith(f"{visit.at}:"):
                lapsed = inbox.db.pause(run_id, next_put(decided.pause_id)) is not None
                yield f"{indent}  {decision_text(decided)}" + (
                    " (lapsed)" if lapsed else " (not used)" if decided.pause_id in unused else ""
                )


def failure_lines(failure: Mapping[str, Any], *, whole: bool) -> Iterator[str]:
    """The place of a failure in the user's code; its whole traceback where it is the newest of its step."""
    trace = failure.get("traceback")
    if whole and trace:
        yield "the traceback (> marks the workflow's own code):"
        yield from (clean(line) for line in trace.splitlines())
    elif failure.get("where"):
        yield f"in {clean(failure['where'])}"


def depth(history: History, visit: Visit) -> int:
    """How many visited components are around this one."""
    around = history.around(visit)
    return 0 if around is None else 1 + depth(history, history.visits[around])


def decision_text(decided: Decided) -> str:
    """A decision in a line: word, person, time, value and reason."""
    said = [readable(decided.value)] if decided.value else []
    said += [brief(decided.comment)] if decided.comment else []
    told = f"{decided.word} by {named(decided.by or 'somebody')}, {clock_text(decided.time)}"
    return f"{told}: {'; '.join(said)}" if said else told


def decision_documents(inbox: Inbox, run_id: str) -> list[dict[str, Any]]:
    """Each decision of a run as plain data: the question, the word, the value, the person, the reason, and what became of it."""
    unused = {each.pause_id for each in inbox.show(run_id).unused_decisions}
    found = []
    for decided in inbox.db.decisions(run_id):
        row = inbox.db.pause(run_id, decided.pause_id)
        pause = row.pause if row is not None else None
        lapsed = inbox.db.pause(run_id, next_put(decided.pause_id)) is not None
        became = (
            "lapsed" if lapsed else "not used" if decided.pause_id in unused else "applied" if pause and pause.closed else "stored"
        )
        found.append(
            {
                "pause_id": decided.pause_id,
                "kind": pause and pause.kind,
                "step_name": pause and pause.step_name,
                "message": pause and pause.message,
                "asked_at": pause and clock_text(pause.opened),
                "decision": decided.word,
                "value": None if decided.value is None else decode_plain(decided.value),
                "by": decided.by,
                "comment": decided.comment,
                "decided_at": clock_text(decided.time),
                "outcome": became,
            }
        )
    return found


def failure_documents(inbox: Inbox, run_id: str) -> list[dict[str, Any]]:
    """Each failure of a run as plain data, with its traceback."""
    visits = History(read=decode_plain).extend(inbox.db.journal(run_id)).visits.values()
    names = ("attempt", "error_type", "error", "where", "traceback")
    return [
        {"address": visit.at, "step_name": visit.name, **{name: failure.get(name) for name in names}}
        for visit in visits
        for failure in visit.failures
    ]


def pause_lines(requirement: Requirement, *, full: bool = False) -> Iterator[str]:
    """An open pause: the question, and what each answer leads to; or how it was decided."""
    yield click.style(f"  ? {question(requirement)}", fg="yellow")
    if requirement.is_resolved:
        yield f"    decided: {requirement.decision} by {named(requirement.by or 'somebody')}; it counts when the run goes on"
        return
    yield from (f"    | {line}" for line in (whole(requirement) if full else shown(requirement, SHOWN)))
    yield from (f"    {line}" for line in particulars(requirement))
    if requirement.rule is not None:
        yield f"    who may: {rule_in_words(requirement.rule)}"
        yield from (f"      {line}" for line in vote_lines(requirement.votes))
        yield f"    {needed_in_words(requirement.still_needed, requirement.votes_say)}"
    for outcome in requirement.outcomes:
        yield f"    {outcome.word:<7} -> {outcome.leads_to}"


def coloured(status: str) -> str:
    """A run's status in its colour."""
    colours = {"COMPLETED": "green", "PAUSED": "yellow", "ERROR": "red", "CANCELLED": "red"}
    return click.style(status, fg=colours.get(status))


RUN_HEAD = f"{'run':<10} {'workflow':<18} {'status':<9} {'changed':>9}  waits for"


def run_row(view: WorkflowRunOutput, changed: str) -> str:
    """A run in one line of a list."""
    waits = ", ".join(named(each.step_name) for each in view.requirements)
    return f"{short(view.run_id):<10} {named(view.workflow_name):<18} {coloured(f'{view.status.value:<9}')} {changed:>9}  {waits}".rstrip()


def verdict_lines(judgements: list[Judgement], place: str) -> Iterator[str]:
    """The verdicts of a definition on the unfinished runs of a store: a count, then each run that does not simply go on."""
    from statecore.runtime.doctor import REMEDIES  # noqa: PLC0415  # only those who ask the judge need it
    from statecore.runtime.judge import Verdict  # noqa: PLC0415  # as above

    counts = Counter(each.verdict for each in judgements)
    told = ", ".join(f"{counts[verdict]:,} {verdict}" for verdict in get_args(Verdict) if counts[verdict]) or "none"
    yield f"Unfinished runs in {clean(place)} under this definition: {told}"
    for each in judgements:
        if each.why:
            yield click.style(
                f"{each.verdict:<12}{clean(each.run_id)}: {clean('; '.join(each.why))}", fg=COLOUR_OF.get(each.verdict)
            )
        if each.verdict in REMEDIES:
            yield f"            {REMEDIES[each.verdict]}"
