"""P23: a file that can only be read is read by library and commands, and every change of it is refused by name."""

from __future__ import annotations

import os
import sqlite3

import pytest

from statecore import Inbox, SqliteDb, Step, Workflow
from statecore.cli import main
from statecore.errors import StoreUnavailable
from statecore.stores import RunFilter
from statecore.stores.sqlite.store import SqliteDb2
from tests.unit.stores.sqlite_files import folder_of, tamper


def flow_of(store):
    """A workflow of one gated step."""
    return Workflow("flow", [Step("gated", lambda _: "done", requires_confirmation=True)], db=store)


@pytest.fixture(params=[SqliteDb2, SqliteDb])
def kind(request):
    """A kind of store in a file."""
    return request.param


@pytest.fixture
def file(tmp_path, kind, monkeypatch):
    """A file with an open question that this user may not write, whatever the rights of the user of the tests are."""
    file = tmp_path / "runs.db"
    store = kind(file)
    flow_of(store).run("x", run_id="r")
    store.close()
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, mode, **more: not (mode & os.W_OK) and access(path, mode, **more))
    return file


def test_a_file_that_can_only_be_read_is_read(file, kind):
    """Runs, questions and journals are read, and no byte of the file changes."""
    before = file.read_bytes()
    box = Inbox(kind(file))
    assert [each.run_id for each in box.runs(RunFilter())] == ["r"]
    assert box.show("r").requirements[0].step_name == "gated"
    assert [entry.seq for entry in box.db.journal("r")] == list(range(1, box.db.load("r").seq + 1))
    box.db.close()
    assert file.read_bytes() == before


@pytest.mark.parametrize("change", ["decide", "run", "cancel_run", "continue_run"])
def test_a_change_is_refused_by_name(file, kind, change):
    """Each change is `StoreUnavailable`, which says that the file can only be read; a worker finds nothing to do."""
    flow = flow_of(kind(file))
    acts = {
        "decide": lambda: flow.decide("r", "gated:confirmation:0", "confirm"),
        "run": lambda: flow.run("y"),
        "cancel_run": lambda: flow.cancel_run("r"),
        "continue_run": lambda: flow.continue_run(flow.get_run_output("r"), step_requirements=confirmed(flow)),
    }
    with pytest.raises(StoreUnavailable, match="cannot write it"):
        acts[change]()
    flow.db.close()


def confirmed(flow):
    """The answer to the open question."""
    [asked] = flow.list_pauses()
    asked.confirm()
    return [asked]


def test_a_bad_row_is_named_in_it(file, kind):
    """One bad row harms one run of a file that can only be read, too."""
    tamper(file, "UPDATE run SET user_id = CAST(x'ff' AS TEXT)")
    found = kind(file).runs(RunFilter())
    assert ([*found], [each.run_id for each in found.unread]) == ([], ["r"])


def test_a_file_in_a_folder_that_cannot_be_written_is_read(file, kind, monkeypatch):
    """Where SQLite cannot make the files that it reads a log through, the file is taken as one that nobody changes."""

    class Unwritable(sqlite3.Connection):
        """A connection to a file in a folder that cannot be written."""

        def __init__(self, name, **settings):
            super().__init__(name, **settings)
            self.name = name

        def execute(self, statement, *values):
            if "sqlite_schema" in statement and "immutable" not in self.name:
                raise sqlite3.OperationalError("unable to open database file")
            return super().execute(statement, *values)

    store = kind(file, connection_factory=Unwritable)
    assert store.load("r").identity.run_id == "r"
    assert folder_of(file).keys() == {"runs.db"}
    store.close()
    file.with_name("runs.db-wal").write_bytes(b"a log")
    with pytest.raises(StoreUnavailable, match="unable to open"):
        kind(file, connection_factory=Unwritable).load("r")


@pytest.mark.parametrize("command", ["runs", "pending", "show", "doctor", "verify"])
def test_commands_read_it(file, command, capsys):
    """`runs`, `pending`, `show`, `doctor` and `verify` work on a file that can only be read."""
    words = [
        command,
        *(["r"] if command == "show" else []),
        *([str(file)] if command in ("doctor", "verify") else ["--db", str(file)]),
    ]
    assert main(words) == 0
    assert capsys.readouterr().err == ""
