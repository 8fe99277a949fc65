"""VALUE and SESSION on a Postgres server: values of every kind, look-backs, and changes that wait for a review."""

from __future__ import annotations

from typing import Any

import pytest

from statecore import RunStatus, Step, Workflow
from statecore.stores.postgres.store import PostgresDb2
from statecore.stores.postgres.store3 import PostgresDb
from statecore.stores.records import FAR
from tests.conformance.kinds import KINDS
from tests.conformance.test_claims_values import differing, sixty


@pytest.mark.spec("VALUE-1", "VALUE-4")
@pytest.mark.parametrize("store", [PostgresDb2, PostgresDb])
def test_kinds_of_values_and_their_outline(database: str, store: type[PostgresDb2 | PostgresDb]) -> None:
    """Each kind comes back equal and of its type behind a pause, through another store; an outline has the rows and no long value."""
    got: list[Any] = []
    first, later = store(database), store(database)
    run = sixty(first, []).run("x", run_id="r")
    run.requirements[0].decide("confirm")
    done = sixty(later, got).continue_run(run)
    assert (done.status, differing(got)) == (RunStatus.completed, [])
    rows, outline = first.journal("r"), later.outline("r")
    assert [row._replace(body=None) for row in rows] == [row._replace(body=None) for row in outline]  # type: ignore[arg-type]  # compared without
    far = {row.seq for row in outline if row.body.value == FAR}
    assert {row.seq for row in rows if row.body.value is not None and len(row.body.value) > 100_000} <= far
    assert len(KINDS) >= 60
    first.close()
    later.close()


@pytest.mark.spec("SESSION-3")
@pytest.mark.parametrize("store", [PostgresDb2, PostgresDb])
@pytest.mark.parametrize(("word", "state"), [("confirm", {"n": 1}), ("reject", {})])
def test_a_change_waits_with_the_output(
    database: str, store: type[PostgresDb2 | PostgresDb], word: str, state: dict[str, int]
) -> None:
    """A change waits for the review of its output, in the row of the output; another process applies it or drops it."""

    def writes(_step_input: Any, run_context: Any) -> None:
        run_context.session_state["n"] = 1

    first, later = store(database), store(database)
    steps = [Step("a", writes, requires_output_review=True)]
    run = Workflow("flow", steps, first).run("x")
    assert run.session_state == {}
    run.requirements[0].decide(word)
    assert Workflow("flow", steps, later).continue_run(run).session_state == state
    first.close()
    later.close()
