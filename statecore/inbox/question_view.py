"""The question page from the document of the API: the question, what it is about, the answers, where its run is, and the consequence of a decision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from statecore.asking.text import short
from statecore.lifecycles import BY_WORD
from statecore.lifecycles.decisions import EDIT, PROVIDE

from .fields import Control, controls
from .values_shown import as_text, difference, shown
from .words import BUTTONS, DONE, KINDS, OTHERWISE, OVER, STATUS, UNKNOWN, Button, Say, ago, clock_of, due, instant, lasting

HEAD = 200
LONG = 90
"""A question with more signs is set smaller."""
PATIENCE = 8.0
"""After so many seconds the page says that no worker took a run up."""
FOLDED = 8
"""Of a longer list of steps that are done, the first ones are folded."""


def question_of(doc: Mapping[str, Any], now: datetime, say: Say) -> dict[str, Any]:
    """The question in words, and everything that is shown with it."""
    look = KINDS.get(doc["kind"], UNKNOWN)
    message = doc.get("message") or doc.get("title") or ""
    head, _, rest = message.partition("\n")
    if len(head) > HEAD:
        head, rest = doc["title"], message
    review = doc.get("review") or {}
    before = (review.get("previous") or {}).get("plain")
    after = (review.get("output") or {}).get("plain")
    votes = doc.get("votes")
    return {
        **{
            name: doc.get(name) for name in ("question_id", "run_id", "workflow", "step", "requester", "asked_at", "due_at", "seen")
        },
        "run_short": short(doc["run_id"]),
        "kind_label": say(look.label),
        "head": head or doc["title"],
        "rest": rest.strip("\n"),
        "long": len(head) > LONG,
        "age": ago(doc["asked_at"], now, say),
        "due": due(doc["due_at"], now, say) if doc.get("due_at") else None,
        "again": again_of(doc),
        "diff": difference(before, after) if before is not None and after is not None else [],
        "feedback": feedback_of(review),
        "shown": shown_of(doc, say),
        "error": error_of(doc.get("error")),
        "votes": votes,
        "pips": [number < votes["confirmed"] for number in range(min(votes["needed"], 10))] if votes else [],
        "votes_say": text_of(votes.get("says")) if votes else None,
        "votes_cast": [vote_line(each, say) for each in doc.get("votes_cast") or ()],
        "rule": text_of(doc.get("rule")),
        "has_file": '"byte"' in repr(doc.get("form")).replace("'", '"'),
    }


def vote_line(vote: Mapping[str, Any], say: Say) -> dict[str, Any]:
    """A vote: the person, the word, and why it counts no more."""
    word = say(DONE.get(vote["word"], vote["word"]))
    return {
        "who": (vote.get("by") or {}).get("name"),
        "word": word,
        "at": vote["at"],
        "cls": "on" if vote.get("counts") else "soft",
        "why": text_of(vote.get("lapsed")),
    }


def again_of(doc: Mapping[str, Any]) -> str | None:
    """Why a question is put again, as far as the document says it."""
    again = doc.get("put_again")
    return again.get("text") if isinstance(again, Mapping) else again


def feedback_of(review: Mapping[str, Any]) -> str | None:
    """The words with which the attempt before was sent back."""
    said = review.get("feedback")
    if isinstance(said, Mapping):
        said = said.get("plain", said.get("text"))
    return None if said is None else as_text(said)


def shown_of(doc: Mapping[str, Any], say: Say) -> list[dict[str, Any]]:
    """The values that a question is about, with their headings."""
    labels = {"output_of": say("Output of the step before"), "input": say("Input of the run"), "output": say("Output under review")}
    parts = [
        {"label": labels.get(part["name"], part["name"]), "step": part.get("step"), "value": shown(part["value"])}
        for part in doc.get("shown") or ()
    ]
    review, call = doc.get("review"), doc.get("tool_call")
    if review and not any(part["name"] == "output" for part in doc.get("shown") or ()):
        parts.insert(0, {"label": labels["output"], "step": None, "value": shown(review["output"])})
    if call:
        parts.insert(
            0, {"label": say("The call of {name}").format(name=call["name"]), "step": None, "value": shown(call["arguments"])}
        )
    return parts


def error_of(error: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """A failure: its type, its sentence, the frame, and the traceback where the document has it."""
    if error is None:
        return None
    frame = error.get("frame")
    return {
        "type": error.get("type") or "",
        "text": error.get("text") or "",
        "frame": frame if isinstance(frame, str | None) else " ".join(str(part) for part in frame.values()),
        "traceback": error.get("traceback"),
    }


# -- answers -------------------------------------------------------------------------------------------------------------------------


def answers_of(doc: Mapping[str, Any], say: Say) -> list[dict[str, Any]]:
    """The buttons: a sign, a word and where it leads. All have the same size."""
    found = []
    for answer in doc.get("answers") or ():
        word = answer["word"]
        button = BUTTONS.get(word, Button(word, "send"))
        open_to = answer.get("open_to_you", True)
        found.append(
            {
                "word": word,
                "label": say(button.labels.get(doc["kind"], button.label)),
                "icon": button.icon,
                "cls": button.cls,
                "leads_to": (answer.get("leads_to") or {}).get("text") or "",
                "closed": None if open_to else text_of(answer.get("why_not")) or say("not open to you"),
            }
        )
    return found


def text_of(said: Any) -> str | None:
    """The text of a sentence of the API."""
    return said.get("text") if isinstance(said, Mapping) else said


def fields_of(doc: Mapping[str, Any], said: Mapping[str, list[str]] | None, say: Say) -> list[Control]:
    """The controls of the form, or of the choice."""
    return controls(schema_of(doc), said, say("Your answer"))


def schema_of(doc: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The schema of the value that is asked for: a form without fields takes any object, a question without choices a text."""
    if doc.get("form") is not None:
        form: Mapping[str, Any] = doc["form"]
        return form
    carried = {BY_WORD[each["word"]].carries for each in doc.get("answers") or () if each["word"] in BY_WORD}
    return {"type": "object"} if "form" in carried else {"type": "string", "multiline": True} if "reply" in carried else None


