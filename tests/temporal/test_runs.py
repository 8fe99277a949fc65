"""What a caller may rely on: keys, sessions, refusals, deciders that race, runs that fail, and what is told to whom."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier, Event
from typing import Any

import pytest
from google.protobuf.duration_pb2 import Duration
from temporalio.api.enums.v1 import EventType
from temporalio.api.workflowservice.v1 import RegisterNamespaceRequest
from temporalio.client import WorkflowUpdateFailedError

import statecore.temporal.activities
from statecore import Condition, Parallel, Router, RunStatus, Step, Workflow
from statecore.errors import (
    AlreadyDecided,
    DuplicateRun,
    InvalidInput,
    KeyReused,
    NotPaused,
    RulesUnknown,
    RunBusy,
    RunsElsewhere,
    StatecoreError,
    StoreUnavailable,
    UnknownPause,
    UnknownRun,
)
from statecore.stores import Decided, Identity
from statecore.stores.detail import detail_of
from statecore.temporal import FolderValues, TemporalDb, TemporalWorkflows, wire
from statecore.temporal.activities import prepare
from statecore.temporal.client import starting
from statecore.temporal.wire import Start, plain_start, read_start, row
from tests.temporal.conftest import GATE, Serve, Working, history_of
from tests.temporal.servers import Server
from tests.temporal.workers import until

# -- deciding ------------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("CONF-9")
def test_eight_deciders_one_winner(serve: Serve) -> None:
    """Eight people decide the same pause at once, each something else: one is obeyed, seven are told by whom it was decided."""
    runs = serve(Workflow("race", [Step("gate", lambda s: s.previous_step_content, requires_output_review=True)]))
    run = runs.run("x", timeout=30)
    [asked] = run.requirements
    barrier = Barrier(8)

    def decide(number: int) -> str:
        barrier.wait()
        try:
            runs.workflow.decide(run.run_id, asked.pause_id, "edit", value=number, by=f"decider {number}")
        except AlreadyDecided as refused:
            return str(refused)
        return "won"

    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(decide, range(8)))
    assert told.count("won") == 1
    winner = told.index("won")
    assert all(f"decider {winner}" in said for said in told if said != "won")
    assert runs.wait(run.run_id, timeout=30).content == winner


@pytest.mark.spec("GATE-2", "GATE-3")
def test_a_wrong_answer_and_a_wrong_name_are_errors(serve: Serve) -> None:
    """An evaluator that answers with a text, and a step that looks for a name of no component, fail by name in a worker, too."""
    fork = Condition("fork", [Step("fetch", lambda s: s.input)], evaluator=lambda _: "no", on_error="pause")
    look = Step("look", lambda s: s.get_step_content("fecth"), on_error="pause")
    runs = serve(Workflow("wrong", [fork, look]))
    run = runs.run("x", timeout=30)
    assert [(each.step_name, each.error_type) for each in run.steps_with_errors] == [("fork", "NotABool")]
    run.steps_with_errors[0].skip()
    run = runs.continue_run(run, timeout=30)
    [error] = run.steps_with_errors
    assert (error.step_name, error.error_type) == ("look", "UnknownStep")
    assert "Did you mean 'fetch'?" in error.error_message


def test_the_same_decision_again_and_another_one(serve: Serve) -> None:
    """A repeated decision is answered as it was; another one, one with a used key, of an unknown pause or run is refused by its name."""
    runs = serve(Workflow("again", [GATE, Step("second", lambda s: s.input, requires_confirmation=True)]))
    run = runs.run("x", timeout=30)
    decide = runs.workflow.decide
    first = decide(run.run_id, "gate:confirmation:0", "confirm", by="ada", idempotency_key="click")
    assert decide(run.run_id, "gate:confirmation:0", "confirm", by="bob").by == first.by == "ada"
    with pytest.raises(AlreadyDecided, match="ada"):
        decide(run.run_id, "gate:confirmation:0", "reject", by="bob")
    runs.wait(run.run_id, timeout=30)
    with pytest.raises(KeyReused):
        decide(run.run_id, "second:confirmation:0", "confirm", idempotency_key="click")
    with pytest.raises(UnknownPause):
        decide(run.run_id, "third:confirmation:0", "confirm")
    with pytest.raises(InvalidInput):
        decide(run.run_id, "second:confirmation:0", "confirm", value=1)
    with pytest.raises(UnknownRun):
        decide("nobody", "second:confirmation:0", "confirm")
    assert runs.workflow.cancel_run(run.run_id, by="ada")
    assert not runs.workflow.cancel_run(run.run_id, by="ada")
    assert runs.wait(run.run_id).status is RunStatus.cancelled
    with pytest.raises(NotPaused):
        decide(run.run_id, "second:confirmation:0", "confirm")


def test_a_left_decision_that_is_refused_is_told_to_whoever_looks(serve: Serve, server: Server) -> None:
    """Two decisions are left for a run that no worker executes; the first that arrives counts, the second changes nothing and is kept."""
    flow = Workflow("left", [GATE])
    db = TemporalDb(server.target, wait=False)
    run_id = TemporalWorkflows(flow, db).start("x")
    there = flow.on(db)
    there.decide(run_id, "gate:confirmation:0", "confirm", by="ada")
    there.decide(run_id, "gate:confirmation:0", "reject", by="bob")
    runs = serve(flow)
    until(lambda: db.load(run_id).state.run == "completed")
    assert [each.by for each in runs.db.decisions(run_id)] == ["ada"]

    async def look() -> Any:
        client = await db.connection.client()
        return await client.get_workflow_handle(run_id).query("look")

    [refused] = db.connection.do(look())["refused"]
    assert AlreadyDecided.code in refused
    later = TemporalWorkflows(flow, db)
    second = later.start("y")
    assert there.cancel_run(second, by="ada")
    until(lambda: db.load(second).state.run == "cancelled")
    db.close()


def test_whatever_is_sent_no_run_is_stopped_by_it(serve: Serve) -> None:
    """What no client of this package would send, updates and signals alike, is refused by name; the run takes the next good decision."""
    choices = [Step("x", lambda _s: "x"), Step("y", lambda _s: "y")]
    runs = serve(Workflow("poison", [Router("way", choices, requires_user_input=True)]))
    run = runs.run("in", timeout=30)
    [asked] = run.requirements
    good: list[Any] = row(Decided(run.run_id, asked.pause_id, "select", 0, '["nowhere"]'))
    bad = [
        good,
        [*good[:4], '"x', *good[5:]],
        [*good[:4], None, *good[5:]],
        good[:3],
        "no row",
        [*good[:3], "then", *good[4:]],
        None,
    ]

    async def send(decision: Any) -> str:
        handle = (await runs.db.connection.client()).get_workflow_handle(run.run_id)
        await handle.signal("decide_later", decision)
        try:
            await handle.execute_update("decide", decision)
        except WorkflowUpdateFailedError as refused:
            return str(refused.cause)
        return "taken"

    assert "taken" not in [runs.db.connection.do(send(decision)) for decision in bad]
    runs.workflow.decide(run.run_id, asked.pause_id, "select", value=["y"])
    assert runs.wait(run.run_id, timeout=30).content == "y"


@pytest.mark.spec("SAID-1")
def test_a_decision_beside_a_call_is_acted_upon_while_the_call_goes_on(serve: Serve) -> None:
    """A person answers in one branch while a call in the other goes on: the gated step is called, and lets the other one end."""
    goes_on = Event()

    def asked_too(_step_input: Any) -> str:
        goes_on.set()
        return "asked"

    gated = Step("asks", asked_too, requires_confirmation=True)
    both = Parallel(Step("busy", lambda _s: goes_on.wait(60)), gated, name="both")
    runs = serve(Workflow("beside", [both]))
    run_id = runs.start("x")
    [asked] = until(lambda: runs.workflow.list_pauses(run_id=run_id))
    runs.workflow.decide(run_id, asked.pause_id, "confirm", by="ada")
    assert runs.wait(run_id, timeout=30).content == {"busy": True, "asks": "asked"}
    rows = [each.trigger for each in runs.db.journal(run_id) if each.at in ("", "both/asks")]
    assert rows == ["start", "enter", "confirm", "succeed", "finish"]


@pytest.mark.spec("SAID-1")
def test_a_decision_beside_a_delay_is_acted_upon_while_the_delay_waits(serve: Serve) -> None:
    """A branch that waits for its automatic retry does not hold up the answer to the other one."""
    calls: list[str] = []

    def flaky(step_input: Any) -> str:
        calls.append("flaky")
        if step_input.attempt == 0:
            raise OSError("x")
        return "good"

    gated = Step("asks", lambda _s: calls.append("asks"), requires_confirmation=True)
    both = Parallel(Step("flaky", flaky, max_retries=1, retry_delay=3600), gated, name="both")
    runs = serve(Workflow("beside-delay", [both]))
    run_id = runs.start("x")
    until(lambda: calls)
    [asked] = until(lambda: runs.workflow.list_pauses(run_id=run_id))
    runs.workflow.decide(run_id, asked.pause_id, "confirm", by="ada")
    until(lambda: len(calls) > 1)
    assert (calls, runs.db.load(run_id).state.run) == (["flaky", "asks"], "running")


def test_a_worker_that_is_stopped_in_a_step_interrupts_it(serve: Serve, db: TemporalDb, monkeypatch: pytest.MonkeyPatch) -> None:
    """Told to stop, a worker waits for its calls for a while; what has not ended then is interrupted, and another worker goes on."""
    monkeypatch.setattr(statecore.temporal.activities, "GRACE", 0.05)
    begun, goes_on = Event(), Event()

    def stuck(_step_input: Any) -> str:
        again = begun.is_set()
        begun.set()
        return "again" if again else str(goes_on.wait(60))

    flow = Workflow("stopped", [Step("stuck", stuck)])
    first = Working(db, flow)
    runs = TemporalWorkflows(flow, db)
    run_id = runs.start("x")
    assert begun.wait(30)
    db.connection.do(first.worker.__aexit__(None, None, None))
    goes_on.set()
    serve(flow)
    assert runs.wait(run_id, timeout=30).content == "again"
    assert [each.trigger for each in db.journal(run_id) if each.at == "stuck"] == ["enter", "interrupt", "succeed"]


def test_a_namespace_that_no_worker_has_prepared(server: Server) -> None:
    """Without the search attributes nothing is started, and what to do is said; a worker does it when it begins, as often as one begins."""

    async def register() -> None:
        wanted = RegisterNamespaceRequest(namespace="bare", workflow_execution_retention_period=Duration(seconds=86_400))
        await server.environment.client.workflow_service.register_namespace(wanted)

    server.connection.do(register())
    db = TemporalDb(server.target, "bare")
    runs = TemporalWorkflows(Workflow("bare", [GATE]), db)
    with pytest.raises(StoreUnavailable, match="search attributes of runs; a worker registers them"):
        runs.start("x")
    for _ in range(2):
        db.connection.do(prepare(db))
    assert db.load(runs.start("x", run_id="bare-1")).state.run == "paused"
    db.close()


def test_no_worker_no_answer(server: Server) -> None:
    """Without a worker a decision that waits for an answer gets none, and what to do is said; what people owe is listed all the same."""
    flow = Workflow("alone", [GATE])
    db = TemporalDb(server.target, patience=0.2)
    run_id = TemporalWorkflows(flow, db).start("x")
    [asked] = flow.on(db).list_pauses(run_id=run_id)
    with pytest.raises(StoreUnavailable, match="no worker answers"):
        flow.on(db).decide(run_id, asked.pause_id, "confirm")
    with pytest.raises(StoreUnavailable, match="no worker answers"):
        db.journal(run_id)
    with pytest.raises(StoreUnavailable, match="127"):
        TemporalDb("127.0.0.1:9", patience=0.2).load(run_id)
    db.close()


def test_everything_is_there_in_asyncio_too(serve: Serve) -> None:
    """The a-twins of the facade do the same off the loop, many at a time."""
    runs = serve(Workflow("colours", [GATE]))

    async def one(number: int) -> Any:
        run = await runs.workflow.asubmit(number)
        run_id = run.run_id
        await asyncio.to_thread(runs.wait, run_id, timeout=30)
        [asked] = await runs.workflow.alist_pauses(run_id=run_id)
        await runs.workflow.adecide(run_id, asked.pause_id, "confirm", by="ada")
        await asyncio.to_thread(runs.wait, run_id, timeout=30)
        return (await runs.workflow.aget_run_output(run_id)).content

    async def all_of_them() -> list[Any]:
        return await asyncio.gather(*map(one, range(5)))

    assert asyncio.run(all_of_them()) == list(range(5))


# -- starting ------------------------------------------------------------------------------------------------------------------------


def test_keys_and_ids_of_starts(serve: Serve) -> None:
    """The same key starts one run; with another input, or an id that is taken, nothing is started."""
    runs = serve(Workflow("keys", [GATE], session_id="keys"))
    first = runs.start("x", idempotency_key="order 1")
    assert runs.start("x", idempotency_key="order 1") == first
    with pytest.raises(KeyReused):
        runs.start("y", idempotency_key="order 1")
    with pytest.raises(DuplicateRun):
        runs.start("x", run_id=first)
    assert runs.start("x", run_id="mine", idempotency_key="order 2") != "mine"


def test_a_session_goes_on_from_run_to_run(serve: Serve) -> None:
    """A run begins with the session state that the session's last one left, as soon as the server lists that one."""

    def counts(step_input: Any, run_context: Any) -> int:
        run_context.session_state["n"] = run_context.session_state.get("n", 0) + 1
        return int(run_context.session_state["n"])

    runs = serve(Workflow("session", [Step("count", counts)], session_id="one", session_state={"n": 10}))
    assert runs.run(timeout=30).content == 11
    until(lambda: runs.db.session_state("one", "session") == '{"n":11}')
    assert runs.run(timeout=30).content == 12
    session = runs.workflow.get_session()
    assert session is not None


