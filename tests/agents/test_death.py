"""TOOL-2 with processes: one is killed between an approval and the end of its call."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

SCRIPT = """
import os, signal, sys
from statecore import SqliteDb, Step, Workflow
from statecore.agents import Asks, Done, ToolCall
path, policy, mode = sys.argv[1:]
class Agent:
    name, framework, version = "mailer", "scripted", "1"
    def start(self, task):
        return Asks([ToolCall("mail", {"to": "bob"}, "c1")], {"turn": 1})
    def resume(self, state, verdicts, task):
        if mode == "die before":
            os.kill(os.getpid(), signal.SIGKILL)
        with open(path + ".ran", "a") as ran:
            ran.write("bob\\n")
        if mode == "die after":
            os.kill(os.getpid(), signal.SIGKILL)
        return Done("mailed")
settings = {} if policy == "default" else {"on_interrupt": policy}
flow = Workflow("p", [Step("mail", agent=Agent(), **settings)], db=SqliteDb(db_file=path))
if mode == "start":
    flow.run("hi", run_id="r")
    flow.decide("r", "mail:question:0+0", "confirm", by="ada")
else:
    run = flow.continue_run(run_id="r")
    print(run.status.value, *[each.kind for each in [*run.requirements, *run.steps_with_errors]])
"""


def process(path, policy, mode):
    """A process of the script."""
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(path), policy, mode], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def ended(started):
    """The exit code and the output of a process."""
    out, _ = started.communicate(timeout=60)
    return started.returncode, out


def ran(path):
    """How often the tool has run."""
    noted = path.with_name(path.name + ".ran")
    return noted.read_text().count("bob") if noted.exists() else 0


@pytest.mark.spec("TOOL-2", "CRASH-2")
@pytest.mark.parametrize(("dies", "before"), [("die before", 0), ("die after", 1)])
def test_after_a_death_a_person_is_asked(tmp_path, dies, before):
    """`pause` is the default: the tool is not called again before a person says so."""
    path = tmp_path / "a.db"
    assert ended(process(path, "default", "start"))[0] == 0
    assert ended(process(path, "default", dies))[0] == -signal.SIGKILL
    code, out = ended(process(path, "default", "go on"))
    assert (code, "PAUSED" in out, "interrupted" in out, ran(path)) == (0, True, True, before)


@pytest.mark.spec("TOOL-2")
def test_a_written_retry_gives_up_at_most_once(tmp_path):
    """`on_interrupt="retry"` calls the agent again, and the tool runs a second time."""
    path = tmp_path / "a.db"
    assert ended(process(path, "retry", "start"))[0] == 0
    assert ended(process(path, "retry", "die after"))[0] == -signal.SIGKILL
    code, out = ended(process(path, "retry", "go on"))
    assert (code, "COMPLETED" in out, ran(path)) == (0, True, 2)
