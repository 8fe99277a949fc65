"""`statecore check` on the command line: what it prints, what it writes, and its exit codes."""

from __future__ import annotations

import json
import sys
import xml.etree.ElementTree as ET
from textwrap import dedent

import pytest

from statecore import SqliteDb
from statecore.cli import check as command
from statecore.cli import main
from statecore.cli.exits import FAILED, FINE, UNDETERMINED, USAGE
from statecore.cli.targets import load

FLOW = """
    from statecore import Loop, Parallel, Step, Workflow

    def work(step_input):
        raise SystemExit("user code was called")

    def pay(name, on_reject):
        ask = Step("ask", work, requires_confirmation=True, on_reject=on_reject)
        return Workflow(name, [ask, Step("charge", work, on_error="pause"), Step("mail", work)])

    good, bad = pay("good", "cancel"), pay("bad", "skip")
    own = Workflow("own", good.definition.steps, checks=["never ran(charge) unless confirmed(ask)", "never ran(mail)"])
    wide = Workflow("wide", [Parallel(*[Step(f"s{n}", work, requires_confirmation=True) for n in range(6)])])
"""
GATE = "never ran(charge) unless confirmed(ask)"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty folder with a file of workflows, under a name that no other test imports."""
    (tmp_path / "checked_flow.py").write_text(dedent(FLOW))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield tmp_path
    sys.modules.pop("checked_flow", None)


def run(capsys, *arguments):
    """The exit code, and what was printed."""
    code = main(["check", *arguments])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_a_proof_is_printed(capsys):
    """Each property stands with its verdict, and at last how much was looked at and what was left out; no user code was called."""
    code, out, _ = run(capsys, "checked_flow.py:good", "--property", GATE)
    assert code == FINE
    assert f"PROVED       {GATE}\n" in out
    assert "REFUTED" not in out
    assert "good: " in out
    assert "Left out: processes do not die" in out


def test_a_refutation_is_told_and_written(capsys, folder):
    """The shortest run is told; `--pytest` writes it as a test that passes."""
    code, out, err = run(capsys, "checked_flow.py:bad", "--property", GATE, "--pytest", "test_leak.py")
    assert code == FAILED
    assert f"REFUTED      {GATE}\n" in out
    assert "2. a person rejects ask (confirmation): ask skipped, charge running" in out
    assert "Wrote test_leak.py" in err
    names: dict = {}
    exec((folder / "test_leak.py").read_text(), names)  # noqa: S102  # the file that was just written
    names["test_counterexample"]()


def test_without_a_counterexample_no_test_is_written(capsys, folder):
    """Nothing is written where nothing is refuted, or where only the death of a process refutes it; that is said."""
    _, _, err = run(capsys, "checked_flow.py:good", "--property", GATE, "--pytest", "test_leak.py")
    assert "No counterexample" in err
    _, _, err = run(capsys, "checked_flow.py:good", "--property", "never dies(ask)", "--crashes", "--pytest", "test_leak.py")
    assert "No counterexample" in err
    assert not (folder / "test_leak.py").exists()
    assert "nothing is refuted" in run(capsys, "checked_flow.py:good", "--format", "pytest")[1]


def test_a_cap_exits_with_3(capsys):
    """A check that its budget ended is undetermined, says the number reached, and is no pass."""
    code, out, _ = run(capsys, "checked_flow.py:wide", "--property", "never ran(s0) unless confirmed(s0)", "--max-states", "20")
    assert code == UNDETERMINED
    assert "UNDETERMINED" in out
    assert "there are more" in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["checked_flow.py:good", "--property", "never ran(chrge)"], "Did you mean 'charge'?"),
        (["checked_flow.py:good", "--property", "nevr ran(charge)"], "Did you mean 'never'?"),
        (["checked_flow.py:good", "--assume", "reachable ended()"], "can be assumed"),
        (["checked_flow.py:nothing"], "has no 'nothing'"),
        (["no_such_module:flow"], "no module"),
        (["checked_flow.py:good", "--file", "missing.txt"], "does not exist"),
        (["checked_flow.py:good", "--max-states", "0"], "max-states"),
    ],
)
def test_wrong_usage_exits_with_2(capsys, arguments, said):
    """What cannot be read or found is a named error with a suggestion, on stderr, before anything is checked."""
    code, out, err = run(capsys, *arguments)
    assert (code, out) == (USAGE, "")
    assert said in err


def test_vacuous_fails_unless_allowed(capsys):
    """A property that speaks of nothing fails the check; `--allow-vacuous` lets it pass."""
    text = "after given(ask) never ran(mail)"
    code, out, _ = run(capsys, "checked_flow.py:good", "--property", text)
    assert code == FAILED
    assert f"VACUOUS      {text}\n    given(ask) never happens" in out
    assert run(capsys, "checked_flow.py:good", "--property", text, "--allow-vacuous")[0] == FINE


def test_files_and_assumptions_are_read(capsys, folder):
    """Properties and assumptions of a file count beside those of the command line; assumptions are printed."""
    (folder / "properties.txt").write_text("# ours\nnever run_failed()\nassume never fails(ask)\n")
    code, out, _ = run(capsys, "checked_flow.py:good", "--file", "properties.txt", "--assume", "never fails(mail)")
    assert code == FINE
    assert "PROVED       never run_failed()" in out
    assert "Assumed: never fails(ask)" in out


def test_operators_cancel_when_asked_for(capsys):
    """`--cancels` lets an operator cancel, so that an answer may stay away."""
    text = ["--property", "responds confirmed(ask) ran(charge)", "--assume", "never fails(ask)", "--assume", "never stops(ask)"]
    assert run(capsys, "checked_flow.py:good", *text)[0] == FINE
    assert run(capsys, "checked_flow.py:good", *text, "--cancels")[0] == FAILED


def test_every_format_can_be_read_by_its_readers(capsys):
    """JSON and SARIF parse, JUnit is XML, Mermaid is a diagram for each refutation, pytest is Python."""
    outs = {}
    for style in ("json", "sarif", "junit", "mermaid", "pytest"):
        code, outs[style], _ = run(capsys, "checked_flow.py:bad", "--property", GATE, "--format", style)
        assert code == FAILED
    assert json.loads(outs["json"])["findings"][-1]["verdict"] == "REFUTED"
    place = json.loads(outs["sarif"])["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert place == "checked_flow.py"
    assert ET.fromstring(outs["junit"]).get("failures") == "1"  # noqa: S314  # what was just written
    assert outs["mermaid"].startswith(f"%% {GATE}\nsequenceDiagram\n")
    compile(outs["pytest"], "test_leak.py", "exec")


def test_a_module_is_a_place_too(capsys):
    """SARIF names the file of a module that was named by its dots."""
    out = run(capsys, "checked_flow:bad", "--property", GATE, "--format", "sarif")[1]
    assert (
        json.loads(out)["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "checked_flow.py"
    )


def test_progress_is_one_line_of_stderr(capsys, monkeypatch):
    """At a terminal the situations and their rate are shown while they are found."""
    monkeypatch.setattr(command, "watched", lambda: True)
    _, out, err = run(capsys, "checked_flow.py:good")
    assert "\r1 situations (" in err
    assert "a second)" in err
    assert err.endswith("\r")
    assert "\r" not in out
    assert run(capsys, "checked_flow.py:good", "--json")[2] == ""


def test_a_workflow_brings_its_own_checks(capsys):
    """`checks=` of a Workflow are judged by every check of it, once each, beside those of the command line."""
    code, out, _ = run(capsys, "checked_flow.py:own", "--property", GATE, "--property", "reachable ran(mail)")
    assert code == FAILED
    assert [line.split(maxsplit=1) for line in out.splitlines() if "(charge)" in line or "ran(mail)" in line][:3] == [
        ["PROVED", GATE],
        ["REFUTED", "never ran(mail)"],
        ["PROVED", "reachable ran(mail)"],
    ]


PARKED = """
    from statecore import SqliteDb, Step, Workflow

    def work(step_input):
        return 1

    def flow(*steps, db=None):
        return Workflow("flow", list(steps), db)

    first, gate = Step("first", work), Step("gate", work, requires_confirmation=True)
    end = Step("end", work, requires_confirmation=True)
    was = flow(first, gate, end)
    earlier = flow(Step("before", work), first, gate, end, Step("later", work))
    same = flow(gate, Step("later", work), end)
    more = flow(first, gate, end, Step("new", work, requires_confirmation=True))
    open = flow(first, Step("gate", work), end)
    asks = flow(Step("first", work, requires_user_input=True), Step("new", work, requires_confirmation=True), gate, end)
    renamed = flow(first, Step("gate 2", work, requires_confirmation=True), end)
