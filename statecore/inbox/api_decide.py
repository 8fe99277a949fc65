"""A decision by the API: the body is read strictly, a repetition is recognised, and all else is judged by the store.

The precondition is `seen`, the digest of the question that the person was shown (INBOX-2). The person is who was authenticated (INBOX-5).
"""

from __future__ import annotations

from json import dumps
from typing import TYPE_CHECKING, Any

from attrs import frozen

from statecore.client.reading import plain
from statecore.client.shapes import ByDocument, DecisionDocument
from statecore.codec import decode_plain
from statecore.errors import (
    AlreadyDecided,
    BadRequest,
    KeyReused,
    PauseExpired,
    StaleDecision,
    StatecoreError,
    UnreadableValue,
)
from statecore.runtime.answers import stored_value
from statecore.runtime.renewals import newest
from statecore.stores.rules import clock_text
from statecore.stores.votes import standing

from .api_problems import Problem, problem
from .documents import instant, question
from .values import envelope

if TYPE_CHECKING:
    from statecore.stores import Act, Decided, Waiting

    from .documents import Desk

SATISFIED = "satisfied"
FIELDS: dict[str, type | tuple[type, ...]] = {"word": str, "seen": str, "comment": (str, type(None)), "value": object}
NEEDED = ("word", "seen")
LONGEST_KEY = 200
PREFIX = "sha256:"


@frozen
class WantedDecision:
    """A decision as a request asks for it; `seen` in hex."""

    word: str
    seen: str
    comment: str | None
    value: Any
    key: str | None


def asked(body: Any, key: str | None) -> WantedDecision:
    """The decision that a body asks for. Raises `BadRequest`, which names the parts that are wrong and repeats none."""
    if key is not None and not (0 < len(key) <= LONGEST_KEY and all(" " <= sign <= "~" for sign in key)):
        raise BadRequest(400, f"Idempotency-Key is 1 to {LONGEST_KEY} printable characters of ASCII")
    if not isinstance(body, dict):
        raise BadRequest(422, "the body is a JSON object", (("", "an object is wanted"),))
    wrong = [
        (f"/{pointer(name)}", "the person is the one who is signed in" if name == "by" else "unknown field")
        for name in body
        if name not in FIELDS
    ]
    wrong += [(f"/{name}", "missing") for name in NEEDED if name not in body]
    wrong += [(f"/{name}", "of another type") for name, kind in FIELDS.items() if name in body and not isinstance(body[name], kind)]
    if wrong:
        raise BadRequest(422, "the body does not fit", tuple(wrong))
    return WantedDecision(body["word"], body["seen"].removeprefix(PREFIX), body.get("comment"), value_of(body.get("value")), key)


def pointer(name: str) -> str:
    """A name as a part of a JSON pointer, cut: it comes from outside."""
    return name[:40].replace("~", "~0").replace("/", "~1").encode("ascii", "backslashreplace").decode()


def value_of(given: Any) -> Any:
    """The value of a body: plain, or `{"typed": ...}`, the tagged form of a store. Raises `BadRequest`."""
    if not (isinstance(given, dict) and given.keys() == {"typed"}):
        return given
    try:
        return decode_plain(dumps(given["typed"]))
    except UnreadableValue as error:
        raise BadRequest(422, "the typed value cannot be read", (("/value/typed", error.why),)) from None


def decide(row: Waiting, want: WantedDecision, desk: Desk) -> tuple[int, dict[str, Any]] | Problem:
    """Store a decision: the status and the body of the answer, or the problem. What was stored before is 200 where it is the same."""
    pause, db = row.pause, desk.inbox.db
    try:
        if row.decided is not None:
            return repeated(row, row.decided, want, desk)
        said = desk.inbox.decide(
            pause.run_id, pause.pause_id, want.word, value=want.value, by=desk.person, comment=want.comment,
            idempotency_key=want.key if pause.rule is None else None, seen=want.seen,
        )  # fmt: skip
    except StatecoreError as error:
        now = db.pause(pause.run_id, pause.pause_id) or row
        if isinstance(error, AlreadyDecided) and row.decided is None and now.decided is not None:
            try:
                return repeated(now, now.decided, want, desk)
            except StatecoreError as later:
                return refused(later, now, desk)
        return refused(error, now, desk)
    again = any(same_vote(act, want, desk) for act in standing(row.acts))
    return 200 if again else 201, stored(db.pause(pause.run_id, pause.pause_id) or row, desk, said.votes_say or SATISFIED)


def same_vote(act: Act, want: WantedDecision, desk: Desk) -> bool:
    """Whether a vote that stood before is the one that is sent again: its value was compared by the store."""
    return (act.by, act.word) == (desk.person.name, want.word)


def repeated(row: Waiting, was: Decided, want: WantedDecision, desk: Desk) -> tuple[int, dict[str, Any]]:
    """The answer for a question that is decided: 200 for the same again. Raises `KeyReused`, `AlreadyDecided`, and what `stored_value` raises."""
    pause = row.pause
    same = (was.word, was.by) == (want.word, desk.person.name) and was.seen in (None, want.seen)
    same = same and was.value == stored_value(pause, want.word, want.value)
    if want.key is not None and was.key == want.key and not (same and was.comment == want.comment):
        raise KeyReused(want.key, pause.pause_id)
    if not same:
        raise AlreadyDecided(pause.pause_id, was.word, was.by, clock_text(was.time))
    return 200, stored(row, desk)


def stored(row: Waiting, desk: Desk, votes_say: str = SATISFIED) -> dict[str, Any]:
    """The body for a decision, or a vote, that is stored. A question without an Approval has one vote, which satisfies."""
    document = plain(question(row, desk))
    return {"decision": document["decision"] or plain(own_vote(row, document, desk)), "votes_say": votes_say, "question": document}


def own_vote(row: Waiting, document: dict[str, Any], desk: Desk) -> DecisionDocument | None:
    """The vote of the person, as a decision: the outcome is stored when a worker applies it."""
    act = next((each for each in standing(row.acts) if each.by == desk.person.name), None)
    if act is None:
        return None
    seen = None if act.seen is None else f"{PREFIX}{act.seen}"
    name = document["question_id"]
    return DecisionDocument(
        question_id=name,
        word=act.word or "",
        by=ByDocument(name=act.by, via=act.via),
        at=instant(act.time),
        comment=act.comment,
        value=envelope(act.value, None, typed=desk.typed),
        seen=seen,
    )


def refused(error: StatecoreError, row: Waiting, desk: Desk) -> Problem:
    """The problem of a refusal, with what the person needs to see: the decision that stands, the question to be asked now, the silence."""
    more: dict[str, Any] = {}
    if isinstance(error, AlreadyDecided) and row.decided is not None:
        said = row.decided
        more["decided"] = plain({"word": said.word, "by": ByDocument(name=said.by, via=None), "at": instant(said.time)})
    if isinstance(error, StaleDecision):
        row = newest(desk.inbox.db, row.pause.run_id, row.pause.pause_id) or row
    if isinstance(error, AlreadyDecided | StaleDecision | PauseExpired):
        document = plain(question(row, desk))
        more["question"] = document
        if isinstance(error, PauseExpired):
            more["otherwise"] = document["otherwise"]
    return problem(error, **more)
