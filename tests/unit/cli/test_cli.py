"""The command line, in this process: what is printed, what is stored, and the exit code."""

from __future__ import annotations

import json
import re
import shlex
import sys
from datetime import date
from decimal import Decimal
from io import StringIO
from pathlib import Path
from textwrap import dedent
from types import SimpleNamespace
from typing import Any

import click
import pytest

from statecore import SqliteDb, UserInputField
from statecore.asking.outcomes import Consequence, Named, Outcome
from statecore.asking.text import UNPRINTABLE, brief, clean, short
from statecore.cli import main
from statecore.cli.exits import FAILED, FINE, PAUSED, UNDETERMINED, USAGE
from statecore.cli.meaning import meant
from statecore.cli.person import RETRIES, WORDS, Asker, filled, parse
from statecore.cli.screen import command
from statecore.cli.views import readable
from statecore.codec import decode
from statecore.definition.forms import Secret
from statecore.runtime import sync
from statecore.runtime.answers import plain_words
from statecore.stores.detail import detail_of
from tests.crash.commands import statecore

FLOW = """
    from pathlib import Path
    from statecore import Condition, Step, Steps, Workflow

    def done(name):
        with Path("effects").open("a") as file:
            file.write(name + "\\n")
        return name

    def flaky(step_input):
        done(f"flaky {step_input.attempt}")
        if step_input.attempt < 2:
            raise OSError(f"no {step_input.attempt}")
        return "up"

    def broken(step_input):
        if not Path("mended").exists():
            raise RuntimeError("broken")
        return done("broken")

    def say(name):
        return Step(name, lambda step_input: done(name))

    def echo(step_input):
        return step_input.input

    gate = Workflow("gate", [Step("ask", lambda _: done("ask"), requires_confirmation=True, confirmation_message="Sure?"), say("last")])
    two = Workflow("two", [Step(n, lambda _, n=n: done(n), requires_confirmation=True) for n in ("one", "two")])
    stop = Workflow("stop", [Step("ask", lambda _: done("ask"), requires_confirmation=True, on_reject="cancel"), say("last")])
    fork = Workflow("fork", [Condition("depth", [say("deep"), say("deeper")], [say("quick")], requires_confirmation=True), say("last")])
    fails = Workflow("fails", [Steps("unit", [Step("flaky", flaky), say("more")], on_error="pause"), say("last")])
    breaks = Workflow("breaks", [Step("broken", broken), say("last")])
    plain = Workflow("plain", [Step("echo", echo)])
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty folder with a file of workflows; nothing that a target imports stays."""
    (tmp_path / "flow.py").write_text(dedent(FLOW))
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("STATECORE_DB", raising=False)
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.fixture
def cli(capsys):
    """Run a command line: its exit code, its standard output, its standard error."""

    def run(line):
        code = main(shlex.split(line))
        said = capsys.readouterr()
        return SimpleNamespace(code=code, out=said.out, err=said.err)

    return run


@pytest.fixture
def effects(folder):
    """What user code did, in order: the ground truth."""

    def read():
        file = folder / "effects"
        return file.read_text().split("\n")[:-1] if file.exists() else []

    return read


# -- targets -----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", ["flow.py:plain", "flow:plain", "./flow.py:plain", "alone.py", "alone", "alone.py:box.inner"])
def test_a_target_names_a_workflow(cli, folder, target):
    """A file or a module, with an attribute or, where there is one workflow, without; what lies beside a file can be imported."""
    (folder / "alone.py").write_text("import flow, types\nw = flow.plain\nagain = w\nbox = types.SimpleNamespace(inner=w)\n")
    assert cli(f"run {target} --input x").code == FINE


WRONG = {
    "flw.py:plain": "there is no file 'flw.py'. Did you mean 'flow.py'?",
    "nowhere/flow.py": "there is no file 'nowhere/flow.py'",
    "flow.py:plan": "it has no 'plan'. Did you mean 'plain'?",
    "flow.py": "it has 7 workflows. Choose one: flow.py:gate, ",
    "flow.py:done": "'done' is a function, not a Workflow. Known: ",
    "flw": "there is no module 'flw'. Did you mean 'flow'?",
    "statecore.examples.analisys": "Did you mean 'analysis'?",
    "empty.py": "it has no Workflow",
    "raises.py": "importing it raised ZeroDivisionError: division by zero (",
    "lacks.py": "importing it raised ModuleNotFoundError: No module named 'nothing_such'",
    "lacks": "importing it raised ModuleNotFoundError: No module named 'nothing_such'",
    "raises": "raises.py:2)",
    "wrong.py": "SC103 the workflow has two components named 'a'",
    "statecore.example": "Did you mean 'examples'?",
    "sub/flow": "write it with its ending .py",
}


@pytest.mark.parametrize(("target", "why"), WRONG.items())
def test_a_wrong_target_is_a_usage_error_that_says_what_is_near(cli, folder, target, why):
    """`TargetError` names the reason and the nearest name, without a traceback, and nothing runs."""
    (folder / "empty.py").write_text("")
    (folder / "raises.py").write_text("\n1 / 0\n")
    (folder / "lacks.py").write_text("import nothing_such\n")
    (folder / "wrong.py").write_text("from statecore import *\nw = Workflow('w', [Step('a', print), Step('a', print)])\n")
    (folder / "sub").mkdir()
    (folder / "sub" / "flow.py").write_text("")
    ended = cli(f"run {target}")
    assert (ended.code, ended.out) == (USAGE, "")
    assert ended.err.startswith(f"SC700 Cannot load '{target}': ")
    assert why in ended.err
    assert "Traceback" not in ended.err


# -- running -----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "content"),
    [("", "null"), ("--input 17", '"17"'), ("--input-json '{\"a\": [1, null]}'", '{"a":[1,null]}')],
)
def test_the_input_is_text_or_json(cli, given, content):
    """`--input` is text as it stands, `--input-json` what it means; `--json` prints one document."""
    ended = cli(f"run flow.py:plain {given} --json")
    document = json.loads(ended.out)
    assert (ended.code, document["status"], document["exit_code"], document["pending"]) == (FINE, "COMPLETED", FINE, [])
    assert (json.dumps(document["input"], separators=(",", ":")), document["content"]) == (content, json.loads(content))


@pytest.mark.parametrize(
    "given", ["--input a --input-json 1", "--input-json {", "--answers yes", "--answers retry, --db x", "--nope"]
)
def test_a_wrong_option_is_a_usage_error(cli, folder, given):
    """Options that contradict or mean nothing are refused before anything runs or is stored."""
    assert cli(f"run flow.py:plain {given}").code == USAGE
    assert not list(folder.glob("*.db"))


