"""The rules of public English, as functions of a text: which sentences have a subject that is no thing, and which lines are too wide.

A text is looked at without its code: fenced and indented blocks are left out, and a code span is one word. So is a link to a file of Python,
whose text is the name of a test; any other link is its text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

WIDTH = 120
PERSONS = r"whoever|whomever|nobody|somebody|anybody|everybody|someone|anyone|everyone|no one"
"""Pronouns for people: the text names the person, the process or the caller instead."""

CLAUSE = r"(?:^|[.;:!?]\s+|\(|,\s+(?:and|but|so|or|for|while|since|because|then|nor)\s+)"
"""Where a clause begins."""

SUBJECT = re.compile(rf"{CLAUSE}(?P<word>who|what|whatever|whichever)\b(?!\s+if\b)(?P<rest>[^.?!]*[?]?)", re.IGNORECASE)
PERSON = re.compile(rf"\b(?P<word>{PERSONS})\b", re.IGNORECASE)
FENCE = re.compile(r"^```.*?^```[^\n]*$", re.MULTILINE | re.DOTALL)
ABBREVIATED = re.compile(r"\b(e\.g|i\.e|etc|vs)\.")


def faults(text: str) -> list[str]:
    """The words of a text that stand as a subject and may not, each with the words after it. A question may begin with who or what."""
    found = []
    for block in prose(text):
        found += [shown(block, each.start("word")) for each in PERSON.finditer(block)]
        found += [shown(block, each.start("word")) for each in SUBJECT.finditer(block) if not each["rest"].endswith("?")]
    return found


def misused(text: str, instead: Mapping[str, str]) -> list[str]:
    """The private words of a text, each with the word to use instead. A key is a regular expression."""
    return [
        f"{shown(block, found.start())} -> {word}"
        for block in prose(text)
        for pattern, word in instead.items()
        for found in re.finditer(rf"\b(?:{pattern})\b", block, re.IGNORECASE)
    ]


def wide(text: str) -> list[str]:
    """The lines of prose of a page that are too wide; tables, code and a line that is one link are as wide as they are."""
    lines = FENCE.sub("", text).splitlines()
    return [line for line in lines if len(line) > WIDTH and not line.startswith(("|", "    ", "![", "> "))]


def prose(text: str) -> Iterator[str]:
    """The paragraphs, headings, list items and table cells of a text, each on one line and without code."""
    for block in re.split(r"\n\s*\n", FENCE.sub("\n\n", text)):
        lines = [line for line in block.splitlines() if not line.startswith("    ")]
        for part in re.split(r"\n(?=\s*(?:[*|#-]|\d+\.)\s?)", "\n".join(lines)):
            for cell in part.split("|") if part.lstrip().startswith("|") else [part]:
                yield plain(cell)


def plain(text: str) -> str:
    """A piece of prose as words: no marks of Markdown, a code span as one word, abbreviations without their points."""
    text = re.sub(r"`+[^`]*`+", "CODE", text)
    text = re.sub(r"\[[^\]]*\]\([^)]*\.py\)", "CODE", text)
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = ABBREVIATED.sub(lambda found: found[1].replace(".", ""), text)
    text = re.sub(r"^\s*(?:[*#>-]+|\d+\.)\s+", "", text)
    return " ".join(re.sub(r"\*+|_(?=\w)|(?<=\w)_", "", text).split())


def shown(block: str, at: int) -> str:
    """Some words of a text from a place on."""
    return " ".join(block[at:].split()[:7])
