"""GATE-12: what is decided about is shown whole, by requirements, plain data, JSON and the command line; nothing is cut without a word."""

from __future__ import annotations

import json
from typing import NamedTuple

import pytest

from statecore import (
    Condition,
    Inbox,
    InMemoryDb,
    Loop,
    OnError,
    Parallel,
    PauseFilter,
    Router,
    SqliteDb,
    Step,
    StepRequirement,
    Workflow,
)
from statecore.cli.main import main

LONG = "\n".join(f"line {number} of a report" for number in range(50_000))
WIDE = "x" * 1_000_000 + "END"
NASTY = "\x1b[2J\x1b]0;title\x07 \u202egnp.exe\u200b and \r\n the rest"


def opened(tmp_path, *steps, run_input="order 7", **options):
    """A run of these steps in a file, as far as it goes, and the file."""
    path = str(tmp_path / "runs.db")
    flow = Workflow("flow", steps=list(steps), db=SqliteDb(path))
    return flow, flow.run(run_input, run_id="r", user_id="grace", **options), path


def out(capsys, *words):
    """What a command prints."""
    assert main([*words]) == 0
    return capsys.readouterr().out


@pytest.mark.spec("GATE-12")
@pytest.mark.parametrize("text", [LONG, WIDE], ids=["many lines", "one line"])
def test_an_output_of_a_megabyte_is_read_whole(text, tmp_path, capsys):
    """An output of 1 MB under review is whole in the requirement, its plain data, the run's plain data, JSON and `show --full`."""
    flow, run, path = opened(tmp_path, Step("report", lambda _: text, requires_output_review=True))
    [asked] = run.requirements
    assert asked.about == {"requested_by": "grace", "run_input": "order 7", "previous_step_content": None, "output": text}
    assert asked.to_dict()["about"]["output"] == text
    assert run.to_dict()["step_requirements"][0]["about"]["output"] == text
    assert flow.list_pauses()[0].about == asked.about
    for command in (["show", "r"], ["pending"]):
        plain = json.loads(out(capsys, *command, "--json", "--db", path))
        pause = plain["pending"][0] if command[0] == "show" else plain[0]
        assert pause["about"] == asked.about
        assert set(pause["outcomes"]) == {"confirm", "edit", "reject"}
    shown = out(capsys, "show", "r", "--full", "--db", path)
    assert all(f"| {' ' * 2}{line}\n" in shown for line in text.split("\n")[::1_000])
    assert text.split("\n")[-1] in shown
    short = out(capsys, "show", "r", "--db", path)
    assert len(short) < 10_000
    assert "show --full" in short
    if text is LONG:
        assert "... and 49,995 more lines" in short
        assert "... and 49,995 more lines" in out(capsys, "pending", "--db", path)


QUESTIONS = {
    "confirmation": Step("ask", lambda _: 1, requires_confirmation=True, timeout=3_600),
    "user_input": Step("ask", lambda _: 1, requires_user_input=True, timeout=3_600),
    "route": Router("ask", [Step("a", lambda _: 1), Step("b", lambda _: 1)], requires_user_input=True, timeout=3_600),
    "error": Step("ask", lambda _: 1 // 0, on_error=OnError.pause, timeout=3_600),
    "output_review": Step("ask", lambda _: "drafted", requires_output_review=True, timeout=3_600),
    "iteration_review": Loop(
        "ask", [Step("a", lambda _: "drafted")], max_iterations=2, requires_iteration_review=True, timeout=3_600
    ),
    "gate of a condition": Condition("ask", [Step("a", lambda _: 1)], requires_confirmation=True, timeout=3_600),
    "inside a parallel": Parallel(
        Step("ask", lambda _: 1, requires_confirmation=True, timeout=3_600), Step("b", lambda _: 2), name="both"
    ),
}


@pytest.mark.spec("GATE-12")
@pytest.mark.parametrize("name", QUESTIONS)
def test_each_question_shows_what_it_is_about(name, tmp_path, capsys):
    """Each kind of question has the run's input, the requester, the previous content or the output, both dates, and what each word leads to."""
    before = {"invoice": LONG[:3_000]}
    _flow, run, path = opened(tmp_path, Step("before", lambda _: before), QUESTIONS[name], run_input={"order": 7})
    [asked] = run.requirements
    about = asked.to_dict()["about"]
    assert (about["requested_by"], about["run_input"], about["previous_step_content"]) == ("grace", {"order": 7}, before)
    assert about.get("output") == ("drafted" if "review" in name else None)
    shown = out(capsys, "show", "r", "--full", "--db", path)
    assert f"asked: {asked.created_at}, in a run for grace" in shown
    assert f"until {asked.timeout_at:%Y-%m-%d %H:%M:%S} UTC" in shown
    assert "'order': 7" in shown
    assert "line 100 of a report" in shown
    assert ("drafted" in shown) == ("review" in name)
    for outcome in asked.outcomes:
        assert f"{outcome.word:<7} -> {outcome.leads_to}" in shown


@pytest.mark.spec("GATE-12")
def test_a_long_message_is_read_whole_and_a_nasty_one_is_harmless(tmp_path, capsys):
    """A message of 1 MB is whole in `show --full` and says in other places that it goes on; control characters are spelt out everywhere."""
    message = NASTY + "\n" + LONG
    flow, run, path = opened(
        tmp_path,
        Step("ask", lambda step_input: step_input.input, requires_confirmation=True, confirmation_message=message),
        run_input=NASTY,
    )
    assert run.requirements[0].to_dict()["confirmation_message"] == message
    whole, short, listed = (out(capsys, *words, "--db", path) for words in (["show", "r", "--full"], ["show", "r"], ["pending"]))
    assert "line 49999 of a report" in whole
    assert "more lines" in short
    assert "more lines" in listed
    for text in (whole, short, listed):
        assert not {"\x1b", "\x07", "\u202e", "\u200b", "\r"} & set(text)
    assert flow.decide("r", run.requirements[0].pause_id, "confirm").decision == "confirm"


class Price(NamedTuple):
    """A type that an inbox does not know."""

    cents: int


@pytest.mark.spec("GATE-12", "VALUE-2")
def test_an_inbox_shows_what_it_has_no_type_for(tmp_path):
    """A process without the workflow's types reads what is decided about as plain data; plain data that is read back still has it."""
    _flow, run, path = opened(
        tmp_path, Step("quote", lambda _: Price(1_250)), Step("pay", lambda _: 1, requires_confirmation=True), run_input=Price(7)
    )
    db = SqliteDb(path)
    [asked] = Inbox(db).pending(PauseFilter())
    assert asked.about is not None
    assert [type(asked.about[name]) in (Price, dict, list, tuple) for name in ("run_input", "previous_step_content")] == [
        True,
        True,
    ]
    again = StepRequirement.from_dict(asked.to_dict())
    assert (again.about, again.pause_id) == (asked.about, run.requirements[0].pause_id)
    assert again.to_dict()["outcomes"] == asked.to_dict()["outcomes"] != {}


def test_a_question_that_is_over_is_about_nothing():
    """A decided question of an ended run has no place in it any more: its plain data has no `about`, and nothing raises."""
    flow = Workflow(
        "flow", [Parallel(Step("a", lambda _: 1, requires_confirmation=True), Step("b", lambda _: 2, requires_confirmation=True), name="p")],
        db=InMemoryDb(),
    )  # fmt: skip
    run = flow.run(run_id="r")
    flow.decide("r", run.requirements[0].pause_id, "confirm")
    flow.cancel_run("r")
    [unused] = flow.get_run_output("r").unused_decisions
    assert unused.to_dict()["about"] is None
