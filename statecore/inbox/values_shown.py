"""Values on a page: a small mapping as a list of names, other values as indented JSON, texts as they are, the rest as a download (INBOX-12).

It takes the envelopes of the API, in which a value is plain, cut, erased, secret, or bytes of a media type.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

ENTRIES = 20
"""A mapping with as many plain entries at most is a list of names."""
SHORT = 600
"""A text as long at most stands in a paragraph."""
PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
MOST_PICTURE = 5 << 20
COMPARED = 2_000
"""Of texts with more lines no difference is shown."""
WORD = re.compile(r"\s+|[^\s]+")
KB = 1_024


def shown(envelope: Mapping[str, Any] | None) -> dict[str, Any]:
    """The view of a value: its shape, and the text, the entries or the address that belong to it."""
    if envelope is None:
        return {"shape": "nothing", "erased": None, "secret": False}
    view = {
        "erased": envelope.get("erased"),
        "secret": envelope.get("secret"),
        "media_type": envelope.get("media_type") or "",
        "href": envelope.get("href"),
        "size": sized(envelope.get("bytes") or 0),
    }
    if view["erased"] or view["secret"]:
        return {**view, "shape": "nothing"}
    if view["media_type"] in PICTURES and view["href"] and (envelope.get("bytes") or 0) <= MOST_PICTURE:
        return {**view, "shape": "picture"}
    if envelope.get("cut") or (envelope.get("plain") is None and view["href"]):
        return {**view, "shape": "away"}
    return {**view, **shape_of(envelope.get("plain"))}


def shape_of(plain: Any) -> dict[str, Any]:
    """The shape of a plain value, with what is shown of it."""
    if plain is None:
        return {"shape": "nothing"}
    if isinstance(plain, Mapping) and 0 < len(plain) <= ENTRIES and all(is_entry(each) for each in plain.values()):
        return {"shape": "facts", "facts": [(name, entry(each)) for name, each in plain.items()]}
    if isinstance(plain, str):
        return {"shape": "text" if len(plain) <= SHORT else "long", "text": plain}
    return {"shape": "text", "text": entry(plain)} if is_entry(plain) else {"shape": "long", "text": written(plain)}


def is_entry(value: Any) -> bool:
    """Whether a value fits a line: no list, no mapping, no text of several lines."""
    return not isinstance(value, Mapping | list) and not (isinstance(value, str) and ("\n" in value or len(value) > SHORT))


def entry(value: Any) -> str:
    """A value of one line: yes and no for people."""
    if value is None:
        return "—"
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def written(plain: Any) -> str:
    """A value as indented JSON."""
    return json.dumps(plain, indent=2, ensure_ascii=False)


def as_text(plain: Any) -> str:
    """A value as the text that a person edits."""
    return plain if isinstance(plain, str) else written(plain)


def sized(number: int) -> str:
    """A size for people."""
    if number < KB:
        return f"{number} B"
    return f"{number / KB:,.0f} kB" if number < KB * KB else f"{number / KB / KB:,.1f} MB"


# -- the difference from the attempt before -----------------------------------------------------------------------------------------


def difference(before: Any, after: Any) -> list[dict[str, Any]]:
    """The lines of two values: those that stayed, went and came, with the words that differ marked; empty where they are equal or too long."""
    old, new = as_text(before).split("\n"), as_text(after).split("\n")
    if old == new or max(len(old), len(new)) > COMPARED:
        return []
    return list(changes(old, new))


def changes(old: list[str], new: list[str]) -> Iterator[dict[str, Any]]:
    """The changes from some lines to others."""
    for how, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if how == "equal":
            yield from ({"how": "same", "text": line or " "} for line in old[a:b])
            continue
        gone, come = old[a:b], new[c:d]
        for number in range(max(len(gone), len(come))):
            left = gone[number] if number < len(gone) else None
            right = come[number] if number < len(come) else None
            if left is not None:
                yield {"how": "del", "words": words_of(left, right)}
            if right is not None:
                yield {"how": "ins", "words": words_of(right, left)}


def words_of(line: str, other: str | None) -> list[dict[str, Any]]:
    """The words of a line, those marked that the other line has not."""
    words = WORD.findall(line)
    if other is None:
        return [{"text": line or " ", "marked": False}]
    matcher = difflib.SequenceMatcher(None, words, WORD.findall(other), autojunk=False)
    return [{"text": "".join(words[a:b]), "marked": how != "equal"} for how, a, b, _, _ in matcher.get_opcodes() if b > a]
