"""Every command that takes a store meets a file of either format as what it is, and says the same of the same runs."""

from __future__ import annotations

import re
import shlex
import sqlite3
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from statecore.cli.main import main
from statecore.errors import StoreReplaced, StoreTooNew
from statecore.stores.sql3.queries import VERSION
from statecore.stores.sqlite.formats import THREE, format_of
from statecore.stores.sqlite.health import verify
from statecore.stores.sqlite.opening import TWO, Format
from statecore.stores.sqlite.store import SqliteDb2
from statecore.stores.sqlite.store3 import SqliteDb, store_in
from tests.unit.stores.sqlite_files import folder_of, tamper

FLOW = """
from statecore import Step, Workflow

workflow = Workflow(
    "shop",
    [Step("approve", lambda _: "ok", requires_confirmation=True, on_reject="cancel"), Step("charge", lambda _: "charged")],
)
"""
FORMATS: dict[int, tuple[Any, Format]] = {2: (SqliteDb2, TWO), 3: (SqliteDb, THREE)}
COMMANDS = (
    "run shop.py --db runs.db --input x --run-id first",
    "run shop.py --db runs.db --input x --run-id second",
    "runs --db runs.db",
    "pending --db runs.db",
    "confirm first --db runs.db --by ada",
    "doctor runs.db --target shop.py",
    "resume shop.py first --db runs.db",
    "cancel second --db runs.db",
    "tick shop.py --db runs.db",
    "show first --db runs.db",
    "show second --db runs.db",
    "doctor runs.db",
    "worker shop.py --db runs.db --until-idle",
)
VARIES = re.compile(
    r"\d+(\.\d+)? ?(s|ms)( ago)?\b|\d{4}-\d\d-\d\dT[\d:.+]+|session [0-9a-f-]{36}|schema \d|log [\d,]+|[\d,]+ bytes|for \d+ s"
)


@pytest.fixture
def cli(tmp_path, monkeypatch, capsys):
    """Run a command line in a folder with a workflow; its exit code and all that it printed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("STATECORE_DB", raising=False)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "shop.py").write_text(FLOW)

    def run(line):
        code = main(shlex.split(line))
        said = capsys.readouterr()
        return SimpleNamespace(code=code, out=said.out + said.err)

    return run


def made(path, version):
    """An empty store of a format."""
    store = FORMATS[version][0](path)
    assert store.session_state("s", "w") is None
    store.close()
    return path


def told(cli, path, version):
    """All that the commands say of a store of a format, without its times and sizes."""
    made(path, version)
    said = [(line, (answer := cli(line)).code, VARIES.sub("*", answer.out)) for line in COMMANDS]
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (version,)
    path.unlink()
    return said


def test_commands_say_the_same_of_both_formats(cli, tmp_path):
    """A run is begun, listed, decided, resumed, cancelled and shown in a file of each format with the same words and exit codes."""
    assert told(cli, tmp_path / "runs.db", 3) == told(cli, tmp_path / "runs.db", 2)


@pytest.mark.parametrize("version", FORMATS)
def test_a_store_is_verified_and_copied_as_what_it_is(cli, tmp_path, version):
    """`verify` and `backup` say the format in their findings, copy it, and name a damaged row of it."""
    file = made(tmp_path / "runs.db", version)
    cli("run shop.py --db runs.db --input x --run-id first")
    assert (verify(file).schema, verify(file).faults, verify(file).runs) == (version, [], 1)
    assert cli("backup runs.db copy.db").code == 0
    assert format_of(tmp_path / "copy.db") is FORMATS[version][1]
    assert cli("show first --db copy.db").out == cli("show first --db runs.db").out
    tamper(file, {2: "UPDATE run SET owner = 'x'", 3: "UPDATE hot SET owner = 'x'"}[version])
    assert cli("verify runs.db").code == 1
    before = folder_of(file)
    assert cli("backup runs.db copy2.db").code == 1
    assert folder_of(file) == before


@pytest.mark.parametrize("version", FORMATS)
def test_a_file_is_opened_as_what_it_is(tmp_path, version):
    """`store_in` gives the store of the file's format, and leads it to no other; the store of format 2 refuses one of format 3 by name."""
    file = made(tmp_path / "runs.db", version)
    store = store_in(file)
    assert type(store) is FORMATS[version][0]
    store.close()
    assert format_of(file) is FORMATS[version][1]
    before = folder_of(file)
    if version == VERSION:
        with pytest.raises(StoreTooNew):
            SqliteDb2(file)
    else:
        SqliteDb(file).close()
    assert folder_of(file) == before


def test_a_program_leads_a_file_to_the_newest_format(cli, tmp_path):
    """The first use of `SqliteDb` migrates a file of format 2; its runs go on, and a process of format 2 that has it open is refused by name."""
    file = made(tmp_path / "runs.db", 2)
    assert (
        cli("run shop.py --db runs.db --input x --run-id first").code == cli("run shop.py --db runs.db --run-id y --input x").code
    )
    before, shown = SqliteDb2(file), cli("show first --db runs.db").out
    head = before.head("first")
    store = SqliteDb(file)
    assert (store.load("first").state.run, store.head("first")) == ("paused", head)
    with pytest.raises(StoreReplaced):
        before.load("first")
    store.close()
    before.close()
    assert (verify(file).schema, verify(file).faults) == (VERSION, [])
    assert cli("show first --db runs.db").out == shown
    assert cli("confirm first --db runs.db --by ada").code == 0
    assert cli("resume shop.py first --db runs.db").code == 0