def extras_of(doc: Mapping[str, Any], said: Mapping[str, list[str]] | None, say: Say) -> list[dict[str, Any]]:
    """The texts that an answer may carry instead: an edited output or input, an output given by hand."""
    found = []
    labels = {EDIT.word: say("Edit it before it goes on"), PROVIDE.word: say("Give the output by hand")}
    for answer in doc.get("answers") or ():
        word = answer["word"]
        if word not in BY_WORD or BY_WORD[word].carries != "value" or not answer.get("open_to_you", True):
            continue
        begun = editable(doc, word)
        given = (said or {}).get(word)
        text = given[0] if given else as_text(begun) if begun is not None else ""
        is_text = isinstance(begun, str)
        field = Control(
            f"x-{word}", word, say("Text") if is_text else say("Value, as JSON or as text"), "textarea", value=text, rows=6
        )
        field.code, field.required, field.pointer = not is_text, True, "/value"
        found.append({"label": labels.get(word, word), "field": field, "open": bool(given and given[0] != as_text(begun or ""))})
    return found


def editable(doc: Mapping[str, Any], word: str) -> Any:
    """The value that an edit begins with; None where there is none to show."""
    if word != EDIT.word:
        return None
    if doc.get("review"):
        return (doc["review"].get("output") or {}).get("plain")
    values = {part["name"]: part["value"] for part in doc.get("shown") or ()}
    return next((values[name].get("plain") for name in ("output_of", "input") if name in values), None)


def comment_of(doc: Mapping[str, Any], text: str, why: str | None, say: Say) -> Control:
    """The field of the comment, with the use of it."""
    words = {answer["word"]: answer.get("takes") or {} for answer in doc.get("answers") or ()}
    needed = [word for word, takes in words.items() if takes.get("comment") == "required"]
    feedback = any(takes.get("value") == "feedback" for takes in words.values())
    hint = say("With a no, the next attempt is given these words.") if feedback else say("Stored with your decision.")
    made = Control("c", "comment", say("Comment"), "textarea", value=text, required=False, hint=hint, why=why, pointer="/comment")
    if needed:
        made.note = say("needed to {words}").format(words=", ".join(needed))
    return made


def otherwise_of(doc: Mapping[str, Any], say: Say) -> dict[str, Any]:
    """The consequence of silence, and its time."""
    other = doc.get("otherwise")
    if not other:
        return {"at": None, "text": say("Nothing happens until a person answers.")}
    leads = text_of(other.get("leads_to")) or say(OTHERWISE.get(other["word"], other["word"]))
    return {"at": other["at"], "text": leads.rstrip(".")}


# -- where the run is ------------------------------------------------------------------------------------------------------------------


def steps_of(position: Sequence[Mapping[str, Any]], say: Say, *, decided: bool = False) -> list[dict[str, Any]]:
    """The steps of a run as a list: those done, the one that asks, those ahead; a fold says how many it hides.

    The last one of those that are `here` asks, for the components around it are here, too.
    """
    here = max((number for number, each in enumerate(position) if each.get("state") == "here"), default=-1)
    found = []
    for number, each in enumerate(position):
        state = each.get("state") or "ahead"
        word = say("is under way") if state in ("here", "running") else "" if state in ("done", "ahead") else say(state)
        if number == here:
            word = say("is decided") if decided else say("waits for a decision")
        found.append(
            {
                "cls": "here" if number == here else "" if state in ("here", "running", "ahead") else "done",
                "name": each.get("name") or each["address"],
                "say": word,
                "asks": number == here and not decided,
                "at": each.get("at"),
                "clock": clock_of(each["at"]) if each.get("at") else None,
            }
        )
    done = [each for each in found if each["cls"] == "done"]
    if len(done) > FOLDED:
        cut = len(done) - FOLDED // 2
        fold = {"cls": "done", "name": say("{n} steps are done").format(n=cut), "say": "", "asks": False, "at": None, "clock": None}
        gone = {id(each) for each in done[:cut]}
        found = [fold, *(each for each in found if id(each) not in gone)]
    return found


