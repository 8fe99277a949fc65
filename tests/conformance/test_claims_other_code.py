"""A word is for the code that it would call: other functions behind the same names, in every store and colour (GATE-7, GATE-7b)."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from attrs import evolve

from statecore import Ask, Loop, Parallel, RunStatus, Step, Steps, UserInputField, Workflow
from statecore.errors import DefinitionChanged
from statecore.runtime.launching import launch
from statecore.runtime.worker import Worker
from statecore.stores.detail import detail_of
from statecore.stores.sqlite.store import SqliteDb2
from statecore.testing import Clock, timed
from statecore.testing.stores.samples import DEAD
from tests.conformance.drive import confirm_all, history


def gated(calls, name, **settings):
    """A step with a gate."""
    return Step(name, calls.does(name), requires_confirmation=True, **settings)


def code(calls, name, *outcomes):
    """A function of this name that notes its calls, raises what is an error, and gives its name."""
    todo = list(outcomes)

    def made(step_input):
        calls.note(name, step_input)
        if todo and (error := todo.pop(0)) is not None:
            raise error
        return name

    made.__qualname__ = name
    return made


KINDS: dict[str, dict[str, Any]] = {
    "confirmation": {"requires_confirmation": True},
    "user_input": {"requires_user_input": True, "user_input_schema": [UserInputField("amount", "int")]},
    "output_review": {"requires_output_review": True, "on_reject": "retry"},
    "error": {"on_error": "pause"},
}
WORDS = {"confirmation": "confirm", "user_input": "input", "output_review": "reject", "error": "retry"}


@pytest.mark.spec("GATE-7", "GATE-5")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("answered", [True, False])
def test_an_answer_is_for_the_code_that_it_was_given_for(db, drive, calls, kind, answered):
    """A word that would call another function than when its question was put lapses, whatever the fingerprints say; the same function counts."""

    def flow(name, *outcomes):
        steps = [Step("pay", code(calls, name, *outcomes), **KINDS[kind]), gated(calls, "end")]
        return Workflow("flow", steps, db)

    first = flow("pay", OSError("busy") if kind == "error" else None)
    run = drive.run(first)
    later = flow("wire")
    assert first.compiled.program.fingerprint == later.compiled.program.fingerprint
    [asked], before = run.requirements, calls.names.copy()
    if answered:
        first.decide(run.run_id, asked.pause_id, WORDS[kind], value={"amount": 3} if kind == "user_input" else None, by="ada")
    elif isinstance(db, SqliteDb2):
        return
    run = drive.resume(later, run_id=run.run_id)
    if isinstance(db, SqliteDb2):
        assert calls.names[len(before) :] == ["wire"]  # format 2 keeps no digests (decision 0086)
        return
    [again] = run.requirements
    assert (again.pause_id, calls.names) == (f"{asked.pause_id}@2", before)
    assert f"{WORDS[kind]!r} leads to other code now" in again.put_again or not answered
    later.decide(run.run_id, again.pause_id, WORDS[kind], value={"amount": 3} if kind == "user_input" else None)
    drive.resume(flow("wire"), run_id=run.run_id)
    assert calls.names[len(before) :] == ["wire"]


@pytest.mark.spec("GATE-7")
def test_a_no_counts_whatever_code_a_yes_would_call(db, drive, calls):
    """A rejection that cancels counts where the function behind the gate is another one."""

    def flow(name):
        return Workflow("flow", [Step("pay", code(calls, name), requires_confirmation=True, on_reject="cancel")], db)

    run = drive.run(flow("pay"))
    flow("pay").decide(run.run_id, run.requirements[0].pause_id, "reject", by="ada")
    assert (drive.resume(flow("wire"), run_id=run.run_id).status, calls.names) == (RunStatus.cancelled, [])


ASKED = {
    "its own gate": lambda step: [step("pay", requires_confirmation=True)],
    "a form before it": lambda step: [step("order", requires_user_input=True), step("pay")],
    "a gate around it": lambda step: [Steps("group", [step("order"), step("pay")], requires_confirmation=True)],
    "a gate before its branch": lambda step: [
        Steps("group", [step("order")], requires_confirmation=True),
        Parallel(step("pay"), step("note"), name="p"),
    ],
    "a gate in a loop that is over": lambda step: [
        Loop("loop", [step("order", requires_confirmation=True)], 1),
        Loop("next", [step("pay")], 1),
    ],
    "a gate in this iteration": lambda step: [Loop("loop", [step("order", requires_confirmation=True), step("pay")], 2)],
}


@pytest.mark.spec("GATE-7b")
@pytest.mark.parametrize("gate", ASKED)
def test_a_yes_holds_for_the_code_that_it_let_begin(db, drive, calls, gate):
    """A run that failed behind a yes is not reopened with another function there; the refusal says who said yes, and a person may take it."""

    def flow(name, *outcomes):
        def pays(step_input):
            calls.note(name, step_input)
            if todo:
                raise todo.pop()

        def step(title, **settings):
            return Step(title, pays if title == "pay" else lambda i: i.step_name, **settings)

        todo = list(outcomes)
        pays.__qualname__ = name
        return Workflow("flow", ASKED[gate](step), db)

    def says_yes(run):
        for each in run.requirements:
            each.decide("confirm" if each.kind == "confirmation" else "input", by="ada")

    first = flow("pays", OSError("x"))
    run = drive.run(first, run_id="r")
    with pytest.raises(OSError, match="x"):
        drive.finish(first, run, says_yes)
    if isinstance(db, SqliteDb2):
        return  # format 2 keeps no digests (decision 0086)
    rows = history(first, "r")
    with pytest.raises(
        DefinitionChanged, match="the code of 'pay', or of what comes with it, is not that to which 'ada' said"
    ) as refused:
        drive.resume(flow("wires"), run_id="r", retry_failed=True)
    assert (refused.value.adoptable, calls.names, history(first, "r")) == (True, ["pays"], rows)
    run = drive.resume(flow("pays"), run_id="r", retry_failed=True)
    assert calls.names == ["pays", "pays"]


@pytest.mark.spec("GATE-7b")
def test_a_person_may_say_that_other_code_is_meant(db, drive, calls):
    """`adopt=True` with `by` reopens a run with other code behind the yes, and the journal says who did that; it need not be said twice."""

    def flow(name, *outcomes):
        work = calls.does(name, *outcomes)
        work.__qualname__ = name
        return Workflow("flow", [Step("pay", work, requires_confirmation=True)], db)

    run = drive.run(flow("pays", OSError("x")), run_id="r")
    confirm_all(run)
    with pytest.raises(OSError, match="x"):
        drive.resume(flow("pays", OSError("x")), run)
    with pytest.raises(OSError, match="y"):
        drive.resume(flow("wires", OSError("y")), run_id="r", retry_failed=True, adopt=True, by="bob")
    run = drive.resume(flow("wires"), run_id="r", retry_failed=True)
    assert (run.status, calls.names) == (RunStatus.completed, ["pays", "wires", "wires"])
    said = [detail_of(entry.body.detail).adopted_by for entry in db.journal("r")]
    assert [name for name in said if name] == ([] if isinstance(db, SqliteDb2) else ["bob"])


@pytest.mark.spec("GATE-7b", "GATE-11")
@pytest.mark.parametrize("says", ["confirm", "edit", "silence"])
def test_each_way_through_a_gate_is_for_the_code_behind_it(db, drive, calls, says):
    """A confirmation with another input, and a silence that approves, hold for the code that they let begin, as a plain confirmation does."""

    def flow(name, *outcomes):
        waits = {"timeout": 60, "on_timeout": "approve"} if says == "silence" else {"allow_edit": True}
        workflow = Workflow("flow", [Step("pay", code(calls, name, *outcomes), requires_confirmation=True, **waits)], db)
        return timed(workflow, clock)

    clock = Clock()
    first = flow("pay", OSError("x"))
    [asked] = drive.run(first, run_id="r").requirements
    if says == "silence":
        clock.advance(61)
    else:
        first.decide("r", asked.pause_id, says, value="other" if says == "edit" else None, by="ada")
    with pytest.raises(OSError, match="x"):
        drive.resume(first, run_id="r")
    if isinstance(db, SqliteDb2):
        return  # format 2 keeps no digests (decision 0086)
    told = "which a silence approved" if says == "silence" else f"to which 'ada' said {says}"
    with pytest.raises(DefinitionChanged, match=told):
        drive.resume(flow("wire"), run_id="r", retry_failed=True)
    assert calls.names == ["pay"]
    assert drive.resume(flow("pay"), run_id="r", retry_failed=True).status is RunStatus.completed


@pytest.mark.spec("GATE-7b", "ASK-3")
def test_an_answer_to_a_step_is_for_the_code_that_asked(db, drive, calls):
    """A step that was answered and then failed is not reopened with another function there, which would read the answer as its own."""

    def flow(name, *outcomes):
        def work(step_input):
            calls.note(name, step_input)
            if not step_input.answers:
                return Ask("Pay?", kind="confirmation")
            if todo:
                raise todo.pop()
            return step_input.answers[0].value

        todo = list(outcomes)
        work.__qualname__ = name
        return Workflow("flow", [Step("pay", work, may_ask=1)], db)

    run = drive.run(flow("pay"), run_id="r")
    run.requirements[0].answer(True)
    with pytest.raises(OSError, match="x"):
        drive.resume(flow("pay", OSError("x")), run)
    if isinstance(db, SqliteDb2):
        return  # format 2 keeps no digests (decision 0086)
    with pytest.raises(DefinitionChanged, match="to which a person said answer"):
        drive.resume(flow("wire"), run_id="r", retry_failed=True)
    assert calls.names == ["pay", "pay"]
    run = drive.resume(flow("pay"), run_id="r", retry_failed=True)
    assert (run.status, run.content, calls.names) == (RunStatus.completed, True, ["pay"] * 3)


@pytest.mark.spec("GATE-7b", "ASK-8")
def test_other_code_asks_anew_where_a_question_is_open(db, drive):
    """Where a step waits for a second answer and has another function by now, the first answer lapses, too, and the code asks from the start."""

    def flow(name):
        def work(step_input):
            called.append((name, [each.value for each in step_input.answers]))
            return Ask("more?") if len(step_input.answers) < 2 else name

        work.__qualname__ = name
        return Workflow("flow", [Step("pay", work, may_ask=2)], db)

    called: list[Any] = []
    run = drive.run(flow("pay"), run_id="r")
    run.requirements[0].answer("one")
    run = drive.resume(flow("pay"), run)
    run.requirements[0].answer("two")
    run = drive.resume(flow("wire"), run)
    if isinstance(db, SqliteDb2):
        return  # format 2 keeps no digests (decision 0086)
    assert (run.status, called[-1]) == (RunStatus.paused, ("wire", []))


@pytest.mark.spec("GATE-7b")
def test_an_answer_to_the_code_is_no_new_yes_to_its_gate(db, drive, calls):
    """A takeover is remembered after the code that was taken has asked, was answered and has failed: it need not be said again."""

    def flow(name, *outcomes):
        def work(step_input):
            calls.note(name, step_input)
            if name == "wire" and not step_input.answers:
                return Ask("Which account?")
            if todo:
                raise todo.pop()
            return name

        todo = list(outcomes)
        work.__qualname__ = name
        return Workflow("flow", [Step("pay", work, requires_confirmation=True, may_ask=1)], db)

    run = drive.run(flow("pay"), run_id="r")
    confirm_all(run)
    with pytest.raises(OSError, match="x"):
        drive.resume(flow("pay", OSError("x")), run)
    run = drive.resume(flow("wire"), run_id="r", retry_failed=True, adopt=True, by="bob")
    run.requirements[0].answer("3")
    with pytest.raises(OSError, match="y"):
        drive.resume(flow("wire", OSError("y")), run)
    run = drive.resume(flow("wire"), run_id="r", retry_failed=True)
    assert (run.status, calls.names) == (RunStatus.completed, ["pay", "wire", "wire", "wire"])


@pytest.mark.spec("GATE-7", "CRASH-2")
def test_a_question_that_was_put_without_functions_counts(db, drive, calls):
    """A worker that gives a run back stores its interruption by the stored definition, which has no functions; the answer counts all the same."""

    def flow(name, title="pay"):
        return Workflow("flow", [Step(title, code(calls, name), on_interrupt="pause")], db)

    first = flow("pay")
    host = first.host
    first.host = evolve(host, owner=lambda: DEAD)
    launch(first, "x", run_id="r")  # its owner dies when the call is to be made
    first.host = host
    assert Worker(flow("pay", "other")).work(until_idle=True) == {"REFUSED": 1}
    [asked] = first.get_run_output("r").requirements
    assert (asked.kind, calls.names) == ("interrupted", [])
    first.decide("r", asked.pause_id, "retry", by="ada")
    run = drive.resume(flow("pay"), run_id="r")
    assert (run.status, calls.names) == (RunStatus.completed, ["pay"])


# -- one file, run in several ways -----------------------------------------------------------------------------------------------

PROGRAM = """
import sys
from statecore import SqliteDb, Step, Workflow


