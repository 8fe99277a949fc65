"""OBS-1: the log of a run, in every colour, in a worker and on the command line."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import sys
from contextlib import contextmanager

import pytest
from attrs import evolve

from statecore import InMemoryDb, OnError, Parallel, Step, Worker, Workflow
from statecore.cli import main
from statecore.cli.logs import HANDLER
from statecore.errors import ClaimLost
from statecore.runtime.launching import launch
from statecore.testing.stores.samples import DEAD

pytestmark = pytest.mark.spec("OBS-1")

SECRET = "the-secret-4711"  # noqa: S105  # a value that must not be seen
FIELDS = ("run_id", "workflow", "address", "attempt", "pause_id")


class Heard(logging.Handler):
    """The records of the package."""

    def __init__(self):
        super().__init__()
        self.records = []

    def emit(self, record):
        self.records.append(record)

    def told(self, level):
        """The messages from a level on, without the run's name."""
        return [re.sub(r"run '[^']*' of '[^']*' ", "", each.getMessage()) for each in self.records if each.levelno >= level]


@contextmanager
def heard(level):
    """Hear the records of the package from a level on."""
    log, handler = logging.getLogger("statecore"), Heard()
    before = log.level
    log.setLevel(level)
    log.addHandler(handler)
    try:
        yield handler
    finally:
        log.removeHandler(handler)
        log.setLevel(before)


def flow(db) -> Workflow:
    """A step that fails once and is retried, a gate, two branches of which one asks; no text of it may be in the log."""
    fails = iter([OSError(SECRET), None])

    def fetch(_):
        error = next(fails, None)
        if error is not None:
            raise error
        return SECRET

    async def later(_):
        await asyncio.sleep(0)
        return SECRET

    both = Parallel(Step("left", later), Step("right", lambda _: SECRET, requires_confirmation=True), name="both")
    return Workflow("flow", [Step("fetch", fetch, on_error=OnError.pause), both], db)


def decide_all(workflow, run):
    """Answer the questions of a run as a person would, with words that are values."""
    for each in run.requirements:
        word = "retry" if each.kind == "error" else "confirm"
        workflow.decide(run.run_id, each.pause_id, word, by=SECRET, comment=SECRET)


WHOLE = [
    "started",
    "has a call that failed at 'fetch'",
    "asks a person (error) at 'fetch'",
    "paused",
    "resumed",
    "retries: a person has a step called again at 'fetch'",
    "asks a person (confirmation) at 'both/right'",
    "paused",
    "resumed",
    "completed",
]


def test_each_colour_logs_the_same(db, drive):
    """A run that fails, is retried, asks and ends has the same records in each colour and store; none of them holds a value."""
    workflow = flow(db)
    with heard(logging.DEBUG) as log:
        run = drive.run(workflow, SECRET, run_id="r")
        while run.is_paused:
            decide_all(workflow, run)
            run = drive.resume(workflow, run_id="r")
    assert run.content is not None
    info = log.told(logging.INFO)
    assert sorted(info) == sorted(WHOLE)
    assert info[0] == WHOLE[0]
    assert info[-1] == WHOLE[-1]
    boundaries = [each for each in log.records if "stored boundary" in each.getMessage()]
    journal = db.journal("r")
    assert {each.levelno for each in boundaries} == {logging.DEBUG}
    assert 5 <= len(boundaries) <= len(journal)
    assert boundaries[-1].getMessage().startswith(f"run 'r' of 'flow' stored boundary {journal[-1].seq}: ")
    assert SECRET not in "".join(str(vars(each)) for each in log.records)
    assert {tuple(hasattr(each, name) for name in FIELDS) for each in log.records} == {(True,) * len(FIELDS)}
    assert next(each.pause_id for each in log.records if "asks" in each.getMessage()) == "fetch:error:0"


def test_a_worker_logs_what_a_driver_does(db):
    """The runs of a worker have the same records as those of `run`."""
    workflow = flow(db)
    with heard(logging.INFO) as log:
        run = workflow.submit(SECRET)
        Worker(workflow).work(until_idle=True)
        while (run := workflow.get_run_output(run.run_id)).is_paused:
            decide_all(workflow, run)
            Worker(workflow).work(until_idle=True)
    assert sorted(log.told(logging.INFO)) == sorted(WHOLE)


