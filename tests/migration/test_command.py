"""`statecore migrate`: what it says, what it returns, and what it leaves alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from statecore import Step, Workflow
from statecore.cli.main import group, main
from statecore.stores.sqlite.formats import THREE
from statecore.stores.sqlite.health import verify
from statecore.stores.sqlite.migrating import migrate
from statecore.stores.sqlite.store import SqliteDb2 as SqliteDb
from tests.migration.golden import SEEDS, loaded
from tests.unit.stores.sqlite_files import raw

FINE, FAILED, USAGE = 0, 1, 2


@pytest.fixture
def old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The seed, in the current folder."""
    monkeypatch.chdir(tmp_path)
    return loaded(tmp_path / "old.db")


def test_it_checks_backs_up_migrates_and_verifies(old: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One command leaves a sound store of format 3 and a sound backup of format 2, and says how much it did."""
    assert main(["migrate", "old.db"]) == FINE
    said = capsys.readouterr().out
    assert "Copied to" in said
    assert "old.db.format-2, which is the only way back." in said
    assert "40 runs with 428 rows migrated" in said
    assert "sound (40 runs" in said
    assert verify(old, of=THREE).faults == []
    assert verify(old.with_name("old.db.format-2")).faults == []
    assert main(["migrate", "old.db"]) == FINE
    assert "no run was left to migrate" in capsys.readouterr().out


def test_it_tells_a_program(old: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With --json one object says what was done; the backup lies where --backup says."""
    assert main(["migrate", str(old), "--backup", "kept.db", "--json"]) == FINE
    found = json.loads(capsys.readouterr().out)
    assert (found["runs"], found["sound"], Path(found["backup"]).name) == (40, True, "kept.db")
    assert Path("kept.db").stat().st_mode & 0o777 == 0o600


@pytest.mark.usefixtures("old")
def test_it_makes_no_backup_where_there_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    """--without-backup makes none, and contradicts --backup."""
    assert main(["migrate", "old.db", "--without-backup", "--backup", "copy.db"]) == USAGE
    assert main(["migrate", "old.db", "--without-backup"]) == FINE
    assert "Copied" not in capsys.readouterr().out
    assert not [each.name for each in Path().iterdir() if not each.name.startswith("old.db") or "format" in each.name]


def test_it_refuses_an_unsound_store(old: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 1 and the fault by name; the file is of format 2 still, and there is no backup."""
    connection = raw(old)
    connection.execute("UPDATE run SET owner = 'somebody' WHERE run_id = 'late'")
    connection.close()
    assert main(["migrate", "old.db"]) == FAILED
    assert "late" in capsys.readouterr().err
    assert [each.name for each in old.parent.iterdir()] == ["old.db"]
    SqliteDb(old).close()


def test_a_database_is_backed_up_by_its_own_tools(capsys: pytest.CaptureFixture[str]) -> None:
    """For a URL the command wants to hear that there is a backup, before it connects."""
    assert main(["migrate", "postgresql://nobody@127.0.0.1:1/none"]) == USAGE
    assert "--without-backup" in capsys.readouterr().err


def test_a_store_of_schema_1_is_migrated(tmp_path: Path) -> None:
    """The oldest store is led over schema 2; what replay cannot tell is grouped by instant, and named."""
    file = loaded(tmp_path / "one.db", SEEDS / "store-1.sql")
    done = migrate(file)
    assert (done.runs, sorted(done.grouped_by_time)) == (7, ["done", "errored", "paused"])
    assert verify(file, of=THREE).faults == []


def test_help_names_the_way_back() -> None:
    """--help says what is stopped first, and that there is no way back but the backup."""
    said = CliRunner().invoke(group, ["migrate", "--help"]).output
    assert "There is no way back but the backup" in " ".join(said.split())
    assert "--without-backup" in said


SIZE = 22_000_000
STEPS, VALUE = 40, 1_000


def test_the_log_and_the_file_stay_small(tmp_path: Path) -> None:
    """Of a file of over 20 MB the log stays under a fifth, and the file grows by less than a twentieth."""
    file, log = tmp_path / "large.db", tmp_path / "large.db-wal"
    db = SqliteDb(file, durability="normal")
    numbers = iter(range(10**9))
    steps = [Step(f"s{n}", lambda _: f"{next(numbers):0{VALUE}}") for n in range(STEPS)]
    workflow = Workflow("large", steps, db)
    while file.stat().st_size < SIZE if file.exists() else True:
        workflow.run()
    db.close()
    before, largest = file.stat().st_size, 0

    def look(*_: int) -> None:
        nonlocal largest
        largest = max(largest, log.stat().st_size)

    done = migrate(file, progress=look)
    assert done.batches > 5
    assert max(largest, done.log_bytes) < before / 5
    assert file.stat().st_size < before * 1.05
