"""The list page from the documents of the API: tabs with counts, groups by urgency, and the words of an empty list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from .words import BUTTONS, DONE, HOUR, KINDS, OTHERWISE, UNKNOWN, Say, ago, due, seconds_between

TABS = {
    "open": {"state": "open"},
    "mine": {"state": "open", "mine": "1"},
    "late": {"state": "expired"},
    "decided": {"state": "decided"},
}
"""The tabs, each with what it asks the API for."""
FILTERS = ("workflow", "step", "kind", "run")
PAGE = 50


def asked_of(show: str, given: Mapping[str, str]) -> dict[str, str]:
    """The parameters of the API for a tab, a filter and a page."""
    chosen = {name: given[name] for name in FILTERS if given.get(name)}
    more = {"cursor": given["cursor"]} if given.get("cursor") else {}
    order = {"order": "due"} if show in ("open", "mine") else {}
    return {**TABS[show], **chosen, **order, "limit": str(PAGE), **more}


def address(show: str, given: Mapping[str, str], **more: str) -> str:
    """The address of a tab with the same filter."""
    kept = {name: given[name] for name in FILTERS if given.get(name)}
    return "?" + urlencode({"show": show, **kept, **more})


def counted(count: Mapping[str, Any] | None) -> str:
    """A count: exact, or at least so many."""
    if count is None:
        return ""
    exact = count.get("exact")
    return str(exact) if exact is not None else f"{count.get('at_least')}+"


def tabs(show: str, given: Mapping[str, str], counts: Mapping[str, str], say: Say) -> list[dict[str, Any]]:
    """The tabs with their addresses and counts."""
    labels = {"open": say("Open"), "mine": say("Mine"), "late": say("Late"), "decided": say("Decided")}
    return [
        {"label": labels[name], "query": address(name, given), "here": name == show, "count": counts.get(name)} for name in TABS
    ]


def row_of(item: Mapping[str, Any], now: datetime, say: Say) -> dict[str, Any]:
    """A row of the list."""
    look = KINDS.get(item["kind"], UNKNOWN)
    is_open, mine = item["state"] == "open", bool(item.get("mine"))
    soon = is_open and item.get("due_at") is not None and -seconds_between(item["due_at"], now) < HOUR
    votes = item.get("votes")
    return {
        **item,
        "icon": "clock" if item["state"] == "expired" else look.icon,
        "kind_label": say(look.label),
        "age": ago(item["asked_at"], now, say),
        "due": due(item["due_at"], now, say) if item.get("due_at") and item["state"] in ("open", "expired") else None,
        "due_cls": "late" if soon else "",
        "cls": "late" if soon else "mine" if mine else "gone" if not is_open else "",
        "votes": say("{n} of {of} confirmed").format(n=votes["confirmed"], of=votes["needed"]) if votes else None,
        "end": ended(item, say),
        "group": "late"
        if item["state"] == "expired"
        else item["state"]
        if not is_open
        else "soon"
        if soon
        else "mine"
        if mine
        else "all",
    }


def ended(item: Mapping[str, Any], say: Say) -> str | None:
    """The end of a question that cannot be decided any more."""
    decision = item.get("decision")
    if decision:
        by = decision.get("by") or {}
        return f"{say(DONE.get(decision['word'], decision['word']))} {say('by')} {by.get('name') or say('somebody')}"
    if item["state"] == "expired":
        word = (item.get("otherwise") or {}).get("word")
        return say("{end} when a worker takes it up").format(end=say(OTHERWISE[word])) if word in OTHERWISE else say("closed")
    return None


def groups(rows: Sequence[Mapping[str, Any]], say: Say) -> list[dict[str, Any]]:
    """The rows by urgency, in the order in which they are read."""
    has_mine = any(row["group"] == "mine" for row in rows)
    labels = {
        "soon": say("Due within the hour"),
        "mine": say("For you"),
        "all": say("For others") if has_mine else say("Open questions"),
        "late": say("Too late to decide"),
        "decided": say("Decided"),
        "superseded": say("Asked again"),
        "withdrawn": say("Not asked any more"),
    }
    found = ({"label": label, "rows": [row for row in rows if row["group"] == name]} for name, label in labels.items())
    return [group for group in found if group["rows"]]


def last_words(item: Mapping[str, Any] | None, now: datetime, say: Say) -> str | None:
    """The last decision, by whom and when: for a list in which nothing is open."""
    decision = (item or {}).get("decision")
    if not decision:
        return None
    by = (decision.get("by") or {}).get("name") or say("a person")
    label = say(DONE.get(decision["word"], decision["word"])) if decision["word"] in BUTTONS else decision["word"]
    return say("The last decision: {word} by {by}, {ago}.").format(word=label, by=by, ago=ago(decision["at"], now, say))
