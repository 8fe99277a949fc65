"""CONT-10: a request that is repeated with its idempotency key is one request, for starts and for decisions."""

from __future__ import annotations

import asyncio
from threading import Event, Thread

import pytest
from attrs import evolve

from statecore import Inbox, Loop, RunStatus, Step, StepOutput, Worker, Workflow
from statecore.errors import AlreadyDecided, KeyReused, RunFailed, StepFailed, UnsupportedSetting
from statecore.runtime import Host
from statecore.runtime.host import REMEMBERED
from statecore.stores.owner import SKEW
from statecore.stores.rules import LEASE_SECONDS

PATIENCE = 30


def start(drive, workflow, run_input="x", **options):
    """Start a run in any colour, and read what came of it; a stream of a start that was made before may have nothing to tell."""
    if drive.colour == "stream":
        stream = workflow.run(run_input, stream=True, **options)
        heard = list(stream)
        assert all(event.run_id == stream.run_id for event in heard)
        return workflow.get_run_output(stream.run_id)
    if drive.colour == "async stream":
        return asyncio.run(astart(workflow, run_input, options))
    return drive.run(workflow, run_input, **options)


async def astart(workflow, run_input, options):
    """The same on asyncio."""
    stream = workflow.arun(run_input, stream=True, **options)
    heard = [event async for event in stream]
    assert all(event.run_id == stream.run_id for event in heard)
    return await workflow.aget_run_output(stream.run_id)


@pytest.mark.spec("CONT-10")
def test_a_start_is_one_start(db, drive, calls):
    """The same key again runs nothing and gives the first run's output; another key, workflow or none is another run."""
    workflow = Workflow("flow", [calls.does("a", "out")], db)
    first = start(drive, workflow, idempotency_key="k", session_id="s")
    again = start(drive, workflow, idempotency_key="k", session_id="s")
    assert (again.run_id, again.status, again.content, calls.names) == (first.run_id, RunStatus.completed, "out", ["a"])
    others = [
        start(drive, workflow, idempotency_key="l"),
        start(drive, workflow),
        start(drive, Workflow("other", [calls.does("a", "out")], db), idempotency_key="k"),
    ]
    assert len({first.run_id, *[run.run_id for run in others]}) == 4
    assert calls.names == ["a"] * 4


def test_a_key_of_another_input_is_refused(db, drive, calls):
    """A key is of one request: with another input it is refused by name, and nothing runs."""
    workflow = Workflow("flow", [calls.does("a")], db)
    start(drive, workflow, idempotency_key="k", run_id="r")
    for run_input, options in (("y", {}), ("x", {"additional_data": {"n": 1}})):
        with pytest.raises(KeyReused, match="run 'r'"):
            start(drive, workflow, run_input, idempotency_key="k", **options)
    assert (calls.names, len(workflow.list_runs())) == (["a"], 1)


def test_a_start_again_is_the_paused_run(db, drive, calls):
    """While the first run is paused, a second start gives it with what it asks; once that is decided, it goes on with it."""
    workflow = Workflow("flow", [Step("gate", calls.does("gate", "out"), requires_confirmation=True)], db, session_id="s")
    first = start(drive, workflow, idempotency_key="k")
    again = start(drive, workflow, idempotency_key="k")
    assert (again.run_id, again.status, len(again.requirements), calls.names) == (first.run_id, RunStatus.paused, 1, [])
    workflow.decide(first.run_id, again.requirements[0].pause_id, "confirm")
    last = start(drive, workflow, idempotency_key="k")
    assert (last.run_id, last.content, calls.names) == (first.run_id, "out", ["gate"])


@pytest.mark.spec("KEY-1")
def test_a_start_again_of_a_failed_run_raises(db, reopened, drive, calls):
    """It raises the stored failure, here with the exception as its cause, elsewhere without, and runs nothing."""
    error = OSError("the card machine is off")
    workflow = Workflow("flow", [calls.does("a"), Step("pay", calls.does("pay", error, "out"))], db)
    with pytest.raises(OSError, match="card machine"):
        start(drive, workflow, idempotency_key="k", run_id="r")
    other = Workflow("flow", [calls.does("a"), Step("pay", calls.does("pay"))], reopened())
    for again, cause in ((workflow, error), (other, None)):
        with pytest.raises(RunFailed) as raised:
            start(drive, again, idempotency_key="k")
        found = raised.value
        assert (found.run_id, found.key, found.step_name, found.error_type) == ("r", "k", "pay", "OSError")
        assert (found.words, found.__cause__) == ("the card machine is off", cause)
        with pytest.raises(RunFailed):
            again.submit("x", idempotency_key="k")
    assert (calls.names, len(workflow.list_runs())) == (["a", "pay"], 1)


