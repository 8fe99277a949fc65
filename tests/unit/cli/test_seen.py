"""A word at the command line is given to the question that the person saw (GATE-6, GATE-7a)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from statecore import SqliteDb, Step, Workflow
from statecore.cli import main
from statecore.cli.exits import FAILED, FINE, USAGE


@pytest.fixture
def db(tmp_path):
    """A store in a file."""
    opened = SqliteDb(db_file=tmp_path / "runs.db", durability="normal")
    yield opened
    opened.close()


def flow(db: SqliteDb, message: str) -> Workflow:
    """A workflow with one question, in these words."""
    return Workflow("flow", [Step("pay", lambda _: "paid", requires_confirmation=True, confirmation_message=message)], db)


def told(capsys: pytest.CaptureFixture[str], db: SqliteDb, *words: str) -> tuple[Any, str]:
    """The exit code of a command, and all that it prints."""
    capsys.readouterr()
    code = main([*words, "--db", str(db.path)])
    said = capsys.readouterr()
    return code, said.out + said.err


def put_again(db: SqliteDb) -> tuple[str, str]:
    """A run whose question was put again: its id, and the digest of the former question."""
    run = flow(db, "Pay 10?").run("x")
    shown = run.requirements[0].to_dict()["seen"]
    flow(db, "Pay 10?").decide(run.run_id, run.requirements[0].pause_id, "confirm", by="ada")
    assert flow(db, "Pay 10000?").continue_run(run_id=run.run_id).is_paused
    return run.run_id, shown


@pytest.mark.spec("GATE-6")
@pytest.mark.parametrize("digits", [64, 12])
def test_a_word_with_the_digest_of_its_question_counts(db, capsys, digits):
    """`pending --json` gives the digest; the word that carries it, or its beginning, is stored."""
    run = flow(db, "Pay 10?").run("x")
    [asked] = json.loads(told(capsys, db, "pending", "--json")[1])
    assert told(capsys, db, "confirm", run.run_id, "pay", "--by", "ada", "--seen", asked["seen"][:digits])[0] == FINE
    assert [each.word for each in db.decisions(run.run_id)] == ["confirm"]


@pytest.mark.spec("GATE-6")
@pytest.mark.parametrize("seen", ["former", "f" * 64, "", "abc"])
def test_a_word_with_another_digest_is_refused(db, capsys, seen):
    """A digest of the former question, of none, and one that is too short to tell are refused by name; nothing is stored."""
    run_id, former = put_again(db)
    code, said = told(capsys, db, "confirm", run_id, "pay", "--by", "bob", "--seen", former if seen == "former" else seen)
    assert code == FAILED
    assert "no longer asks what was shown" in said
    assert [each.by for each in db.decisions(run_id)] == ["ada"]


@pytest.mark.spec("GATE-6", "GATE-7a")
def test_a_question_put_again_is_named_to_be_answered(db, capsys):
    """By its step alone it is not answered: the command says why it was put again, and how it is named; so named, it is."""
    run_id, _ = put_again(db)
    code, said = told(capsys, db, "confirm", run_id, "pay", "--by", "bob")
    assert code == USAGE
    assert "ada said confirm under the former definition" in said
    assert "pay:confirmation:0@2" in said
    assert [each.by for each in db.decisions(run_id)] == ["ada"]
    assert told(capsys, db, "confirm", run_id, "pay:confirmation:0@2", "--by", "bob")[0] == FINE
    assert [each.by for each in db.decisions(run_id)] == ["ada", "bob"]


@pytest.mark.spec("GATE-7a")
def test_an_answer_that_lapsed_is_shown_as_such(db, capsys):
    """`show` tells an answer that lapsed from one that counts, while the run waits and when it is over."""
    run_id, _ = put_again(db)
    assert "confirm by ada" in told(capsys, db, "show", run_id)[1]
    flow(db, "Pay 10000?").decide(run_id, "pay:confirmation:0@2", "confirm", by="bob")
    flow(db, "Pay 10000?").continue_run(run_id=run_id)
    lines = [line.strip() for line in told(capsys, db, "show", run_id)[1].splitlines() if "confirm by" in line]
    assert [(line.startswith("confirm by ada"), line.endswith("(lapsed)")) for line in lines] == [(True, True), (False, False)]


@pytest.mark.spec("GATE-6")
def test_the_command_that_is_proposed_is_taken(db, capsys, tmp_path, monkeypatch):
    """The commands that `resume` prints for a question that was put again name it by its id."""
    run_id, _ = put_again(db)
    text = (
        "from statecore import Step, Workflow\nflow = Workflow('flow', [Step('pay', lambda _: 'paid', requires_confirmation=True, "
    )
    (tmp_path / "now.py").write_text(text + "confirmation_message='Pay 10000?')])\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    _, said = told(capsys, db, "resume", "now.py:flow", run_id)
    assert f"statecore confirm {run_id[:8]}" in said
    assert "pay:confirmation:0@2 --db" in said
