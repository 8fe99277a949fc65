"""VALUE: what people return is kept, with its type, in every store and colour; what cannot be kept is refused in time."""

from __future__ import annotations

import gc
import signal
import subprocess
import sys
import tracemalloc
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from statecore import InMemoryDb, RunStatus, SqliteDb, Step, StepInput, Worker, Workflow, register_codec
from statecore.errors import UnknownRun, UnstorableValue, UnsupportedSetting
from statecore.stores.records import FAR
from statecore.stores.sqlite.store import SqliteDb2
from statecore.workflow.inbox import Inbox
from tests.conformance import kinds
from tests.conformance.drive import confirm_all
from tests.conformance.kinds import KINDS, Colour, Customer, Order

ROOT = Path(__file__).parents[2]


def gives(name: str) -> Any:
    """A step that returns a value of a kind."""
    return lambda _: KINDS[name]


def sixty(db: Any, got: list[Any]) -> Workflow:
    """A workflow whose steps return a value of each kind; behind a gate a step looks at them all."""

    def looks(step_input: StepInput) -> None:
        got.extend(step_input.get_step_content(name) for name in KINDS)

    steps = [Step(name, gives(name)) for name in KINDS]
    return Workflow(
        "sixty", [*steps, Step("looks", looks, requires_confirmation=True)], db, types=[kinds, Customer, kinds.Box[int]]
    )


def differing(got: list[Any]) -> list[str]:
    """The kinds of which a value is not as it was."""
    return [n for n, v in zip(KINDS, got, strict=True) if (type(v), v, repr(v)) != (type(KINDS[n]), KINDS[n], repr(KINDS[n]))]


@pytest.mark.spec("VALUE-1")
def test_sixty_kinds_are_kept_across_a_pause(db, drive, reopened):
    """A value of each kind, a five-megabyte one and a picture among them, is equal and of its type behind a pause, through another store too."""
    got: list[Any] = []
    run = drive.run(sixty(db, got))
    assert run.is_paused
    assert len(KINDS) >= 60
    confirm_all(run)
    done = drive.resume(sixty(reopened(), got), run)
    assert (done.status, differing(got)) == (RunStatus.completed, [])


KILLED = """
    import os, signal, sys
    sys.path.insert(0, {root!r})
    from statecore import SqliteDb
    from tests.conformance.test_claims_values import KINDS, differing, sixty
    got = []
    workflow = sixty(SqliteDb(db_file={file!r}), got)
    if sys.argv[1] == "begins":
        workflow.run("x", run_id="r")
        os.kill(os.getpid(), signal.SIGKILL)
    run = workflow.get_run_output("r")
    run.requirements[0].confirm()
    print(workflow.continue_run(run).status.value, differing(got))
"""
SHOWS = """
    import sys
    from statecore import SqliteDb, Inbox
    from statecore.codec import encode
    shown = Inbox(SqliteDb(db_file={file!r})).show("r").to_dict()
    contents = {{each["step_name"]: each["content"] for each in shown["step_results"]}}
    assert contents["nested dataclasses"]["lines"][0]["colour"] == "red", contents["nested dataclasses"]
    assert contents["a model"] == {{"name": "ADA!", "born": None}}
    assert len(contents["five megabytes"]) == 5_242_880
    assert "pydantic" not in sys.modules and "tests.conformance.kinds" not in sys.modules
    print(len(contents), len(encode(shown)) > 5_000_000)
"""


def child(script: str, *words: str, **names: str) -> subprocess.CompletedProcess[str]:
    """A script in an interpreter of its own."""
    return subprocess.run(
        [sys.executable, "-c", dedent(script).format(**names), *words], capture_output=True, text=True, timeout=120, check=False
    )


@pytest.mark.spec("VALUE-1", "VALUE-2")
def test_sixty_kinds_outlive_a_killed_process(tmp_path):
    """After kill -9 a fresh process that imports the workflow gets them equal and of their type; one that does not shows them as plain data."""
    names = {"root": str(ROOT), "file": str(tmp_path / "runs.db")}
    assert child(KILLED, "begins", **names).returncode == -signal.SIGKILL
    shows = child(SHOWS, **names)
    assert (shows.stdout, shows.stderr) == (f"{len(KINDS) + 1} True\n", "")
    goes_on = child(KILLED, "goes on", **names)
    assert (goes_on.stdout, goes_on.stderr) == ("COMPLETED []\n", "")


