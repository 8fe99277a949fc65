"""The rest of a run in memory after an erasure: the same fields go as in tables, and nothing is kept of them, for there is no chain (P28)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import evolve

from statecore.core import DECISIONS
from statecore.lifecycles import SHOWS
from statecore.lifecycles import words as w

from .detail import detail_of, detail_text
from .endings import ERASED_FORM, ERASED_TEXT, ERASED_VALUE, What
from .naming import parted

if TYPE_CHECKING:
    from collections.abc import Collection

    from .acts import Act
    from .kept import Kept
    from .records import Decided, Entry, Pause

BY_PERSON = frozenset(trigger for words in DECISIONS.values() for trigger in words.values())
PRIVATE = ("error", "comment", "where", "traceback", "media", "session", "adopted_by", "lapsed", "late", "left")
MIXED = frozenset({"output", "comment", "by", "error", "session"})


def blank(kept: Kept, what: What) -> int:
    """Take the fields of an order out of a run; how many texts went."""
    before = texts_of(kept)
    blank_rows(kept, what)
    blank_acts(kept, what)
    if what.step is None:
        blank_run(kept, what.fields)
    return sum(was != now for was, now in zip(before, texts_of(kept), strict=True))


def texts_of(kept: Kept) -> list[str | None]:
    """Every text of a run that an erasure may take, in a fixed order."""
    who = kept.identity
    found = [
        kept.session_state,
        kept.cancel_by,
        who.session_id,
        who.user_id,
        who.input,
        who.additional_data,
        who.metadata,
        who.requester,
    ]
    for entry in kept.entries:
        found += entry.body
    for pause in kept.pauses.values():
        found += (pause.message, pause.detail, pause.rule, *pause.deciders)
    for decided in kept.decisions.values():
        found += (decided.value, decided.by, decided.comment)
    for act in (act for acts in kept.acts.values() for act in acts):
        found += (act.value, act.by, act.comment)
    return found


def blank_rows(kept: Kept, what: What) -> None:
    """Take the fields of an order out of the rows of a run, its questions and its decisions."""
    kept.entries = [entry_left(entry, what) for entry in kept.entries]
    kept.pauses = {pause_id: pause_left(pause, what) for pause_id, pause in kept.pauses.items()}
    kept.decisions = {pause_id: decision_left(each, kept.pauses[pause_id], what) for pause_id, each in kept.decisions.items()}


def blank_acts(kept: Kept, what: What) -> None:
    """Take the fields of an order out of what people did about the questions of a run."""
    for pause_id, acts in kept.acts.items():
        pause = kept.pauses[pause_id]
        kept.acts[pause_id] = tuple(act_left(act, pause, what) for act in acts)


def blank_run(kept: Kept, gone: Collection[str]) -> None:
    """Take fields out of a run as a whole."""
    if "by" in gone and kept.cancel_by is not None:
        kept.cancel_by = ERASED_TEXT
    if "session" in gone:
        kept.session_state = "{}"
    given: dict[str, Any] = dict.fromkeys(("input", "additional_data", "metadata"), ERASED_VALUE) if "input" in gone else {}
    user: dict[str, Any] = {"user_id": ERASED_TEXT} if "user" in gone and kept.identity.user_id is not None else {}
    if "user" in gone and kept.identity.requester is not None:
        user["requester"] = ERASED_TEXT
    session: dict[str, Any] = {"session_id": ERASED_TEXT} if "session" in gone else {}
    kept.identity = evolve(kept.identity, **given, **user, **session)


def entry_left(entry: Entry, what: What) -> Entry:
    """A row of a journal without the fields of an order."""
    if not what.is_of(entry.at):
        return entry
    detail, value = entry.body
    fields = {"output", "form"} if entry.trigger in BY_PERSON else {"output"}
    if value is not None and entry.trigger != w.select and what.fields & fields:
        value = ERASED_VALUE
    return entry._replace(body=entry.body._replace(detail=detail_left(detail, what), value=value))


def detail_left(text: str, what: What) -> str:
    """The particulars of a row without the fields of an order."""
    said = detail_of(text)
    private = [name for name in PRIVATE if getattr(said, name)]
    if "by" in what.fields and said.by is not None:
        said = said._replace(by=ERASED_TEXT)
    goes = private in (["error"], ["comment"]) and private[0] in what.fields
    if private and (goes or (private not in (["error"], ["comment"]) and what.fields & MIXED)):
        failed = said.error is not None
        gone: dict[str, Any] = dict.fromkeys(private) | {"more": {}, "error" if failed else "comment": ERASED_TEXT}
        said = said._replace(**gone)
    return detail_text(said)


def pause_left(pause: Pause, what: What) -> Pause:
    """A question without the fields of an order."""
    if not what.is_of(pause.at):
        return pause
    tells = SHOWS[pause.kind] == "error" and "error" in what.fields
    if "by" in what.fields and pause.rule is not None:
        pause = evolve(pause, rule=parted(pause)[0], deciders=tuple(ERASED_TEXT for _ in pause.deciders))
    message = ERASED_TEXT if "message" in what.fields and pause.message is not None else pause.message
    return evolve(pause, message=message, detail=ERASED_FORM if pause.detail and ("form" in what.fields or tells) else pause.detail)


def decision_left(decided: Decided, pause: Pause, what: What) -> Decided:
    """A decision without the fields of an order."""
    if not what.is_of(pause.at):
        return decided
    value = decided.value is not None and SHOWS[pause.kind] != "choices" and what.fields & {"form", "output"}
    return evolve(
        decided,
        value=ERASED_VALUE if value else decided.value,
        by=ERASED_TEXT if "by" in what.fields and decided.by is not None else decided.by,
        comment=ERASED_TEXT if "comment" in what.fields and decided.comment is not None else decided.comment,
    )


def act_left(act: Act, pause: Pause, what: What) -> Act:
    """A vote, or another act, without the fields of an order."""
    if not what.is_of(pause.at):
        return act
    value = act.value is not None and SHOWS[pause.kind] != "choices" and what.fields & {"form", "output"}
    return evolve(
        act,
        value=ERASED_VALUE if value else act.value,
        by=ERASED_TEXT if "by" in what.fields and act.by is not None else act.by,
        comment=ERASED_TEXT if "comment" in what.fields and act.comment is not None else act.comment,
    )
