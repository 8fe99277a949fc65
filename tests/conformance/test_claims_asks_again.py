"""ASK in spite of everything: a changed definition, a process that dies, two processes at once, and a store that is verified."""

from __future__ import annotations

import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier
from typing import Any

import pytest
from attrs import evolve

from statecore import Ask, Inbox, InMemoryDb, PauseFilter, RunStatus, SqliteDb, Step, Workflow
from statecore.core.state import CANCEL, Event
from statecore.errors import AlreadyDecided, DefinitionChanged, NotPaused, RunBusy, StatecoreError, Undecided
from statecore.runtime.worker import Worker
from statecore.stores.sqlite.health import verify
from statecore.testing.machine import GONE, Crash, Dying
from tests.conformance.drive import triggers


def asking(seen, after=(), **settings):
    """Code that asks two questions, one after the other, in a step before others."""

    def code(asked):
        seen.append((asked.attempt, asked.notes, [each.value for each in asked.answers], asked.idempotency_key.rpartition("/")[2]))
        if len(asked.answers) < 2:
            return Ask(f"Question {len(asked.answers)}?", notes=len(seen))
        return [each.value for each in asked.answers]

    return [Step("ask", code, may_ask=2, **settings), *after]


LOG = Step("log", lambda i: i.previous_step_content)
WIRE = Step("wire", lambda i: i.previous_step_content)


@pytest.mark.spec("ASK-8", "GATE-7a", "KEY-2")
def test_what_an_answer_leads_to_has_changed(db, drive):
    """Open questions and answers of the visit lapse together: the step is called again with its last notes, and asks what it asks now."""
    seen: list[Any] = []
    later: list[Any] = []
    run = drive.run(Workflow("flow", asking(seen, [LOG]), db))
    run.requirements[0].answer("first", by="ada")
    run = drive.resume(Workflow("flow", asking(seen, [LOG]), db), run)
    run.requirements[0].answer("second", by="ada")
    changed = Workflow("flow", asking(later, [WIRE, LOG]), db)
    run = drive.resume(changed, run)
    assert later == [(2, 2, [], "ask~a1")]
    [asked] = run.requirements
    assert (asked.pause_id, asked.question) == ("ask:question:2+0", "Question 0?")
    assert triggers(changed, run.run_id, "ask") == ["enter", "ask", "answer", "ask", "renew", "ask"]
    for value in ("third", "fourth"):
        run.requirements[0].answer(value)
        run = drive.resume(changed, run)
    assert (run.status, run.content) == (RunStatus.completed, ["third", "fourth"])
    assert [each[2:] for each in later[1:]] == [(["third"], "ask~a2"), (["third", "fourth"], "ask~a3")]


@pytest.mark.spec("ASK-8", "GATE-7")
def test_a_no_is_no_lapsed_answer(db, drive):
    """A rejection under a changed definition is taken where it leads to the same: nothing is asked anew."""
    seen: list[Any] = []
    run = drive.run(Workflow("flow", asking(seen, [LOG], on_reject="cancel"), db))
    run.requirements[0].reject(by="ada")
    run = drive.resume(Workflow("flow", asking(seen, [WIRE, LOG], on_reject="cancel"), db), run)
    assert (run.status, len(seen)) == (RunStatus.cancelled, 1)


@pytest.mark.spec("ASK-8", "GATE-7b")
def test_a_yes_at_the_gate_holds_for_what_it_let_begin(db, drive):
    """A step that was confirmed and asks does not go on under a definition that leads elsewhere."""
    run = drive.run(Workflow("flow", asking([], [LOG], requires_confirmation=True), db))
    run.requirements[0].confirm()
    run = drive.resume(Workflow("flow", asking([], [LOG], requires_confirmation=True), db), run)
    run.requirements[0].answer("this")
    with pytest.raises(DefinitionChanged):
        drive.resume(Workflow("flow", asking([], [WIRE, LOG], requires_confirmation=True), db), run)


@pytest.mark.spec("ASK-3", "CRASH-1")
@pytest.mark.parametrize("stored", [True, False])
def test_whatever_prefix_is_stored_leads_to_the_same_end(db, stored):
    """A process dies before or after each commit: the run goes on to the same end, and each answer was given once."""
    ends = []
    for left in range(12):
        seen: list[Any] = []
        run_id = f"run {left}"
        flow = Workflow("flow", asking(seen, [LOG]), db)
        doomed = flow.on(Dying(flow.host.executor, left, stored=stored))
        doomed.host = evolve(doomed.host, owner=lambda: GONE)
        with suppress(Crash):
            to_its_end(doomed, run_id)
        with suppress(NotPaused):
            to_its_end(flow, run_id)
        found = flow.get_run_output(run_id)
        ends.append((found.status, found.content))
        assert len(flow.db.decisions(run_id)) == 2
        assert [each[2] for each in seen if each[0] == 2][-1] == ["a", "b"]
    assert ends == [(RunStatus.completed, ["a", "b"])] * 12


def to_its_end(flow, run_id):
    """Start a run, or go on with it, and answer what it asks."""
    try:
        run = flow.continue_run(run_id=run_id)
    except Undecided:
        run = flow.get_run_output(run_id)
    except StatecoreError as unknown:
        if isinstance(unknown, NotPaused | RunBusy):
            raise
        run = flow.run("x", run_id=run_id)
    while run.is_paused:
        [asked] = run.requirements
        if asked.decision is None:
            flow.decide(run_id, asked.pause_id, "answer", value="a" if asked.pause_id.endswith("+0") else "b")
        run = flow.continue_run(run_id=run_id)


