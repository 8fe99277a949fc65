"""The times of one path: each delay and each deadline is over where the path says so, however long the workflow's own are.

The model has no clock: a delay may end before or after a person decides, and a deadline may pass before or after another one. A replay has
one, so it gives each component times that grow in the order in which they are over on the path. A deadline that never passes is far away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from statecore.core import ROOT
from statecore.core.program import below
from statecore.definition.plain import read_definition
from statecore.lifecycles import words as w

from .doubles import OF_TITLE, in_plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from statecore.check.story import Beat
    from statecore.definition.components import Definition

    from .doubles import Stubs

SHORTEST = 1.0
"""Seconds of the time that is over first, in which a driver looks for decisions; each later one is twice as long as the one before."""
FAR = 1e8


def paced(definition: Definition, stubs: Stubs, beats: Sequence[Beat]) -> Definition:
    """The same definition with stubs in place of its code, and with the delays and deadlines of a path."""
    over = [(beat.event.at, beat.event.trigger) for beat in beats if beat.event.trigger in (w.wake, w.expire)]
    seconds = {each: SHORTEST * 2**number for number, each in enumerate(dict.fromkeys(over))}
    plain, functions = in_plain(definition, stubs)
    pace(plain["steps"], ROOT, seconds, SHORTEST * 2 ** len(seconds))
    return read_definition(plain, functions)


def pace(children: Sequence[dict[str, Any]], prefix: str, seconds: Mapping[tuple[str, str], float], last_seconds: float) -> None:
    """Set the times of a list of plain components, and of all that is inside them; a delay that the run does not outlive has the last one."""
    for plain in children:
        at, kind = below(prefix, plain["name"]), OF_TITLE[plain["type"]]
        if plain.get("max_retries"):
            plain |= {"retry_delay": seconds.get((at, w.wake), last_seconds), "backoff": 1.0}
        review = plain.get("human_review", {})
        if "timeout" in review:
            review["timeout"] = seconds.get((at, w.expire), FAR)
        if "workflow" in plain:
            pace(plain["workflow"]["steps"], at, seconds, last_seconds)
        for name, part in kind.lists.items():
            pace(plain.get(name, ()), below(at, part) if part else at, seconds, last_seconds)