def test_each_end_and_each_retry_has_a_record():
    """A run that fails, is reopened and cancelled, and one whose call is repeated by itself, say so."""
    calls = iter([OSError("x"), OSError("x")])

    def fails(_):
        raise next(calls)

    workflow = Workflow("ends", [Step("a", fails, max_retries=1, retry_delay=0)])
    with heard(logging.INFO) as log:
        with pytest.raises(OSError, match="x"):
            workflow.run("x", run_id="r")
        gated = Workflow("gated", [Step("g", lambda _: 1, requires_confirmation=True)])
        gated.cancel_run(gated.run("x").run_id)
    told = log.told(logging.INFO)
    assert "retries: a call failed, and is made again after its delay at 'a'" in told
    assert told.index("has a call that failed at 'a'") < told.index("failed")
    assert told[-1] == "cancelled"


def test_a_lost_claim_is_a_warning(monkeypatch):
    """A driver that was taken over says so once, by the run's name; a loud refusal is still raised."""
    db = InMemoryDb()

    def taken(_):
        kept = db._runs["r"]
        kept.epoch += 1
        return 1

    with heard(logging.WARNING) as log, pytest.raises(ClaimLost):
        Workflow("w", [Step("a", taken), Step("b", lambda _: 1)], db).run("x", run_id="r")
    assert log.told(logging.WARNING)[0] == "was claimed by another process: this one stores nothing more of it"


def test_a_neighbour_that_is_refused_is_a_warning():
    """`recover` names a run that could not go on, and goes on with the next."""
    db = InMemoryDb()
    first = Workflow(
        "w", [Step("a", lambda _: 1, requires_confirmation=True), Step("b", lambda _: 1, requires_confirmation=True)], db
    )
    ids = [first.run("x").run_id for _ in range(2)]
    for run_id in ids:
        first.decide(run_id, "a:confirmation:0", "confirm")
    other = Workflow("w", [Step("a", lambda _: 1, requires_confirmation=True)], db)
    with heard(logging.WARNING) as log:
        found = other.recover()
    assert {each.run_id for each in found if each.refusal is not None} == set(ids)
    skipped = [each for each in log.records if "is skipped: DefinitionChanged" in each.getMessage()]
    assert {each.run_id for each in skipped} == set(ids)


def test_a_death_is_a_warning_where_nothing_else_is_told(db, drive):
    """With the level WARNING a continuation tells of the process that died in a call, and of nothing else."""
    workflow = Workflow("w", [Step("a", lambda _: 1, on_interrupt="retry")], db)
    living, workflow.host = workflow.host, evolve(workflow.host, owner=lambda: DEAD)
    launch(workflow, "x", run_id="r")  # its owner dies when the call is to be made
    workflow.host = living
    with heard(logging.WARNING) as log:
        assert drive.resume(workflow, run_id="r").content == 1
    assert log.told(logging.DEBUG) == ["was left by a process that died in a call (alone) at 'a'"]


def test_a_void_answer_is_a_warning_where_nothing_else_is_told(db, drive):
    """With the level WARNING a question that is put again for another definition is told of, and nothing else."""
    old, new = (
        Workflow("w", [Step("a", lambda _: 1, requires_confirmation=True, confirmation_message=said)], db) for said in ("1?", "2?")
    )
    run = drive.run(old, run_id="r")
    old.decide("r", run.requirements[0].pause_id, "confirm")
    with heard(logging.WARNING) as log:
        assert drive.resume(new, run_id="r").is_paused
    assert log.told(logging.DEBUG) == ["puts a question again: an answer to the former one is void at 'a'"]


class Raising(logging.Handler):
    """A handler that never works."""

    def emit(self, record):
        """Fail."""
        raise OSError(record.getMessage())


def test_a_logger_that_raises_changes_no_run(db, drive):
    """Where each record raises, a run in each colour and in a worker has the output and the journal of one without a log."""
    workflow = flow(db)
    log, handler = logging.getLogger("statecore"), Raising()
    log.addHandler(handler)
    log.setLevel(logging.DEBUG)
    try:
        run = drive.run(workflow, SECRET, run_id="r")
        while run.is_paused:
            decide_all(workflow, run)
            run = drive.resume(workflow, run_id="r")
        other = Workflow("other", [Step("a", lambda _: SECRET)], db)
        other.submit("x", run_id="s")
        assert Worker(other).work(until_idle=True) == {"COMPLETED": 1}
    finally:
        log.removeHandler(handler)
        log.setLevel(logging.NOTSET)
    assert run.content is not None
    assert other.get_run_output("s").content == SECRET


def raises(_):
    """Fail with words that are a value."""
    raise OSError(SECRET)


