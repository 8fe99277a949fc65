"""`resume --watch`: a run that another process executes, followed from here. The pauses between two looks are where the tests act."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
from pathlib import Path

import pytest

from statecore.cli import following, main
from tests.crash.commands import PATIENCE, Gate, Terminal, start, statecore

FLOW = """
from pathlib import Path
from statecore import Step, Workflow

def did(step_input):
    with Path("effects").open("a") as file:
        file.write(step_input.step_name + "\\n")
    return step_input.step_name

def through_the_gate(step_input):
    did(step_input)
    if Path("gate").exists():
        with open("gate") as gate:
            gate.read()
    return "passed"

smooth = Workflow("smooth", [Step("slow", through_the_gate), Step("last", did)])
asking = Workflow("asking", [Step("slow", through_the_gate), Step("ask", did, requires_confirmation=True)])
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The current folder, with workflows that stand still where there is a `gate`."""
    (tmp_path / "watched_flow.py").write_text(FLOW)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("STATECORE_DB", raising=False)
    monkeypatch.setattr(sys, "path", list(sys.path))
    return tmp_path


@pytest.fixture
def looks():
    """The pauses between the looks of a watcher here, in seconds."""
    return []


@pytest.fixture
def meanwhile(folder, monkeypatch, looks):
    """Another process executes a workflow and stands at its gate; what happens between the looks of a watcher here, one after the other."""

    def begin(name, *happens):
        gate = Gate(folder / "gate")
        process = start("run", f"watched_flow.py:{name}", cwd=folder)
        process.inside = gate.reached()
        still = list(happens)

        def pause(seconds):
            looks.append(seconds)
            assert still, "watched longer than there was anything to see"
            still.pop(0)(process)

        monkeypatch.setattr(following, "sleep", pause)
        return process

    return begin


def nothing(_process):
    """Nothing happens."""


def let_go(process):
    """The other process goes on, to its end."""
    os.close(process.inside)
    process.communicate(timeout=PATIENCE)


def die(process):
    """The other process dies in its step, and nothing holds the next one up."""
    process.kill()
    process.communicate(timeout=PATIENCE)
    Path("gate").unlink()
    os.close(process.inside)


def effects(folder):
    """What user code did, in order."""
    return (folder / "effects").read_text().split()


@pytest.mark.spec("CONT-6")
def test_a_run_is_followed_to_its_end(folder, meanwhile, looks, capsys):
    """What the other process does is told as it is stored; nothing runs here, and the exit code is that of the end."""
    meanwhile("smooth", nothing, nothing, let_go)
    assert main(["resume", "watched_flow.py:smooth", "--watch", "--interval", "0.25"]) == 0
    out = capsys.readouterr().out
    assert "watching" in out
    assert re.findall(r"s  (\w+) +(\w+)", out) == [("slow", "done"), ("last", "begins"), ("last", "done"), ("run", "completed")]
    assert effects(folder) == ["slow", "last"]
    assert looks == [0.25, 0.25, 0.25]


@pytest.mark.spec("CONT-6")
def test_a_run_is_followed_to_its_pause(folder, meanwhile, looks, capsys):
    """At a pause nobody is asked: the commands that decide are printed, and the exit code is 4."""
    meanwhile("asking", let_go)
    assert main(["resume", "watched_flow.py:asking", "--watch"]) == 4
    assert re.search(r"statecore confirm \w{8} ask +# run 'ask'", capsys.readouterr().out)
    assert effects(folder) == ["slow"]
    assert looks == [following.INTERVAL]


@pytest.mark.spec("CRASH-1", "CONT-3")
def test_a_run_whose_process_dies_goes_on_here(folder, meanwhile, capsys):
    """A watcher takes a run over as `resume` does: the step in doubt is called again, and the run ends."""
    meanwhile("smooth", nothing, die)
    assert main(["resume", "watched_flow.py:smooth", "--watch"]) == 0
    assert "completed" in capsys.readouterr().out
    assert effects(folder) == ["slow", "slow", "last"]


def test_each_event_is_a_line_of_json(folder, meanwhile, capsys):
    """With `--json` every line is an event as it happens, and the last is the run as it stands, with the exit code."""
    meanwhile("smooth", let_go)
    assert main(["resume", "watched_flow.py:smooth", "--watch", "--json"]) == 0
    said = capsys.readouterr()
    *events, run = map(json.loads, said.out.splitlines())
    told = [(event["event"], event["step_name"]) for event in events]
    assert told[-3:] == [("StepOutput", "last"), ("StepCompleted", "last"), ("WorkflowCompleted", None)]
    assert told.count(("StepCompleted", "slow")) == 1
    assert (run["status"], run["exit_code"], said.err) == ("COMPLETED", 0, "")


@pytest.mark.parametrize(("name", "code"), [("smooth", 0), ("asking", 4)])
def test_what_rests_is_not_watched(folder, capsys, monkeypatch, name, code):
    """A run that has ended or waits for a person is told at once, with its exit code."""
    monkeypatch.setattr(following, "sleep", lambda seconds: pytest.fail(f"waited {seconds} s for a run that rests"))
    assert main(["run", f"watched_flow.py:{name}", "--run-id", "r"]) == code
    assert main(["resume", f"watched_flow.py:{name}", "r", "--watch"]) == code
    assert {0: "It is COMPLETED already.", 4: "Run r is PAUSED: somebody has to decide."}[code] in capsys.readouterr().out


def test_a_run_that_nobody_executes_is_executed(folder, capsys):
    """What was decided is applied and followed here, event by event, as without `--watch`."""
    main(["run", "watched_flow.py:asking", "--run-id", "r"])
    main(["confirm", "r"])
    capsys.readouterr()
    assert main(["resume", "watched_flow.py:asking", "r", "--watch", "--json"]) == 0
    *events, run = map(json.loads, capsys.readouterr().out.splitlines())
    assert [event["event"] for event in events][-1] == "WorkflowCompleted"
    assert run["status"] == "COMPLETED"
    assert effects(folder) == ["slow", "ask"]


def test_an_end_between_two_looks_is_told(folder, meanwhile, capsys, monkeypatch):
    """A run that ends after its executor was found to be gone, and before it is taken over, is no refusal."""
    process, look = meanwhile("smooth"), following.Watching.came_to_rest

    def gone_and_then_over(self):
        if process.returncode is not None:
            return look(self)
        return let_go(process)

    monkeypatch.setattr(following.Watching, "came_to_rest", gone_and_then_over)
    assert main(["resume", "watched_flow.py:smooth", "--watch"]) == 0
    assert "SC302" not in capsys.readouterr().err
    assert effects(folder) == ["slow", "last"]


@pytest.mark.parametrize("given", ["--interval 1", "--watch --interval 0", "--watch --interval soon"])
def test_an_interval_without_a_watch_is_a_usage_error(folder, capsys, given):
    """So is one that would keep the machine busy."""
    assert main(["resume", "watched_flow.py:smooth", "r", *given.split()]) == 2
    assert "interval" in capsys.readouterr().err


def test_a_watcher_that_is_interrupted_leaves_the_run_alone(folder):
    """Ctrl-C on its terminal ends the watcher with 130; the run goes on where it is executed."""
    gate = Gate(folder / "gate")
    process = start("run", "watched_flow.py:smooth", cwd=folder)
    process.inside = gate.reached()
    with Terminal("resume", "watched_flow.py:smooth", "--watch", "--interval", "30", cwd=folder) as terminal:
        terminal.until("watching")
        terminal.process.send_signal(signal.SIGINT)
        said, code = terminal.end()
    assert (code, "Interrupted." in said) == (130, True)
    let_go(process)
    assert (process.returncode, effects(folder)) == (0, ["slow", "last"])
    assert "COMPLETED" in statecore("runs", cwd=folder).stdout