def test_this_process_executes_nothing(serve: Serve) -> None:
    """The facade on such a store reads and decides; what would call a step here is refused, and says where runs are executed."""
    runs = serve(Workflow("elsewhere", [GATE]))
    with pytest.raises(RunsElsewhere, match="TemporalWorkflows"):
        runs.workflow.run("x")
    with pytest.raises(RunsElsewhere, match="TemporalWorkflows"):
        Workflow("unknown", [GATE], runs.db).submit("x")
    run = runs.run("x", timeout=30)
    run.steps_requiring_confirmation[0].confirm()
    with pytest.raises(RunBusy):
        runs.workflow.continue_run(run)
    assert [name for name in ("commit", "renew", "release", "claim_next") if hasattr(runs.db, name)] == []


def test_a_server_is_named_by_a_url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Host, port, namespace and options; what is misspelt is refused, because a decision that waits for nobody is another one."""
    plain = TemporalDb.at("temporal://example.org")
    assert (plain.path, plain.wait, plain.values) == ("temporal://example.org:7233/default", True, None)
    monkeypatch.setenv("TEMPORAL_API_KEY", "secret")
    full = TemporalDb.at(f"temporal://example.org:1/payouts?wait=no&tls=yes&values={tmp_path}")
    assert (full.path, full.wait) == ("temporal://example.org:1/payouts", False)
    assert full.connection.options == {"tls": True, "api_key": "secret"}
    assert isinstance(full.values, FolderValues)
    with pytest.raises(StoreUnavailable, match="Did you mean 'wait'"):
        TemporalDb.at("temporal://example.org?wiat=no")


# -- failing ---------------------------------------------------------------------------------------------------------------------------


def test_a_failed_run_is_failed_there_too_and_goes_on_where_a_person_says_so(serve: Serve) -> None:
    """The exception stays an error of its step, Temporal's list says Failed, and `retry_failed` goes on with all of the past."""
    seen: list[int] = []

    def second(_step_input: Any) -> str:
        seen.append(1)
        if len(seen) == 1:
            message = "by nought"
            raise ZeroDivisionError(message)
        return "mended"

    runs = serve(Workflow("fails", [Step("first", lambda _s: 1), Step("second", second)]))
    failed = runs.run("x", timeout=30)
    assert (failed.status, failed.error) == (RunStatus.error, "by nought")

    async def status() -> Any:
        client = await runs.db.connection.client()
        return (await client.get_workflow_handle(failed.run_id).describe()).status

    assert runs.db.connection.do(status()).name == "FAILED"
    mended = runs.continue_run(failed, retry_failed=True, timeout=30)
    assert (mended.status, mended.content) == (RunStatus.completed, "mended")
    assert [each.trigger for each in runs.db.journal(failed.run_id) if each.at == "first"] == ["enter", "succeed"]
    with pytest.raises(NotPaused):
        runs.reopen(failed.run_id)


