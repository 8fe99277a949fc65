"""What of the core's state is a state of `Engine.tla`: all but times, and of a reference the address alone."""

from __future__ import annotations

from typing import Any

from statecore.core import Cursor, Event, Frame, Gather, Source, State
from statecore.core.state import Ending, Marks
from statecore.lifecycles import words as w


def state(number: int, found: State) -> dict[str, Any]:
    """The variables of the engine, in workflow `number`."""
    cursors, frames, endings = map(cursor, found.cursors), map(frame, found.frames), map(ending, found.endings)
    return {
        "w": number, "run": found.run, "cursors": list(cursors), "frames": list(frames), "endings": list(endings),
        "result": source(found.result),
    }  # fmt: skip


def cursor(c: Cursor) -> dict[str, Any]:
    """A live branch."""
    return {
        "at": c.at, "phase": c.phase, "turn": list(c.turn), "attempt": c.attempt,
        "prev": source(c.prev), "last": source(c.last), "marks": marks(c.marks),
    }  # fmt: skip


def frame(f: Frame) -> dict[str, Any]:
    """What an entered component remembers."""
    done = [[at, source(gave)] for at, gave in f.done]
    return {
        "at": f.at, "turn": list(f.turn), "attempt": f.attempt, "prev": source(f.prev), "last": source(f.last),
        "marks": marks(f.marks), "rest": list(f.rest), "done": done,
    }  # fmt: skip


def ending(e: Ending) -> dict[str, Any]:
    """A component that was told to end early."""
    return {"unit": e.unit, "at": e.at, "turn": list(e.turn), "how": e.how, "prev": source(e.prev), "last": source(e.last)}


def marks(m: Marks) -> dict[str, Any]:
    """What few cursors carry: the counts and the output under review; `rejected` is for people, `due` is a time."""
    return {
        "deaths": m.interrupts, "retries": m.retries, "reruns": m.reruns, "reviews": m.reviews,
        "output": source(m.output), "stopping": m.stopping, "asked": m.asked, "open": len(m.open),
    }  # fmt: skip


def source(found: Source | None) -> list[str]:
    """Whose output it is; for a Parallel, the branches in brackets; [] is no content."""
    if isinstance(found, Gather):
        return ["(", *(word for name, each in found.branches for word in (name, *source(each))), ")"]
    return [found.at] if found is not None else []


def label(events: tuple[Event, ...]) -> list[str]:
    """What happened: the trigger, where, which choices, a sign for each question that is asked, and whether a cancellation came with it."""
    first, *more = events
    where = [] if first.trigger in {w.start, w.cancel, w.resume} else [first.at]
    asked = ["?"] * first.number if first.trigger == w.ask else []
    return [first.trigger, *where, *first.choices, *asked, *(["and cancel"] if more else [])]
