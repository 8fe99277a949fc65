"""`--idempotency-key` of the deciding commands: a request that is repeated is one request, wherever the run is when it is repeated."""

from __future__ import annotations

import json
import shlex
from types import SimpleNamespace

import pytest

from statecore import HumanReview, Router, SqliteDb, Step, Workflow
from statecore.cli import main
from statecore.cli.exits import FAILED, FINE

FIELDS = [{"name": "n", "field_type": "int", "required": True}]


def once_broken(step_input):
    """Fails on its first attempt."""
    if step_input.attempt == 0:
        raise OSError("busy")
    return "up"


def steps():
    """Every kind of question, one after the other, and one of a kind that was asked before."""
    return [
        Step("gate", lambda _: "gate", requires_confirmation=True),
        Step("form", lambda _: "form", requires_user_input=True, user_input_schema=FIELDS),
        Router("way", choices=[Step(name, lambda _: "way") for name in ("r", "b")], requires_user_input=True),
        Step("write", lambda _: "draft", human_review=HumanReview(requires_output_review=True)),
        Step("flaky", once_broken, on_error="pause"),
        Step("cut", once_broken, on_error="pause"),
        Step("last", lambda _: "last", requires_confirmation=True),
        Step("spare", lambda _: "spare", requires_confirmation=True),
    ]


LINES = [
    "confirm r --idempotency-key k0",
    "input r n=3 --idempotency-key k1",
    "select r b --idempotency-key k2",
    "edit r --text new --idempotency-key k3",
    "retry r --idempotency-key k4",
    "skip r --idempotency-key k5",
    "reject r --feedback no --idempotency-key k6",
]


@pytest.fixture
def cli(capsys, tmp_path):
    """Run a command line on a store of this test."""

    def run(line):
        code = main([*shlex.split(line), "--db", str(tmp_path / "runs.db")])
        said = capsys.readouterr()
        return SimpleNamespace(code=code, out=said.out, err=said.err)

    return run


@pytest.fixture
def workflow(tmp_path):
    """The workflow, on the same store."""
    db = SqliteDb(tmp_path / "runs.db", durability="normal")
    yield Workflow("flow", steps(), db)
    db.close()


@pytest.mark.spec("CONT-10")
def test_every_decision_repeated_with_its_key_has_the_same_answer(cli, workflow):
    """Before the run goes on and after it, by whoever repeats it: the same lines, the same JSON, exit code 0, and nothing more is decided."""
    workflow.run(run_id="r")
    for n, line in enumerate(LINES):
        first = cli(f"{line} --by ada")
        assert (first.code, first.out.count("\n")) == (FINE, 2), first
        assert cli(f"{line} --by bob") == first
        document = json.loads(cli(f"{line} --json").out)
        assert (document["by"], document["decision"]) == ("ada", line.split()[0])
        workflow.continue_run(run_id="r")
        later = cli(f"{line} --by bob")
        assert (later.code, later.out) == (
            FINE,
            first.out.splitlines(keepends=True)[0],
        )  # it has counted, so nothing says that it will
        assert json.loads(cli(f"{line} --json").out)["pause_id"] == document["pause_id"]
        assert len(workflow.db.decisions("r")) == n + 1
    assert [each.step_name for each in workflow.list_pauses(run_id="r")] == ["spare"]


@pytest.mark.spec("CONT-10")
def test_a_key_that_decided_something_else_is_refused(cli, workflow):
    """Another word, another value or another step under a used key is SC315; what is stored stays."""
    workflow.run(run_id="r")
    cli("confirm r --by ada --idempotency-key k")
    workflow.continue_run(run_id="r")
    cli("input r n=3 --idempotency-key l")
    for line in ("reject r --idempotency-key k", "input r n=4 --idempotency-key l", "input r form n=3 --idempotency-key k"):
        refused = cli(line)
        assert (refused.code, refused.err[:5]) == (FAILED, "SC315"), (line, refused)
    assert [each.word for each in workflow.db.decisions("r")] == ["confirm", "input"]


def test_a_named_step_repeated_with_its_key_is_that_step(cli, workflow):
    """A repeated choice that names its Router is read as it was the first time."""
    workflow.run(run_id="r")
    for line in ("confirm r", "input r n=3"):
        cli(line)
        workflow.continue_run(run_id="r")
    first = cli("select r way b --idempotency-key k --by ada")
    workflow.continue_run(run_id="r")
    assert cli("select r way b --idempotency-key k").out == first.out.splitlines(keepends=True)[0]


def test_another_key_is_another_request(cli, workflow):
    """A decision that was made under another key, or none, was made before: it is said by whom."""
    workflow.run(run_id="r")
    cli("confirm r --by ada --idempotency-key k")
    for line in ("confirm r --by bob", "confirm r --by bob --idempotency-key l"):
        assert "was decided already: confirm by ada" in cli(line).out
