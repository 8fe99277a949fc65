"""TIME, RUN-2: deadlines and delays, by a clock that the test moves, in every store and colour."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from attrs import define, evolve, field

from statecore import Condition, Inbox, Loop, Parallel, Router, RunStatus, Step, Steps, Workflow
from statecore.errors import PauseExpired, UnsupportedSetting
from statecore.runtime.doctor import examine
from statecore.stores import PauseFilter
from tests.conformance.drive import Drive, confirm_all, statuses

START = 1_000_000_000_000_000  # microseconds since 1970
SECOND = 1_000_000


class Boom(Exception):  # the user's own
    pass


@define
class Clock:
    """Time as the test says; waiting moves it on, and is remembered."""

    now: int = START
    waits: list[float] = field(factory=list)

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += round(seconds * SECOND)

    async def await_(self, seconds: float) -> None:
        self.wait(seconds)


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still."""
    return Clock()


def timed(steps, db, clock: Clock) -> Workflow:
    """A workflow that lives by this clock."""
    workflow = Workflow("flow", steps, db)
    workflow.host = evolve(workflow.host, clock=lambda: clock.now, sleep=clock.wait, asleep=clock.await_)
    return workflow


def asking(kind, calls, **settings) -> Any:
    """A component that asks a question of this kind, with the name "asks"; "work" is what would run."""
    work = Step("work", calls.does("work"))
    settings = {"hitl_timeout": 10, **settings}
    return {
        "confirmation": lambda: Step("asks", calls.does("work"), requires_confirmation=True, **settings),
        "confirmation of steps": lambda: Steps("asks", [work], requires_confirmation=True, **settings),
        "confirmation of a condition": lambda: Condition("asks", [work], requires_confirmation=True, **settings),
        "confirmation of a parallel": lambda: Parallel(work, name="asks", requires_confirmation=True, **settings),
        "user_input": lambda: Step("asks", calls.does("work"), requires_user_input=True, **settings),
        "route": lambda: Router("asks", [work], requires_user_input=True, **settings),
        "output_review": lambda: Step("asks", calls.does("work"), requires_output_review=True, **settings),
        "iteration_review": lambda: Loop("asks", [work], requires_iteration_review=True, **settings),
        "error": lambda: Step("asks", calls.does("work", OSError("x"), "work"), on_error="pause", **settings),
    }[kind]()


KINDS = [
    *("confirmation", "confirmation of steps", "confirmation of a condition", "confirmation of a parallel"),
    *("user_input", "route", "output_review", "iteration_review", "error"),
]
VALUED = ("user_input", "route")
LATE = {"user_input": "input", "route": "select", "error": "retry"} | dict.fromkeys(
    ("confirmation", "output_review", "iteration_review"), "confirm"
)
VALUES = {"user_input": {}, "route": ["work"]}


@pytest.mark.spec("TIME-1")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seconds", [10, 0.25])
def test_every_question_has_a_deadline(db, drive, calls, clock, kind, seconds):  # noqa: PLR0913  # fixtures
    """`timeout` gives every kind of pause a stored instant, fractions of a second included; it is over when that instant comes."""
    workflow = timed([asking(kind, calls, hitl_timeout=seconds)], db, clock)
    run = drive.run(workflow)
    [asked] = run.requirements
    assert asked.kind == kind.partition(" ")[0]
    assert asked.timeout_at == datetime.fromtimestamp((START + seconds * SECOND) / SECOND, UTC)
    assert (asked.on_timeout, asked.is_timed_out) == ("cancel", False)
    clock.now += round(seconds * SECOND)
    assert asked.is_timed_out
    assert db.pause(run.run_id, asked.pause_id).pause.deadline == clock.now