def test_no_warning_has_the_words_of_an_error():
    """A run that fails in the background, and an outcome that a worker cannot tell, are named without what the code of a step said."""
    workflow = Workflow("w", [Step("a", raises)])

    def tell(_):
        raise ConnectionError

    async def begun():
        await workflow.arun(SECRET, run_id="aside", background=True)
        await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}))

    with heard(logging.DEBUG) as log:
        asyncio.run(begun())
        workflow.submit(SECRET, run_id="r")
        Worker(workflow, tell=tell).work(until_idle=True)
    told = log.told(logging.WARNING)
    assert "run aside, which was begun in the background, stopped: OSError" in told
    assert "tell failed for run 'r' (ERROR); it is told again later" in told
    written = [logging.Formatter().format(each) + str(vars(each)) for each in log.records]
    assert SECRET not in "".join(written)


def called(act) -> list[str]:
    """The functions of Python that something calls, by file and name."""
    found = []

    def hear(frame, event, _argument):
        if event == "call":
            found.append(f"{frame.f_code.co_filename}:{frame.f_code.co_name}")

    sys.setprofile(hear)
    try:
        act()
    finally:
        sys.setprofile(None)
    return found


def test_off_it_costs_one_question_a_boundary(tmp_path):
    """Where nothing hears, a boundary calls `isEnabledFor` once, and nothing of the room that observes."""
    workflow = Workflow("w", [Step(f"s{n}", lambda _: 1) for n in range(50)], InMemoryDb())
    workflow.run("x")
    names = called(lambda: workflow.run("x", run_id="r"))
    asked = [name for name in names if name.endswith("isEnabledFor")]
    assert 50 <= len(asked) <= 52
    assert [name for name in names if "observ" in name] == []


def test_the_library_of_the_machines_is_quieter_than_a_warning():
    """A run logs nothing from WARNING on, also under the name `transitions`, and no logger of the package is configured by it."""
    root, handler = logging.getLogger(), Heard()
    root.addHandler(handler)
    before = root.level
    root.setLevel(logging.DEBUG)
    try:
        Workflow("w", [Step("a", lambda _: 1)]).run("x")
    finally:
        root.removeHandler(handler)
        root.setLevel(before)
    assert {each.levelno for each in handler.records} <= {logging.DEBUG, logging.INFO}
    assert any(each.name == "statecore" for each in handler.records)
    log = logging.getLogger("statecore")
    assert ([each for each in log.handlers if not isinstance(each, Heard)], log.level, log.propagate) == ([], logging.NOTSET, True)


# -- on the command line -----------------------------------------------------------------------------------------------------------

FLOW = """
from statecore import Step, Workflow
flow = Workflow("flow", [Step("ask", lambda _: "done", requires_confirmation=True)])
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with a workflow; the log is as before afterwards."""
    (tmp_path / "logged_flow.py").write_text(FLOW)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield tmp_path
    sys.modules.pop("logged_flow", None)
    log = logging.getLogger("statecore")
    for each in [each for each in log.handlers if each.get_name() == HANDLER]:
        log.removeHandler(each)
    log.propagate = True
    log.setLevel(logging.NOTSET)


def test_the_command_line_logs_lines(folder, capsys):
    """With `--log-level` each record is a line of the error output that begins with the time on the wall, in UTC; the output is as without."""
    assert main(["run", "logged_flow.py", "--log-level", "debug"]) == 4
    said = capsys.readouterr()
    lines = said.err.splitlines()
    assert len(lines) >= 3
    assert all(re.match(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d\d\d\+00:00 (DEBUG|INFO) +run '", line) for line in lines)
    assert "asks a person" not in said.out


@pytest.mark.parametrize("options", [["--log-json"], ["--log-json", "--log-level", "info"], ["--log-level", "INFO", "--log-json"]])
def test_the_command_line_logs_json(folder, capsys, options):
    """With `--log-json` each record is an object with time, level, message and the fields; a worker has the options, too."""
    main(["run", "logged_flow.py", "--submit"])
    capsys.readouterr()
    assert main(["worker", "logged_flow.py", "--until-idle", *options]) == 0
    records = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [each["message"].rpartition("' ")[2] for each in records][:1] == ["started"]
    assert {each["level"] for each in records} == {"info"}
    paused = next(each for each in records if "asks" in each["message"])
    assert (paused["workflow"], paused["address"], paused["pause_id"]) == ("flow", "ask", "ask:confirmation:0")
    assert paused["time"].endswith("+00:00")
