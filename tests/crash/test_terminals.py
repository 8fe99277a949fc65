"""What people at a terminal are shown while they wait, and that nobody else is; and the completion of shells."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from shutil import copy, which

import pytest

from statecore.cli import main
from statecore.cli.main import COMMANDS
from tests.crash.commands import PATIENCE, Terminal, arguments, environment, start

FLOW = """
import os
from statecore import Condition, Step, Workflow

def work(step_input):
    if step_input.input == "die":
        os._exit(9)
    return "worked"

late = Workflow("late", [Step("work", work), Step("ask", work, requires_confirmation=True, timeout=3600, on_timeout="skip")])
dies = Workflow("dies", [Step("work", work, on_interrupt="fail"), Step("last", work)])
fork = Workflow("fork", [Condition("depth", [Step("deep", work)], [Step("quick", work)], requires_confirmation=True)])
"""
A_DAY = 86_400 * 1_000_000_000


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The current folder, with workflows."""
    (tmp_path / "shown_flow.py").write_text(FLOW)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("STATECORE_DB", raising=False)
    monkeypatch.setattr(sys, "path", list(sys.path))
    return tmp_path


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A store of two runs that were asked yesterday and are past their deadline, and of two whose process died."""
    made = tmp_path_factory.mktemp("store")
    (made / "shown_flow.py").write_text(FLOW)
    now = time.time_ns
    with pytest.MonkeyPatch.context() as yesterday:
        yesterday.setattr(sys, "path", list(sys.path))
        yesterday.setattr(time, "time_ns", lambda: now() - A_DAY)
        for name in ("a", "b"):
            assert main(["run", str(made / "shown_flow.py:late"), "--run-id", name, "--db", str(made / "statecore.db")]) == 4
    for process in [start("run", "shown_flow.py:dies", "--input", "die", cwd=made) for _ in "ab"]:
        process.communicate(timeout=PATIENCE)
        assert process.returncode == 9
    return made / "statecore.db"


@pytest.fixture
def stored(folder, store):
    """The current folder, with a copy of that store."""
    for file in store.parent.glob("statecore.db*"):
        copy(file, folder)
    return folder


# what is typed -> what shows on a terminal how far it is; and the option that prints JSON
SHOWN = {
    "run shown_flow.py:late": r"^ +\d+\.\d\ds  work +begins\r$",
    "check shown_flow.py:late": r"\r1 situations",
    "verify statecore.db": r"\r4 of 4 runs\r\n",
    "tick shown_flow.py:late": r"^Run b of late \(2 of 2\)\r$",
    "recover shown_flow.py:dies": r"^Run \w+ of dies \(2 of 2\)\r$",
}
STEPS = {"run shown_flow.py:late", "tick shown_flow.py:late", "recover shown_flow.py:dies"}
"""These tell each step, on a terminal or not: their lines are the result."""


@pytest.mark.parametrize("line", SHOWN)
def test_a_terminal_shows_how_far_it_is(stored, line):
    """Steps with the time that has passed, situations, or how many of how many runs."""
    with Terminal(*line.split(), cwd=stored, NO_COLOR="1") as terminal:
        if line.startswith("run"):
            terminal.type("later\n")
        said, _ = terminal.end()
    assert re.search(SHOWN[line], said, re.MULTILINE)
    assert "Traceback" not in said


@pytest.mark.parametrize("line", SHOWN)
def test_nobody_else_is_shown_it(stored, capsys, line):
    """Off a terminal no line is written over and nothing is counted; with `--json` all that is printed is one document."""
    main(line.split())
    said = capsys.readouterr()
    assert "\r" not in said.out + said.err
    assert " of 2" not in said.out
    assert bool(re.search(r"^ +\d+\.\d\ds  ", said.out, re.MULTILINE)) == (line in STEPS)
    main([*line.split(), "--json"])
    said = capsys.readouterr()
    assert json.loads(said.out) is not None
    assert said.err == ""


def test_a_terminal_that_wants_json_gets_nothing_else(stored):
    """Not a word, not a count, not a question."""
    with Terminal("run", "shown_flow.py:late", "--json", cwd=stored) as terminal:
        said, code = terminal.end()
    assert (json.loads(said)["status"], code) == ("PAUSED", 4)
    with Terminal("check", "shown_flow.py:late", "--json", cwd=stored) as terminal:
        said, code = terminal.end()
    assert (bool(json.loads(said)), code) == (True, 0)


def test_the_outcome_of_each_choice_is_named(folder):
    """At the question each word says where it leads; the first letter is enough."""
    with Terminal("run", "shown_flow.py:fork", cwd=folder, NO_COLOR="1") as terminal:
        asked = terminal.until("may follow): ")
        assert "[c]onfirm -> deep" in asked
        assert "[r]eject  -> quick" in asked
        terminal.type("r\n")
        said, code = terminal.end()
    assert ("quick" in said, "deep" in said, code) == (True, False, 0)


# -- completion --------------------------------------------------------------------------------------------------------------------


def completed(shell, **more):
    """What the command says to a shell that asks it."""
    asked = environment(_STATECORE_COMPLETE=shell, **more)
    return subprocess.run(arguments([]), env=asked, capture_output=True, text=True, timeout=PATIENCE, check=False)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_gets_its_script(shell):
    """`_STATECORE_COMPLETE=bash_source statecore` prints what a shell needs to ask for completions, and nothing else."""
    said = completed(f"{shell}_source")
    assert (said.returncode, said.stderr) == (0, "")
    assert "_statecore_completion" in said.stdout
    assert f"_STATECORE_COMPLETE={shell}_complete" in said.stdout


def test_commands_and_options_are_completed():
    """Every command, and the options of one."""
    said = completed("bash_complete", COMP_WORDS="statecore ", COMP_CWORD="1").stdout
    assert [line.partition(",")[2] for line in said.splitlines()] == [command.name for command in COMMANDS]
    said = completed("bash_complete", COMP_WORDS="statecore resume --wa", COMP_CWORD="2").stdout
    assert said == "plain,--watch\n"


def test_bash_takes_the_script():
    """A bash that has read the script completes a command."""
    script = completed("bash_source").stdout
    ask = (
        f"{script}\nCOMP_WORDS=(statecore ver)\nCOMP_CWORD=1\n_statecore_completion statecore\nprintf '%s\\n' \"${{COMPREPLY[@]}}\""
    )
    asked = environment(PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    shell = which("bash") or "bash"
    done = subprocess.run([shell, "-c", ask], env=asked, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.stdout == "verify\n"
