"""The documents of a question: one line of a list, and all that a person decides about.

A line is made of the stored row alone. The whole question reads its run, too; what each answer leads to comes from the program that the run
follows, which is stored with it, so that no code of a user is needed.
"""

from __future__ import annotations

from datetime import UTC, datetime
from math import isfinite
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from attrs import frozen

from statecore.asking.leads import closed, leads_to, silence
from statecore.asking.outcomes import outcomes
from statecore.asking.questions import message_of, title
from statecore.asking.text import clean
from statecore.asking.votes import refusal, vote_leads, voting_of
from statecore.client.reading import plain
from statecore.client.shapes import (
    AnswerDocument,
    ByDocument,
    DecisionDocument,
    ItemDocument,
    OtherwiseDocument,
    QuestionDocument,
    ShownDocument,
    TakesDocument,
)
from statecore.lifecycles import BY_WORD, SHOWS
from statecore.lifecycles.decisions import REJECT
from statecore.output.place import Place
from statecore.output.requirement import requirement_of
from statecore.runtime.judge import seen
from statecore.runtime.renewals import put_since
from statecore.stores.frames.questions import question_id
from statecore.stores.rules import ENDED

from . import documents_votes as about_votes
from .documents_place import failure, position, review
from .documents_votes import sentence
from .seeing import NO_READERS, is_mine, sight_of
from .stored import StoredRun
from .values import envelope

if TYPE_CHECKING:
    from statecore.core import Micros
    from statecore.output import Requirement
    from statecore.stores import Decided, Waiting
    from statecore.stores.records import Pause
    from statecore.workflow.inbox import Inbox

    from .seeing import Person, Readers

__all__ = ["Desk", "decision", "instant", "item", "plain", "question", "state_of"]

SAFE = 1 << 53
"""Whole numbers below it are the same in every reader of JSON."""
TITLE = 200
"""The most characters of a title."""


@frozen
class Desk:
    """All that a document is made from: the store as what people owe, who looks, and when; `typed` asks for tagged forms besides.

    `readers` are the seats that see every question.
    """

    inbox: Inbox
    person: Person
    now: Micros
    typed: bool = False
    readers: Readers = NO_READERS


