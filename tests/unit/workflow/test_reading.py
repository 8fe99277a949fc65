"""The methods that read runs and sessions under their documented names, beside an event loop, too."""

from __future__ import annotations

import asyncio

import pytest

from statecore import InMemoryDb, SqliteDb, Step, UnknownRun, Workflow


@pytest.fixture(params=["memory", "sqlite"])
def flow(request, tmp_path):
    """A workflow that answers its input doubled, and counts its runs in the session; a run with 0 fails."""

    def double(step_input, session_state):
        session_state["runs"] = session_state.get("runs", 0) + 1
        if step_input.input == 0:
            raise ValueError
        return step_input.input * 2

    db = InMemoryDb() if request.param == "memory" else SqliteDb(db_file=str(tmp_path / "r.db"))
    yield Workflow("w", [Step("double", double)], db, session_id="own")
    db.close()


def test_a_session_is_read_by_its_parts(flow):
    """The last run, the state, the history and the metrics of a session: the workflow's own where none is named."""
    flow.run(1, run_id="r1")
    flow.run(2, run_id="r2")
    flow.run(3, run_id="r3", session_id="other", user_id="ada")
    with pytest.raises(ValueError):  # the own error of the step
        flow.run(0, run_id="r4")
    assert flow.get_last_run_output().run_id == "r4"
    assert flow.get_last_run_output("other").content == 6
    assert flow.get_last_run_output("other", "ada").run_id == "r3"
    assert flow.get_last_run_output("other", "eve") is None
    assert flow.get_last_run_output("none") is None
    assert flow.get_session_state() == {"runs": 2}
    assert flow.get_session_state("none") == {}
    assert [(each.input, each.output) for each in flow.get_chat_history()] == [(1, 2), (2, 4)]
    assert [each.input for each in flow.get_chat_history(num_runs=1)] == [2]
    assert flow.get_chat_history("none", 5) == []
    metrics = flow.get_session_metrics()
    assert (metrics["steps"], metrics["attempts"]) == (3, 3)
    assert metrics["duration"] == sum(each.metrics["duration"] for each in flow.get_session("own").runs)


def test_a_run_is_read_within_its_session_and_user(flow):
    """A run of another session or user than the one that is named is unknown, and `get_run` gives None for an unknown run."""
    flow.run(1, run_id="r", session_id="s", user_id="ada")
    assert flow.get_run_output("r", "s", "ada").content == 2
    assert flow.get_run("r").content == 2
    for wrong in (("r", "other"), ("r", None, "eve"), ("none",)):
        with pytest.raises(UnknownRun):
            flow.get_run_output(*wrong)
    assert flow.get_run("none") is None


def test_each_has_a_twin_beside_the_loop(flow):
    """A coroutine of the same name with an `a` gives the same answer."""
    flow.run(1, run_id="r")
    reads = {
        "get_run": ("r",),
        "get_run_output": ("r", "own"),
        "get_last_run_output": (),
        "get_session_state": (),
        "get_chat_history": (),
        "get_session_metrics": (),
        "get_session": (),
        "list_runs": (),
        "list_pauses": (),
    }
    for name, arguments in reads.items():
        assert str(asyncio.run(getattr(flow, f"a{name}")(*arguments))) == str(getattr(flow, name)(*arguments))


def test_what_a_completed_run_says_of_its_content(flow):
    """Its class, its text, and that it has completed."""
    run = flow.run({"a": [1]}["a"])
    assert (run.content_type, run.get_content_as_string(), run.has_completed(), run.is_error) == (
        "list",
        "[\n  1,\n  1\n]",
        True,
        False,
    )
    assert run.get_content_as_string(indent=None) == "[1, 1]"
    with pytest.raises(ValueError):  # the own error of the step
        flow.run(0)
    failed = flow.get_last_run_output()
    assert (failed.has_completed(), failed.is_error, failed.get_content_as_string()) == (False, True, "")