def test_steps_are_shown_as_they_happen(cli):
    """Each step begins and ends in a line with the time that has passed."""
    lines = cli("run flow.py:plain --input hello").out.splitlines()
    assert [line.split()[1:] for line in lines[1:]] == [
        ["echo", "begins"],
        ["echo", "done", "hello"],
        ["run", "completed", "hello"],
    ]
    assert all(line.split()[0].endswith("s") for line in lines[1:])


def test_off_a_terminal_a_pause_ends_the_command_and_says_how_to_decide(cli, effects):
    """Nobody is asked: the exit code is 4, and the printed commands, typed as they stand, decide and go on."""
    ended = cli("run flow.py:gate")
    assert (ended.code, effects()) == (PAUSED, [])
    assert "? ask: Sure?" in ended.out
    confirm = next(line for line in ended.out.splitlines() if line.strip().startswith("statecore confirm"))
    resume = ended.out.splitlines()[-1].removeprefix("Then go on: statecore ")
    assert confirm.endswith("# run 'ask'")
    assert cli(confirm.partition("#")[0].strip().removeprefix("statecore ")).code == FINE
    assert effects() == []
    assert cli(resume).code == FINE
    assert effects() == ["ask", "last"]


CASES = [
    ("gate", "confirm", ["ask", "last"], FINE),
    ("gate", "reject", ["last"], FINE),
    ("stop", "reject", [], FAILED),
    ("fork", "confirm", ["deep", "deeper", "last"], FINE),
    ("fork", "reject", ["quick", "last"], FINE),
    ("fails", "retry", ["flaky 0", "flaky 1"], PAUSED),
    ("fails", "retry,retry", ["flaky 0", "flaky 1", "flaky 2", "more", "last"], FINE),
    ("fails", "flaky=retry", ["flaky 0", "flaky 1", "flaky 2", "more", "last"], FINE),
    ("fails", "skip", ["flaky 0", "last"], FINE),
    ("fails", "retry,skip", ["flaky 0", "flaky 1", "last"], FINE),
    ("two", "confirm", ["one"], PAUSED),
    ("two", "reject,confirm", ["two"], FINE),
    ("two", "two=reject,one=confirm", ["one"], FINE),
    ("two", "two=confirm", [], PAUSED),
    ("gate", "retry,confirm", ["ask", "last"], FINE),
]


@pytest.mark.parametrize(("name", "answers", "done", "code"), CASES)
def test_answers_decide_without_asking(cli, effects, name, answers, done, code):  # noqa: PLR0913  # a case is a row
    """A bare word answers one pause, the next that it fits; a named one answers that step whenever it asks. No gate is opened by default."""
    ended = cli(f"run flow.py:{name} --answers {answers}")
    assert (ended.code, effects()) == (code, done)


@pytest.mark.parametrize(("name", "word", "done"), [case[:3] for case in CASES if "," not in case[1] and "=" not in case[1]])
def test_each_decision_from_another_process_has_the_same_outcome(cli, effects, name, word, done):
    """`confirm`, `reject`, `retry`, `skip` store the decision and run nothing; `resume` applies it."""
    cli(f"run flow.py:{name} --run-id r")
    before = effects()
    ended = cli(f"{word} r --by ada --comment because")
    assert (ended.code, effects()) == (FINE, before)
    cli("resume flow.py:" + name)
    assert effects() == done


def test_an_answer_to_a_step_that_is_not_there_is_a_usage_error(cli, effects):
    """A misspelt step gets a suggestion, before anything runs."""
    ended = cli("run flow.py:fork --answers dept=confirm")
    assert (ended.code, effects()) == (USAGE, [])
    assert ended.err == "SC312 No component is named 'dept'. Did you mean 'depth'?\n"


def test_unattended_retries_come_to_an_end():
    """`step=retry` retries a step ten times, then leaves it to a person."""
    asked: Any = SimpleNamespace(kind="error", words=("retry", "skip"), address="s", step_name="s")
    given = parse(["s=retry"], "ada")
    assert [given(asked, ()) is not None for _ in range(RETRIES + 1)] == [True] * RETRIES + [False]


def test_a_step_that_fails_is_told_in_a_line(cli, effects, folder):
    """The exception, its step and its place are named without a traceback; the failed run goes on when it is told to."""
    ended = cli("run flow.py:breaks --run-id r")
    assert (ended.code, effects()) == (FAILED, [])
    assert "broken           failed    RuntimeError: broken" in ended.out
    assert "flow.py:" in ended.out
    assert "Traceback" not in ended.out + ended.err
    assert "statecore resume flow.py:breaks r --retry-failed" in ended.out
    refused = cli("resume flow.py:breaks r")
    assert (refused.code, refused.err[:5]) == (FAILED, "SC302")
    (folder / "mended").touch()
    assert cli("resume flow.py:breaks r --retry-failed").code == FINE
    assert effects() == ["broken", "last"]


@pytest.mark.spec("GATE-8")
def test_a_run_of_another_definition_is_taken_over_by_name(cli, effects, folder):
    """`resume` refuses a run whose gate this definition lacks, and says what it would drop; `--adopt --by` takes it, and the journal says who."""
    assert cli("run flow.py:two --run-id r").code == PAUSED
    assert cli("confirm r one --by ann").code == FINE
    (folder / "flow.py").write_text(
        dedent(FLOW).replace("requires_confirmation=True) for n in", 'requires_confirmation=n == "one") for n in')
    )
    sys.modules.pop("flow", None)
    refused = cli("resume flow.py:two r")
    assert (refused.code, "it would drop the gate of 'two'" in refused.err, "--adopt --by WHO" in refused.err) == (
        FAILED,
        True,
        True,
    )
    assert effects() == []
    assert cli("resume flow.py:two r --adopt --by ada").code == PAUSED  # the yes led to less: it is asked for again
    assert effects() == []
    assert cli("confirm r one:confirmation:0@2 --by ann").code == FINE
    assert cli("resume flow.py:two r").code == FINE
    assert effects() == ["one", "two"]
    db = SqliteDb("statecore.db")
    said = [detail_of(entry.body.detail) for entry in db.journal("r")]
    assert [each.adopted_by for each in said if each.definition is not None] == [None, "ada"]
    db.close()