@pytest.mark.spec("KEY-1")
def test_a_start_again_may_retry_a_failed_run(db, drive, calls):
    """With `on_failed="retry"` the failed step alone is called again, as often as it fails; a run that has not failed is as without it."""
    workflow = Workflow(
        "flow", [calls.does("a"), Step("pay", calls.does("pay", OSError("1"), OSError("2"), "out"))], db, session_id="s"
    )
    for number in "12":
        with pytest.raises(OSError, match=number):
            start(drive, workflow, idempotency_key="k", on_failed="retry")
    for _ in range(2):
        run = start(drive, workflow, idempotency_key="k", on_failed="retry")
        assert (run.status, run.content, calls.names) == (RunStatus.completed, "out", ["a", "pay", "pay", "pay"])
    assert len(workflow.list_runs()) == 1


@pytest.mark.spec("KEY-1")
def test_a_submit_again_may_reopen_a_failed_run(db, calls):
    """`submit` with `on_failed="retry"` calls nothing: a worker goes on with the failed step."""
    workflow = Workflow("flow", [Step("pay", calls.does("pay", OSError("1"), "out"))], db)
    with pytest.raises(OSError, match="1"):
        workflow.run("x", idempotency_key="k", run_id="r")
    run = workflow.submit("x", idempotency_key="k", on_failed="retry")
    assert (run.run_id, run.status, db.load("r").owner, calls.names) == ("r", RunStatus.running, None, ["pay"])
    assert Worker(workflow).work(until_idle=True) == {"COMPLETED": 1}
    assert calls.names == ["pay", "pay"]


@pytest.mark.spec("KEY-1")
def test_a_start_that_is_refused_in_a_stream_begins_nothing(db, calls):
    """Both kinds of stream raise, too; a failure that a step returned is told by its class."""
    workflow = Workflow("flow", [Step("pay", lambda _: StepOutput(success=False, error="no money"))], db)
    with pytest.raises(StepFailed):
        workflow.run("x", idempotency_key="k")
    with pytest.raises(RunFailed, match="in step 'pay': StepFailed: no money"):
        list(workflow.run("x", idempotency_key="k", stream=True))
    assert db.load(workflow.list_runs()[0].run_id).owner is None


@pytest.mark.spec("KEY-1")
@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"on_failed": "retry"}, "give one"),
        ({"on_failed": "ignore", "idempotency_key": "k"}, "on_failed='ignore'"),
        ({"idempotency_key": "x" * 1_025}, "1 to 1,024"),
        ({"idempotency_key": ""}, "1 to 1,024"),
        ({"idempotency_key": 7}, "1 to 1,024"),
    ],
    ids=["no key", "unknown", "long", "empty", "number"],
)
def test_a_key_is_bounded_and_its_policy_known(db, drive, calls, options, why):
    """A wrong key or policy is refused by name, and nothing is stored."""
    workflow = Workflow("flow", [calls.does("a")], db)
    with pytest.raises(UnsupportedSetting, match=why):
        start(drive, workflow, **options)
    with pytest.raises(UnsupportedSetting, match=why):
        workflow.submit("x", **options)
    assert (calls.names, workflow.list_runs()) == ([], [])


@pytest.mark.spec("KEY-1")
def test_few_exceptions_are_kept(calls):
    """A process keeps the last exceptions of runs with a key, and forgets the others; the stored words are told all the same."""
    workflow = Workflow("flow", [Step("pay", calls.does("pay", OSError("off")))])
    for n in range(REMEMBERED + 2):
        with pytest.raises(OSError, match="off"):
            workflow.run("x", idempotency_key=f"k{n}")
    with pytest.raises(OSError, match="off"):
        workflow.run("x", run_id="without a key")
    assert len(workflow.host.failures) == REMEMBERED
    assert "without a key" not in workflow.host.failures
    for n, kept in ((0, False), (REMEMBERED + 1, True)):
        with pytest.raises(RunFailed, match="OSError: off") as raised:
            workflow.run("x", idempotency_key=f"k{n}")
        assert (raised.value.__cause__ is not None) == kept


def test_a_start_again_leaves_a_busy_run_alone(db, drive):
    """While another thread executes the first run, a second start gives it as it stands, and leaves its claim as it is."""
    entered, release, called = Event(), Event(), []

    def slow(_):
        called.append(1)
        entered.set()
        assert release.wait(PATIENCE)

    workflow = Workflow("flow", [slow], db, session_id="s")
    thread = Thread(target=lambda: workflow.run("x", run_id="r", idempotency_key="k"))
    thread.start()
    try:
        assert entered.wait(PATIENCE)
        before = db.load("r")
        again = start(drive, workflow, run_id="r2", idempotency_key="k")
        assert (again.run_id, again.status) == ("r", RunStatus.running)
        assert db.load("r") == before
        workflow.run("x", idempotency_key="k", stream=True).close()  # not even looked at
        assert db.load("r") == before
    finally:
        release.set()
        thread.join(PATIENCE)
    assert (workflow.get_run_output("r").status, len(called)) == (RunStatus.completed, 1)