SCRIPT = """
import os, signal, sys
from statecore import Ask, SqliteDb, Step, Workflow
path, mode = sys.argv[1:]
def pay(asked):
    with open(path + ".log", "a") as log:
        log.write(f"{asked.attempt}:{[each.value for each in asked.answers]}:{asked.notes}\\n")
    if not asked.answers:
        return Ask("Go?", notes=7)
    if mode == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    return asked.answers[0].value
flow = Workflow("p", [Step("pay", pay, may_ask=1, **({"on_interrupt": "pause"} if "pause" in path else {}))], db=SqliteDb(db_file=path))
if mode == "start":
    flow.run("x", run_id="r")
    flow.decide("r", "pay:question:0+0", "answer", value="yes", by="ada")
else:
    print(flow.continue_run(run_id="r").status.value)
"""


@pytest.mark.spec("ASK-3", "CRASH-2")
@pytest.mark.parametrize("policy", ["retry", "pause"])
def test_a_process_is_killed_between_the_answer_and_the_end_of_its_call(tmp_path, policy):
    """The call is made again with the same answer and notes, or a person is asked whether it is, as `on_interrupt` says."""
    path = tmp_path / f"{policy}.db"

    def process(mode):
        return subprocess.run([sys.executable, "-c", SCRIPT, str(path), mode], capture_output=True, text=True, check=False)

    assert process("start").returncode == 0
    assert process("die").returncode == -signal.SIGKILL
    done = process("go on")
    assert done.stdout.strip() == ("PAUSED" if policy == "pause" else "COMPLETED")
    assert done.stderr == "run 'r' of 'p' was left by a process that died in a call (alone) at 'pay'\n"
    again = [] if policy == "pause" else ["1:['yes']:7"]
    assert (tmp_path / f"{policy}.db.log").read_text().splitlines() == ["0:[]:None", "1:['yes']:7", *again]
    assert verify(path).faults == []


@pytest.mark.spec("ASK-2", "CONT-6")
def test_two_processes_answer_and_continue_at_once(tmp_path):
    """Of two answers to one question one counts, and of two continuations one calls the step; the journal is sound."""
    for _ in range(5):
        seen: list[Any] = []
        path, together = tmp_path / f"{len(list(tmp_path.iterdir()))}.db", Barrier(2)
        flows = [Workflow("flow", asking(seen), SqliteDb(db_file=path)) for _ in range(2)]
        run = flows[0].run("x", run_id="r")
        pause_id = run.requirements[0].pause_id

        def one(number, flows=flows, pause_id=pause_id, together=together):
            together.wait()
            try:
                flows[number].decide("r", pause_id, "answer", value=f"of {number}")
            except AlreadyDecided:
                return "late"
            finally:
                with suppress(RunBusy, Undecided, AlreadyDecided, NotPaused):
                    flows[number].continue_run(run_id="r")
            return "stored"

        with ThreadPoolExecutor(2) as pool:
            assert sorted(pool.map(one, range(2))) == ["late", "stored"]
        [decided] = flows[0].db.decisions("r")
        assert [each[:3] for each in seen] == [(0, None, []), (1, 1, [f"of {str(decided.value)[-2]}"])]
        for flow in flows:
            flow.db.close()
        assert verify(path).faults == []


@pytest.mark.spec("ASK-5")
def test_every_reader_and_worker_knows_a_question(tmp_path):
    """The inbox lists it, a worker goes on with what was answered, and the store replays the run from its rows alone."""
    path = tmp_path / "runs.db"
    seen: list[Any] = []
    flow = Workflow("flow", asking(seen, [LOG]), SqliteDb(db_file=path))
    run_id = flow.run("x").run_id
    inbox = Inbox(SqliteDb(db_file=path))
    for value in ("a", "b"):
        asked: Any
        [asked] = inbox.pending(PauseFilter(run_id=run_id))
        assert (asked.kind, asked.wants, [each.word for each in asked.outcomes]) == ("question", "text", ["answer", "reject"])
        assert asked.outcomes[0].leads_to == "run 'ask' again, when all its questions are answered"
        inbox.decide(run_id, asked.pause_id, "answer", value=value, by="ada")
        Worker(flow).work(until_idle=True)
    assert flow.get_run_output(run_id).content == ["a", "b"]
    assert verify(path).faults == []


@pytest.mark.spec("ASK-2", "CONF-9")
def test_an_event_of_a_question_that_is_not_open_is_refused():
    """The core hears an answer to each open question once, and none to another one."""
    from statecore.core import BEGINNING, START, advance  # the core of this test alone
    from statecore.errors import RefusedTrigger, StaleEvent

    program = Workflow("flow", asking([])).compiled.program
    state = advance(program, BEGINNING, START).state
    for number in (0, 3):
        with pytest.raises(RefusedTrigger):
            advance(program, state, Event("ask", "ask", number=number))
    state = advance(program, state, Event("ask", "ask", number=2)).state
    assert state.cursors[0].marks.open == (0, 1)
    one = advance(program, state, Event("answer", "ask", number=1)).state
    assert (one.run, one.cursors[0].marks.open) == ("paused", (0,))
    for wrong in (Event("answer", "ask", number=1), Event("answer", "ask", number=2), Event("reject", "ask", number=1)):
        with pytest.raises(StaleEvent):
            advance(program, one, wrong)
    assert advance(program, one, CANCEL).state.run == "cancelled"
    assert advance(program, one, Event("answer", "ask", number=0)).state.cursors[0].attempt == 1


def test_a_store_in_memory_has_its_place_for_each_question():
    """Two questions of one call are open at one place; no other question is beside them."""
    db = InMemoryDb()
    run = Workflow("flow", [Step("ask", lambda _: [Ask("a"), Ask("b")], may_ask=2)], db).run()
    assert [each.pause_id for each in run.requirements] == ["ask:question:0+0", "ask:question:0+1"]