@pytest.mark.spec("TIME-3", "TIME-4")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("on_timeout", ["cancel", "skip", "approve"])
@pytest.mark.parametrize("by", ["tick", "continuing"])
def test_an_expired_pause_takes_its_way(db, drive, calls, clock, kind, on_timeout, by):  # noqa: PLR0913  # fixtures
    """Expired, a pause cancels the run, skips its component or approves it; an error has nothing to approve and is cancelled."""
    if kind in VALUED and on_timeout == "approve":
        with pytest.raises(UnsupportedSetting, match="on_timeout='approve'"):
            asking(kind, calls, on_timeout=on_timeout)
        return
    workflow = timed([calls.does("first"), asking(kind, calls, on_timeout=on_timeout), calls.does("end")], db, clock)
    run = drive.run(workflow)
    before = calls.names.count("work")
    clock.now += 10 * SECOND
    if by == "tick":
        [ticked] = asyncio.run(workflow.atick()) if drive.colour.startswith("async") else workflow.tick()
        assert (ticked.run_id, workflow.tick()) == (run.run_id, [])
        run = workflow.get_run_output(run.run_id)
    else:
        run = drive.resume(workflow, run)
    if on_timeout == "cancel" or (on_timeout == "approve" and kind == "error"):
        assert (run.status, statuses(run)["asks"]) == (RunStatus.cancelled, "cancelled")
    else:
        approved = on_timeout == "approve"
        assert (run.status, statuses(run)["asks"]) == (RunStatus.completed, "completed" if approved else "skipped")
        assert calls.names.count("work") == (1 if approved else before)
        transparent = kind in (
            "confirmation of steps",
            "confirmation of a condition",
            "confirmation of a parallel",
            "iteration_review",
            "route",
        )
        after = {"work": "work"} if kind.endswith("parallel") else "work"
        assert calls.saw("end") == [after if approved else "first" if transparent else None]


READERS = {
    "a listing": lambda workflow, _: workflow.list_pauses(),
    "an inbox without code": lambda workflow, _: Inbox(workflow.db, workflow.host).pending(PauseFilter(undecided_only=False)),
    "an output": lambda workflow, run_id: workflow.get_run_output(run_id).requirements,
    "a doctor": lambda workflow, _: examine(workflow.db, workflow.host.clock(), workflow).symptoms,
}


def everything(db, run_id):
    """All that a store tells of a run."""
    return db.load(run_id), db.journal(run_id), db.decisions(run_id), db.pauses(PauseFilter(run_id=run_id, undecided_only=False))


@pytest.mark.spec("GATE-9", "TIME-4")
@pytest.mark.parametrize("on_timeout", ["cancel", "skip", "approve"])
@pytest.mark.parametrize("reader", READERS)
def test_a_reader_shows_what_is_overdue_and_writes_nothing(db, calls, clock, reader, on_timeout):
    """A passed deadline is shown as overdue, by two readers alike, and the run stays as it was; a tick applies it."""
    workflow = timed([calls.does("first"), asking("confirmation", calls, on_timeout=on_timeout), calls.does("end")], db, clock)
    run = Drive("sync").run(workflow)
    before = everything(db, run.run_id)
    assert [each.is_timed_out for each in workflow.list_pauses()] == [False]
    clock.now += 10 * SECOND
    shown = [READERS[reader](workflow, run.run_id) for _ in range(2)]
    assert shown[0] == shown[1]
    [overdue] = shown[0]
    assert overdue.kind == "overdue" if reader == "a doctor" else overdue.is_timed_out
    assert everything(db, run.run_id) == before
    assert [each.run_id for each in workflow.tick()] == [run.run_id]
    assert db.load(run.run_id).state.run == ("cancelled" if on_timeout == "cancel" else "completed")


@pytest.mark.spec("TIME-2", "TIME-4")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("on_timeout", ["cancel", "skip", "approve"])
@pytest.mark.parametrize("by", ["decide", "continue_run"])
def test_a_decision_that_comes_too_late_writes_nothing(db, calls, clock, kind, on_timeout, by):  # noqa: PLR0913  # fixtures
    """It is refused and says what the silence leads to; nothing of the run has changed, and a tick does what the silence leads to."""
    if kind in VALUED and on_timeout == "approve":
        on_timeout = "skip"
    workflow = timed([calls.does("first"), asking(kind, calls, on_timeout=on_timeout), calls.does("end")], db, clock)
    run = Drive("sync").run(workflow)
    before = calls.names
    clock.now += 10 * SECOND
    [asked], stored = run.requirements, everything(db, run.run_id)
    word, value = LATE[kind.partition(" ")[0]], VALUES.get(kind)
    asked.decide(word, value)
    late = {
        "decide": lambda: workflow.decide(run.run_id, asked.pause_id, word, value=value),
        "continue_run": lambda: workflow.continue_run(run),
    }[by]
    over = on_timeout == "cancel" or (on_timeout == "approve" and kind == "error")
    with pytest.raises(
        PauseExpired, match="the run is cancelled" if over else "it is skipped" if on_timeout == "skip" else "approved"
    ):
        late()
    assert (everything(db, run.run_id), calls.names) == (stored, before)
    assert [each.run_id for each in workflow.tick()] == [run.run_id]
    run = workflow.get_run_output(run.run_id)
    assert run.status is (RunStatus.cancelled if over else RunStatus.completed)
    assert calls.names[-1] == ("end" if not over else before[-1])


