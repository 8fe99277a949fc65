"""Every command that takes a store takes a database too, and shows its URL without the password."""

from __future__ import annotations

import json

import pytest

from statecore.cli.main import main
from statecore.stores.postgres.store import PostgresDb2
from statecore.stores.postgres.store3 import PostgresDb
from statecore.testing.stores.samples import asked
from tests.postgres import flows
from tests.postgres.server import PASSWORD, QUOTED
from tests.postgres.test_store import within

FLOW = f"{flows.__file__}:gated"


@pytest.fixture
def command(database, capfd, tmp_path, monkeypatch):
    """Runs a command on the database; its exit code, and what it printed, in which there is never a password."""
    monkeypatch.setenv(flows.LOG, str(tmp_path / "log"))

    def run(*words, place=database):
        code = main([word if word != "DB" else place for word in words])
        said = capfd.readouterr()
        assert not any(secret in said.out + said.err for secret in (PASSWORD, QUOTED))
        return code, said.out + said.err

    return run


def test_a_run_is_led_to_its_end_by_commands(command, database):
    """Started, listed, shown, decided, resumed, ticked and recovered in a database; the hints name it."""
    code, said = command("run", FLOW, "--db", "DB", "--input-json", "{}", "--run-id", "r")
    place = database.replace(f":{QUOTED}", "")
    assert (code, place in said) == (4, True)
    assert command("runs", "--db", "DB")[1].splitlines()[1].split()[:3] == ["r", "gated", "PAUSED"]
    assert "middle" in command("pending", "--db", "DB")[1]
    code, said = command("confirm", "r", "--db", "DB", "--by", "ann")
    assert code == 0
    assert command("worker", FLOW, "--db", "DB", "--until-idle", "--concurrency", "1")[1].splitlines()[-1] == "1 completed"
    assert "completed" in command("show", "r", "--db", "DB")[1].lower()
    assert command("tick", FLOW, "--db", "DB") == (0, "No deadline is over, and no decision waits.\n")
    assert command("recover", FLOW, "--db", "DB")[0] == 0
    code, said = command("run", FLOW, "--submit", "--db", "DB", "--input-json", "{}", "--json")
    assert (code, json.loads(said)["status"]) == (0, "PENDING")
    assert "Unfinished runs in postgresql://ada@127" in command("check", FLOW, "--against-store", "DB")[1]
    assert command("backup", "DB", "copy.db")[0] == 2
    said = command("pending", "--db", "DB", place=f"{database}?password={QUOTED}")[1]
    assert "Nothing waits" in said


DAMAGE = {
    3: ("UPDATE event SET time_us = 1 WHERE seq = 2", "ALTER TABLE event DISABLE TRIGGER event_follows"),
    1: ("UPDATE journal SET time = 1 WHERE seq = 2", "ALTER TABLE journal DISABLE TRIGGER journal_keeps"),
}
"""By the version of a schema (format 2 is version 1 here): a row that is not as it was sealed, and a trigger that is off."""


@pytest.mark.parametrize(("store", "version"), [(PostgresDb, 3), (PostgresDb2, 1)])
def test_a_schema_is_met_as_what_it_is(command, database, store, version):
    """Commands find the format of a schema, and lead it to no other: a run is led to its end, and `verify` and `doctor` look at its tables."""
    made = store(database)
    assert made.session_state("s", "w") is None
    made.close()
    assert command("run", FLOW, "--db", "DB", "--input-json", '{"a": "b"}', "--run-id", "r")[0] == 4
    assert command("confirm", "r", "--db", "DB", "--by", "ann")[0] == 0
    assert command("worker", FLOW, "--db", "DB", "--until-idle", "--concurrency", "1")[1].splitlines()[-1] == "1 completed"
    assert "completed" in command("show", "r", "--db", "DB")[1].lower()
    code, said = command("verify", "DB", "--json")
    assert (code, json.loads(said)["schema"], json.loads(said)["runs"]) == (0, version, 1), said
    assert json.loads(command("doctor", "DB", "--json")[1])["file"]["schema"] == version
    within(database, "SET session_replication_role TO replica", DAMAGE[version][0])
    code, said = command("verify", "DB", "--json")
    assert (code, {fault["run_id"] for fault in json.loads(said)["faults"]}) == (1, {"r"})
    within(database, DAMAGE[version][1])
    assert "switched off" in command("verify", "DB")[1]


def test_a_database_is_verified_and_examined(command, database, db):
    """`verify` checks every row and names what was changed past the store; `doctor` says what is not durable."""
    command("run", FLOW, "--db", "DB", "--input-json", '{"a": "b"}', "--run-id", "r")
    code, said = command("verify", "DB")
    assert (code, "sound (1 runs, " in said) == (0, True)
    code, said = command("doctor", "DB", "--target", FLOW)
    assert (code, "fsync is off" in said, "1 paused" in said) == (1, True, True)
    assert set(json.loads(command("doctor", "DB", "--json")[1])["file"]) == {"path", "postgres", "schema", "bytes", "settings"}
    asked(db, "fake")
    within(database, "SET session_replication_role TO replica", "UPDATE event SET fact = '{}' WHERE seq = 2 AND run = 1")
    code, said = command("verify", "DB", "--json")
    assert code == 1
    assert any(fault["run_id"] == "r" and fault["where"] == "events after 0" for fault in json.loads(said)["faults"]), said
