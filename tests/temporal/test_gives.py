"""ERR-12 and GATE-11 on a Temporal cluster: another input and a given output travel, and lead where they lead elsewhere."""

from __future__ import annotations

import pytest

from statecore import OnError, RunStatus, Step, Workflow
from statecore.errors import UnknownDecision
from tests.temporal.conftest import Serve


@pytest.mark.spec("ERR-12", "GATE-11", "REV-3")
def test_a_person_gives_an_input_and_an_output(serve: Serve) -> None:
    """An `edit` at the gate and a `provide` at the error are applied by a worker; a word that is not offered is refused."""
    seen: list[object] = []

    def pay(step_input):
        seen.append(step_input.previous_step_content)
        raise OSError

    step = Step("pay", pay, requires_confirmation=True, allow_edit=True, on_error=OnError.pause)
    runs = serve(Workflow("gives", [Step("quote", lambda _: 10), step]))
    run = runs.run("x", timeout=30)
    [asked] = run.steps_requiring_confirmation
    assert asked.words == ("confirm", "edit", "reject")
    with pytest.raises(UnknownDecision):
        runs.workflow.decide(run.run_id, asked.pause_id, "provide", value=1)
    asked.edit(11, by="ada")
    run = runs.continue_run(run, timeout=30)
    [failed] = run.steps_with_errors
    failed.provide({"paid": 11}, by="ada")
    run = runs.continue_run(run, timeout=30)
    assert (run.status, run.content, seen) == (RunStatus.completed, {"paid": 11}, [11])
