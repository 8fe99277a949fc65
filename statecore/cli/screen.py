"""What people read: text that cannot drive the terminal, lines with the time that has passed, colours where they are wanted."""

from __future__ import annotations

import re
import shlex
import sys
import time
import unicodedata
from typing import Any

import click
from attrs import define, field

UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories that move the cursor, change direction or show nothing."""

NAME_WIDTH, TEXT_WIDTH = 40, 100
LONGEST = 2_000
LABEL, WORD = 16, 9
SECRET = re.compile(r"(?<=[?&])password=[^&]*&?|(?<=//)(?P<user>[^:/@]*):[^/]*(?=@)")
UUID_LENGTH, SHORT = 36, 8

COLOURS = {"done": "green", "failed": "red", "waits": "yellow", "skipped": "cyan", "cancelled": "red", "completed": "green"}


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


def command(*words: str, db: str = "") -> str:
    """A command line to be copied into a shell; a URL's password is left out, which its reader has."""
    line = ["statecore", *words, *(["--db", SECRET.sub(r"\g<user>", db)] if db else [])]
    return " ".join(shlex.quote(word) for word in line)


def interactive() -> bool:
    """Whether there is a person to ask: both ends are a terminal."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def watched() -> bool:
    """Whether somebody sees what is printed besides the results: standard error is a terminal."""
    return sys.stderr.isatty()


def width() -> int:
    """How many signs fit in a line of this terminal; enough for any line where it is none."""
    if not sys.stdout.isatty():
        return LABEL + WORD + TEXT_WIDTH
    from shutil import get_terminal_size  # noqa: PLC0415  # only who follows a run at a terminal pays for it

    return get_terminal_size().columns


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


@define
class Screen:
    """Where the lines of a command go; a quiet one prints nothing, because its command prints JSON at its end."""

    quiet: bool = False
    began: float = field(factory=time.monotonic)

    def say(self, text: str = "", **style: Any) -> None:
        """One line."""
        if not self.quiet:
            click.echo(click.style(text, **style) if style else text)

    def step(self, name: str, word: str, rest: str = "") -> None:
        """One line of progress: the time since the command began, which component, what became of it."""
        if self.quiet:
            return
        elapsed = f"{time.monotonic() - self.began:8.2f}s"
        colour = COLOURS.get(word)
        label = named(name)
        room = max(20, width() - len(elapsed) - max(len(label), LABEL) - max(len(word), WORD) - 4)
        said = click.style(f"{word:<{WORD}} " if rest else word, fg=colour)
        click.echo(f"{click.style(elapsed, dim=True)}  {label:<{LABEL}} {said}{clean(rest, room)}")
