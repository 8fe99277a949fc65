"""The stream of events (SSE), as an answer: hints about questions for one reader, or with `run=` the events of that run, whole and in order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from json import dumps
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from statecore.core import Seconds
from statecore.errors import BadRequest, StatecoreError, UnknownRun
from statecore.stores.frames.questions import question_id
from statecore.workflow.elsewhere import is_over, news

from .api_call import Api
from .api_problems import problem
from .documents import instant
from .seeing import Person, may_see, may_see_run, sight_of
from .stream import Hint

ALIVE: Seconds = 15.0
"""After how many quiet seconds a stream says that it is there."""
RETRY = "retry: 3000\n\n"


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
                if not await run_in_threadpool(may_see_run, person, record, api.inbox.db, api.readers):
                    raise UnknownRun(run_id)
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