@pytest.mark.spec("CONT-2")
def test_resuming_what_nobody_has_decided_changes_nothing(cli, effects):
    """The exit code is 4 again, and the commands that decide are shown again."""
    cli("run flow.py:gate --run-id r")
    before = json.loads(cli("show r --json").out)
    ended = cli("resume flow.py:gate")
    assert (ended.code, effects()) == (PAUSED, [])
    assert "statecore confirm r ask" in ended.out
    assert json.loads(cli("show r --json").out) == before


@pytest.mark.spec("CONT-3", "CONT-6")
def test_a_second_continuation_runs_nothing_and_says_so(cli, effects):
    """A run that has ended is not continued: exit code 1, a named error, no step again."""
    cli("run flow.py:gate --run-id r --answers confirm")
    ended = cli("resume flow.py:gate r")
    assert (ended.code, ended.err[:5], effects()) == (FAILED, "SC302", ["ask", "last"])
    assert "COMPLETED" in ended.err


def test_resume_without_a_run_needs_exactly_one(cli):
    """None, or several, unfinished runs are a usage error that lists them; one is taken."""
    assert "has no unfinished run here" in cli("resume flow.py:gate").err
    cli("run flow.py:gate --run-id a")
    assert cli("resume flow.py:gate --answers confirm").code == FINE
    cli("run flow.py:gate --run-id b")
    cli("run flow.py:gate --run-id c")
    ended = cli("resume flow.py:gate")
    assert (ended.code, "Name one: c, b" in ended.err) == (USAGE, True)


def test_a_run_of_another_workflow_is_refused(cli, effects):
    """A target that the run is not of is named, and nothing runs."""
    cli("run flow.py:gate --run-id r")
    cli("confirm r")
    ended = cli("resume flow.py:two r")
    assert (ended.code, ended.err[:5], effects()) == (FAILED, "SC309", [])


def test_recover_without_dead_runs_does_nothing(cli):
    """A run that waits for a person is not recovered."""
    cli("run flow.py:gate --run-id r")
    assert cli("recover flow.py:gate").out == "No run was left behind.\n"
    assert cli("recover flow.py:gate --json").out == "{}\n"


@pytest.mark.spec("SAID-2")
@pytest.mark.parametrize("command", ["tick", "recover"])
def test_decided_runs_are_taken_up_and_refused_ones_are_printed(cli, folder, command):
    """A decided run continues; one that its definition has left is printed, keeps no other, and makes the exit code 1."""
    (folder / "other.py").write_text(dedent(FLOW).replace('Step("ask"', 'Step("asks"'))
    for name, target, step in (("a", "flow.py:gate", "ask"), ("b", "other.py:gate", "asks"), ("c", "flow.py:gate", "ask")):
        assert cli(f"run {target} --run-id {name}").code == PAUSED
        assert cli(f"confirm {name} {step} --by ada").code == FINE
    ended = cli(f"{command} flow.py:gate")
    assert (ended.code, ended.out.splitlines()[-1], ended.err.count("SC309")) == (FAILED, "2 completed, 1 refused", 1)
    assert {row["run_id"]: row["status"] for row in json.loads(cli("runs --json").out)} == {
        "a": "COMPLETED",
        "b": "PAUSED",
        "c": "COMPLETED",
    }


UNUSED = """
    from statecore import Inbox, Parallel, PauseFilter, SqliteDb, Step, Workflow

    def cancels(_):
        inbox = Inbox(SqliteDb(db_file="statecore.db"))
        [asked] = inbox.pending(PauseFilter())
        inbox.cancel(asked.run_id)
        inbox.decide(asked.run_id, asked.pause_id, "confirm", by="ada")

    both = Parallel(Step("cancels", cancels), Step("gated", lambda _: 1, requires_confirmation=True), name="both")
    workflow = Workflow("unused", [both])
"""


@pytest.mark.spec("SAID-1")
def test_an_answer_that_was_not_used_is_shown_as_such(cli, folder, monkeypatch):
    """`show` marks the decision of a question that no boundary applied before the run was over."""
    monkeypatch.setattr(sync, "decided_beside", lambda _: ())  # a driver that looks before the step has returned uses the answer
    (folder / "unused.py").write_text(dedent(UNUSED))
    cli("run unused.py --run-id r")
    [line] = [line for line in cli("show r").out.splitlines() if "confirm by ada" in line]
    assert line.endswith("(not used)")
    assert cli("run flow.py:gate --run-id s --answers confirm").code == FINE
    assert "confirm by" in cli("show s").out
    assert "not used" not in cli("show s").out


LEFT = """
    from pathlib import Path
    from statecore import Step, Workflow

    def work(_):
        if Path("word").exists():
            raise RuntimeError(Path("word").read_text())
        raise KeyboardInterrupt

    workflow = Workflow("left", [Step("work", work)])
"""


def test_recover_counts_what_became_of_each_run(cli, folder):
    """Runs that were left behind are driven on; one that fails, or that its definition has left, makes the exit code 1."""
    (folder / "left.py").write_text(dedent(LEFT))
    assert [cli(f"run left.py --run-id {name}").code for name in "ab"] == [130, 130]
    (folder / "other.py").write_text(dedent(LEFT).replace('"work"', '"play"'))
    refused = cli("recover other.py")
    assert (refused.code, refused.out.splitlines()[-1], refused.err.count("SC309")) == (FAILED, "2 refused", 2)
    (folder / "word").write_text("out of luck")
    ended = cli("recover left.py")
    assert (ended.code, ended.out.splitlines()[-1], ended.out.count("RuntimeError: out of luck")) == (FAILED, "2 error", 4)
    assert cli("recover left.py --json").out == "{}\n"


# -- deciding ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("CONF-9")
def test_a_pause_is_decided_once(cli):
    """The same word again changes nothing and says who was first; another word is refused by name."""
    cli("run flow.py:gate --run-id r")
    assert "by ada -> run 'ask'" in cli("confirm r ask --by ada").out
    again = cli("confirm r --by bob")
    assert (again.code, "'ask' was decided already: confirm by ada at" in again.out) == (FINE, True)
    other = cli("reject r ask --by bob")
    assert (other.code, other.err[:5], "confirm by ada" in other.err) == (FAILED, "SC304", True)


def test_decisions_after_the_end_are_refused(cli):
    """A pause that was applied is still found by its step, so that the refusal can say who decided it."""
    cli("run flow.py:gate --run-id r --answers confirm --by ada")
    assert "SC304" in cli("reject r ask").err
    assert "SC302" in cli("confirm r last").err
    cli("run flow.py:plain --run-id p")
    assert "SC302" in cli("confirm p").err


