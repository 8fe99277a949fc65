"""`statecore verify`, `doctor` and `backup`: what they say, what they return, and what they leave alone."""

from __future__ import annotations

import json
import os
import shlex
import sqlite3
import stat
import sys
from pathlib import Path
from textwrap import dedent
from threading import Event, Thread
from types import SimpleNamespace

import pytest
from attrs import evolve

from statecore import Step, Workflow
from statecore.cli.main import main
from statecore.errors import StoreCorrupt, StoreUnavailable
from statecore.runtime import Host
from statecore.runtime.doctor import examine
from statecore.stores import RunFilter
from statecore.stores.owner import SKEW, this_process
from statecore.stores.sqlite import health
from statecore.stores.sqlite.health import backup, verify
from statecore.stores.sqlite.opening import marks
from statecore.stores.sqlite.store import SqliteDb2 as SqliteDb
from statecore.testing.stores.samples import claim
from tests.unit.stores.sqlite_files import folder_of, tamper

FINE, FAILED, USAGE = 0, 1, 2
PATIENCE = 30
SEED = Path(__file__).parents[2] / "seeds" / "store-1.sql"


@pytest.fixture
def cli(tmp_path, monkeypatch, capsys):
    """Run a command line in an empty folder: its exit code, its standard output, its standard error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("STATECORE_DB", raising=False)
    monkeypatch.setattr(sys, "path", list(sys.path))

    def run(line):
        code = main(shlex.split(line))
        said = capsys.readouterr()
        return SimpleNamespace(code=code, out=said.out, err=said.err)

    return run


def gated(db, *more, **settings):
    """A workflow that asks before it pays."""
    return Workflow("payout", [Step("pay", lambda _: "paid", requires_confirmation=True, **settings), *more], db)


@pytest.fixture
def file(tmp_path):
    """A store with a paused run."""
    db = SqliteDb(tmp_path / "runs.db")
    gated(db).run("x", run_id="r")
    db.close()
    return tmp_path / "runs.db"


# -- verify ------------------------------------------------------------------------------------------------------------------------


def test_verify_says_that_a_store_is_sound(cli, file):
    """It says how much it looked at, for people and as JSON, and exits with 0."""
    said = cli("verify runs.db")
    assert (said.code, said.out, said.err) == (FINE, f"{file}: sound (1 runs, 3 journal rows, 2 values)\n", "")
    document = json.loads(cli("verify runs.db --json").out)
    assert document == {
        "path": str(file), "schema": 2, "runs": 1, "rows": 3, "values": 2, "purged": 0, "root": None, "faults": [],
        "remarks": [], "sound": True, "exit_code": 0,
    }  # fmt: skip


def test_verify_names_the_first_bad_row(cli, file):
    """It names run, place and reason, and exits with 1."""
    tamper(file, 'UPDATE journal SET detail = \'{"by":"eve"}\' WHERE seq = 2')
    said = cli("verify runs.db")
    assert said.code == FAILED
    assert said.out.splitlines() == [
        "bad   run 'r': journal row 2: it is not as it was written: the chain breaks here",
        f"{file}: not sound: 1 faults (1 runs, 2 journal rows, 2 values)",
    ]
    said = cli("verify runs.db --json")
    assert said.code == FAILED == json.loads(said.out)["exit_code"]
    why = "it is not as it was written: the chain breaks here"
    assert json.loads(said.out)["faults"] == [{"run_id": "r", "where": "journal row 2", "why": why}]


def test_verify_prints_remarks_and_not_too_many_faults(cli, file, monkeypatch):
    """What could be checked in part only is a note and no fault; more faults than a screen holds are counted."""
    monkeypatch.setattr("statecore.cli.care.SHOWN", 1)
    old = file.with_name("old.db")
    connection = sqlite3.connect(old, isolation_level=None)
    connection.executescript(SEED.read_text(encoding="utf-8"))
    connection.close()
    said = cli("verify old.db")
    assert (said.code, said.out.splitlines()[0][:6]) == (FINE, "note  ")
    tamper(file, "UPDATE value SET text = text || ' '")
    said = cli("verify runs.db")
    assert said.code == FAILED
    assert "more; --json has them all" in said.out


def test_verify_shows_how_far_it_is(cli, file, monkeypatch):
    """On a terminal a line on stderr counts the runs."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert cli("verify runs.db").err == "\r1 of 1 runs\n"
    assert cli("verify runs.db --json").err == ""


