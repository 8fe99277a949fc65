"""The traceback of an exception as a bounded text, for a person who decides elsewhere: causes, groups and notes, the user's frames marked.

A frame is the user's where its module belongs to the package of the called function, or its file is part of no library: neither the
standard library, nor an installed package, nor statecore. The text begins at the user's first frame, so that it is the same in each driver.
It holds file names, line numbers and lines of code, and no values of variables.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from linecache import getline
from os.path import dirname
from types import CodeType, FrameType, TracebackType
from typing import NamedTuple

from statecore.errors.base import cut

MAX_TRACE = 8_192
"""How many signs a stored traceback has at most; its middle is left out."""
FRAMES, MEMBERS, DEPTH, LINE, WORDS = 10, 8, 5, 200, 1_000
"""Frames kept at each end, members of a group, exceptions in each other, signs of a line of code, and signs of a message or note."""
JOINTS = ("", "The exception above is the cause of this one:", "")
HANDLING = ("", "While the exception above was handled, this one was raised:", "")
NAMES = ("stdlib", "platstdlib", "purelib", "platlib")
HERE = dirname(dirname(__file__))  # noqa: PTH120  # pathlib would cost each import of statecore 2 ms
INSTALLED = ("/site-packages/", "/dist-packages/")


class Trace(NamedTuple):
    """The traceback of an exception, and the place of the user's frame that is nearest to it; each None where there is none."""

    where: str | None
    text: str | None


class TraceFrame(NamedTuple):
    """One frame of a traceback."""

    code: CodeType
    line: int
    own: bool

    @property
    def place(self) -> str:
        """The file, the line and the function."""
        return f"{self.code.co_filename}:{self.line}, {self.code.co_name}()"


def trace_of(error: BaseException, function: object = None) -> Trace:
    """The traceback of an exception that a function raised; no text where it says no more than the exception's class and words."""
    is_own = owner(function)
    lines = list(exception_lines(error, is_own, ()))
    bare = len(lines) == len(words(error).splitlines())
    text = None if bare else cut("\n".join(lines), MAX_TRACE)
    return Trace(where(error, function), text)


def where(error: BaseException, function: object = None) -> str | None:
    """The place in the user's own code that is nearest to the exception, or else to its cause; None where none is on the way."""
    is_own = owner(function)
    for each in (error, before(error)):
        own = [frame for frame in frames(each, is_own) if frame.own] if each is not None else []
        if own:
            return own[-1].place
    return None


@cache
def libraries() -> tuple[str, ...]:
    """The beginnings of file names that are no user's."""
    import sysconfig  # noqa: PLC0415  # only a step that raises pays for it

    return (*(f"{sysconfig.get_path(name)}/" for name in NAMES), f"{HERE}/", "<frozen ")


def owner(function: object) -> Callable[[FrameType], bool]:
    """The test for the user's frames: those of the function's package, and those of no library."""
    while hasattr(function, "func"):  # functools.partial
        function = function.func
    module = str(getattr(function, "__module__", None) or "")
    package = module if module.startswith("statecore.") else module.partition(".")[0]

    def is_own(frame: FrameType) -> bool:
        name = str(frame.f_globals.get("__name__"))
        if package and (name == package or name.startswith(f"{package}.")):
            return True
        file = frame.f_code.co_filename
        return not (file.startswith(libraries()) or any(part in file for part in INSTALLED))

    return is_own


def levels(trace: TracebackType | None) -> Iterator[tuple[FrameType, int]]:
    """The frames of a traceback and their lines, outermost first."""
    while trace is not None:
        yield trace.tb_frame, trace.tb_lineno
        trace = trace.tb_next


def frames(error: BaseException, is_own: Callable[[FrameType], bool]) -> list[TraceFrame]:
    """The frames of an exception, from the user's first one on; where there is none, those outside statecore."""
    found = [TraceFrame(frame.f_code, line, is_own(frame)) for frame, line in levels(error.__traceback__)]
    first = next((number for number, frame in enumerate(found) if frame.own), None)
    if first is not None:
        found = found[first:]
    return [frame for frame in found if frame.own or not frame.code.co_filename.startswith(f"{HERE}/")]


def before(error: BaseException) -> BaseException | None:
    """The exception that an exception follows, as Python shows it."""
    return error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def exception_lines(error: BaseException, is_own: Callable[[FrameType], bool], seen: tuple[BaseException, ...]) -> Iterator[str]:
    """An exception in lines: what it follows, its frames, its words and notes, and its members where it is a group."""
    seen, former = (*seen, error), before(error)
    if former is not None and all(former is not each for each in seen) and len(seen) <= DEPTH:
        yield from exception_lines(former, is_own, seen)
        yield from JOINTS if error.__cause__ is not None else HANDLING
    yield from frame_lines(frames(error, is_own))
    yield from words(error).splitlines()
    notes = getattr(error, "__notes__", None)
    yield from (f"note: {cut(str(note), WORDS)}" for note in (notes[:MEMBERS] if isinstance(notes, list) else ()))
    members = error.exceptions if isinstance(error, BaseExceptionGroup) and len(seen) <= DEPTH else ()
    for number, member in enumerate(members[:MEMBERS], 1):
        yield f"- {number} of {len(members)}:"
        yield from (f"    {line}" for line in exception_lines(member, is_own, seen))


def frame_lines(found: list[TraceFrame]) -> Iterator[str]:
    """Frames in lines, the user's marked with `>`; the middle of a long list is left out."""
    left_out = len(found) - 2 * FRAMES
    for number, frame in enumerate(found):
        if number == FRAMES and left_out > 0:
            yield f"  ... {left_out} more frames ..."
        if left_out > 0 and FRAMES <= number < FRAMES + left_out:
            continue
        yield f"{'>' if frame.own else ' '} {frame.place}"
        source = getline(frame.code.co_filename, frame.line).strip()
        if source:
            yield f"      {cut(source, LINE)}"


def words(error: BaseException) -> str:
    """The class and the words of an exception."""
    try:
        said = str(error)
    except Exception:  # noqa: BLE001  # user code again
        said = "(it has no text of its own)"
    return f"{type(error).__name__}: {cut(said, WORDS)}" if said else type(error).__name__
