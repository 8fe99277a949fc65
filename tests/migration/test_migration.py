"""A file of format 2 becomes one of format 3, and every run of it stands and ends as it would have without (P12)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from statecore.stores.links import digest
from statecore.stores.records import PauseFilter, RunFilter
from statecore.stores.sqlite.formats import THREE
from statecore.stores.sqlite.health import verify
from statecore.stores.sqlite.migrating import migrate
from statecore.stores.sqlite.store import SqliteDb2
from statecore.stores.sqlite.store3 import SqliteDb
from tests.migration.golden import ALL, ENDS, ends, ids, loaded, make, uncounted
from tests.unit.stores.sqlite_files import raw


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """The seed, as a file of format 2."""
    return loaded(tmp_path / "old.db")


@pytest.fixture
def new(tmp_path: Path) -> Path:
    """The seed, migrated."""
    file = loaded(tmp_path / "new.db")
    migrate(file)
    return file


def everything(db: Any) -> dict[str, Any]:
    """All that the methods of a store tell."""
    runs = db.runs(RunFilter(limit=ALL))
    named = [record.identity for record in runs]
    return {
        "runs": runs,
        "loaded": [db.load(each.run_id) for each in named],
        "journals": [db.journal(each.run_id) for each in named],
        "slices": [db.journal(each.run_id, after=3, upto=6) for each in named],
        "heads": [db.head(each.run_id) for each in named],
        "decisions": [db.decisions(each.run_id) for each in named],
        "pauses": db.pauses(PauseFilter(undecided_only=False, limit=ALL)),
        "undecided": db.pauses(PauseFilter(limit=ALL)),
        "sessions": [db.session_state(each.session_id, each.workflow_id) for each in named],
        "definitions": [db.definition(each.fingerprint) for each in named],
    }


def told(file: Path, store: type[SqliteDb2 | SqliteDb]) -> dict[str, Any]:
    """All that a file tells, opened as a store."""
    db = store(file)
    found = everything(db)
    db.close()
    return found


def test_a_migrated_store_tells_what_the_old_one_told(old: Path, new: Path) -> None:
    """Every run, journal, head, question, decision, session and definition is read as before, in the same order, and the file is sound."""
    before, after = told(old, SqliteDb2), told(new, SqliteDb)
    assert len(before["runs"]) > 30
    for name, found in before.items():
        assert after[name] == found, name
    assert verify(new, of=THREE).faults == []
    assert verify(new, of=THREE).remarks == []


def test_every_run_goes_on_and_ends_as_in_the_old_store(new: Path) -> None:
    """Every parked, failed, left or expired run is decided and continued; its rows, its times, its content and its session are the old store's."""
    db = SqliteDb(new)
    found = ends(db)
    db.close()
    assert uncounted(found) == uncounted(json.loads(ENDS.read_text(encoding="utf-8")))
    assert {each["ends"]["phase"] for each in found.values()} == {"completed", "cancelled"}
    assert verify(new, of=THREE).faults == []


EVENTS = """
SELECT r.run_id, e.boundary, e.shape, e.place, e.seq, e.epoch > 0, e.fact, e."by", e.note, e.value, e.id & 16777215
FROM event e JOIN run r ON r.id = e.run ORDER BY r.run_id, e.id"""


def test_a_migrated_run_has_the_events_that_format_3_would_have_written(tmp_path: Path) -> None:
    """Runs that are executed on both formats have the same events and boundaries once the one is migrated; only the first fact says more.

    How often the clock is asked depends on threads, so instants are compared elsewhere.
    """
    new, found = tmp_path / "new.db", {}
    for store in (SqliteDb2(new), SqliteDb(tmp_path / "native.db")):
        make(store)
        store.close()
    migrate(new)
    for name, file in (("migrated", new), ("native", tmp_path / "native.db")):
        connection = raw(file)
        rows = connection.execute(EVENTS).fetchall()
        connection.close()
        found[name] = [(*row[:6], json.loads(row[6]) if row[6] else {}, *row[7:]) for row in rows]
    firsts = [row[6].pop("migrated") for row in found["migrated"] if "migrated" in row[6]]
    assert found["migrated"] == found["native"]
    db = SqliteDb(new)
    assert sorted(each["head"] for each in firsts) == sorted(db.head(run_id) for run_id in ids(db))
    db.close()


def test_no_plain_digest_is_left(new: Path, old: Path) -> None:
    """No hash of a value, no link of the old chain and no seal is anywhere in the file, not even in pages that are free; heads stand in facts alone."""
    connection = raw(old)
    queries = (
        "SELECT hash FROM value",
        "SELECT hash FROM journal",
        "SELECT seal FROM run",
        "SELECT claimed FROM run",
        "SELECT seal FROM pause",
    )
    plain = {bytes(row[0]) for query in queries for row in connection.execute(query)}
    connection.close()
    content = new.read_bytes()
    assert len(plain) > 500
    assert digest('"never"') not in content
    assert [each for each in plain if each in content] == []


def test_verify_compares_the_rows_with_the_old_head(new: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the rows of a migrated run are others than those of its old head, each of its runs is blamed for it."""
    monkeypatch.setattr("statecore.stores.audit.run3.GENESIS", bytes(31) + b"\1")
    found = verify(new, of=THREE)
    assert {fault.why for fault in found.faults} == {"its rows up to its migration are not those of its old head"}
    assert len(found.faults) == found.runs