@pytest.mark.spec("VALUE-1")
def test_a_worker_keeps_them_too(db, reopened):
    """A worker that takes a run over reads each kind equal and of its type."""
    got: list[Any] = []
    workflow = sixty(db, [])
    run = workflow.submit("x")
    Worker(workflow, concurrency=1).work(until_idle=True)
    [asked] = workflow.list_pauses(run_id=run.run_id)
    workflow.decide(run.run_id, asked.pause_id, "confirm")
    Worker(sixty(reopened(), got), concurrency=1).work(until_idle=True)
    assert (workflow.get_run_output(run.run_id).status, differing(got)) == (RunStatus.completed, [])


ANNOTATED = """
    from __future__ import annotations
    import sys
    from dataclasses import dataclass
    from statecore import SqliteDb, Step, StepInput, Workflow
    def total(step_input: StepInput) -> Order | None:
        return make()
    def pay(step_input: StepInput) -> int:
        return step_input.previous_step_content.lines[0].cents
    workflow = Workflow("shop", [Step("total", total), Step("pay", pay, requires_confirmation=True)], SqliteDb(db_file={file!r}))
    @dataclass(frozen=True)
    class Line:
        cents: int
    @dataclass(frozen=True)
    class Order:
        lines: list[Line]
    def make():
        return Order([Line(125)])
    if __name__ == "__main__":
        workflow.run(1, run_id="r")
"""


@pytest.mark.spec("VALUE-1")
def test_annotations_are_enough(tmp_path):
    """A script runs and ends; a process that imports it goes on, and knows the types that its annotations name, with those inside them."""
    script = tmp_path / "shop.py"
    script.write_text(dedent(ANNOTATED).format(file=str(tmp_path / "runs.db")))
    subprocess.run([sys.executable, str(script)], check=True, timeout=60, capture_output=True)
    goes_on = (
        "import shop; w = shop.workflow; r = w.get_run_output('r'); r.requirements[0].confirm(); print(w.continue_run(r).content)"
    )
    done = subprocess.run([sys.executable, "-c", goes_on], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.stderr) == ("125\n", "")


@pytest.mark.spec("VALUE-2")
def test_only_code_that_asks_gets_the_error(db_file):
    """In a process without the type an output is plain data where it is shown; `content` raises the error that names the line to add."""
    made = "from tests.conformance.kinds import *; from statecore import *; "
    made += f"Workflow('w', [Step('a', lambda _: order(), requires_output_review=True)], SqliteDb(db_file={str(db_file)!r})).run(run_id='r')"
    subprocess.run([sys.executable, "-c", made], cwd=ROOT, check=True, timeout=60)
    asks = f"""
        from statecore import *
        [asked] = Inbox(SqliteDb(db_file={str(db_file)!r})).pending(PauseFilter())
        print(asked.shown_output().content["number"])
        try:
            asked.step_output
        except UnreadableValue as error:
            print(error)
    """
    said = child(asks.replace("{", "{{").replace("}", "}}")).stdout.splitlines()
    assert said[0] == "17"
    assert "from tests.conformance.kinds import" in said[1]
    assert "types=[" in said[1]


@pytest.mark.spec("VALUE-3")
def test_what_cannot_be_stored_is_found_before_a_person_is_asked(db, drive, calls):
    """A step under review whose output cannot be stored fails at once; no person is asked about an output that would be lost."""
    workflow = Workflow("flow", [Step("a", calls.does("a", {"rows": [object()]}), requires_output_review=True)], db)
    with pytest.raises(UnstorableValue, match=r"\$\.rows\[0\]: an object cannot be stored.*register_codec\(object, "):
        drive.run(workflow)
    assert workflow.list_pauses() == []


@pytest.mark.spec("VALUE-3")
def test_what_cannot_be_stored_is_not_retried(db, drive, calls):
    """Automatic retries do not repeat a call whose value cannot be stored; a person may, and other failures are retried as before."""
    work = calls.does("a", object(), OSError("1"), OSError("2"), "fine")
    workflow = Workflow("flow", [Step("a", work, max_retries=2, on_error="pause")], db)
    run = drive.run(workflow)
    assert (run.steps_with_errors[0].error_type, run.metrics["attempts"]) == ("UnstorableValue", 1)
    run.steps_with_errors[0].retry()
    done = drive.resume(workflow, run)
    assert (done.content, done.metrics["attempts"]) == ("fine", 4)


@pytest.mark.spec("VALUE-3")
@pytest.mark.parametrize("policy", ["skip", "fail"])
def test_every_policy_meets_the_first_of_them(db, drive, calls, policy):
    """Under skip the step is skipped at once, under fail the run fails at once: the step is called once."""
    workflow = Workflow("flow", [Step("a", calls.does("a", object(), "never"), max_retries=2, on_error=policy)], db)
    if policy == "fail":
        with pytest.raises(UnstorableValue):
            drive.run(workflow)
    else:
        assert drive.run(workflow).content is None
    assert len(calls.seen) == 1