@pytest.mark.parametrize("command", ["verify", "doctor", "backup --json"])
def test_a_missing_store_is_a_usage_error(cli, tmp_path, command):
    """What is not there is not made."""
    words = command.split()
    assert cli(f"{words[0]} nowhere.db copy.db" if "backup" in command else f"{words[0]} nowhere.db").code == USAGE
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["verify {}", "doctor {}", "backup {} copy.db"])
def test_another_programs_file_is_refused(cli, tmp_path, command):
    """A file that is no store of ours is refused by name, and stays as it is."""
    (tmp_path / "notes.txt").write_text("nothing of ours\n" * 50)
    before = folder_of(tmp_path / "notes.txt")
    said = cli(command.format("notes.txt"))
    assert (said.code, said.out) == (FAILED, "")
    assert "is not a statecore store" in said.err
    assert folder_of(tmp_path / "notes.txt") == before


# -- backup ------------------------------------------------------------------------------------------------------------------------


def test_a_backup_is_a_store(cli, file, tmp_path):
    """The copy is one file that only its owner can read; it is sound, and its runs go on from it."""
    said = cli("backup runs.db copy.db")
    assert (said.code, said.err) == (FINE, "")
    assert said.out == f"Copied to {tmp_path / 'copy.db'}: sound (1 runs, 3 journal rows, 2 values)\n"
    assert sorted(path.name for path in tmp_path.glob("*copy*")) == ["copy.db"]
    assert stat.S_IMODE((tmp_path / "copy.db").stat().st_mode) == 0o600
    db = SqliteDb(tmp_path / "copy.db")
    run = gated(db).get_run_output("r")
    run.steps_requiring_confirmation[0].confirm()
    assert gated(db).continue_run(run).content == "paid"
    db.close()
    db = SqliteDb(file)
    assert gated(db).get_run_output("r").is_paused
    db.close()
    assert json.loads(cli("backup runs.db second.db --json").out)["sound"] is True


@pytest.mark.parametrize("taken", ["file", "link", "folder"])
def test_a_backup_overwrites_nothing(cli, file, tmp_path, taken):
    """Whatever has the name already keeps it, also a link that leads nowhere."""
    target = tmp_path / "copy.db"
    {
        "file": lambda: target.write_text("mine"),
        "link": lambda: target.symlink_to("nowhere"),
        "folder": target.mkdir,
    }[taken]()
    said = cli("backup runs.db copy.db")
    assert said.code == (USAGE if taken == "folder" else FAILED)
    assert taken == "folder" or "it exists, and a backup overwrites nothing" in said.err
    assert os.path.lexists(target)
    assert taken != "file" or target.read_text() == "mine"
    assert list(tmp_path.glob(".copy*")) == []


def test_a_file_that_appears_meanwhile_is_kept(file, tmp_path, monkeypatch):
    """Somebody who takes the name while the copy is made keeps it; the copy is gone."""
    target = tmp_path / "copy.db"

    def meanwhile(made, progress, of):
        target.write_text("mine")
        return verify(made, progress, of)

    monkeypatch.setattr("statecore.stores.sqlite.health.verify", meanwhile)
    with pytest.raises(StoreUnavailable):
        backup(file, target)
    assert target.read_text() == "mine"
    assert list(tmp_path.glob(".copy*")) == []


def test_a_damaged_store_has_no_backup(file, tmp_path):
    """A copy that is not sound is no backup: it is refused with its first fault, and nothing is left."""
    tamper(file, "UPDATE journal SET detail = 'x' WHERE seq = 2")
    with pytest.raises(StoreCorrupt, match="journal row 2"):
        backup(file, tmp_path / "copy.db")
    with pytest.raises(StoreUnavailable):
        backup(file, tmp_path / "no" / "folder" / "copy.db")
    assert list(tmp_path.glob("*copy*")) == []


def test_a_backup_is_of_one_moment(tmp_path):
    """While another thread writes runs, each backup holds whole boundaries only, and the writer is not held up."""
    db, stop, written = SqliteDb(tmp_path / "runs.db"), Event(), []
    workflow = gated(db)
    workflow.run("x")

    def write():
        while not stop.is_set():
            written.append(workflow.run("x").run_id)

    thread = Thread(target=write)
    thread.start()
    try:
        for n in range(5):
            before = len(written)
            found = backup(tmp_path / "runs.db", tmp_path / f"copy-{n}.db")
            assert found.sound
            assert found.runs > before
    finally:
        stop.set()
        thread.join(PATIENCE)
    db.close()