@pytest.mark.spec("TIME-2", "TIME-4")
@pytest.mark.parametrize("by", ["tick", "continuing"])
def test_a_decision_in_time_holds_for_ever(db, drive, calls, clock, by):  # fixtures
    """Decided before the deadline, a pause never expires, however late the run is continued; `tick` applies the decision."""
    workflow = timed([asking("confirmation", calls)], db, clock)
    run = drive.run(workflow)
    clock.now += 10 * SECOND - 1
    workflow.decide(run.run_id, run.requirements[0].pause_id, "confirm")
    clock.now += 1_000 * SECOND
    run = workflow.tick()[0] if by == "tick" else drive.resume(workflow, run_id=run.run_id)
    assert (run.status, calls.names) == (RunStatus.completed, ["work"])


@pytest.mark.spec("TIME-2", "TIME-4")
@pytest.mark.parametrize("by", ["decide", "continue_run"])
@pytest.mark.parametrize("on_timeout", ["cancel", "skip", "approve"])
def test_a_decision_that_comes_too_late(db, drive, calls, clock, by, on_timeout):  # noqa: PLR0913  # fixtures
    """After the deadline a decision is refused; the pause takes its way with a tick, and its run is over or goes on."""
    workflow = timed([asking("confirmation", calls, on_timeout=on_timeout)], db, clock)
    run = drive.run(workflow)
    [asked] = run.requirements
    clock.now += 10 * SECOND
    asked.confirm()
    late = {
        "decide": lambda: workflow.decide(run.run_id, asked.pause_id, "confirm"),
        "continue_run": lambda: drive.resume(workflow, run),
    }[by]
    with pytest.raises(PauseExpired) as refused:
        late()
    assert (isinstance(refused.value, ValueError), db.decisions(run.run_id), calls.names) == (True, [], [])
    workflow.tick()
    run = workflow.get_run_output(run.run_id)
    assert run.status is (RunStatus.cancelled if on_timeout == "cancel" else RunStatus.completed)
    assert calls.names == (["work"] if on_timeout == "approve" else [])


@pytest.mark.spec("TIME-2")
@pytest.mark.parametrize("by", ["decide", "continue_run"])
def test_a_late_no_is_still_heard_before_an_approval(db, drive, calls, clock, by):
    """A rejection that comes after the deadline, but before the approval was stored, counts; after it, it is too late."""
    workflow = timed([asking("confirmation", calls, on_timeout="approve")], db, clock)
    run, other = drive.run(workflow), drive.run(workflow)
    clock.now += 11 * SECOND
    if by == "decide":
        workflow.decide(run.run_id, run.requirements[0].pause_id, "reject")
        run = drive.resume(workflow, run_id=run.run_id)
    else:
        run.requirements[0].reject()
        run = drive.resume(workflow, run)
    assert (run.status, calls.names) == (RunStatus.completed, [])
    workflow.tick()
    assert calls.names == ["work"]
    with pytest.raises(PauseExpired):
        workflow.decide(other.run_id, other.requirements[0].pause_id, "reject")


@pytest.mark.spec("TIME-4")
def test_a_listing_shows_what_is_overdue(db, drive, calls, clock):
    """The inbox lists what is open and undecided, overdue or not; by deadline too; pages count what is listed."""
    workflow = timed([asking("confirmation", calls, hitl_timeout=5)], db, clock)
    other = timed([asking("confirmation", calls, hitl_timeout=20)], db, clock)
    endless = timed([Step("asks", calls.does("work"), requires_confirmation=True)], db, clock)
    early, late, never = drive.run(workflow), drive.run(other), drive.run(endless)
    soon = datetime.fromtimestamp((START + 10 * SECOND) / SECOND, UTC)
    assert [each.run_id for each in workflow.list_pauses()] == [early.run_id, late.run_id, never.run_id]
    assert [each.run_id for each in workflow.list_pauses(due_before=soon)] == [early.run_id]
    clock.now += 5 * SECOND
    listed = [(each.run_id, each.is_timed_out) for each in workflow.list_pauses()]
    assert listed == [(early.run_id, True), (late.run_id, False), (never.run_id, False)]
    assert [each.run_id for each in workflow.list_pauses(limit=1)] == [early.run_id]
    assert [each.run_id for each in workflow.list_pauses(limit=1, after=workflow.list_pauses(limit=1).after)] == [late.run_id]
    assert [each.run_id for each in workflow.list_pauses(due_before=soon)] == [early.run_id]
    assert early.requirements[0].is_timed_out


