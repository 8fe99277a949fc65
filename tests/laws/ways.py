"""The way of a call through the package: the functions that it passes, and how deep, counted by a profiler while it runs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

from attrs import define, field

import statecore

PACKAGE = f"{Path(statecore.__file__).parent}/"


class Passed(NamedTuple):
    """A function of the package that was called: its file, its name there, and how many frames of the package are on the stack."""

    file: str
    function: str
    depth: int


@define
class Way:
    """The functions of the package that a call passes, in the order in which they are entered."""

    passed: list[Passed] = field(factory=list)

    @property
    def files(self) -> list[str]:
        """The files that are passed, in the order in which they are first met."""
        return list(dict.fromkeys(each.file for each in self.passed))

    @property
    def depth(self) -> int:
        """The deepest stack of the package's frames."""
        return max((each.depth for each in self.passed), default=0)

    def seen(self, frame: FrameType, event: str, _: Any) -> None:
        """A profiler's hook."""
        code = frame.f_code
        if event != "call" or not code.co_filename.startswith(PACKAGE):
            return
        depth, above = 0, frame
        while above is not None:
            depth += above.f_code.co_filename.startswith(PACKAGE)
            above = above.f_back  # type: ignore[assignment]
        self.passed.append(Passed(code.co_filename.removeprefix(PACKAGE), code.co_qualname, depth))

    def start(self) -> None:
        """From now on the calls of this thread are written down; a way is started and stopped in any function."""
        sys.setprofile(self.seen)

    def stop(self) -> None:
        """Nothing is written down any more."""
        sys.setprofile(None)

    @contextmanager
    def watched(self) -> Iterator[None]:
        """While this lasts, the calls of this thread are written down."""
        self.start()
        try:
            yield
        finally:
            self.stop()


def way(call: Callable[[], Any]) -> Way:
    """The way of a call."""
    found = Way()
    with found.watched():
        call()
    return found