def test_a_cancellation_by_temporal_itself_is_heeded_as_everybodys(serve: Serve) -> None:
    """`temporal workflow cancel` cancels the run, in its journal too."""
    runs = serve(Workflow("cancelled", [GATE]))
    run = runs.run("x", timeout=30)

    async def cancel() -> None:
        client = await runs.db.connection.client()
        await client.get_workflow_handle(run.run_id).cancel()

    runs.db.connection.do(cancel())
    until(lambda: runs.db.load(run.run_id).state.run == "cancelled")
    assert runs.db.journal(run.run_id)[-1].trigger == "cancel"


def test_a_worker_that_lost_a_step_leaves_its_runs_to_another(serve: Serve, server: Server) -> None:
    """A worker whose definition lacks the step is told so and tries again later; one that has it goes on, under the run's own definition."""
    old = Workflow("changed", [GATE, Step("old", lambda _s: "by the old definition")])
    runs = TemporalWorkflows(old, TemporalDb(server.target))
    run_id = runs.start("x")
    other = Working(runs.db, Workflow("changed", [GATE, Step("new", lambda _s: 2)]))
    runs.workflow.decide(run_id, "gate:confirmation:0", "confirm")
    until(lambda: runs.db.load(run_id).state.run == "running")
    other.stop()
    serve(old)
    assert runs.wait(run_id, timeout=60).content == "by the old definition"
    runs.db.close()