@pytest.mark.parametrize("step", ["", "depth", "depth:confirmation:0"])
def test_a_pause_is_named_by_step_or_address_or_not_at_all(cli, effects, step):
    """Where one pause is open its step may be left out."""
    cli("run flow.py:fork --run-id r")
    assert cli(f"reject r {step}").code == FINE
    cli("resume flow.py:fork")
    assert effects() == ["quick", "last"]


@pytest.mark.parametrize(
    ("line", "code", "says"),
    [
        ("confirm r dept", USAGE, "SC305 Run 'r' has no pause 'dept'. Pending: 'depth'."),
        ("retry r", USAGE, "SC306 'retry' is no answer to pause 'depth:confirmation:0', which is of kind confirmation."),
        ("confirm x", USAGE, "SC301 No run 'x'"),
        ("show x", USAGE, "SC301 No run 'x'"),
        ("confirm", USAGE, "Missing argument 'RUN'"),
        ("confrim r", USAGE, "No such command 'confrim'"),
        ("pending --run x", USAGE, "SC301"),
    ],
)
def test_a_decision_that_means_nothing_is_refused(cli, line, code, says):
    """Unknown steps, words and runs get their named error on stderr, and nothing is decided."""
    cli("run flow.py:fork --run-id r")
    ended = cli(line)
    assert (ended.code, ended.out) == (code, "")
    assert says in ended.err
    assert len(json.loads(cli("pending --json").out)) == 1


def test_of_several_open_pauses_one_must_be_named():
    """Where several pauses fit, the places are listed; where only one takes the word, that one is meant."""
    rows = [
        SimpleNamespace(step_name=name, address=at, pause_id=f"{at}:0", kind=kind, words=plain_words(kind), is_resolved=resolved)
        for name, at, kind, resolved in (
            ("a", "x/a", "confirmation", False),
            ("a", "y/a", "confirmation", False),
            ("b", "b", "error", False),
            ("c", "c", "confirmation", True),
        )
    ]
    box: Any = SimpleNamespace(pending=lambda _: rows)
    for step in (None, "a"):
        with pytest.raises(click.UsageError, match=r"2 pauses of run r are open\. Name one: x/a, y/a"):
            meant(box, "r", "confirm", step)
    assert meant(box, "r", "confirm", "y/a").pause_id == "y/a:0"
    assert meant(box, "r", "retry", None).pause_id == "b:0"
    assert meant(box, "r", "confirm", "c").pause_id == "c:0"


def test_a_run_is_named_by_the_beginning_of_its_id(cli):
    """As much of the id as only one run has; otherwise the error lists them."""
    for name in ("ab1", "ab2"):
        cli(f"run flow.py:gate --run-id {name}")
    ambiguous = cli("confirm ab")
    assert (ambiguous.code, ambiguous.err) == (USAGE, "SC314 2 runs begin with 'ab': ab1, ab2. Give more of the id.\n")
    assert cli("confirm ab1").code == FINE


@pytest.mark.spec("CANCEL-1")
def test_cancel_ends_a_paused_run(cli, effects):
    """A run is cancelled without its code; a second time it is over, and that is said."""
    cli("run flow.py:gate --run-id r")
    assert cli("cancel r --by ada").out == "Run r is cancelled.\n"
    again = cli("cancel r --json")
    assert (again.code, json.loads(again.out)["code"], effects()) == (FAILED, "SC302", [])


# -- looking -----------------------------------------------------------------------------------------------------------------------


def test_pending_names_the_outcome_of_each_answer(cli):
    """Across runs and workflows, oldest first, with the question and where each answer leads; decided ones are gone."""
    assert cli("run flow.py:fork --run-id a").code == PAUSED
    cli("run flow.py:fails --run-id b")
    cli("run flow.py:stop --run-id c")
    out = cli("pending").out
    for line in (
        "? Run 'depth'?",
        "    confirm -> deep, deeper",
        "    reject  -> quick",
        "? flaky failed: OSError: no 0",
        "    retry   -> run 'flaky' again",
        "    skip    -> skip 'unit', go on with 'last'",
        "    reject  -> cancel the run",
    ):
        assert line in out
    rows = json.loads(cli("pending --json").out)
    assert [(row["run_id"], row["step_name"], row["kind"]) for row in rows] == [
        ("a", "depth", "confirmation"),
        ("b", "flaky", "error"),
        ("c", "ask", "confirmation"),
    ]
    assert rows[0]["outcomes"] == {"confirm": "deep, deeper", "reject": "quick"}
    for line in ("confirm a", "retry b", "reject c"):
        cli(line)
    assert cli("pending").out == "Nothing waits for a decision.\n"


def test_show_tells_what_happened_and_who_decided(cli):
    """The steps as a tree with their failures and decisions, and what the run waits for."""
    cli("run flow.py:fails --run-id r --input hello --answers retry --by ada")
    cli("retry r --by bob --comment 'network is back'")
    out = cli("show r").out
    for line in (
        "Run r of fails: PAUSED",
        "  input: hello",
        "  unit               running",
        "    flaky              waits",
        "      attempt 1 failed: OSError: no 0",
        "      attempt 2 failed: OSError: no 1",
        "      retry by ada, ",
        ": network is back",
        "decided: retry by bob; it counts when the run goes on",
    ):
        assert line in out
    document = json.loads(cli("show r --json").out)
    assert document["error_requirements"][0]["comment"] == "network is back"


def test_runs_lists_and_filters(cli):
    """Runs are listed with their status, the one changed last first."""
    cli("run flow.py:gate --run-id a")
    cli("run flow.py:plain --run-id b")
    assert [line.split()[:3] for line in cli("runs").out.splitlines()[1:]] == [["b", "plain", "COMPLETED"], ["a", "gate", "PAUSED"]]
    assert [row["run_id"] for row in json.loads(cli("runs --status paused --json").out)] == ["a"]
    assert cli("runs --status cancelled").out == "No runs.\n"
    assert len(json.loads(cli("runs --limit 1 --json").out)) == 1


# -- stores ------------------------------------------------------------------------------------------------------------------------


