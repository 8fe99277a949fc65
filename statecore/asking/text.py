"""Texts of unknown origin, lengths of time and ids, as people read them on any surface: nothing here drives a terminal."""

from __future__ import annotations

import time
import unicodedata
from typing import Any

UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories that move the cursor, change direction or show nothing."""

NAME_WIDTH, TEXT_WIDTH = 40, 100
LONGEST = 2_000
UUID_LENGTH, SHORT = 36, 8


def clean(text: object, width: int | None = None) -> str:
    """Text of unknown origin as one line of visible signs: controls, escapes and marks of direction are spelt out.

    It is cut at its end to a `width`; without one, where it is longer than anybody reads, in its middle, so that a message keeps its advice.
    """
    raw = str(text)
    if width is None and len(raw) > LONGEST:
        raw = f"{raw[: LONGEST * 3 // 4]} [...] {raw[-LONGEST // 4 :]}"
    seen = raw if width is None else raw[: width + 1]
    spelt = "".join(spell(sign) if unicodedata.category(sign) in UNPRINTABLE else sign for sign in seen)
    return spelt if width is None or len(spelt) <= width else spelt[: width - 3] + "..."


def named(name: str) -> str:
    """A name that users gave, short enough for a sentence."""
    return clean(name, NAME_WIDTH)


def spell(sign: str) -> str:
    """An invisible sign as Python writes it."""
    return sign.encode("unicode_escape").decode("ascii")


def brief(value: Any, width: int = TEXT_WIDTH) -> str:
    """A value in one line: text as it is, anything else as Python writes it."""
    return clean(value if isinstance(value, str) else repr(value), width)


def short(run_id: str) -> str:
    """A run's id as people type it: its beginning where it is a UUID."""
    is_uuid = len(run_id) == UUID_LENGTH and run_id.count("-") == 4  # noqa: PLR2004  # the four dashes of a UUID
    return run_id[:SHORT] if is_uuid else clean(run_id)


def since(micros: int) -> str:
    """How long ago an instant was, roughly."""
    return lasting(time.time() - micros / 1_000_000)


def lasting(seconds: float) -> str:
    """A length of time, roughly."""
    seconds = max(0, int(seconds))
    for size, word in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {word}"
    return f"{seconds} s"
