"""The ordinary commands on runs of a Temporal server: `--db temporal://HOST:PORT/NAMESPACE` is all that differs."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from statecore import Step, StepOutput, Workflow
from statecore.cli import main
from statecore.errors import NotPaused
from statecore.temporal import TemporalDb
from tests.temporal.conftest import Serve
from tests.temporal.workers import STEPS as STEPS_FILE
from tests.temporal.workers import until


def failing(step_input: Any) -> Any:
    """Fails on its first attempt."""
    return "sent" if step_input.attempt else StepOutput(success=False, error="the server is busy")


STEPS = [
    Step("approve", lambda s: s.input, requires_confirmation=True, confirmation_message="Pay it?"),
    Step("send", failing, on_error="pause"),
    Step("note", failing, on_error="pause"),
    Step("done", lambda s: s.previous_step_content, requires_confirmation=True),
]


@pytest.fixture
def say(db: TemporalDb, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """Type a command; its exit code and what it printed."""

    def typed(*words: str) -> tuple[int, str]:
        code = main([*words, "--db", db.path])
        captured = capsys.readouterr()
        return code, captured.out + captured.err

    return typed


def test_a_run_is_decided_from_the_command_line(serve: Serve, say: Callable[..., tuple[int, str]]) -> None:
    """`pending`, `show`, `confirm`, `retry`, `skip`, `reject`, `cancel` find the run, have it go on, and say what became of it."""
    runs = serve(Workflow("cli", STEPS))
    run_id = runs.run("invoice 17", timeout=30).run_id
    code, said = say("pending", "--run", run_id)
    assert code == 0
    assert "Pay it?" in said
    code, said = say("confirm", run_id, "--by", "ada", "--comment", "checked")
    assert (code, "A worker goes on with it." in said) == (0, True)
    assert runs.wait(run_id, timeout=30).error_requirements[0].error_message == "the server is busy"
    assert say("retry", run_id, "send")[0] == 0
    assert runs.wait(run_id, timeout=30).paused_step_name == "note"
    assert say("skip", run_id, "note", "--json")[0] == 0
    assert runs.wait(run_id, timeout=30).paused_step_name == "done"
    code, said = say("show", run_id)
    assert code == 0
    assert "checked" in said
    assert say("cancel", run_id, "--by", "ada")[1].endswith("is cancelled.\n")
    code, said = say("show", run_id, "--json")
    assert (code, json.loads(said)["status"]) == (0, "CANCELLED")
    code, said = say("confirm", run_id, "approve", "--by", "bob")
    assert (code, "SC304" in said or "SC302" in said or "decided already" in said) == (0, True), said
    code, said = say("cancel", run_id)
    assert (code, NotPaused.code in said) == (1, True)


def test_a_rejected_gate_and_an_unknown_run(serve: Serve, say: Callable[..., tuple[int, str]]) -> None:
    """A no is taken; what is not there is said to be unknown, as for every store."""
    runs = serve(Workflow("cli", STEPS))
    run_id = runs.run("invoice 18", timeout=30).run_id
    assert say("reject", run_id, "--feedback", "not this one")[0] == 0
    assert "approve" not in [each.step_name for each in runs.wait(run_id, timeout=30).requirements]
    code, said = say("show", "no-such-run")
    assert (code, "SC301" in said) == (2, True)
    newest = "runs", "--json", "--limit", "1"  # older ones are other tests', whose workers are gone
    until(lambda: run_id in say(*newest)[1])
    code, said = say(*newest)
    assert code == 0
    assert [each["run_id"] for each in json.loads(said)] == [run_id]


def test_a_run_is_submitted_from_the_command_line(db: TemporalDb, say: Callable[..., tuple[int, str]]) -> None:
    """`run --submit` starts a run that a worker will execute; without it, what would call steps here is refused."""
    code, said = say("run", f"{STEPS_FILE}:workflow", "--submit", "--run-id", "from-cli", "--input", "x")
    assert code == 0, said
    assert db.identity("from-cli").workflow_id == "killed"
    code, said = say("run", f"{STEPS_FILE}:workflow", "--input", "x")
    assert (code, "SC318" in said) == (1, True)


def test_the_command_ends_in_order_after_it_spoke_to_a_server(db: TemporalDb) -> None:
    """A process of its own says its piece and leaves with the exit code of the command, whatever Temporal's threads do then."""
    command = [sys.executable, "-m", "statecore", "show", "no-such-run", "--db", db.path]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (2, "")
    assert "SC301" in done.stderr


def test_a_worker_needs_a_server(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a server there is nothing to work for, and the command says what to type."""
    assert main(["worker", "anything.py", "--db", ""]) == 2
    capsys.readouterr()
