"""The stream of events (SSE): hints that a question changed, at least once; with `run=` the events of that run, whole and in order.

One watch of a store serves every reader of a process: it compares the open questions of one look with those of the next, and keeps the last
1,000 hints. A reader that comes back with an id which the watch no longer has, or never had, gets `reset`, and reads the list again.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Callable
from json import dumps
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

from attrs import define, field
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from statecore.errors import BadRequest, StatecoreError, UnknownRun
from statecore.runtime.renewals import put_since
from statecore.stores import PauseFilter
from statecore.stores.frames.questions import question_id
from statecore.workflow.elsewhere import is_over, news

from .api_problems import problem
from .documents import instant
from .seeing import may_see, may_see_run, sight_of

if TYPE_CHECKING:
    from statecore.core import Seconds
    from statecore.stores import Waiting
    from statecore.workflow.inbox import Inbox

    from .api import Api
    from .seeing import Person

    Seen = dict[tuple[str, str], tuple[str, Waiting]]
    """The open questions of a look, by their keys, each with its state."""

KEPT = 1_000
LOOKED = 10_000
"""The most open questions that a look compares."""
EVERY: Seconds = 1.0
ALIVE: Seconds = 15.0
RETRY = "retry: 3000\n\n"


class Hint(NamedTuple):
    """A change of a question, with the row as it was seen last."""

    number: int
    type: str
    row: Waiting
    at: int


@define(eq=False)
class Lookout:
    """The changes of a store's open questions, as looks at it tell them; `mark` tells this watch from that of another process."""

    inbox: Inbox
    every: Seconds = EVERY
    clock: Callable[[], float] = time.monotonic
    mark: str = field(factory=lambda: secrets.token_hex(4))
    hints: list[Hint] = field(factory=list)
    number: int = 0
    _known: Seen | None = None
    _looked: float = float("-inf")
    _lock: Lock = field(factory=Lock, repr=False)

    def look(self) -> None:
        """Compare the store with what it was, unless that was done a moment ago. Raises the errors of a store."""
        with self._lock:
            if self.clock() - self._looked < self.every:
                return
            now = self.inbox.host.clock()
            rows = self.inbox.db.pauses(PauseFilter(undecided_only=False, limit=LOOKED))
            found = {(row.pause.run_id, row.pause.pause_id): (state(row, now), row) for row in rows}
            if self._known is not None:
                self._compare(self._known, found, now)
            self._known, self._looked = found, self.clock()

    def _compare(self, before: Seen, found: Seen, now: int) -> None:
        """Tell what is new, what has another state, and what is gone."""
        for key, (is_now, row) in found.items():
            if key not in before or before[key][0] != is_now:
                self._tell("asked" if is_now == "open" else is_now, row, now)
        for key, (was, row) in before.items():
            if key not in found and was != "decided":  # that was told when it was decided
                self._tell(self._ended(row), row, now)

    def _ended(self, row: Waiting) -> str:
        """How a question went that was open a moment ago."""
        run_id, pause_id = row.pause.run_id, row.pause.pause_id
        try:
            now = self.inbox.db.pause(run_id, pause_id)
            newer = put_since(self.inbox.db, run_id, pause_id)
        except UnknownRun:
            return "run_ended"
        if newer is not None:
            return "superseded"
        if now is not None and now.decided is not None:
            return "decided"
        over = now.pause.closed if now is not None else None
        return "expired" if over is not None and row.pause.deadline is not None and over >= row.pause.deadline else "run_ended"

    def _tell(self, kind: str, row: Waiting, now: int) -> None:
        """Keep a hint."""
        self.number += 1
        self.hints.append(Hint(self.number, kind, row, now))
        del self.hints[:-KEPT]

    def after(self, last: str | None) -> int | None:
        """The number behind which a reader goes on: the newest for a new one; None where its last id cannot be resumed."""
        if last is None:
            return self.number
        mark, _, text = last.partition("-")
        number = int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else -1  # noqa: PLR2004  # digits of a number
        oldest = self.hints[0].number - 1 if self.hints else self.number
        return number if mark == self.mark and oldest <= number <= self.number else None


def state(row: Waiting, now: int) -> str:
    """The state of an open question as far as hints tell it."""
    if row.decided is not None:
        return "decided"
    return "expired" if row.pause.deadline is not None and row.pause.deadline <= now else "open"


def stream(api: Api, person_of: Callable[[Request, str], Person]) -> Callable[[Request], Any]:
    """The endpoint of events."""

    async def endpoint(request: Request) -> Response:
        try:
            person = person_of(request, "read")
            if set(request.query_params) - {"run"}:
                raise BadRequest(400, "known parameters: run")
            last, run_id = request.headers.get("last-event-id"), request.query_params.get("run")
            if run_id is None:
                await run_in_threadpool(api.watch.look)
                told = hints(api, person, last)
            else:
                record = await run_in_threadpool(api.inbox.db.load, run_id)
                if not may_see_run(person, record, [], api.readers):
                    raise BadRequest(404, "there is no such run, or it is not yours to see")
                told = moves(api, run_id, last)
        except StatecoreError as error:
            return problem(error)
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(told, media_type="text/event-stream", headers=headers)

    return endpoint


def event(name: str, id_: str | None, data: Any) -> str:
    """One event of a stream."""
    return f"event: {name}\n" + (f"id: {id_}\n" if id_ is not None else "") + f"data: {dumps(data, separators=(',', ':'))}\n\n"


async def hints(api: Api, person: Person, last: str | None) -> AsyncIterator[str]:
    """The hints for one reader, from its last one on."""
    watch = api.watch
    after = watch.after(last)
    yield RETRY
    if after is None:
        after = watch.number
        yield event("reset", f"{watch.mark}-{after}", {})
    quiet = 0.0
    while True:
        for hint in [each for each in watch.hints if each.number > after]:
            after = hint.number
            if may_see(person, sight_of(hint.row), api.readers):
                yield event("question", f"{watch.mark}-{after}", hinted(hint))
                quiet = 0.0
        await asyncio.sleep(watch.every)
        quiet += watch.every
        if quiet >= ALIVE:
            quiet = 0.0
            yield ": keep-alive\n\n"
        try:
            await run_in_threadpool(watch.look)
        except StatecoreError:  # the stream ends, and the browser comes again with its last id
            return


def hinted(hint: Hint) -> dict[str, Any]:
    """A hint as data: which question, and no value."""
    pause = hint.row.pause
    return {
        "type": hint.type,
        "question_id": question_id(pause.run_id, pause.pause_id),
        "run_id": pause.run_id,
        "at": instant(hint.at),
    }


async def moves(api: Api, run_id: str, last: str | None) -> AsyncIterator[str]:
    """The events of one run, numbered from 1, until it ends; no value is among them."""
    yield RETRY
    told = int(last) if last is not None and last.isascii() and last.isdecimal() and len(last) < 16 else 0  # noqa: PLR2004  # as above
    seen = -1
    while True:
        try:
            record, found = await run_in_threadpool(news, api.inbox, run_id, seen, told)
        except StatecoreError:
            return
        seen = record.seq
        for each in found:
            told += 1
            data = {
                "type": each.event,
                "run_id": run_id,
                "address": getattr(each, "address", None),
                "step": getattr(each, "step_name", None),
            }
            yield event("step", str(told), data)
        if is_over(record, until_rest=False):
            return
        await asyncio.sleep(api.watch.every)