def test_another_rules_version_waits_for_its_release() -> None:
    """What a run is started with names its rules and its form; others than this release's are refused, so that the run waits."""
    identity = Identity("r", "w", "w", "s", None, 0, "1", "{}", "{}", "f", '["w","",[]]', 1)
    plain = plain_start(Start(identity, "{}", "{}", 3.0, 1))
    assert read_start(plain).identity == identity
    with pytest.raises(RulesUnknown, match="rules 2"):
        read_start({**plain, "format": 2})
    plain["identity"][11] = 2
    with pytest.raises(RulesUnknown):
        read_start(plain)
    assert issubclass(RulesUnknown, StatecoreError)


def test_a_run_of_another_rules_version_waits_unharmed(serve: Serve, db: TemporalDb, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker of a release with other rules does not touch the run; the next one that knows them executes it as if nothing had been."""
    monkeypatch.setattr(starting, "TURN", timedelta(seconds=1))  # such a worker lets its second turn lapse
    flow = Workflow("rules", [Step("one", lambda _s: "done")])
    run_id = TemporalWorkflows(flow, db).start("x")
    monkeypatch.setattr(wire, "RULES_VERSION", 2)
    other = Working(db, flow)
    until(lambda: any(event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED for event in history_of(db, run_id).events))
    other.stop()
    monkeypatch.undo()
    assert serve(flow).wait(run_id, timeout=60).content == "done"
    assert [entry.trigger for entry in db.journal(run_id) if entry.at == "one"] == ["enter", "succeed"]


@pytest.mark.spec("RUN-11")
@pytest.mark.parametrize("colour", ["plain", "async"])
def test_a_worker_keeps_the_limit_of_a_call(serve: Serve, colour: str) -> None:
    """The attempt fails with `StepTimeout`: a plain call is told to stop, an async one is cancelled and awaited; the policy skips the step."""
    ends: list[str] = []

    def plain(_step_input: Any, run_context: Any) -> None:
        ends.append(str(run_context.stop_requested.wait(30)))

    async def awaits(_step_input: Any) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ends.append("over")

    step = Step("s", plain if colour == "plain" else awaits, execution_timeout=0.05, on_error="skip")
    runs = serve(Workflow(f"limited-{colour}", [step, Step("next", lambda _: "good")]))
    run_id = runs.start("x")
    assert runs.wait(run_id, timeout=60).content == "good"
    rows = [each for each in runs.db.journal(run_id) if each.at == "s"]
    assert [each.trigger for each in rows] == ["enter", "fail"]
    assert detail_of(rows[1].body.detail).error_type == "StepTimeout"
    until(lambda: ends)
    assert ends == ["True" if colour == "plain" else "over"]
