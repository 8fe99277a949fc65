"""The same plays as in every store: what a run on Temporal leaves behind is what it leaves in memory, row by row."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from typing import Any

import pytest
from attrs import define
from hypothesis import HealthCheck, assume, given, settings

from statecore import InMemoryDb, Step, Workflow, WorkflowRunOutput
from statecore.errors import NotPaused
from statecore.temporal import TemporalDb, TemporalWorkflows
from statecore.testing import assert_invariants
from tests.conformance.drive import Drive
from tests.conformance.plans import Plans, answers, has_branches, plans
from tests.conformance.plays import Play, play
from tests.sizes import examples
from tests.temporal.conftest import Working, history_of
from tests.temporal.record import replay
from tests.temporal.servers import Server
from tests.temporal.workers import until

NUMBERS = count(1)


@define
class Distant(Drive):
    """Drives runs on Temporal: a worker in this process makes the calls of the workflow at hand."""

    working: Working | None = None

    def _drive(self, workflow: Workflow, plain: Any, twin: Any, first: Any, options: dict[str, Any]) -> WorkflowRunOutput:
        assert self.working is not None
        self.working.performer.workflows[workflow.id] = workflow
        runs = TemporalWorkflows(workflow, self.working.db)
        if plain == workflow.run:
            return runs.run(first, timeout=60, **options)
        return runs.continue_run(first, timeout=60, **options)


@pytest.fixture(scope="module")
def working(server: Server) -> Iterator[Working]:
    """A worker for all plays."""
    db = TemporalDb(server.target, lease=30)
    working = Working(db, Workflow("flow", [Step("none", lambda _: None)]))
    yield working
    working.stop()
    db.close()


def seen(played: Play) -> dict[str, Any]:
    """What has to be the same: all but what came out of a call of `run`, which here happens elsewhere, and how often it rested on the way."""
    return {name: found for name, found in played.seen.items() if name not in ("raised", "questions")}


@settings(max_examples=examples(6), deadline=None, suppress_health_check=list(HealthCheck))
@given(made=plans(3, least=1), script=answers)
def test_a_play_leaves_the_same_journal_as_in_memory(working: Working, made: Plans, script: bytes) -> None:
    """Random workflows, random answers: journal, outputs, session state and calls are those of the run in memory.

    And what Temporal remembers of it leads through the same commands when it is replayed.
    """
    assume(not has_branches(made))
    run_id = f"play-{next(NUMBERS)}"
    here = play(made, script, Drive("sync"), InMemoryDb(), run_id)
    there = play(made, script, Distant("sync", working=working), working.db, run_id)
    assert there.history == here.history
    assert seen(there) == seen(here)
    assert assert_invariants(working.db, run_id) == 1
    replay(history_of(working.db, run_id))


@settings(max_examples=examples(4), deadline=None, suppress_health_check=list(HealthCheck))
@given(made=plans(3, least=1), script=answers)
def test_a_play_with_branches_is_a_path_of_the_core(working: Working, made: Plans, script: bytes) -> None:
    """Where branches run beside each other the order is the world's: whatever it was, the journal is what the core does, and is replayed.

    A decision counts at once, so that one in a branch may leave nothing to decide in another; the play ends there.
    """
    assume(has_branches(made))
    run_id = f"play-{next(NUMBERS)}"
    with suppress(NotPaused):
        play(made, script, Distant("sync", working=working), working.db, run_id)
    until(lambda: working.db.rests(run_id))
    assert assert_invariants(working.db, run_id) == 1
    replay(history_of(working.db, run_id))