def pay(step_input):
    return "paid"


flow = Workflow("payout", [Step("pay", pay, requires_confirmation=True)], db=SqliteDb("runs.db", durability="normal"))

if __name__ == "__main__":
    if sys.argv[1:] == ["begin"]:
        run = flow.run(run_id="r")
        flow.decide("r", run.requirements[0].pause_id, "confirm", by="ada")
    else:
        print(flow.continue_run(run_id="r").content)
"""


@pytest.mark.spec("GATE-7")
@pytest.mark.parametrize("begins", ["as a file", "as a module"])
@pytest.mark.parametrize("goes_on", ["as a file", "as a module", "imported", "by the command"])
def test_a_program_is_the_same_code_however_it_is_run(tmp_path, begins, goes_on):
    """A yes that was given where the program was run as a file or as a module counts where it is run, imported, or loaded by the command."""
    (tmp_path / "payout.py").write_text(PROGRAM)
    imports = "from payout import flow; print(flow.continue_run(run_id='r').content)"
    ways = {
        "as a file": ["payout.py"],
        "as a module": ["-m", "payout"],
        "imported": ["-c", imports],
        "by the command": ["-m", "statecore", "resume", "payout.py", "r", "--db", "runs.db"],
    }

    def run(how, *words):
        command = [sys.executable, *ways[how], *words]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)

    begun = run(begins, "begin")
    assert (begun.returncode, begun.stderr) == (0, "")
    done = run(goes_on)
    assert (done.returncode, "paid" in done.stdout) == (0, True), done.stdout + done.stderr