def instant(time: Micros) -> str:
    """An instant: RFC 3339, UTC, six digits."""
    return datetime.fromtimestamp(time / 1_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{time % 1_000_000:06d}Z"


def maybe(time: Micros | None) -> str | None:
    """An instant, or None."""
    return None if time is None else instant(time)


# -- the state of a question -------------------------------------------------------------------------------------------------------


def state_of(row: Waiting, now: Micros, *, newer: bool = False, ended: bool = False) -> str:
    """The state of a question: open, expired, decided, superseded or withdrawn.

    `newer`: it was put again. `ended`: its run is over. It is expired from its deadline on, also when the silence was applied.
    """
    pause = row.pause
    if newer:
        return "superseded"
    if row.decided is not None:
        return "decided"
    over = min(now, pause.closed) if pause.closed is not None else now
    if pause.deadline is not None and over >= pause.deadline:
        return "expired"
    return "withdrawn" if ended or pause.closed is not None else "open"


# -- a line of a list --------------------------------------------------------------------------------------------------------------


def item(row: Waiting, desk: Desk, state: str | None = None) -> ItemDocument:
    """A question in a list, made of its row alone."""
    return ItemDocument(**parts(row, desk, state or state_of(row, desk.now)))


def parts(row: Waiting, desk: Desk, state: str) -> dict[str, Any]:
    """The fields of a line."""
    pause = row.pause
    name = question_id(pause.run_id, pause.pause_id)
    asked = requirement_of(row, Place(pause.at, "Step", 0, None))
    return {
        "question_id": name,
        "run_id": pause.run_id,
        "place": pause.pause_id,
        "workflow": row.workflow_id,
        "step": pause.step_name,
        "kind": pause.kind,
        "state": state,
        "title": clean(title(asked), TITLE),
        "asked_at": instant(pause.opened),
        "due_at": maybe(pause.deadline),
        "requester": row.requester or row.user_id,
        "mine": row.decided is None and is_mine(desk.person, sight_of(row, desk.now)),
        "votes": about_votes.votes(voting_of(row, desk.now)),
        "href": f"questions/{name}",
    }


# -- a whole question --------------------------------------------------------------------------------------------------------------


def question(row: Waiting, desk: Desk) -> QuestionDocument:
    """All of a question. Raises `UnknownRun` where its run has gone meanwhile, and the errors of a store."""
    inbox, pause = desk.inbox, row.pause
    record = inbox.db.load(pause.run_id)
    stored = StoredRun(inbox, record)
    newer = put_since(inbox.db, pause.run_id, pause.pause_id)
    state = state_of(row, desk.now, newer=newer is not None, ended=record.state.run in ENDED)
    asked = inbox.requirement(row, inbox.view(record, waiting=()))
    line = parts(row, desk, state)
    form, voting = getattr(asked, "json_schema", None), voting_of(row, desk.now)
    return QuestionDocument(
        **line,
        seen=f"sha256:{seen(record.identity.canonical, pause)}",
        message=message_of(asked) if SHOWS[pause.kind] != "question" else pause.message,
        lang=None,
        shown=shown(row, stored, desk, line["question_id"]),
        form=form if form is not None else choices(asked),
        answers=answers(asked, row, state, stored, desk),
        otherwise=otherwise(asked, pause, stored),
        rule=about_votes.rule(voting, instant),
        votes_cast=about_votes.cast(row, voting, instant),
        decision=decision(row.decided, line["question_id"], desk) if row.decided is not None else None,
        superseded_by=question_id(pause.run_id, newer) if newer is not None else None,
        position=position(stored, pause, instant),
        tool_call=None,
        error=failure(pause, stored),
        review=review(pause, stored, lambda name, text: envelope(text, href(line["question_id"], name), typed=desk.typed)),
    )


def href(of: str, name: str) -> str:
    """Where a value of a question is given whole."""
    return f"values/{quote(name, safe='')}?question={of}"


def shown(row: Waiting, stored: StoredRun, desk: Desk, name: str) -> list[ShownDocument]:
    """The values that a question shows: what the step before handed on, where the run still stands there, and the input of the run."""
    found: list[tuple[str, str | None, str | None]] = [("input", None, stored.record.identity.input)]
    previous = stored.previous(row.pause)
    if previous is not None:
        found.insert(0, ("previous", previous[0], previous[1]))
    whole = []
    for key, step, text in found:
        value = envelope(text, href(name, key), typed=desk.typed)
        if value is not None:
            whole.append(ShownDocument(name="output_of" if key == "previous" else key, step=step, value=value))
    return whole


def answers(asked: Requirement, row: Waiting, state: str, stored: StoredRun, desk: Desk) -> list[AnswerDocument]:
    """The words of a question, each with where it leads from here, and whether this person may say it."""
    pause, voting = row.pause, voting_of(row, desk.now)
    shown_as = None if pause.seen is None else seen(stored.record.identity.canonical, pause)
    late = state == "expired" and pause.closed is None and pause.on_timeout == "approve"  # a no still counts (TIME-3)
    found = []
    for each in outcomes(stored.program, asked):
        said, why_not = leads_to(each.consequence, pause.step_name), None
        if state != "open" and not (late and BY_WORD[each.word].refuses):
            why_not = closed(state)
        elif voting is not None:
            why = voting.why_not(desk.person, each.word)
            why_not = None if why is None else refusal(why)
            said = vote_leads(voting, desk.person, each.word, shown_as, said) if why is None else said
        found.append(
            AnswerDocument(
                word=each.word,
                leads_to=sentence(said),
                takes=takes(asked, each.word, needed=voting is not None and voting.wants_comment(each.word)),
                open_to_you=why_not is None,
                why_not=None if why_not is None else sentence(why_not),
            )
        )
    return found


TAKES: dict[str, str | None] = {
    "nothing": None,
    "form": "form",
    "names": "choices",
    "value": "value",
    "reply": "answer",
    "feedback": None,
}
"""The kind of value of an answer, by what its word carries."""


def takes(asked: Requirement, word: str, *, needed: bool) -> TakesDocument:
    """The data that a word takes; the feedback of a rejection is a value only where it goes to the step that is called again."""
    told = SHOWS[asked.kind] == "output" and word == REJECT.word
    return TakesDocument(comment="required" if needed else "optional", value="feedback" if told else TAKES[BY_WORD[word].carries])


def choices(asked: Requirement) -> dict[str, Any] | None:
    """The JSON Schema of a choice, or of an answer to a question of code; None where nothing is chosen."""
    options = list(getattr(asked, "available_choices", ())) or [option(each) for each in getattr(asked, "options", ())]
    if not options:
        return None
    several = bool(getattr(asked, "allow_multiple_selections", False))
    one = {"enum": options} | ({"type": "string"} if all(type(each) is str for each in options) else {})
    listed = {"type": "array", "items": one, "minItems": 1, "uniqueItems": True} | ({} if several else {"maxItems": 1})
    whole = one if SHOWS[asked.kind] == "question" and not several else listed
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **whole}


def option(given: Any) -> Any:
    """A choice as JSON has it: a text, a number or a truth value as it is, another value by its text, by which it is known again."""
    plain_one = (
        type(given) in (str, bool) or (type(given) is int and abs(given) < SAFE) or (type(given) is float and isfinite(given))
    )
    return given if plain_one else str(given)


def otherwise(asked: Requirement, pause: Pause, stored: StoredRun) -> OtherwiseDocument | None:
    """The consequence of giving no answer; None without a deadline."""
    if pause.deadline is None:
        return None
    said = leads_to(silence(stored.program, asked), pause.step_name)
    return OtherwiseDocument(at=instant(pause.deadline), word=pause.on_timeout, leads_to=sentence(said))


def decision(decided: Decided, name: str, desk: Desk) -> DecisionDocument:
    """The decision of a question."""
    return DecisionDocument(
        question_id=name,
        word=decided.word,
        by=ByDocument(name=decided.by, via=None),
        at=instant(decided.time),
        comment=decided.comment,
        value=envelope(decided.value, href(name, "answer"), typed=desk.typed),
        seen=None if decided.seen is None else f"sha256:{decided.seen}",
    )