def test_the_store_is_the_option_then_the_environment_then_the_default(cli, folder, monkeypatch):
    """`--db` beats STATECORE_DB, which beats `statecore.db`; the hints name the file where it is needed."""
    assert "--db" not in cli("run flow.py:gate").out
    monkeypatch.setenv("STATECORE_DB", "env.db")
    cli("run flow.py:gate")
    hint = cli("run flow.py:gate --db own.db").out
    assert "--db own.db" in hint
    assert {path.name for path in folder.glob("*.db")} == {"statecore.db", "env.db", "own.db"}


def test_a_workflow_with_its_own_store_keeps_it(cli, folder):
    """A workflow that has a SqliteDb runs there, unless another file is named."""
    (folder / "own.py").write_text(
        "from statecore import *\nw = Workflow('w', [Step('a', id, requires_confirmation=True)], SqliteDb('mine.db'))\n"
    )
    hint = cli("run own.py").out
    assert f"--db {folder / 'mine.db'}" in hint
    assert cli("runs --db mine.db").out.splitlines()[1].split()[1:3] == ["w", "PAUSED"]
    cli("run own.py --db other.db")
    assert len(cli("runs --db mine.db").out.splitlines()) == len(cli("runs --db other.db").out.splitlines()) == 2


@pytest.mark.parametrize("line", ["runs", "pending", "show r", "confirm r", "cancel r"])
def test_a_store_that_is_not_there_is_a_usage_error_and_is_not_made(cli, folder, line):
    """A command that only looks or decides never creates a file."""
    ended = cli(f"{line} --db none.db")
    assert (ended.code, "There is no store 'none.db'" in ended.err) == (USAGE, True)
    assert not (folder / "none.db").exists()


def test_a_file_that_is_no_store_is_left_untouched(cli, folder):
    """The named error comes without a traceback."""
    (folder / "text.db").write_text("something else, longer than any header of a database " * 40)
    for line in ("runs", "run flow.py:plain"):
        ended = cli(f"{line} --db text.db")
        assert (ended.code, ended.err[:5]) == (FAILED, "SC501")
    assert (folder / "text.db").read_text().startswith("something else")


# -- what is printed ---------------------------------------------------------------------------------------------------------------

HOSTILE = "\x1b[31mred\x1b]0;title\x07\r\n\u202egnp.exe\u2066\x00\x9b2J\ud800" + "x" * 1_000_000


def test_hostile_text_cannot_drive_the_terminal():
    """Controls, escapes, line ends, marks of direction and lone surrogates are spelt out; names and values are cut."""
    import unicodedata

    spelt = clean(HOSTILE)
    assert not any(unicodedata.category(sign) in UNPRINTABLE for sign in spelt)
    assert spelt.startswith(r"\x1b[31mred\x1b]0;title\x07\r\n\u202egnp.exe\u2066\x00\x9b2J\ud800x")
    assert len(clean(HOSTILE, 40)) == 40
    assert len(brief({"a": HOSTILE})) == 100
    assert clean("żółw 猫 é") == "żółw 猫 é"


def test_hostile_names_go_through_every_command(cli, folder):
    """A step, a workflow, a question, an error, a value and a person with hostile names reach no command's output as they are."""
    name = "\x1b[31m\u202ename\n/~"
    (folder / "bad.py").write_text(
        dedent(f"""
        from statecore import *
        name = {name!r}
        def fails(_): raise OSError(name)
        w = Workflow(name, [
            Step(name + "1", lambda _: name),
            Step(name + "2", fails, on_error="pause"),
            Condition(name + "3", [Step(name, id)], [Step(name, id)], requires_confirmation=True, confirmation_message=name),
            ], session_id=name)
        """)
    )
    lines = [
        "run bad.py --run-id r --input-json '\"\\u001b[31m\\u202e\"'",
        "runs",
        "pending",
        "show r",
        "skip r --by '\x1b[31m\u202e'",
    ]
    lines += ["show r", "resume bad.py r", "pending", "confirm r 'x\x1b[31m\u202e'", "cancel r", "show r"]
    for line in lines:
        ended = cli(line)
        assert "\x1b" not in ended.out + ended.err
        assert "\u202e" not in ended.out + ended.err, line
        assert "Traceback" not in ended.err
    assert r"\x1b[31m\u202ename\n/~2" in cli("show r").out


def test_a_name_that_a_shell_cannot_take_is_left_out_of_the_hint(cli, folder):
    """The commands that are suggested work as they stand."""
    (folder / "odd.py").write_text(
        "from statecore import *\nw = Workflow('w', [Step('a\\nb; $(c)', id, requires_confirmation=True)])\n"
    )
    out = cli("run odd.py --run-id r").out
    assert "statecore confirm r   #" in out
    assert command("confirm", "r", "it's; $(x)", db="my file") == """statecore confirm r 'it'"'"'s; $(x)' --db 'my file'"""


def test_a_run_id_is_cut_only_where_it_is_a_uuid():
    """Eight signs of a UUID; any other id as it is."""
    assert (short("0199f3a0-7c1e-4b7e-9d7f-1c2d3e4f5a6b"), short("invoice-17")) == ("0199f3a0", "invoice-17")


TYPED = """
    import attrs, statecore
    @attrs.frozen
    class Money:
        amount: int
    codec = statecore.register_codec(Money, "money", lambda m: m.amount, Money)
    asks = statecore.Workflow("asks", [statecore.Step("pay", lambda _: Money(3)), statecore.Step("ask", id, requires_confirmation=True)])
    shows = statecore.Workflow("shows", [statecore.Step("pay", lambda _: Money(3), requires_output_review=True)])
"""


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("asks", {"show r": "3", "show r --json": '"content":3'}),
        ("shows", {"show r": "| 3", "pending": "| 3"}),
    ],
)
def test_a_value_of_an_unknown_type_is_shown_as_plain_data(cli, folder, name, lines):
    """A process without the type shows the plain data, handed on or under review, and can decide (VALUE-2)."""
    (folder / "typed.py").write_text(dedent(TYPED))
    paused = statecore("run", f"typed.py:{name}", "--run-id", "r", cwd=folder)
    assert paused.returncode == PAUSED
    for line, says in lines.items():
        shown = cli(line)
        assert (shown.code, says in shown.out) == (FINE, True)
    assert cli("confirm r").code == FINE


def test_a_stored_value_is_readable():
    """A value of an unknown type is shown as its plain data, damage as it is stored, and nothing as nothing."""
    assert readable('{"$type":["money",3]}') == "3"
    assert readable('{"$strange":3}') == '(not readable here) {"$strange":3}'
    assert readable(None) == ""


# -- being asked -------------------------------------------------------------------------------------------------------------------

