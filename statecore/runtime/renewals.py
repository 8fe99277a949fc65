"""Questions that are put again because a definition asks or means something else by now (GATE-7, GATE-7a).

`judge.Case.renewals` finds them. Each one is an event of the boundary that goes on: the row `renew` says why and which answer lapses, the
former pause is closed with what was decided of it, and the same question opens under the next name, in the words of the new definition.
"""

from __future__ import annotations

from json import dumps
from typing import TYPE_CHECKING, Any

from attrs import frozen

from statecore.core import Event
from statecore.core.owed import next_put, pause_id
from statecore.lifecycles import SHOWS
from statecore.lifecycles import words as w
from statecore.stores import Body
from statecore.stores.detail import Detail, detail_of, detail_text, pause_detail, pause_text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from statecore.core import Micros, OpenQuestion
    from statecore.stores import Decided, RunReader, Waiting


WORDED = 10_000
"""Of so many questions at most a program remembers that they have its words."""


def remember(worded: set[Any], keys: Collection[tuple[str, Micros, str]]) -> None:
    """Remember of some questions that they were put in the words of a program: run, beginning of the run, and name of each."""
    if len(worded) + len(keys) > WORDED:
        worded.clear()
    worded.update(keys)


@frozen
class Renewal:
    """A question that is put again: why, the answer that lapses with its former wording, if there is one, and whose no holds the new one."""

    ask: OpenQuestion
    why: str
    said: Decided | None = None
    held: tuple[str, ...] = ()

    def event(self, now: Micros) -> Event:
        """The event that puts it again."""
        body = Body(detail_text(Detail(lapsed=self.told(), number=self.ask.number)))
        return Event(w.renew, self.ask.at, self.ask.turn, self.ask.attempt, body, time=now, number=self.ask.number or 0)

    def told(self) -> dict[str, Any]:
        """The data that the row and the new question keep of the former one."""
        parts: dict[str, Any] = {"why": self.why}
        if self.said is not None:
            parts |= {"word": self.said.word, "by": self.said.by, "comment": self.said.comment}
        if self.held:
            parts["held"] = dumps(self.held)
        return {name: part for name, part in parts.items() if part}


def put_since(store: RunReader, run_id: str, name: str) -> str | None:
    """The name of the newest putting of a question that was put again since; None where it was not."""
    newer, following = None, next_put(name)
    while store.pause(run_id, following) is not None:
        newer, following = following, next_put(following)
    return newer


def newest(store: RunReader, run_id: str, name: str) -> Waiting | None:
    """The newest putting of a question."""
    return store.pause(run_id, put_since(store, run_id, name) or name)


def detail_again(store: RunReader, run_id: str, ask: OpenQuestion, events: Iterable[Event], now: str) -> str:
    """The details of a question: where it is put again, those of now, of an error those of the former question; and why it is put again."""
    if ask.put == 1:
        return now
    former = store.pause(run_id, pause_id(ask.kind, ask.at, ask.turn, ask.attempt, ask.put - 1))
    kept = former.pause.detail if former is not None and SHOWS[ask.kind] == "error" else now
    here = (each for each in events if (each.at, each.turn, each.attempt) == (ask.at, ask.turn, ask.attempt))
    body = next((event.body for event in here if event.trigger == w.renew), None)
    return pause_text(pause_detail(kept)._replace(again=detail_of(body.detail).lapsed if body is not None else None))
