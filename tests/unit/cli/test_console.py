"""`print_response` and `cli_app`: the runs of a workflow in a terminal, without a process of the command line."""

from __future__ import annotations

import asyncio
import io
import re

import pytest

from statecore import Step, Workflow


def printed(capsys):
    """The lines on the terminal, without their times."""
    return [re.sub(r"^ *\d+\.\d\ds ", "", line) for line in capsys.readouterr().out.splitlines() if line.strip()]


def flow_of(function, **settings):
    """A workflow of one step."""
    return Workflow("desk", [Step("reply", function, **settings)], session_state={"n": 0})


def count(step_input, session_state):
    """How often the session was served."""
    session_state["n"] += 1
    return f"{session_state['n']}: {step_input.input}\nwhole"


@pytest.mark.parametrize("colour", ["plain", "async"])
def test_a_run_is_printed_as_it_happens_and_its_content_whole(capsys, colour):
    """Each event has its line, and the content of several lines stands at the end."""
    flow = flow_of(count)
    if colour == "plain":
        assert flow.print_response("a", session_id="s") is None
    else:
        asyncio.run(flow.aprint_response("a", session_id="s"))
    lines = printed(capsys)
    assert [line.split()[:2] for line in lines[:3]] == [["reply", "begins"], ["reply", "done"], ["run", "completed"]]
    assert lines[3:] == ["1: a", "whole"]


def test_without_details_only_the_end_is_printed(capsys):
    """`show_step_details=False` leaves out the events."""
    flow_of(count).print_response("a", show_step_details=False)
    assert printed(capsys) == ["1: a", "whole"]


def test_open_questions_are_printed_with_what_each_answer_leads_to(capsys):
    """A run that pauses prints its question; nobody is asked, and the run can be decided afterwards."""
    flow = flow_of(count, requires_confirmation=True, confirmation_message="Reply?")
    flow.print_response("a", run_id="r")
    lines = printed(capsys)
    assert any("Reply?" in line for line in lines)
    assert {line.split()[0] for line in lines if "->" in line} == {"confirm", "reject"}
    assert flow.get_run_output("r").is_paused


def test_a_failure_is_raised():
    """The exception of the step comes out, as of `run`."""
    with pytest.raises(ZeroDivisionError):
        flow_of(lambda _: 1 // 0).print_response("a")


def test_a_conversation_is_one_session_and_puts_its_questions(capsys, monkeypatch):
    """Each line is a run of the same session; its question is put at the terminal, and the word of `exit_on` ends it."""
    monkeypatch.setattr("sys.stdin", io.StringIO("confirm\nb\nconfirm\nstop\nc\n"))
    flow = flow_of(count, requires_confirmation=True)
    flow.cli_app("a", user="Ada", exit_on=["stop"])
    runs = flow.list_runs()
    assert [run.content for run in runs] == ["2: b\nwhole", "1: a\nwhole"]
    assert len({run.session_id for run in runs}) == 1
    assert sum("Ada: " in line for line in printed(capsys)) == 2


def test_a_conversation_goes_on_after_a_failure(capsys, monkeypatch):
    """A failed run is shown in a line, and the next line of the person is a new run; the end of the input ends it."""
    monkeypatch.setattr("sys.stdin", io.StringIO("0\n2\n"))
    flow = flow_of(lambda step_input: 4 // int(step_input.input))
    flow.cli_app()
    assert [run.status.value for run in flow.list_runs()] == ["COMPLETED", "ERROR"]
    assert any("ZeroDivisionError" in line for line in printed(capsys))


def test_a_question_that_is_left_open_is_shown_without_commands(capsys, monkeypatch):
    """`later` leaves the run paused; no command line is offered for a run that lives in this process."""
    monkeypatch.setattr("sys.stdin", io.StringIO("later\nquit\n"))
    flow = flow_of(count, requires_confirmation=True)
    flow.cli_app("a")
    lines = printed(capsys)
    assert any("is PAUSED" in line for line in lines)
    assert not any("statecore " in line for line in lines)