ASKED: Any = SimpleNamespace(
    kind="confirmation", step_name="depth", confirmation_message="Deep?", address="depth", timeout_at=None, put_again=None
)
OFFERS = [
    Outcome(word, Consequence("runs_branch", (Named(name, name),))) for word, name in (("confirm", "deep"), ("reject", "quick"))
]


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("c\n", ("confirm", None)),
        ("REJ too slow \n", ("reject", "too slow")),
        ("\nx\nyes\nconfirm\n", ("confirm", None)),
        ("l\n", None),
        ("later\n", None),
        ("", None),
        ("x\n", None),
    ],
)
def test_a_person_answers_with_a_word_or_its_beginning(monkeypatch, capsys, said, answer):
    """The outcome of each choice is named; what is no choice is asked again; later, or the end of input, decides nothing."""
    monkeypatch.setattr(sys, "stdin", StringIO(said))
    given = Asker("ada")(ASKED, OFFERS)
    assert (given and (given.word, given.comment)) == answer
    assert sys.stdin.read() == ""
    out = capsys.readouterr().out
    for line in ("? depth: Deep?", "[c]onfirm -> deep", "[r]eject  -> quick", "[l]ater   -> leave the run paused"):
        assert line in out


def test_every_word_that_the_core_takes_has_a_command(cli):
    """A kind of answer that is added to the core without a command is noticed."""
    out = cli("--help").out
    assert all(f"  {word} " in out for word in WORDS)


def test_exit_codes_are_told_and_distinct(cli):
    """The help says what the codes mean, and no two are the same."""
    assert len({FINE, FAILED, USAGE, UNDETERMINED, PAUSED}) == 5
    assert "4 paused" in cli("--help").out
    assert cli("--version").out.startswith("statecore, version ")


# -- every kind of question --------------------------------------------------------------------------------------------------------

FAMILY = """
    from statecore import Loop, Parallel, Router, Step, Workflow

    SCHEMA = [
        {"name": "n", "field_type": "int"},
        {"name": "ok", "field_type": "bool", "required": False},
        {"name": "tags", "field_type": "list", "required": False},
        {"name": "colour", "allowed_values": ["red", "blue"], "value": "red"},
    ]

    def given(step_input):
        return step_input.additional_data["user_input"]

    def draft(step_input):
        said = step_input.additional_data.get("rejection_feedback")
        return f"draft {step_input.attempt} {said}"

    def named(name):
        return Step(name, lambda step_input: (step_input.previous_step_content or "") + name)

    form = Workflow("form", [Step("ask", given, requires_user_input=True, user_input_schema=SCHEMA)])
    free = Workflow("free", [Step("ask", given, requires_user_input=True)])
    way = Workflow("way", [Router("r", [named("a"), named("b"), named("r")], requires_user_input=True, allow_multiple_selections=True)])
    one = Workflow("one", [Router("r", [named("a"), named("b")], requires_user_input=True)])
    review = Workflow("review", [Step("write", draft, requires_output_review=True, on_reject="retry", hitl_max_retries=1)])
    strict = Workflow("strict", [Step("write", draft, requires_output_review=True)])
    again = Workflow("again", [Loop("l", [Step("d", draft)], max_iterations=5, requires_iteration_review=True, on_reject="retry")])
    late = Workflow("late", [Step("ask", lambda _: "asked", requires_confirmation=True, timeout=60, on_timeout="approve")])
    never = Workflow("never", [Step("ask", lambda _: "asked", requires_confirmation=True, timeout=60, on_timeout="cancel")])
    inner = [Step("same", lambda _: "same", requires_confirmation=True)]
    twins = Workflow("twins", [Parallel(Workflow("x", inner), Workflow("y", inner), name="p")])
"""


@pytest.fixture
def family(folder, cli):
    """A file of workflows that ask everything that can be asked, and a way to see what a run handed on."""
    (folder / "family.py").write_text(dedent(FAMILY))
    return lambda: json.loads(cli("show r --json").out)["content"]


DECIDED = [
    ("form", "input r n=-3 ok=True tags='[1, 2]'", {"n": -3, "ok": True, "tags": [1, 2], "colour": "red"}),
    ("form", "input r ask n=3 colour=blue", {"n": 3, "ok": None, "tags": None, "colour": "blue"}),
    ("form", "input r --json-value '{\"n\": 4}'", {"n": 4, "ok": None, "tags": None, "colour": "red"}),
    ("free", "input r n=3 name=ada eq=a=b", {"n": 3, "name": "ada", "eq": "a=b"}),
    ("way", "select r b a", "ba"),
    ("way", "select r r b a", "ba"),
    ("way", "select r r", "r"),
    ("one", "select r r b", "b"),
    ("review", "confirm r", "draft 0 None"),
    ("review", "edit r --text '3'", "3"),
    ("review", "edit r write --value '[3, null]'", [3, None]),
    ("review", "edit r --value null", None),
    ("again", "confirm r", "draft 0 None"),
]


@pytest.mark.parametrize(("name", "line", "content"), DECIDED)
def test_each_question_is_answered_from_another_process(cli, family, name, line, content):
    """Values are typed by the stored form, choices keep their order, edits are JSON or text; no code of the workflow is needed."""
    assert cli(f"run family.py:{name} --run-id r").code == PAUSED
    Path("family.py").rename("hidden.py")
    assert cli(f"{line} --by ada").code == FINE
    Path("hidden.py").rename("family.py")
    assert cli(f"resume family.py:{name}").code == FINE
    assert family() == content


def test_a_rejection_carries_feedback(cli, family):
    """What `--feedback` says is what the next attempt sees; a comment is kept beside it."""
    cli("run family.py:review --run-id r")
    assert cli("reject r --feedback shorter --comment 'too long'").code == FINE
    assert cli("resume family.py:review").code == PAUSED
    assert "reject by" in cli("show r").out
    assert cli("resume family.py:review --answers confirm").code == FINE
    assert family() == "draft 1 shorter"


def test_where_no_rejection_is_left_the_outcome_says_so(cli, family):
    """The limit of an output review is named before it is reached: rejecting once more cancels."""
    cli("run family.py:review --run-id r")
    assert "reject  -> run 'write' again, with what you say about it" in cli("pending").out
    cli("resume family.py:review --answers reject:x")
    out = cli("pending").out
    assert "rejected 1 of at most 1 times" in out
    assert "reject  -> cancel the run: it was rejected as often as it may be" in out
    assert cli("resume family.py:review --answers reject:x").code == FAILED