"""


@pytest.mark.spec("CONT-9", "GATE-9")
@pytest.mark.parametrize(
    ("target", "expected", "said"),
    [
        ("was", FINE, ["under this definition: 1 goes on\n"]),
        ("earlier", FINE, ["under this definition: 1 goes on\n"]),
        ("same", FINE, ["1 asked again", "asked again r: 'gate': 'confirm' leads to something else now"]),
        ("more", FINE, ["1 asks more", "asks more   r: confirmation of 'new'"]),
        ("asks", FINE, ["unasked     r: it has passed 'first', 'new'", "1 goes on"]),
        ("open", FAILED, ["1 refused", "refused     r: it would drop the gate of 'gate'", "--adopt --by WHO"]),
        ("renamed", FAILED, ["1 stranded", "stranded    r: 'gate', where the run stands, is gone"]),
    ],
)
def test_parked_runs_are_held_against_a_definition(capsys, folder, target, expected, said):
    """`--against-store` says what a definition would make of each run, and names gates that runs pass unasked; a refused run fails."""
    (folder / "parked_flow.py").write_text(dedent(PARKED))
    db = SqliteDb("parked.db")
    loaded = load("parked_flow.py:was")
    loaded.on(db).run("x", run_id="r")
    db.close()
    code, _, err = run(capsys, f"parked_flow.py:{target}", "--against-store", "parked.db")
    within, _, _ = run(capsys, f"parked_flow.py:{target}", "--against-store", "parked.db", "--max-states", "1")
    refuted, _, _ = run(capsys, f"parked_flow.py:{target}", "--against-store", "parked.db", "--property", "never run_completed()")
    sys.modules.pop("parked_flow", None)
    assert code == expected, err
    assert (within, refuted) == (FAILED if expected == FAILED else UNDETERMINED, FAILED)
    assert all(each in err for each in said), err