@pytest.mark.spec("VALUE-4")
def test_memory_is_let_go(db, drive):
    """30 steps of 1 MB: after the output is dropped the process holds less than 3 MB of them."""
    workflow = Workflow("flow", [Step(f"s{n}", lambda s: s.step_name * 400_000) for n in range(30)], db)
    other = Workflow("other", [Step("a", lambda _: 1)], db)
    drive.run(other)
    if isinstance(db, InMemoryDb):
        db.keep = 1
    gc.collect()
    tracemalloc.start()
    try:
        run = drive.run(workflow)
        assert len(run.content) == 1_200_000
        assert tracemalloc.get_traced_memory()[1] > 1_000_000
        del run
        drive.events = []
        drive.run(other)
        gc.collect()
        assert tracemalloc.get_traced_memory()[0] < 3_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.spec("VALUE-3")
def test_an_edit_that_cannot_be_stored_is_refused_when_it_is_made(db):
    """A decision whose value cannot be stored changes nothing, and the question stays open."""
    workflow = Workflow("flow", [Step("a", lambda _: 1, requires_output_review=True)], db)
    run = workflow.run("x")
    with pytest.raises(UnstorableValue):
        workflow.decide(run.run_id, run.requirements[0].pause_id, "edit", value=[object()])
    assert [each.is_resolved for each in workflow.list_pauses()] == [False]


@pytest.mark.spec("VALUE-4")
@pytest.mark.parametrize("where", ["workflow", "store", "both"])
def test_size_is_a_setting(tmp_path, where):
    """`max_value_bytes` of the workflow or the store bounds each value, the smaller counts, and the refusal names it; 16 MiB without it."""
    store = SqliteDb(db_file=tmp_path / "runs.db", max_value_bytes={"workflow": None, "store": 100, "both": 100_000}[where])
    bound = {"workflow": 100, "store": None, "both": 100}[where]
    workflow = Workflow("flow", [Step("a", lambda s: "x" * s.input)], store, max_value_bytes=bound)
    assert workflow.run(98).content == "x" * 98
    with pytest.raises(
        UnstorableValue, match=r"more than 100 bytes, the limit\. Raise max_value_bytes of the workflow or the store"
    ):
        workflow.run(99)
    with pytest.raises(UnstorableValue, match="max_value_bytes"):
        workflow.run("x" * 99)
    store.close()


@pytest.mark.spec("VALUE-4")
def test_sixteen_mebibytes_are_kept_without_a_setting(db):
    """A value of 16 MiB as it is stored is kept; one byte more is refused. Text counts as it is stored."""
    workflow = Workflow("flow", [Step("a", lambda s: "x" * s.input), Step("b", lambda s: len(s.previous_step_content))], db)
    assert workflow.run(16 * 2**20 - 2).content == 16 * 2**20 - 2
    with pytest.raises(UnstorableValue, match="more than 16,777,216 bytes"):
        workflow.run(16 * 2**20 - 1)


@pytest.mark.parametrize("bound", [0, -1, 1.5, True, "1 MB"])
def test_a_bound_is_a_whole_number(bound):
    """A bound that bounds nothing, or is no number, is refused where it is written."""
    for make in (
        lambda: Workflow("flow", [], max_value_bytes=bound),
        lambda: InMemoryDb(max_value_bytes=bound),
        lambda: InMemoryDb(bound),
        lambda: SqliteDb(db_file="never.db", max_value_bytes=bound),
    ):
        with pytest.raises(UnsupportedSetting, match="it is a whole number from 1, or None"):
            make()
    assert not Path("never.db").exists()


@pytest.mark.parametrize(
    ("types", "why"), [([1], "neither a class nor a module"), ([int], "stored as they are"), (Order, "a list of")]
)
def test_types_that_are_none_are_refused(types, why):
    """An item of `types` that no value can be of is refused where it is written."""
    with pytest.raises(UnsupportedSetting, match=why):
        Workflow("flow", [], types=types)


@pytest.mark.spec("VALUE-4")
def test_memory_forgets_ended_runs():
    """`InMemoryDb(keep=2)` has the last two ended runs, and each that waits; a key whose run is forgotten begins another."""
    db = InMemoryDb(keep=2)
    workflow = Workflow("flow", [Step("a", lambda s: s.input, requires_confirmation=False)], db)
    gated = Workflow("gated", [Step("a", lambda s: s.input, requires_confirmation=True)], db)
    waiting = gated.run("w")
    first = [workflow.run(n, idempotency_key=f"k{n}").run_id for n in range(5)]
    assert [each.run_id for each in workflow.list_runs()] == first[:2:-1]
    with pytest.raises(UnknownRun):
        workflow.get_run_output(first[0])
    assert workflow.run(4, idempotency_key="k4").run_id == first[4]
    assert workflow.run(0, idempotency_key="k0").run_id != first[0]
    confirm_all(waiting)
    assert gated.continue_run(waiting).content == "w"