REFUSED = [
    ("form", "input r n=three", "n must be of type int, not str"),
    ("form", "input r n=1 colour=green", "colour must be one of 'red', 'blue'.\n"),
    ("form", "input r colour=blue", "n is required"),
    ("form", "input r m=1", "'m' is not asked for. Known: 'colour', 'n', 'ok', 'tags'"),
    ("form", "input r n=1 n=2", "'n' is given twice"),
    ("form", "input r ask n", "Argument 1 is no NAME=VALUE"),
    ("form", "input r --json-value 3", "This is no JSON object"),
    ("form", "input r --json-value {", "This is no JSON: Expecting property name"),
    ("form", "input r n=1 --json-value {}", "not both"),
    ("form", "select r a", "SC306 'select' is no answer to pause"),
    ("form", "edit r --text a", "SC306"),
    ("way", "select r a z", "choice 2 is none of 'a', 'b', 'r'"),
    ("way", "select r a a", "a choice is selected twice"),
    ("way", "select r", "Missing argument"),
    ("one", "select r a b", "one choice is asked for"),
    ("way", "input r n=1", "SC306"),
    ("review", "edit r", "Give --value JSON or --text TEXT"),
    ("review", "edit r --value 1 --text 1", "Give --value JSON or --text TEXT"),
    ("review", "edit r --value {", "is no JSON"),
]


@pytest.mark.parametrize(("name", "line", "says"), REFUSED)
def test_a_value_that_does_not_fit_is_refused_in_one_message(cli, family, name, line, says):
    """Exit code 2, what is wrong and nothing more, and the question stays open."""
    cli(f"run family.py:{name} --run-id r")
    ended = cli(line)
    assert (ended.code, ended.out) == (USAGE, "")
    assert says in ended.err
    assert "Traceback" not in ended.err
    assert len(json.loads(cli("pending --json").out)) == 1


PARSED = [
    (["retry,confirm"], {}, [("retry", None), ("confirm", None)]),
    (["a=retry, b = x=confirm"], {"a": ("retry", None), "b = x": ("confirm", None)}, []),
    (['form=input:{"n": 3, "who": "a=select:b"}'], {"form": ("input", {"n": 3, "who": "a=select:b"})}, []),
    (['input:{"who": "a=select:b"}'], {}, [("input", {"who": "a=select:b"})]),
    (["retry,route=select:quick,deep"], {"route": ("select", ["quick", "deep"])}, [("retry", None)]),
    (["a/b=edit:{}", "edit:a, b", "edit:null"], {"a/b": ("edit", {})}, [("edit", "a, b"), ("edit", None)]),
    (["x=reject:no: too long, really", "reject"], {"x": ("reject", "no: too long, really")}, [("reject", None)]),
]


@pytest.mark.parametrize(("texts", "named", "bare"), PARSED)
def test_answers_may_carry_values(texts, named, bare):
    """One that carries a value takes the rest of its text, commas and all; `--answers` may be given again."""
    given = parse(texts, "ada")
    assert (given.named, given.bare) == (named, bare)


@pytest.mark.parametrize("text", ["select", "a=edit", "input", "input:3", "input:{", "choose:a", "", "retry,", "a=:b"])
def test_answers_that_lack_a_value_are_usage_errors(cli, family, text):
    """A word that needs a value, a value that is none, and a word that is none are refused before anything runs."""
    ended = cli(f"run family.py:form --answers '{text}'")
    assert (ended.code, ended.out) == (USAGE, "")
    assert not Path("statecore.db").exists() or json.loads(cli("runs --json").out) == []


GIVEN = [
    ("form", 'ask=input:{"n": 3}', {"n": 3, "ok": None, "tags": None, "colour": "red"}),
    ("way", "r=select:b,a", "ba"),
    ("review", "edit:new, text", "new, text"),
    ("strict", "reject:no", None),
]


@pytest.mark.parametrize(("name", "answers", "content"), GIVEN)
def test_answers_with_values_decide_without_asking(cli, family, name, answers, content):
    """Each kind of question takes its answer from the command line."""
    assert cli(f"run family.py:{name} --run-id r --answers '{answers}'").code == FINE
    assert family() == content


def test_answers_that_do_not_fit_the_question_leave_it_open(cli, family):
    """One message, exit code 2, and the run waits."""
    ended = cli('run family.py:form --run-id r --answers \'ask=input:{"n": "x"}\'')
    assert (ended.code, ended.err.count("\n")) == (USAGE, 1)
    assert ended.err.startswith("SC320 ")
    assert len(json.loads(cli("pending --json").out)) == 1


def test_two_steps_of_one_name_are_told_apart(cli, family):
    """The printed commands name them by address, and an answer may too."""
    ended = cli("run family.py:twins --run-id r")
    assert "statecore confirm r p/x/same" in ended.out
    assert cli("confirm r").code == USAGE
    assert cli("confirm r p/x/same").code == FINE
    assert cli("resume family.py:twins --answers p/y/same=reject").code == FINE
    assert family() == {"x": "same", "y": None}


def test_a_branch_names_what_ends_with_it(cli, family):
    """What comes after a branch depends on the others, so its outcome speaks of the branch."""
    assert "skip 'same', and this branch of 'p' ends" in cli("run family.py:twins").out


# -- deadlines ---------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def pass_time(monkeypatch):
    """Move the clock of this process on."""
    import time

    def move(seconds):
        ns, now = time.time_ns, time.time
        monkeypatch.setattr(time, "time_ns", lambda: ns() + seconds * 1_000_000_000)
        monkeypatch.setattr(time, "time", lambda: now() + seconds)

    return move


def test_a_deadline_is_shown_while_it_runs_and_when_it_is_over(cli, family, pass_time):
    """`pending`, `show` and the command that pauses say until when, and what follows then."""
    assert " UTC, in 59 s; then it is approved" in cli("run family.py:late --run-id r").out
    assert " UTC, in 5" in cli("pending").out
    pass_time(60)
    for line in ("pending", "show r"):
        assert re.search(r"overdue since \d+ s: it is approved when the run is ticked or goes on", cli(line).out)


