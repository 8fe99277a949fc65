"""RUN-5 and LAW: random workflows under random answers give one journal in every colour and store, and it obeys the laws."""

from __future__ import annotations

from collections import Counter
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from statecore import InMemoryDb, RunStatus, SqliteDb, Step, Workflow
from statecore.run.workflow import StepOutputDelta, WorkflowPausedEvent
from statecore.stores.replay import replay
from tests.conformance.drive import COLOURS, Drive, statuses
from tests.conformance.plans import answers, plans
from tests.conformance.plays import Play, play
from tests.sizes import examples

QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture]
CALLED = {(machine, phase) for machine in ("step", "condition", "router", "loop") for phase in ("evaluating", "judging")} | {
    ("step", "running")
}
ENDS = {
    *(("running", trigger) for trigger in ("succeed", "stop")),
    ("judging", "refute"),
    *(("awaiting_review", trigger) for trigger in ("confirm", "edit")),
    ("errored_paused", "provide"),
}
numbers = count()


@pytest.fixture(scope="module")
def disk(tmp_path_factory) -> SqliteDb:
    """One store on disk for all examples; the file is made once."""
    return SqliteDb(db_file=str(Path(tmp_path_factory.mktemp("disk")) / "runs.db"), durability="normal")


@pytest.mark.spec("RUN-5", "RUN-7", "RUN-8")
@settings(max_examples=examples(8), deadline=None, print_blob=True, suppress_health_check=QUIET)
@given(made=plans(), script=answers)
def test_every_colour_and_store_gives_the_same_run(disk, made, script):
    """On any workflow and any answers: one journal, one list of calls with what they saw, one result, and one stream of events."""
    played: dict[str, Play] = {}
    for db in (InMemoryDb(), disk):
        for colour in COLOURS:
            played[f"{type(db).__name__} {colour}"] = play(made, script, Drive(colour), db, f"run {next(numbers)}")
    first = played["InMemoryDb sync"]
    for name, other in played.items():
        assert other.history == first.history, name
        assert other.seen == first.seen, name
    told = {name: each.told for name, each in played.items() if "stream" in name}
    for name, events in told.items():
        assert events == told["InMemoryDb stream"], name


plays = settings(max_examples=examples(24), deadline=None, print_blob=True, suppress_health_check=QUIET)


def stream(made, script) -> Play:
    """A play in memory, streamed."""
    return play(made, script, Drive("stream"), InMemoryDb(), "r")


@pytest.mark.spec("LAW-1", "LAW-4", "LAW-9")
@plays
@given(made=plans(), script=answers)
def test_an_end_is_an_end_and_nothing_repeats_unasked(made, script):
    """Nothing leaves an end; a component is entered once a turn; user code is called once an attempt, and again after its death."""
    played = stream(made, script)
    journal = played.workflow.db.journal("r")
    over: set[tuple[object, ...]] = set()
    for entry in journal:
        key = (entry.machine, entry.at, entry.turn)
        assert key not in over, entry
        if entry.source == "failed":
            assert entry.trigger == "resume"
        if entry.dest in ("completed", "skipped", "cancelled"):
            over.add(key)
    begun = [entry for entry in journal if (entry.machine, entry.dest) in CALLED]
    unheard = [entry for entry in begun if entry.dest == "judging"]  # predicates do not remember their calls
    unmade = [e for e in journal if e.trigger == "cancel" and (e.machine, e.source) in CALLED]  # let go and cancelled at once
    assert len(played.calls.seen) == len(begun) - len(unheard) - sum(entry.source != "judging" for entry in unmade)
    once = [entry for entry in begun if entry.trigger != "interrupt" and entry.machine != "loop"]
    assert len(once) == len({(e.at, e.turn, e.attempt, e.source, e.trigger) for e in once})
    entered = Counter((entry.at, entry.turn) for entry in journal if entry.trigger == "enter")
    assert set(entered.values()) <= {1}
    assert (journal[-1].machine, journal[-1].dest) == ("run", played.run.status.value.lower())


@pytest.mark.spec("LAW-2", "LAW-3")
@plays
@given(made=plans(), script=answers)
def test_paused_is_owing_and_requirements_mirror_it(made, script):
    """Wherever a run rests it is paused if and only if a person owes something; the inbox and the stream list the same questions."""
    played = stream(made, script)
    for rest in played.rests:
        waiting = sorted(at for at, status in standing(rest) if status.startswith("awaiting") or status == "errored_paused")
        assert rest.is_paused == bool(waiting)
        assert sorted(each.address for each in rest.requirements) == waiting
    paused = [rest for rest in played.rests if rest.is_paused]
    told = [sorted(event.pause_ids) for event in played.events if isinstance(event, WorkflowPausedEvent)]
    assert told == [sorted(each.pause_id for each in rest.requirements) for rest in paused if not interrupted(rest)]
    assert played.workflow.list_pauses() == []


def interrupted(rest) -> bool:
    """Whether the run rests because its process was told to stop, so that its stream could not tell."""
    return any(each.kind == "interrupted" for each in rest.requirements)


