"""The stream of events: hints about questions, `reset`, and the events of one run in order."""

from __future__ import annotations

import asyncio

import pytest

from statecore import InMemoryDb
from statecore.inbox.api_call import Api
from statecore.inbox.api_events import hints, moves
from statecore.inbox.seeing import Person
from statecore.inbox.stream import Lookout
from statecore.workflow.inbox import Inbox
from tests.inbox.flows import BOB, only, payout
from tests.inbox.test_api import ID


@pytest.fixture
def db():
    """A store in memory."""
    return InMemoryDb()


def watch(db):
    """A watch that looks each time."""
    return Lookout(Inbox(db), every=0)


def told(watching):
    """The hints of a watch: type and question."""
    return [(each.type, each.row.pause.pause_id) for each in watching.hints]


@pytest.mark.spec("API-6")
def test_a_hint_tells_of_each_change(db):
    """A question that is asked, decided, applied or withdrawn gives hints; one that was there before the first look gives none."""
    flow = payout(db)
    flow.run("ACME", run_id="run-0")
    watching = watch(db)
    watching.look()
    assert told(watching) == []
    flow.run("ACME", run_id="run-1")
    watching.look()
    flow.decide("run-1", "pay:confirmation:0", "confirm", by="ann")
    watching.look()
    flow.continue_run(run_id="run-1")
    watching.look()
    flow.cancel_run("run-0")
    watching.look()
    assert [kind for kind, _ in told(watching)] == ["asked", "decided", "run_ended"]


async def first(stream, count):
    """The first events of a stream."""
    found = []
    async for each in stream:
        found.append(each)
        if len(found) == count:
            break
    await stream.aclose()
    return found


@pytest.mark.spec("API-6")
def test_a_reader_goes_on_or_is_told_to_read_again(db):
    """An id of this watch is resumed behind it; an id of another process, a lost one and a strange one give `reset`."""
    flow = payout(db)
    api = Api(Inbox(db))
    api.watch.every = 0
    api.watch.look()
    flow.run("ACME", run_id="run-1")
    api.watch.look()
    mark = api.watch.mark
    [retry, one] = asyncio.run(first(hints(api, BOB, f"{mark}-0"), 2))
    at = one.partition('"at":"')[2][:27]
    assert retry == "retry: 3000\n\n"
    assert one == (f'event: question\nid: {mark}-1\ndata: {{"type":"asked","question_id":"{ID}","run_id":"run-1","at":"{at}"}}\n\n')
    for last in ("other-1", f"{mark}-9", "", "x", f"{mark}-\u0663"):
        assert asyncio.run(first(hints(api, BOB, last), 2))[1] == f"event: reset\nid: {mark}-1\ndata: {{}}\n\n"


@pytest.mark.spec("INBOX-9")
def test_no_hint_is_for_a_person_who_may_not_see(db, monkeypatch):
    """A hint about a question that one may not see does not come; the next one that one may see does."""
    from statecore.inbox.seeing import Sight

    flow = payout(db)
    api = Api(Inbox(db))
    api.watch.every = 0
    api.watch.look()
    flow.run("ACME", run_id="hidden")
    flow.run("ACME", run_id="open")
    api.watch.look()
    held, free = Sight(frozenset({"role:cfo"}), frozenset(), None), Sight(None, frozenset(), None)
    monkeypatch.setattr("statecore.inbox.api_events.sight_of", lambda row: held if row.pause.run_id == "hidden" else free)
    [_, one] = asyncio.run(first(hints(api, Person("eve"), f"{api.watch.mark}-0"), 2))
    assert '"run_id":"open"' in one


@pytest.mark.spec("API-6")
def test_the_events_of_a_run_come_whole_and_in_order(db):
    """With `run=` each event of the run comes once, numbered from 1, and a reader that comes back goes on behind its last one."""
    flow = payout(db)
    flow.run("ACME", run_id="run-1")
    flow.decide("run-1", only(db).pause.pause_id, "confirm", by="ann")
    flow.continue_run(run_id="run-1")
    api = Api(Inbox(db))

    async def whole(last):
        return [each async for each in moves(api, "run-1", last)]

    every = asyncio.run(whole(None))[1:]
    assert [each.split("\n")[1] for each in every] == [f"id: {number}" for number in range(1, len(every) + 1)]
    assert '"type":"WorkflowStarted"' in every[0]
    assert '"type":"WorkflowCompleted"' in every[-1]
    assert asyncio.run(whole("3"))[1:] == every[3:]
    assert not [each for each in every if "ACME" in each]
