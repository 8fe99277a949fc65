"""Where large values live: beside Temporal, under the hash of their text, where the user gives every client and worker such a store.

A value of at most `MOVED_FROM` bytes, or any where there is no such store, travels in the histories. A moved one is named there by `@` and
the SHA-256 of its text, which no text of the codec begins with: whoever reads it back checks that the text is the one that was named.
"""

from __future__ import annotations

import os
import re
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

from statecore.errors import ValuesMissing

MOVED_FROM = 16_384
MARK = "@"
NAME = re.compile("[0-9a-f]{64}")


class Values(Protocol):
    """A store of large texts under given names. A text must be durable when `put` returns, and every process must see the same store."""

    def put(self, key: str, text: str) -> None:
        """Keep a text; the same key always comes with the same text."""

    def get(self, key: str) -> str | None:
        """The text of that name; None where there is none."""


class FolderValues:
    """Large values as files of one folder that every client and worker sees: a shared disk, or one machine."""

    folder: Path

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)

    def put(self, key: str, text: str) -> None:
        """Write a file that appears at once and whole."""
        path = self.folder / key
        if path.exists():
            return
        draft = self.folder / f".{key}.{uuid4().hex}"
        with draft.open("x", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)

    def get(self, key: str) -> str | None:
        """Read a file; None where there is none."""
        try:
            return (self.folder / key).read_text(encoding="ascii")
        except FileNotFoundError:
            return None


def moved(values: Values | None, text: Any) -> Any:
    """A text as it travels: itself where it is small or there is no store for it, else its name, once it is kept."""
    if values is None or text is None or len(text) <= MOVED_FROM:
        return text
    return keep(values, text)


def keep(values: Values, text: str) -> str:
    """Keep a text; its name."""
    key = sha256(text.encode()).hexdigest()
    values.put(key, text)
    return MARK + key


def brought(values: Values | None, text: Any) -> Any:
    """The text that travelled under its name, or itself. Raises `ValuesMissing`."""
    if text is None or not text.startswith(MARK):
        return text
    key = text.removeprefix(MARK)
    if not NAME.fullmatch(key):
        raise ValuesMissing(key, "it is no name of a value")
    if values is None:
        raise ValuesMissing(key, "this process has no values store")
    found = values.get(key)
    if found is None:
        raise ValuesMissing(key, "the values store does not have it")
    if sha256(found.encode()).hexdigest() != key:
        raise ValuesMissing(key, "the values store has another text under that name")
    return found
