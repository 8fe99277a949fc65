"""Why nothing was stored, on the page of the question: beside the field that is wrong, or at the head of the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .fields import Control
from .sending import Said, first
from .words import DONE, Say, instant

CONFLICT, WRONG = 409, 422


def whys_of(problem: Mapping[str, Any] | None, fields: Sequence[Control]) -> dict[str, str]:
    """The reasons of a refusal by the pointer of what is refused; a reason about the whole value that names a field is that field's."""
    found = {}
    for each in (problem or {}).get("fields") or ():
        text, pointer = each["text"], each.get("pointer") or ""
        if pointer == "/value":
            named = [field.pointer for field in fields if text.startswith(field.label) and field.pointer.startswith("/value/")]
            pointer = max(named, key=len, default=pointer)
        found[pointer] = text
    return found


def told(fields: list[Control], whys: Mapping[str, str], word: str) -> None:
    """Give each control the reason why its value was refused."""
    for field in fields:
        if field.id.startswith("x-") and field.name != word:
            continue
        mine = [why for pointer, why in whys.items() if pointer == field.pointer or pointer.startswith(f"{field.pointer}/")]
        field.why = mine[0] if mine and (field.pointer != "/value" or field.id in ("f0", f"x-{word}")) else None


def refusal(doc: Mapping[str, Any], problem: Mapping[str, Any], said: Said, fields: list[Control], say: Say) -> dict[str, Any]:
    """Why nothing was stored, for the head of the page, with the comment to copy where it is not in a form any more."""
    status, bad = problem["status"], [field for field in fields if field.why]
    texts = [each["text"] for each in problem.get("fields") or () if not bad]
    is_open = any(answer.get("open_to_you", True) for answer in doc.get("answers") or ())
    decided = problem.get("decided") or (doc.get("decision") if status == CONFLICT else None)
    view = {"cls": "no", "icon": "error", "head": say("Nothing was stored"), "texts": texts, "fields": bad, "comment": None}
    if status == WRONG:
        view["head"] = say("Something needs another value. Nothing was stored")
        view["texts"] = texts or ([] if bad else [problem.get("detail") or ""])
    elif status == CONFLICT and is_open:
        head = say("The question changed while you looked at it. Your answer was not stored")
        view |= {"cls": "here", "icon": "loop", "head": head, "texts": [say("Below is what is asked now. Your comment is kept.")]}
    elif decided:
        by = decided.get("by")
        name = by.get("name") if isinstance(by, Mapping) else by
        head = say("{name} was faster: {word} at {at} UTC").format(
            name=name or say("A person"),
            word=say(DONE.get(decided["word"], decided["word"])),
            at=f"{instant(decided['at']):%H:%M:%S}",
        )
        view |= {"cls": "yes", "icon": "done", "head": head, "texts": [say("Your answer came later and was not stored.")]}
    elif doc["state"] == "expired":
        view |= {"cls": "due", "icon": "clock", "head": say("It was too late. Your answer was not stored")}
    else:
        view["texts"] = [problem.get("detail") or problem.get("title") or ""]
    if not is_open:
        view["comment"] = first(said, "comment") or None
    return view
