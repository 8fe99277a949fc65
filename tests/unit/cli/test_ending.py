"""The commands that end data, as they are typed: what they print, and their exit codes."""

from __future__ import annotations

import json
from contextlib import closing

import pytest

from statecore import Inbox, SqliteDb
from statecore.cli import ending
from statecore.cli.main import main
from statecore.stores.sqlite import channel, compacting
from statecore.stores.sqlite.health import verify
from statecore.stores.sqlite.store import SqliteDb2
from statecore.testing.doubles import Clock
from tests.ending.made import LIVING, filled
from tests.unit.stores.sqlite_files import raw, tamper


@pytest.fixture
def file(tmp_path):
    """A store with runs of every kind, which ended years ago."""
    with closing(SqliteDb(tmp_path / "runs.db", durability="normal")) as db:
        filled(db, Clock())
    return tmp_path / "runs.db"


def runs(file):
    """How many runs are there."""
    with closing(raw(file)) as connection:
        return connection.execute("SELECT count(*) FROM run").fetchone()[0]


def test_a_plan_removes_nothing(file, capsys):
    """`--plan` says what would go; without it the runs go, and a second purge finds none."""
    assert main(["purge", "--ended-before", "90d", "--db", str(file), "--plan"]) == 0
    assert capsys.readouterr().out.startswith("5 runs with ")
    assert runs(file) == 8
    assert main(["purge", "--ended-before", "90d", "--db", str(file)]) == 0
    assert capsys.readouterr().out.startswith("5 runs removed: ")
    assert runs(file) == len(LIVING)
    assert main(["purge", "--ended-before", "2025-01-01", "--db", str(file), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["runs"] == 0


@pytest.mark.parametrize("answer", ["y", "n"])
def test_on_a_terminal_the_plan_comes_first(file, capsys, monkeypatch, answer):
    """On a terminal the plan is shown and the command asks; a no removes nothing, and the exit code is 1."""
    monkeypatch.setattr(ending, "interactive", lambda: True)
    asked = []

    def confirm(text):
        asked.append(text)
        return answer == "y"

    monkeypatch.setattr("click.confirm", confirm)
    assert main(["purge", "--ended-before", "90d", "--db", str(file)]) == (0 if answer == "y" else 1)
    assert "would be removed" in capsys.readouterr().out
    assert (asked, runs(file)) == (["Remove them?"], 3 if answer == "y" else 8)


def test_a_damaged_run_ends_the_command_with_one(file, capsys):
    """A damaged run is named on the error output and stays; the others go, and the exit code is 1."""
    tamper(file, "UPDATE hot SET held = '[] ' WHERE run = (SELECT id FROM run WHERE run_id = 'failed')")
    assert main(["purge", "--ended-before", "90d", "--db", str(file)]) == 1
    told = capsys.readouterr()
    assert "4 runs removed" in told.out
    assert "Run failed cannot be read" in told.err


@pytest.mark.parametrize("age", ["ninety", "90", "-1d", "1e3d", ""])
def test_another_age_is_a_usage_error(file, age):
    """A text that is no age and no date is refused, and nothing goes."""
    assert main(["purge", "--ended-before", age, "--db", str(file)]) == 2
    assert runs(file) == 8


def test_format_2_is_refused(tmp_path, capsys):
    """Both commands refuse a file of format 2 by name and say to migrate it."""
    with closing(SqliteDb2(tmp_path / "old.db")) as old:
        assert Inbox(old).db.session_state("s", "w") is None
    for arguments in (["purge", "--ended-before", "1d", "--db"], ["compact"]):
        assert main([*arguments, str(tmp_path / "old.db")]) == 1
        assert "statecore migrate" in capsys.readouterr().err


def test_a_compact_file_is_smaller_and_sound(file, capsys):
    """After a purge `compact` gives the room back; `--plan` says how much before, and changes nothing."""
    with closing(SqliteDb(file, durability="normal")) as db:
        for n in range(30):
            filled_more(db, n)
        db.purge(2**60, 2**60)
    before = file.stat().st_size
    assert main(["compact", str(file), "--plan", "--json"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert (plan["before"], file.stat().st_size) == (before, before)
    assert plan["needs"] == 2 * plan["after"] + compacting.SPARE
    assert main(["compact", str(file)]) == 0
    assert file.stat().st_size <= plan["after"] * 1.1 < before
    found = verify(file)
    assert (found.faults, found.runs, found.purged) == ([], 3, 35)


def filled_more(db, number):
    """One more run that ends, with a large output."""
    from statecore import Step, Workflow

    Workflow("more", [Step("a", lambda _: "x" * 20_000)], db=db).run(run_id=f"more-{number}")


def test_a_disk_without_room_is_named(file, monkeypatch, capsys):
    """Where the disk has too little room nothing is begun, and the bytes are named."""
    monkeypatch.setattr(compacting, "SPARE", 2**60)
    assert main(["compact", str(file)]) == 1
    assert "free bytes for it" in capsys.readouterr().err


def test_a_reader_keeps_the_log_and_is_named(file, capsys, monkeypatch):
    """While a process reads an older state the file cannot shrink: the command says so and ends with 1, and the store is sound."""
    monkeypatch.setattr(channel, "BUSY_SECONDS", 0.1)
    monkeypatch.setitem(channel.SETTINGS, "busy_timeout", 100)
    with closing(raw(file)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM run").fetchone()
        assert main(["compact", str(file)]) == 1
        assert "a process reads an older state" in capsys.readouterr().err
    assert verify(file).faults == []


def erased(file, *arguments):
    """The exit code of an erasure."""
    return main(["erase", "done", "--by", "dpo", "--db", str(file), *arguments])


def test_an_erasure_as_it_is_typed(file, capsys):
    """The command says how many values went, and `verify` and `show` say so afterwards; a run that waits, and an unknown field, are refused."""
    assert erased(file, "--reason", "request 17", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["done"], told["exit_code"], told["what"]) == (True, 0, "everything")
    assert erased(file) == 0
    assert "0 values replaced" in capsys.readouterr().out
    assert main(["verify", str(file)]) == 0
    assert "erased: everything, ordered by dpo at" in capsys.readouterr().out
    assert main(["show", "done", "--db", str(file)]) == 0
    assert "(erased)" in capsys.readouterr().out
    assert main(["show", "done", "--db", str(file), "--json"]) == 0
    assert '"$erased"' in capsys.readouterr().out
    assert main(["erase", "paused", "--by", "dpo", "--db", str(file)]) == 1
    assert "only of a run that has ended" in capsys.readouterr().err
    assert erased(file, "--field", "iban") == 1
    assert main(["erase", "never", "--by", "dpo", "--db", str(file)]) == 2


def test_an_erasure_that_a_reader_holds_back_ends_with_three(file, capsys):
    """While a process reads the store as it was, the exit code is 3 and the reason is told; afterwards it is 0."""
    with closing(raw(file)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM run").fetchone()
        assert erased(file, "--wait", "0.1") == 3
        assert "Not done: a process reads the store" in capsys.readouterr().out
    assert erased(file) == 0


def test_an_erasure_is_confirmed_on_a_terminal(file, capsys, monkeypatch):
    """On a terminal the command asks first; a no erases nothing, and the exit code is 1."""
    monkeypatch.setattr(ending, "interactive", lambda: True)
    monkeypatch.setattr("click.confirm", lambda _: False)
    assert erased(file) == 1
    assert verify(file).remarks == []
    assert erased(file, "--yes") == 0