class Odd:
    """A class of no family."""

    def __init__(self, n: int) -> None:
        self.n = n

    def plain(self) -> int:
        return self.n


def test_a_registered_codec_goes_before_a_family(db):
    """A codec that a user registers decides how its type is stored, also of a class that is known by itself."""
    register_codec(Odd, "odd", Odd.plain, Odd)
    run = Workflow("flow", [Step("a", lambda _: [Odd(3), Colour.red])], db).run("x")
    assert (run.content[0].n, run.content[1]) == (3, Colour.red)
    assert '{"$type":["odd",3]}' in str(db.journal(run.run_id))


def test_nothing_else_is_readable_for_an_inbox(db_file):
    """The inbox of a process that knows the types gives the values themselves."""
    Workflow("w", [Step("a", lambda _: kinds.order(), requires_output_review=True)], SqliteDb(db_file=db_file)).run(run_id="r")
    [asked] = Inbox(SqliteDb(db_file=db_file)).show("r").requirements
    assert asked.step_output.content == asked.shown_output().content == kinds.order()  # type: ignore[union-attr]  # a question about an output


@pytest.mark.spec("VALUE-5")
def test_an_input_schema_hands_on_its_model(db, drive, reopened):
    """A pydantic `input_schema` hands each step the validated model, also behind a pause and through another store; the run shows it."""
    seen: list[Any] = []

    def flow(store: Any) -> Workflow:
        gate = Step("b", lambda s: seen.append(s.input), requires_confirmation=True)
        return Workflow("flow", [Step("a", lambda s: seen.append(s.input)), gate], store, input_schema=Customer)

    run = drive.run(flow(db), {"name": "ada"})
    confirm_all(run)
    done = drive.resume(flow(reopened()), run)
    assert [*seen, done.input] == [Customer(name="ada")] * 3
    assert {type(each) for each in seen} == {Customer}
    assert seen[0].name == "ADA!"


@pytest.mark.spec("VALUE-4")
@pytest.mark.parametrize("store", [SqliteDb, SqliteDb2])
def test_a_look_back_costs_what_it_returns(tmp_path, store):
    """A step of a resumed run that asks for one of 50 outputs of 1 MB, and for the names of all, has read one of them."""
    seen: list[Any] = []

    def looks(step_input: StepInput) -> None:
        seen.extend(
            [len(step_input.get_step_content("s7")), len(step_input.previous_step_outputs), step_input.get_step_content("s7")[:3]]
        )

    def flow() -> Workflow:
        steps = [Step(f"s{n}", lambda s: s.step_name * 500_000) for n in range(50)]
        return Workflow("flow", [*steps, Step("looks", looks, requires_confirmation=True)], store(db_file=tmp_path / "runs.db"))

    run = flow().run("x")
    confirm_all(run)
    later = flow()
    later.list_pauses()
    gc.collect()
    tracemalloc.start()
    try:
        done = later.continue_run(run)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (done.status, seen) == (RunStatus.completed, [1_000_000, 50, "s7s"])
    assert peak < 10_000_000


@pytest.mark.spec("VALUE-4")
@pytest.mark.parametrize("store", [SqliteDb, SqliteDb2])
def test_an_outline_is_the_journal_without_its_values(tmp_path, store):
    """The rows of an outline are those of the journal; a long value is marked as far, and a slice of the journal has it."""
    db = store(db_file=tmp_path / "runs.db")
    workflow = Workflow(
        "flow", [Step("a", lambda _: "x" * 5_000), Step("b", lambda s: s.get_step_content("a"), on_error="skip")], db
    )
    run_id = workflow.run("x", run_id="r").run_id
    rows, outline = db.journal(run_id), db.outline(run_id)
    assert [row._replace(body=None) for row in rows] == [row._replace(body=None) for row in outline]
    far = [row.seq for row in outline if row.body.value == FAR]
    assert [row.seq for row in rows if row.body.value is not None and len(row.body.value) > 5_000] == far
    assert {row.body.detail for row in rows} == {row.body.detail for row in outline}
    assert [len(db.journal(run_id, seq - 1, seq)[0].body.value or "") for seq in far] == [5_002] * 2
    db.close()
