"""OBS-6: the manners of the terminal: the nearest word, an id that exists, a deadline that passes while a prompt is open."""

from __future__ import annotations

import io
import json
import re
import sys
from contextlib import closing
from threading import Event

import pytest

from statecore import HumanReview, OnTimeout, SqliteDb, Step, Workflow
from statecore.cli import main
from statecore.cli.main import COMMANDS
from statecore.cli.nearest import COMMANDS as MEANT
from statecore.cli.nearest import OPTIONS
from statecore.cli.person import Asker

pytestmark = pytest.mark.spec("OBS-6")

FLOW = """
from statecore import Step, UserInputField, Workflow
ask = Step("ask", lambda _: "done", requires_confirmation=True)
mannered = Workflow("mannered", [ask], input_schema=[UserInputField("n", "int")])
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with a workflow whose module is gone afterwards."""
    (tmp_path / "mannered_flow.py").write_text(FLOW)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield tmp_path
    sys.modules.pop("mannered_flow", None)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("accept", "confirm"),
        ("deny", "reject"),
        ("status", "show"),
        ("ls", "runs"),
        ("confrim", "confirm"),
        ("aprove", "confirm"),
        ("workers", "worker"),
    ],
)
def test_an_unknown_command_suggests_the_nearest(capsys, typed, meant):
    """A word that people use for a command, and one that is misspelt, is a usage error that names the command."""
    assert main([typed, "r1"]) == 2
    assert f"No such command '{typed}'. Did you mean '{meant}'?" in capsys.readouterr().err


@pytest.mark.spec("OBS-8")
def test_approve_is_confirm(folder, capsys):
    """A reviewer who writes `approve` confirms; a misspelt one is told the name."""
    assert main(["run", "mannered_flow.py:mannered", "--input-json", '{"n": 1}', "--db", "a.db", "--run-id", "r1"]) == 4
    capsys.readouterr()
    assert main(["approve", "r1", "--by", "ada", "--db", "a.db"]) == 0
    with closing(SqliteDb("a.db")) as db:
        assert [(each.word, each.by) for each in db.decisions("r1")] == [("confirm", "ada")]


def test_an_unrelated_command_says_where_the_list_is(capsys):
    """A word that is near none says how the commands are listed, and no sign of it drives the terminal."""
    assert main(["\x1b[2Jxyzzy"]) == 2
    said = capsys.readouterr().err
    assert "\x1b" not in said
    assert "statecore --help" in said


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("confirm r1 --reason why", "--comment"),
        ("confirm r1 --user ada", "--by"),
        ("runs --file x", "--db"),
        ("resume x.py --follow", "--watch"),
        ("worker x.py --verbose", "--log-level"),
        ("confirm r1 --coment why", "--comment"),
    ],
)
def test_an_unknown_option_suggests_the_nearest(capsys, line, meant):
    """An option that people use for another one, and one that is misspelt, is a usage error that names the option of that command."""
    assert main(line.split()) == 2
    assert f"Did you mean {meant}?" in capsys.readouterr().err


def test_an_unrelated_option_says_where_the_list_is(capsys):
    """An option that is near none says how those of the command are listed."""
    assert main(["runs", "--xyzzy"]) == 2
    assert "`statecore runs --help`" in capsys.readouterr().err


def test_each_synonym_leads_to_a_command():
    """Each word of the lists leads to a command, or an option of some command, that exists, and is none itself."""
    names = {each.name for each in COMMANDS}
    options = {name for each in COMMANDS for option in each.loaded().params for name in option.opts}
    assert set(MEANT.values()) <= names
    assert set(MEANT) & names == set()
    assert set(OPTIONS.values()) <= options


def test_a_run_has_an_id_once_it_exists(folder, capsys):
    """A run whose input is refused has no line with an id; one that is stored has it before its first event."""
    assert main(["run", "mannered_flow.py", "--input", "no number"]) == 2
    assert "Run " not in capsys.readouterr().out
    assert main(["run", "mannered_flow.py", "--input-json", '{"n": 1}']) == 4
    assert re.match(r"Run [0-9a-f]{8} of mannered\n", capsys.readouterr().out)


class Typing(io.StringIO):
    """A terminal at which nothing is typed until something was printed."""

    def __init__(self, printed: Event):
        super().__init__()
        self.printed = printed

    def readline(self, *_):
        """Wait for what is to be printed, then answer."""
        assert self.printed.wait(20)
        return "l\n"

    def isatty(self):
        """It is one."""
        return True


class Printing(io.StringIO):
    """A terminal that says when a text was printed."""

    def __init__(self, text: str):
        super().__init__()
        self.text, self.printed = text, Event()

    def write(self, text):
        """Print."""
        found = super().write(text)
        if self.text in self.getvalue():
            self.printed.set()
        return found

    def isatty(self):
        """It is one."""
        return True


def test_a_deadline_that_passes_is_announced(monkeypatch):
    """While a person is asked, the passing of the deadline is printed, with what happens then; nobody has to press a key for it."""
    review = HumanReview(requires_confirmation=True, timeout=0.2, on_timeout=OnTimeout.skip)
    [asked] = Workflow("w", [Step("ask", lambda _: 1, human_review=review)]).run("x").requirements
    screen = Printing("deadline of this question has passed: its on_timeout, skip,")
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setattr(sys, "stdin", Typing(screen.printed))
    assert Asker("ada")(asked, asked.outcomes) is None  # the answer was: later
    assert screen.printed.is_set()


@pytest.mark.spec("OBS-8")
@pytest.mark.parametrize(
    ("command", "codes", "part"),
    [
        ("show nothing --db a.db --json", (2, 404), "nothing"),
        ("confirm r1 --db a.db --json --no-such", (2, 400), "--no-such"),
        ("runs --json --limit 0", (2, 400), "--limit"),
        ("sohw r1 --json", (2, 400), "sohw"),
        ("show r1 --db none.db --json", (2, 400), "none.db"),
        ("cancel r2 --db a.db --json", (1, 409), "r2"),
        ("run missing.py --json", (2, 400), "missing.py"),
    ],
)
def test_a_refusal_as_json_is_a_problem_document(folder, capsys, command, codes, part):
    """With `--json` a refusal is one document on standard output; what is said without it is the same, on standard error."""
    with closing(SqliteDb("a.db")) as db:
        Workflow("w", [Step("s", lambda _: "done")], db=db).run("x", run_id="r2")
    assert main(command.split()) == codes[0]
    said = capsys.readouterr()
    found = json.loads(said.out)
    assert (found["exit_code"], found["status"], said.err) == (*codes, "")
    assert part in found["detail"]
    assert found["type"].endswith(f"#{found['code']}")
    assert main(command.replace(" --json", "").split()) == codes[0]
    plain = capsys.readouterr()
    assert (plain.out, found["detail"] in plain.err) == ("", True)


@pytest.mark.spec("OBS-8")
def test_json_among_the_words_of_a_value_asks_for_no_document(folder, capsys):
    """Behind `--` nothing is an option: a refusal of such a command is prose."""
    assert main(["show", "--db", "none.db", "--", "--json"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "none.db" in said.err