@pytest.mark.spec("TIME-3", "PAR-3")
def test_a_deadline_in_one_branch(db, drive, calls, clock):
    """Of several questions only the expired one takes its way; the other stays open, and is answered as ever."""
    branches = Parallel(
        asking("confirmation", calls, on_timeout="skip"), Step("other", calls.does("other"), requires_confirmation=True)
    )
    workflow = timed([branches], db, clock)
    run = drive.run(workflow)
    clock.now += 10 * SECOND
    run = drive.resume(workflow, run)
    assert [each.step_name for each in run.requirements] == ["other"]
    confirm_all(run)
    run = drive.resume(workflow, run)
    assert (run.content, calls.names) == ({"asks": None, "other": "other"}, ["other"])


@pytest.mark.spec("RUN-2", "LAW-9")
def test_automatic_retries_are_attempts_with_their_delay(db, drive, calls, clock):
    """`max_retries` tries again by itself, after a delay that grows by `backoff`; each is an attempt in the journal, with no person."""
    step = Step("s", calls.does("s", OSError("1"), OSError("2"), "good"), max_retries=2, retry_delay=0.5, backoff=3)
    workflow = timed([step], db, clock)
    run = drive.run(workflow)
    assert (run.status, run.content, clock.waits) == (
        RunStatus.completed,
        "good",
        [0.5, 1.0, 0.5],
    )  # it looks for a cancellation each second
    assert [f["error"] for f in run.step_results[0].failures] == ["1", "2"]
    journal = [(e.trigger, e.attempt) for e in db.journal(run.run_id) if e.machine == "step"]
    assert journal == [("enter", 0), ("fail", 0), ("wake", 0), ("fail", 1), ("wake", 1), ("succeed", 2)]


@pytest.mark.spec("RUN-2", "ERR-3", "ERR-4")
def test_a_person_is_asked_when_retries_are_spent(db, drive, calls, clock):
    """Only where all automatic retries failed the policy holds; a person's retry gives them anew, and counts alone."""
    failures = [OSError(str(number)) for number in range(4)]
    workflow = timed([Step("s", calls.does("s", *failures, "good"), max_retries=1, on_error="pause")], db, clock)
    run = drive.run(workflow)
    assert (run.error_requirements[0].error_message, run.error_requirements[0].retry_count, len(calls.names)) == ("1", 0, 2)
    confirm_all(run)
    run = drive.resume(workflow, run)
    assert (run.error_requirements[0].error_message, run.error_requirements[0].retry_count, len(calls.names)) == ("3", 1, 4)
    confirm_all(run)
    assert drive.resume(workflow, run).content == "good"


@pytest.mark.spec("RUN-2", "PAR-1")
def test_delays_of_branches_do_not_add_up(db, drive, calls, clock):
    """Two branches that wait, wait at the same time, each for its own delay."""
    flaky = [
        Step(name, calls.does(name, OSError(), name), max_retries=1, retry_delay=delay) for name, delay in (("a", 2), ("b", 5))
    ]
    run = drive.run(timed([Parallel(*flaky)], db, clock))
    assert (run.content, sum(clock.waits)) == ({"a": "a", "b": "b"}, 5)


@pytest.mark.spec("LAW-4", "RUN-2")
def test_a_failed_run_waits_for_no_delay(db, drive, calls, clock):
    """Where a branch fails the run, another one's automatic retry is not made; reopened, the run goes on with both."""
    late = Step("late", calls.does("late", OSError(), "in time"), max_retries=1, retry_delay=60)
    workflow = timed([Parallel(late, Step("pay", calls.does("pay", Boom(), "paid")))], db, clock)
    with pytest.raises(Boom):
        drive.run(workflow, run_id="r")
    assert (sorted(calls.names), clock.waits) == (["late", "pay"], [])
    assert workflow.get_run_output("r").status is RunStatus.error
    run = drive.resume(workflow, run_id="r", retry_failed=True)
    assert (run.content, sum(clock.waits)) == ({"late": "in time", "pay": "paid"}, 60)
