"""What a command imports: the table of commands alone, until one is asked for; then what that one needs, and nothing of the others."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import click
import pytest

import statecore.cli
from statecore import Step, Workflow
from statecore.cli import main
from statecore.cli.main import COMMANDS, Later, group
from statecore.db.sqlite import SqliteDb

ORDER = re.findall(
    r"\w+",
    "demo run resume runs pending show confirm reject retry skip input select answer edit provide withdraw cancel tick "
    "recover worker inbox verify doctor"
    " backup quarantine purge erase rotate archive audit compact migrate check diagram export",
)
OTHERS = {
    "asyncio",
    "concurrent.futures",
    "difflib",
    "email",
    "http",
    "psycopg",
    "shutil",
    "socket",
    "ssl",
    "subprocess",
    "tempfile",
    "temporalio",
    "urllib.request",
    "xml",
    "zipfile",
    "statecore.check",
    "statecore.draw",
    "statecore.examples",
    "statecore.stores.postgres",
    "statecore.temporal",
    "statecore.testing",
}
"""What none of these commands needs: for proofs and pictures, for other stores, for examples."""
CARE = {"statecore.stores.audit.verify", "statecore.stores.sqlite.verify", "statecore.stores.sqlite.backup"}
DRIVES = {"transitions", "logging", "statecore.workflow.workflow", "statecore.runtime.sync", "statecore.output.events"}
"""What runs a workflow's code, and follows it."""
DECIDES = OTHERS | CARE | DRIVES | {"statecore.cli.running", "statecore.cli.targets"}
NOTHING = {"attr", "sqlite3", "statecore.definition", "statecore.core", "statecore.stores", "statecore.cli.screen"}
CASES = {
    "--version": OTHERS | CARE | DRIVES | NOTHING,
    "--help": (OTHERS | CARE | DRIVES | NOTHING) - {"shutil"},
    "runs --db flow.db": DECIDES | {"statecore.cli.deciding"},
    "pending --db flow.db": DECIDES | {"statecore.cli.deciding"},
    "show one --db flow.db": DECIDES | {"statecore.cli.deciding"},
    "confirm one --db flow.db": DECIDES | {"statecore.cli.listing"},
    "cancel one --db flow.db --by me": DECIDES - {"transitions", "logging"} | {"statecore.cli.listing"},
    "run flow.py --db other.db": OTHERS | CARE | {"statecore.cli.deciding", "statecore.cli.listing"},
    "verify flow.db": OTHERS
    | DRIVES - {"transitions", "logging"}
    | {"statecore.workflow", "statecore.runtime", "statecore.output"},
    "doctor flow.db": OTHERS | DRIVES | {"statecore.cli.targets"},
    "check flow.py": OTHERS - {"statecore.check", "concurrent.futures"} | {"sqlite3", "statecore.cli.running"},
    "diagram flow.py": OTHERS - {"statecore.draw"} | {"sqlite3", "statecore.cli.running"},
}
FLOW = """
from statecore import Step, Workflow
flow = Workflow("flow", [Step("ask", lambda _: None, requires_confirmation=True)])
"""
IMPORTED = """
import contextlib, io, json, sys
from statecore.cli import main
with contextlib.redirect_stdout(io.StringIO()):
    code = main(sys.argv[1:])
print(json.dumps([code, sorted(sys.modules)]))
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a workflow, and a store where a run of it waits."""
    (tmp_path / "flow.py").write_text(FLOW)
    monkeypatch.chdir(tmp_path)
    store = SqliteDb(db_file="flow.db")
    Workflow("flow", [Step("ask", lambda _: None, requires_confirmation=True)], db=store).run(run_id="one")
    store.close()
    return tmp_path


@pytest.mark.parametrize("line", CASES)
def test_a_command_imports_what_it_needs(folder, line):
    """In a fresh process a command, done, has imported nothing of what only others need."""
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED, *line.split()], cwd=folder, capture_output=True, text=True, check=True, env=fresh()
    )
    code, loaded = json.loads(done.stdout)
    assert code == (4 if line.startswith("run ") else 0), done.stderr
    assert set(loaded) & CASES[line] == set()


def fresh() -> dict[str, str]:
    """The environment of a process that imports this package, and measures nothing, which would import more."""
    return {"PYTHONPATH": str(Path(statecore.cli.__file__).parents[2])}


def commands() -> dict[str, click.Command]:
    """Every command that a module of the command line defines, by its name."""
    modules = [import_module(f"statecore.cli.{path.stem}") for path in Path(statecore.cli.__file__).parent.glob("[a-z]*.py")]
    found = [value for module in modules for value in vars(module).values() if type(value) is click.Command]
    return {str(each.name): each for each in found}


def test_the_table_has_every_command_in_order():
    """Each command that a module defines stands in the table, once, where people look for it."""
    assert [each.name for each in COMMANDS] == ORDER == list(group.commands)
    assert set(ORDER) == set(commands())


@pytest.mark.parametrize("later", COMMANDS, ids=lambda each: each.name)
def test_the_table_says_what_its_command_says(later):
    """A command of the table is the one of that name in its module, and its line is the first of that one's help, at any width."""
    loaded = later.loaded()
    assert loaded is commands()[later.name]
    assert (loaded.hidden, loaded.deprecated, loaded.short_help) == (later.hidden, later.deprecated, None)
    assert [later.get_short_help_str(width) for width in range(10, 100)] == [
        loaded.get_short_help_str(width) for width in range(10, 100)
    ]
    assert later.help == (loaded.help or "").partition("\n\n")[0]


def test_the_list_of_commands_is_what_the_commands_themselves_would_make(capsys):
    """`statecore --help` reads the table alone, and prints what a group of the loaded commands would."""
    assert main(["--help"]) == 0
    whole = type(group)(
        group.name, callback=group.callback, params=group.params, help=group.help, epilog=group.epilog,
        context_settings=group.context_settings, commands={name: commands()[name] for name in ORDER},
    )  # fmt: skip
    whole.main(["--help"], prog_name="statecore", standalone_mode=False)
    shown, expected = capsys.readouterr().out.split("Usage:")[1:]
    assert shown == expected
    assert all(isinstance(each, Later) for each in group.commands.values())


def test_the_help_of_a_command_is_its_own(capsys):
    """`statecore run --help` is the help of `run`, with all its options, under its whole name."""
    assert main(["run", "--help"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("Usage: statecore run [OPTIONS] TARGET\n")
    assert "--idempotency-key KEY" in said