@pytest.mark.parametrize(("name", "code", "status"), [("late", FINE, "COMPLETED"), ("never", FINE, "CANCELLED")])
def test_a_tick_applies_the_deadlines_that_are_over(cli, family, pass_time, name, code, status):  # noqa: PLR0913  # a case is a row
    """Before the deadline it does nothing; after it the run takes what `on_timeout` says, and other workflows are left alone."""
    cli(f"run family.py:{name} --run-id r")
    cli(f"run family.py:{'never' if name == 'late' else 'late'} --run-id other")
    assert cli(f"tick family.py:{name}").out == "No deadline is over, and no decision waits.\n"
    pass_time(60)
    ended = cli(f"tick family.py:{name} --json")
    assert (ended.code, json.loads(ended.out)) == (code, {status.lower(): 1})
    rows = {row["run_id"]: row["status"] for row in json.loads(cli("runs --json").out)}
    assert rows == {"r": status, "other": "PAUSED"}
    assert cli(f"tick family.py:{name}").out == "No deadline is over, and no decision waits.\n"


def test_a_late_decision_is_refused_in_one_message(cli, family, pass_time):
    """Exit code 1, and the message says what the pause takes instead."""
    cli("run family.py:never --run-id r")
    pass_time(60)
    ended = cli("confirm r")
    assert (ended.code, ended.out, ended.err[:5], ended.err.count("\n")) == (FAILED, "", "SC321", 1)
    assert "the run is cancelled" in ended.err


def test_resuming_an_expired_run_asks_nobody(cli, family, pass_time):
    """The deadline is applied before any answer: one given beforehand comes too late."""
    cli("run family.py:never --run-id r")
    pass_time(60)
    ended = cli("resume family.py:never --answers confirm")
    assert (ended.code, "SC321" in ended.out + ended.err) == (FAILED, False)
    assert [row["status"] for row in json.loads(cli("runs --json").out)] == ["CANCELLED"]


# -- a person and every kind of question -------------------------------------------------------------------------------------------

SAID = [
    ("form", "i\n\nx\n3\nmaybe\nTrue\n\ngreen\n\n", "input", {"n": 3, "ok": True, "tags": None, "colour": "red"}),
    ("form", 'i {"n": "x"}\ni {"n": 5}\n', "input", {"n": 5, "ok": None, "tags": None, "colour": "red"}),
    ("form", "r\n", "reject", None),
    ("form", "i\n3\n", None, None),
    ("free", "i\nn=3\nx\nn=4\nwho=ada\n\n", "input", {"n": 3, "who": "ada"}),
    ("way", "2,1\n", "select", ["b", "a"]),
    ("way", "s\n9\ns\na, 3\n", "select", ["a", "r"]),
    ("one", "1,2\ns b\n", "select", ["b"]),
    ("review", "e\nnew\n", "edit", "new"),
    ("review", "e [1]\n", "edit", [1]),
    ("review", "r\nshorter\n", "reject", "shorter"),
    ("review", "r\n\n", "reject", None),
    ("review", "c fine\n", "confirm", None),
    ("again", "r better\n", "reject", "better"),
    ("again", "l\n", None, None),
    ("way", "s\n", None, None),
]


@pytest.mark.parametrize(("name", "said", "word", "value"), SAID)
def test_a_person_is_asked_until_the_answer_fits(cli, family, monkeypatch, name, said, word, value):  # noqa: PLR0913  # a case is a row
    """A form is filled field by field, a choice is made from a menu, a review may carry a text; the end of input decides nothing."""
    monkeypatch.setattr("statecore.cli.running.interactive", lambda: True)
    monkeypatch.setattr(sys, "stdin", StringIO(said))
    cli(f"run family.py:{name} --run-id r --by ada")
    assert sys.stdin.read() == ""
    decisions = SqliteDb(db_file="statecore.db").decisions("r")
    assert [(each.word, each.by, decode(each.value) if each.value else None) for each in decisions] == (
        [(word, "ada", value)] if word else []
    )


def test_a_person_is_shown_what_the_question_is_about(cli, family, monkeypatch):
    """The fields with their types and allowed values, the numbered choices, the output in full, the number of rejections."""
    monkeypatch.setattr("statecore.cli.running.interactive", lambda: True)

    def shown(name, said):
        monkeypatch.setattr(sys, "stdin", StringIO(said))
        return cli(f"run family.py:{name}").out

    form = shown("form", "l\n")
    assert "  n: int\n" in form
    assert "  tags: list, may be left out\n" in form
    assert "  colour: str, one of 'red', 'blue', red if left out\n" in form
    assert "    1  a\n    2  b\n" in shown("one", "l\n")
    review = shown("review", "r\nx\nl\n")
    assert "  | draft 0 None\n" in review
    assert "  | draft 1 x\n  rejected 1 of at most 1 times\n" in review


@pytest.mark.spec("FORM-2")
def test_each_type_of_field_is_filled_at_the_terminal(monkeypatch, capsys):
    """A person writes each type as people do; a wrong line is asked for again, and no line of a secret is printed."""
    form = [
        UserInputField("name"),
        UserInputField("amount", "decimal", minimum=1),
        UserInputField("sure", "bool"),
        UserInputField("day", "date"),
        UserInputField("tags", "list", allowed_values=["a", "b"]),
        UserInputField("token", secret=True, min_length=4),
        UserInputField("note", "text", required=False),
    ]
    lines = ["", "ada", "much", "0.5", "1.50", "1", "Y", "tomorrow", "2026-12-24", '["c"]', '["a"]', "tok", "t0ken", ""]
    monkeypatch.setattr(sys, "stdin", StringIO("".join(f"{each}\n" for each in lines)))
    given = {each.name: each.taken(filled(each)) for each in form}
    assert given == {
        "name": "ada",
        "amount": Decimal("1.50"),
        "sure": True,
        "day": date(2026, 12, 24),
        "tags": ["a"],
        "token": Secret("t0ken"),
        "note": None,
    }
    out = capsys.readouterr().out
    assert out.count(" must ") == 6
    assert "token: secret, of length at least 4" in out
    assert "tok\n" not in out
    assert "must have at least 4 signs" in out


def test_a_person_who_answers_too_late_is_told(cli, family, monkeypatch, pass_time):
    """The deadline passes while the question stands: the answer is refused by name, and the run takes what its pause takes."""
    monkeypatch.setattr("statecore.cli.running.interactive", lambda: True)

    class Slow(StringIO):
        def readline(self, *limit):
            pass_time(60)
            return super().readline(*limit)

    monkeypatch.setattr(sys, "stdin", Slow("c\n"))
    ended = cli("run family.py:never --run-id r")
    assert (ended.code, "SC321" in ended.out) == (FAILED, True)
    assert json.loads(cli("runs --json").out)[0]["status"] == "CANCELLED"
