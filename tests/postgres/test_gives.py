"""ERR-12, GATE-11 in Postgres: another input and a given output are stored by an owner, refused where they are not offered, and verified."""

from __future__ import annotations

import pytest

from statecore import Inbox, OnError, Step, Workflow
from statecore.errors import UnknownDecision
from statecore.stores.postgres.health import verify


@pytest.mark.spec("ERR-12", "GATE-11", "REV-3")
def test_a_person_gives_an_input_and_an_output(db):
    """An `edit` at the gate and a `provide` at the error are applied; without `allow_edit` the first is refused; the store verifies."""
    seen: list = []

    def pay(step_input):
        seen.append(step_input.previous_step_content)
        raise OSError

    def flow(**more):
        step = Step("pay", pay, requires_confirmation=True, on_error=OnError.pause, **more)
        return Workflow("flow", [Step("quote", lambda _: 10), step], db=db)

    plain = flow().run(run_id="plain")
    with pytest.raises(UnknownDecision):
        Inbox(db).decide("plain", plain.requirements[0].pause_id, "edit", value=11)
    run = flow(allow_edit=True).run(run_id="r")
    Inbox(db).decide("r", run.requirements[0].pause_id, "edit", value=11, by="ada")
    run = flow(allow_edit=True).continue_run(run_id="r")
    Inbox(db).decide("r", run.requirements[0].pause_id, "provide", value={"paid": 11}, by="ada")
    assert flow(allow_edit=True).continue_run(run_id="r").content == {"paid": 11}
    assert seen == [11]
    assert verify(db).faults == []