def standing(run) -> list[tuple[str, str]]:
    """How every component stands, in every turn, with its address: names repeat."""
    found, todo = [], list(run.step_results)
    while todo:
        output = todo.pop()
        found.append((output.address, output.status))
        todo += output.steps
    return found


@pytest.mark.spec("LAW-5", "LAW-6")
@plays
@given(made=plans(), script=answers)
def test_one_branch_and_no_completion_without_a_call(made, script):
    """No two branches of a fork are visited in one turn; a step is completed by a call of its present attempt, perhaps after review."""
    journal = stream(made, script).workflow.db.journal("r")
    for fork, turn in {(entry.at, entry.turn) for entry in journal if entry.machine == "condition"}:
        inside = [e for e in journal if e.turn[: len(turn)] == turn]
        assert sum(any(e.at.startswith(f"{fork}/{branch}/") for e in inside) for branch in ("then", "else")) <= 1
    running: dict[object, int] = {}
    for entry in journal:
        key = (entry.at, entry.turn)
        if entry.machine == "step" and entry.dest == "completed":
            assert (entry.source, entry.trigger) in ENDS
            assert running[key] == entry.attempt
        if entry.machine == "step" and entry.dest == "running":
            running[key] = entry.attempt + (entry.trigger in ("retry", "resume", "wake", "reject"))


@pytest.mark.spec("LAW-8", "LAW-7")
@plays
@given(made=plans(), script=answers)
def test_the_run_and_its_components_agree(made, script):
    """A failed run has a failed component and raised; a completed or cancelled one leaves nothing open; every run comes to an end."""
    played = stream(made, script)
    for rest in played.rests:
        components = {status for _, status in standing(rest)}
        assert ("failed" in components) == (rest.status is RunStatus.error)
        if rest.status is RunStatus.completed:
            assert components <= {"completed", "skipped"}
        if rest.status is RunStatus.cancelled:
            assert components <= {"completed", "skipped", "cancelled"}
    assert played.run.status in (RunStatus.completed, RunStatus.cancelled)
    cancels = [entry for entry in played.workflow.db.journal("r") if entry.machine == "run" and entry.trigger == "cancel"]
    assert len(cancels) == (played.run.status is RunStatus.cancelled)


@pytest.mark.spec("LAW-2", "LAW-3")
def test_while_user_code_runs_nothing_is_owed(db, drive):
    """Seen from inside a step the run is RUNNING, with no question open."""
    seen: list[object] = []

    def look(step_input):
        now = workflow.get_run_output("r")
        seen.append((now.status, now.requirements, workflow.list_pauses(), statuses(now)))

    workflow = Workflow("flow", [Step("gate", look, requires_confirmation=True)], db)
    run = drive.run(workflow, run_id="r")
    run.steps_requiring_confirmation[0].confirm()
    drive.resume(workflow, run)
    assert seen == [(RunStatus.running, [], [], {"gate": "running"})]


@pytest.mark.spec("LAW-1", "LAW-4")
def test_nothing_moves_a_run_that_is_over(db, drive, calls):
    """After the end, continuing, deciding, cancelling and recovering call nothing and write nothing."""
    workflow = Workflow("flow", [Step("gate", calls.does("gate"), requires_confirmation=True)], db)
    old = drive.run(workflow)
    old.step_requirements[0].confirm()
    run = drive.resume(workflow, old)
    before = db.journal(run.run_id)
    for move in (
        lambda: drive.resume(workflow, old),
        lambda: drive.resume(workflow, run),
        lambda: drive.resume(workflow, run_id=run.run_id, retry_failed=True),
        lambda: workflow.decide(run.run_id, old.step_requirements[0].pause_id, "reject"),
    ):
        with pytest.raises(ValueError):
            move()
    assert (workflow.cancel_run(run.run_id), workflow.recover()) == (False, [])
    assert (db.journal(run.run_id), calls.names) == (before, ["gate"])


@pytest.mark.spec("RUN-5")
@plays
@given(made=plans(), script=answers)
def test_the_output_tells_what_the_streams_told(made, script):
    """`run_output.events`, read back from the journal alone, are the events that the streams yielded, with their times.

    A stream does not tell of what nobody could read: an interruption that was stored while it was thrown, and a cancellation from outside.
    """
    played = stream(made, script)
    told = [event.to_dict() for event in played.events if not isinstance(event, StepOutputDelta)]  # those are told once
    read = [event.to_dict() for event in played.workflow.get_run_output("r").events]
    unheard = played.run.status is RunStatus.cancelled or "KeyboardInterrupt" in played.raised
    rest = iter(read)
    assert all(event in rest for event in told)  # in this order
    assert unheard or len(read) == len(told)


@pytest.mark.spec("RUN-5")
@plays
@given(made=plans(), script=answers)
def test_a_journal_is_a_path_of_the_core(made, script):
    """Every journal, replayed from its rows alone, is what the core does with its events; the state at its end is the stored one."""
    played = stream(made, script)
    db = played.workflow.db
    *_, last = replay(lambda _: played.workflow.compiled.program, db.journal("r"))
    assert last.commit.after.state == db.load("r").state
