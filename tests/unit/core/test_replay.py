"""A journal that is no history of its workflow is refused at the first row that does not follow."""

from __future__ import annotations

import pytest

from statecore import Parallel, Router, Step, Workflow
from statecore.errors import ReplayFailed
from statecore.stores.replay import replay


def work(step_input):
    """Hand the input on."""
    return step_input.input


@pytest.fixture
def played() -> Workflow:
    """A workflow with one run: routed, reviewed by a gate in one of two branches, and cancelled."""
    branches = Parallel(Step("left", work), Step("right", work, requires_confirmation=True))
    flow = Workflow("flow", [Router("way", [Step("a", work), Step("b", work)], selector=lambda _: ["b", "a"]), branches])
    flow.run("x", run_id="r")
    flow.cancel_run("r", by="ann")
    return flow


def again(flow: Workflow, rows) -> list:
    """The boundaries of some rows."""
    return list(replay(lambda _: flow.compiled.program, rows))


def test_a_journal_replays_whole(played):
    """The rows alone give every boundary again, with the choices of a selector; the last state is the stored one."""
    rows = played.db.journal("r")
    boundaries = again(played, rows)
    assert [row for each in boundaries for row in each.rows] == rows
    assert boundaries[-1].commit.after.state == played.db.load("r").state
    assert [event.choices for each in boundaries for event in each.commit.events if event.choices] == [("way/b", "way/a")]


def test_every_row_matters(played):
    """Leave any row out, or change where it comes from, where it is or what fired it, and the replay names a row from there on."""
    rows = played.db.journal("r")
    for place, row in enumerate(rows):
        changed = [
            *(row._replace(**{column: "x"}) for column in ("at", "trigger", "dest", "source", "machine")),
            row._replace(attempt=7),
            row._replace(turn=(*row.turn, 3)),
        ]
        for spoilt in ([*rows[:place], *rows[place + 1 :]], *([*rows[:place], each, *rows[place + 1 :]] for each in changed)):
            if spoilt == rows[: len(spoilt)]:
                continue  # the last row left out: a prefix, which may well be a history
            with pytest.raises(ReplayFailed) as refused:
                again(played, spoilt)
            assert 1 <= refused.value.seq <= len(rows)


def test_an_unknown_definition_is_named(played):
    """A row that says it follows a definition that is not stored is refused with its fingerprint."""
    with pytest.raises(ReplayFailed, match=played.compiled.program.fingerprint):
        list(replay(lambda _: None, played.db.journal("r")))