def history_of(doc: Mapping[str, Any], say: Say) -> list[dict[str, Any]]:
    """The history of a question, in order."""
    rule = text_of(doc.get("rule"))
    entries = [event(doc["asked_at"], say("Asked of {rule}").format(rule=rule) if rule else say("Asked of all who can sign in"))]
    entries += [decided_line(each, say) for each in doc.get("votes_cast") or ()]
    if doc.get("decision") and not doc.get("votes_cast"):  # the votes are the decision
        entries.append(decided_line(doc["decision"], say))
    if doc["state"] == "expired" and doc.get("due_at"):
        entries.append(event(doc["due_at"], say("The deadline passed")))
    return entries


def event(at: str, text: str, quote: str | None = None) -> dict[str, Any]:
    """A line of a history."""
    return {"at": at, "clock": clock_of(at), "text": text, "quote": quote}


def decided_line(decision: Mapping[str, Any], say: Say) -> dict[str, Any]:
    """The line of a decision: the person, the word, and the comment."""
    by = (decision.get("by") or {}).get("name") or say("a person")
    return event(decision["at"], f"{by}: {say(DONE.get(decision['word'], decision['word']))}", decision.get("comment"))


# -- after the decision ------------------------------------------------------------------------------------------------------------------


def after_of(doc: Mapping[str, Any], run: Mapping[str, Any] | None, now: datetime, say: Say) -> dict[str, Any]:
    """The end of a question that takes no answer any more: the decision, and its consequence (INBOX-11)."""
    view: dict[str, Any] = {
        "head": say("What happens now"),
        "facts": [],
        "texts": [],
        "poll": False,
        "new_id": doc.get("superseded_by"),
    }
    decision = doc.get("decision")
    if decision:
        view["head"] = say("Decided")
        by = (decision.get("by") or {}).get("name") or say("a person")
        view["facts"] = [
            (say("Decision"), say(DONE.get(decision["word"], decision["word"])), None),
            (say("By"), by, None),
            (say("Stored"), f"{instant(decision['at']):%H:%M:%S}", decision["at"]),
            *([(say("Comment"), decision["comment"], None)] if decision.get("comment") else []),
        ]
        view["texts"], view["poll"] = led_to(doc, decision, run, now, say)
    elif doc["state"] == "expired":
        view["texts"] = [expired_words(doc, now, say)]
    elif doc["state"] == "superseded":
        view["texts"] = [say("The question was asked again, because what it leads to has changed.")]
    else:
        view["texts"] = [say("The question is not asked any more: its run went on without it.")]
    return view


def expired_words(doc: Mapping[str, Any], now: datetime, say: Say) -> str:
    """Why it is too late, and the consequence."""
    other = doc.get("otherwise") or {}
    end = text_of(other.get("leads_to")) or say(OTHERWISE.get(other.get("word", ""), other.get("word", "")))
    waited = lasting((now - instant(doc["due_at"])).total_seconds(), say)
    text = say("It is too late to decide. When a worker takes the run up: {end}. None has in these {waited}.")
    return text.format(end=end.rstrip("."), waited=waited)


def led_to(
    doc: Mapping[str, Any], decision: Mapping[str, Any], run: Mapping[str, Any] | None, now: datetime, say: Say
) -> tuple[list[str], bool]:
    """The consequence of a decision, from the row of its run, and whether more is to come."""
    leads = next((text_of(each["leads_to"]) for each in doc.get("answers") or () if each["word"] == decision["word"]), None)
    texts = [say("It leads to: {leads}.").format(leads=leads.rstrip("."))] if leads else []
    if run is None:
        return texts, False
    if is_waiting(run, decision):
        waited = (now - instant(decision["at"])).total_seconds()
        text = say("Waiting for a worker to take the run up.")
        if waited >= PATIENCE:
            text = say(
                "Not taken up for {time}: no worker of {workflow} took it. The decision is stored, and counts when one does."
            )
        return [*texts, text.format(time=lasting(waited, say), workflow=f"'{run['workflow']}'")], True
    text = say("Taken up. The run {status}.").format(status=say(STATUS.get(run["status"], run["status"])))
    return [*texts, text], run["status"] in ("running", "pending")


def is_waiting(run: Mapping[str, Any], decision: Mapping[str, Any]) -> bool:
    """Whether no executor has taken a run up since a decision was stored."""
    taken = run.get("taken_up_at")
    return run["status"] not in OVER and (taken is None or instant(taken) < instant(decision["at"]))