def test_a_start_again_takes_over_what_was_left(db, drive, calls):
    """A first start whose process is gone is continued by the second: a client that lost its connection may simply ask again."""
    workflow = Workflow("flow", [calls.does("a", KeyboardInterrupt(), "out")], db, session_id="s")
    with pytest.raises(KeyboardInterrupt):
        start(drive, workflow, idempotency_key="k")
    later = round(LEASE_SECONDS * 1_000_000) + SKEW
    workflow.host = evolve(workflow.host, clock=lambda: Host(db).clock() + later)
    assert (start(drive, workflow, idempotency_key="k").content, calls.names) == ("out", ["a", "a"])


@pytest.mark.spec("CONT-2", "CONT-10")
def test_a_decision_is_one_decision(db, calls):
    """The same key with the same decision gives the stored one; with another one it is refused by name, unlike without a key."""
    gates = [Step(name, calls.does(name), requires_confirmation=True) for name in ("a", "b")]
    workflow = Workflow("flow", gates, db)
    run = workflow.run(run_id="r")
    pause_id = run.requirements[0].pause_id
    first = workflow.decide("r", pause_id, "confirm", by="ann", idempotency_key="k")
    again = workflow.decide("r", pause_id, "confirm", by="bob", idempotency_key="k")
    assert (first.by, again.by) == ("ann", "ann")
    with pytest.raises(AlreadyDecided):
        workflow.decide("r", pause_id, "reject")
    with pytest.raises(KeyReused, match="'confirm' of pause 'a:confirmation:0' by ann"):
        workflow.decide("r", pause_id, "reject", idempotency_key="k")
    run = workflow.continue_run(run_id="r")
    with pytest.raises(KeyReused):
        workflow.decide("r", run.requirements[0].pause_id, "confirm", idempotency_key="k")
    assert workflow.decide("r", run.requirements[0].pause_id, "confirm", idempotency_key="l").by is None


@pytest.mark.spec("KEY-1", "CONT-10")
@pytest.mark.parametrize("key", ["", "k" * 1025])
def test_the_key_of_a_decision_is_bounded_too(db, calls, key):
    """A key that has not 1 to 1,024 characters is refused by `decide`, of a workflow and of an inbox, and nothing is stored."""
    workflow = Workflow("flow", [Step("pay", calls.does("pay"), requires_confirmation=True)], db)
    run = workflow.run(run_id="r")
    for decide in (workflow.decide, Inbox(db).decide):
        with pytest.raises(UnsupportedSetting, match="1 to 1,024 characters"):
            decide("r", run.requirements[0].pause_id, "confirm", idempotency_key=key)
    assert db.decisions("r") == []
    workflow.decide("r", run.requirements[0].pause_id, "confirm", idempotency_key="k" * 1024)
    assert workflow.continue_run(run_id="r").content == "pay"


@pytest.mark.spec("KEY-2")
def test_a_wish_has_one_key(db, drive):
    """Automatic retries, a person's retry and a reopened run call with the same key; after a rejected output the key is another, each time."""
    keys: list[tuple[int, str]] = []

    def pay(step_input):
        keys.append((step_input.attempt, step_input.idempotency_key))
        if step_input.attempt < 3:
            raise OSError("card machine is off")
        return "paid"

    step = Step("pay", pay, max_retries=1, on_error="pause", requires_output_review=True, on_reject="retry")
    workflow = Workflow("flow", [step], db)
    run = drive.run(workflow, run_id="r")
    for word in ("retry", "reject", "reject", "confirm"):
        run.requirements[-1].decide(word)
        run = drive.resume(workflow, run)
    assert run.content == "paid"
    assert keys == [
        *[(attempt, "r/pay") for attempt in range(4)],
        (4, "r/pay~r1"),
        (5, "r/pay~r2"),
    ]


@pytest.mark.spec("KEY-2")
def test_a_reopened_run_keeps_its_key(db, drive):
    """A failed run that a person reopens calls with the key of the failed attempt."""
    keys: list[str] = []

    def pay(step_input):
        keys.append(step_input.idempotency_key)
        if len(keys) == 1:
            raise OSError("off")

    workflow = Workflow("flow", [Loop("each", [Step("pay", pay)], max_iterations=1)], db)
    with pytest.raises(OSError, match="off"):
        drive.run(workflow, run_id="r")
    drive.resume(workflow, run_id="r", retry_failed=True)
    assert keys == ["r/each/pay.0"] * 2


@pytest.mark.spec("KEY-2")
def test_no_name_makes_two_keys_one():
    """A step whose name looks like the key of another one's second wish has a key of its own."""
    keys: list[str] = []

    def pay(step_input):
        keys.append(step_input.idempotency_key)

    first = Step("pay", pay, requires_output_review=True, on_reject="retry")
    workflow = Workflow("flow", [first, Step("pay~r1", pay), Step("pay~1r1", pay)])
    run = workflow.run(run_id="r")
    for word in ("reject", "confirm"):
        run.requirements[0].decide(word)
        run = workflow.continue_run(run)
    assert len(set(keys)) == len(keys) == 4
