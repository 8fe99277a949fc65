"""Texts of strangers on a page: a sign that prints nothing or turns the text around is shown by its name (INBOX-8).

Autoescape makes text of markup. It does not help against U+202E, which shows another payee than is stored, nor against signs that one
cannot see: each of them becomes a small box with its name.
"""

from __future__ import annotations

import unicodedata
from typing import Any

from markupsafe import Markup, escape

from statecore.asking.text import UNPRINTABLE

BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Letters and marks that print nothing, whatever their category."""
VARIANTS = (range(0xFE00, 0xFE0E), range(0xE0100, 0xE01F0), range(0x180B, 0x1810))
"""Selectors of variants, which print nothing; the two that choose between text and picture are left as they are."""
MOST = 2_000
"""The most signs of a name or of a line."""
LINES = "\n\t"


def is_odd(sign: str, kept: str = "") -> bool:
    """Whether a sign is not seen where it stands, or moves others."""
    if sign in kept or (sign.isascii() and sign.isprintable()):
        return False
    return unicodedata.category(sign) in UNPRINTABLE or sign in BLANK or any(ord(sign) in each for each in VARIANTS)


def sign_name(sign: str) -> str:
    """The name of a sign: its number, and its name in Unicode where it has one."""
    return f"U+{ord(sign):04X} {unicodedata.name(sign, '')}".strip()


def marked(text: str, kept: str = "") -> Markup:
    """A text as markup, each odd sign in a box with its name."""
    if not any(is_odd(sign, kept) for sign in text):
        return escape(text)
    parts = (Markup('<span class="odd">{}</span>').format(sign_name(sign)) if is_odd(sign, kept) else escape(sign) for sign in text)
    return Markup("").join(parts)


def shortened(given: Any) -> str:
    """A text without its middle where it is longer than one reads."""
    text = str(given)
    return text if len(text) <= MOST else f"{text[: MOST * 3 // 4]} [...] {text[-MOST // 4 :]}"


def as_text(given: Any) -> Markup:
    """A name or a sentence, in one line."""
    return marked(shortened(given))


def as_lines(given: Any) -> Markup:
    """A text with its line ends, whole."""
    return marked(str(given).replace("\r\n", "\n"), LINES)


def as_line(given: Any) -> str:
    """A text for an attribute or a title, where no markup can be: odd signs by name, in brackets."""
    return "".join(f"[{sign_name(sign)}]" if is_odd(sign) else sign for sign in shortened(given))