def test_an_older_store_is_backed_up_as_it_is(tmp_path):
    """The copy of a store of schema 1 is of schema 1."""
    connection = sqlite3.connect(tmp_path / "old.db", isolation_level=None)
    connection.executescript(SEED.read_text(encoding="utf-8"))
    connection.close()
    assert backup(tmp_path / "old.db", tmp_path / "copy.db").runs == 7
    connection = sqlite3.connect(tmp_path / "copy.db")
    assert marks(connection)[1] == 1
    connection.close()


# -- doctor ------------------------------------------------------------------------------------------------------------------------


def kinds(db, now=None, workflow=None):
    """What the doctor finds, as kinds and whom they are about."""
    found = examine(db, now if now is not None else Host(db).clock(), workflow)
    return [(symptom.kind, symptom.about) for symptom in found.symptoms]


def test_a_healthy_store_needs_nobody(cli, file):
    """A paused run that waits for a person is well; the file, the SQLite and the settings are told."""
    said = cli("doctor runs.db")
    assert (said.code, said.err) == (FINE, "")
    assert said.out.startswith(f"Store    {file}: schema 2, ")
    assert "synchronous 2" in said.out
    assert "Runs     1 paused; 0 being executed" in said.out
    assert said.out.endswith("All is well.\n")
    document = json.loads(cli("doctor runs.db --json").out)
    assert (document["runs"], document["symptoms"], document["exit_code"], document["file"]["mode"]) == (
        {"PAUSED": 1},
        [],
        0,
        "0600",
    )
    assert document["file"]["settings"]["foreign_keys"] == 1


def test_runs_that_were_left_are_named(file):
    """A dead owner, one elsewhere whose lease is over, one that lives and does not move, and nobody at all; each with what to do."""
    db = SqliteDb(file)
    now = Host(db).clock()
    me = this_process()
    dead = me.rsplit("/", 1)[0] + "/0"
    for run_id, owner, lease in [
        ("dead", dead, now + 10**9),
        ("lost", "elsewhere/b/1/1", now - SKEW),
        ("stuck", me, now - SKEW),
        ("fine", me, now + 10**9),
        ("away", "elsewhere/b/1/1", now + 1),
    ]:
        gated(db).run(run_id=run_id)
        claim(db, run_id, owner, now, lease)
    left = Workflow("left", [Step("a", interrupted)], db)
    with pytest.raises(KeyboardInterrupt):
        left.run(run_id="left")
    assert sorted(kinds(db, now)) == [("interrupted", "dead"), ("interrupted", "lost"), ("left", "left"), ("stuck", "stuck")]
    found = examine(db, now)
    assert (found.executing, dict(found.runs)) == (2, {"PAUSED": 6, "RUNNING": 1})
    assert all(symptom.remedy for symptom in found.symptoms)
    db.close()


def interrupted(_step_input):
    """Stop the process."""
    raise KeyboardInterrupt


def test_pauses_that_nobody_moves_are_named(cli, file):
    """A deadline that is over, a decision that was not gone on with, and a cancellation that was not carried out."""
    db = SqliteDb(file)
    workflow = gated(db, timeout=60, on_timeout="skip")
    workflow.run(run_id="late")
    now = Host(db).clock()
    assert kinds(db, now) == []
    assert kinds(db, now + 61_000_000) == [("overdue", "late pay:confirmation:0")]
    workflow.decide("r", "pay:confirmation:0", "confirm", by="ann")
    db.request_cancel("late", "eve", now)
    assert sorted(kinds(db, now)) == [("unapplied", "r pay:confirmation:0"), ("uncancelled", "late")]
    db.close()
    said = cli("doctor runs.db")
    assert said.code == FAILED
    assert "statecore resume TARGET r" in said.out
    assert "statecore cancel late" in said.out
    assert said.out.endswith("Something needs somebody.\n")
    assert {each["kind"] for each in json.loads(cli("doctor runs.db --json").out)["symptoms"]} == {"unapplied", "uncancelled"}


@pytest.mark.spec("GATE-9")
def test_runs_that_a_new_definition_would_strand_are_named(cli, file, tmp_path):
    """With a target, a parked run whose place is gone, or that would lose a gate, is named; without, or with the same workflow, none is."""
    flows = """
        from statecore import Step, Steps, Workflow
        same = Workflow("payout", [Step("pay", lambda _: 1, requires_confirmation=True)])
        more = Workflow("payout", [Step("first", lambda _: 1), Step("pay", lambda _: 1, requires_confirmation=True)])
        bare = Workflow("payout", [Step("pay", lambda _: 1)])
        renamed = Workflow("payout", [Step("pay out", lambda _: 1)])
        kind = Workflow("payout", [Steps("pay", [Step("x", lambda _: 1)])])
        """
    (tmp_path / "flows.py").write_text(dedent(flows))
    assert [cli(f"doctor runs.db --target flows.py:{name}").code for name in ("same", "more")] == [FINE, FINE]
    said = cli("doctor runs.db --target flows.py:bare")
    assert (said.code, "refused     r: it would drop the gate of 'pay'" in said.out) == (FAILED, True)
    [verdict] = json.loads(cli("doctor runs.db --target flows.py:bare --json").out)["verdicts"]
    assert verdict == {"run_id": "r", "verdict": "refused", "why": ["it would drop the gate of 'pay'"]}
    said = cli("doctor runs.db --target flows.py:renamed")
    assert said.code == FAILED
    assert "stranded    r: 'pay', where the run stands, is gone" in said.out
    assert "'pay' was a step and is now a steps" in cli("doctor runs.db --target flows.py:kind").out
    assert cli("doctor runs.db --target flows.py:nothing").code == USAGE
    sys.modules.pop("flows", None)


def test_ailments_of_the_file_are_named(file, monkeypatch):
    """A file that others may read, a log that grows, and a setting that SQLite does not take."""
    assert health.ailments(file) == []
    file.chmod(0o644)
    [symptom] = health.ailments(file)
    assert (symptom.kind, symptom.remedy) == ("mode", f"chmod 600 {file}")
    file.chmod(0o600)
    monkeypatch.setattr(health, "LARGE_LOG", -1)
    assert [symptom.kind for symptom in health.ailments(file)] == ["log"]

    def refused(*_):
        raise StoreUnavailable(str(file), "SQLite keeps journal_mode at delete")

    monkeypatch.setattr(health, "connect", refused)
    assert [(symptom.kind, symptom.why) for symptom in health.ailments(file)] == [("file", "SQLite keeps journal_mode at delete")]


@pytest.mark.parametrize(
    ("version", "affected"),
    [
        ((3, 6, 23), False), ((3, 7, 0), True), ((3, 40, 1), True), ((3, 44, 5), True), ((3, 44, 6), False), ((3, 45, 0), True),
        ((3, 50, 6), True), ((3, 50, 7), False), ((3, 51, 2), True), ((3, 51, 3), False), ((3, 60, 0), False),
    ],
)  # fmt: skip
def test_known_defects_of_sqlite_are_told(version, affected):
    """The versions whose checkpoint may lose frames are known, with the back-ports that mend it."""
    assert [symptom.about for symptom in health.library(version)] == ([".".join(map(str, version))] if affected else [])


def test_an_unreadable_definition_is_no_crash(file):
    """A stored workflow that cannot be compared is named as stranded, with the reason."""
    db = SqliteDb(file)
    [record] = db.runs(RunFilter())
    broken = evolve(record, identity=evolve(record.identity, canonical="not json"))

    class Broken(SqliteDb):
        def runs(self, wanted):
            return [broken] if wanted.workflow_id else [record]

    other = Workflow("payout", [Step("other", lambda _: 1)])
    assert [kind for kind, _ in kinds(Broken(file), workflow=other)] == ["stranded"]
    db.close()


def test_a_doctor_changes_nothing(file):
    """What was stored is stored still, to the last row."""
    db = SqliteDb(file)
    before = db.load("r"), db.journal("r"), db.head("r")
    examine(db, Host(db).clock(), gated(db))
    assert (db.load("r"), db.journal("r"), db.head("r")) == before
    db.close()
    assert verify(file).faults == []


# -- starts ------------------------------------------------------------------------------------------------------------------------


def test_a_start_with_a_key_is_followed_once(cli, tmp_path):
    """`run --idempotency-key`: the second command follows the first one's run, decides it, and starts none of its own."""
    flow = """
        from statecore import Step, Workflow
        payout = Workflow("payout", [Step("pay", lambda _: "paid", requires_confirmation=True)])
        """
    (tmp_path / "once.py").write_text(dedent(flow))
    first = cli("run once.py --db once.db --idempotency-key k")
    assert first.code == 4
    again = cli("run once.py --db once.db --idempotency-key k --answers confirm")
    assert again.code == FINE
    assert "This key started run" in again.out
    done = json.loads(cli("run once.py --db once.db --idempotency-key k --json").out)
    assert (done["status"], done["exit_code"]) == ("COMPLETED", FINE)
    assert len(json.loads(cli("runs --db once.db --json").out)) == 1
    assert "was used before" in cli("run once.py --db once.db --idempotency-key k --input other").err
    sys.modules.pop("once", None)
