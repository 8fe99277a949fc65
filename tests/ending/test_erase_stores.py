"""P28: an erasure means the same in a file and in memory: the same fields go, nothing of them comes back, and nothing that it cannot do is accepted."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import pytest

from statecore import HumanReview, Inbox, InMemoryDb, SqliteDb, Step, Workflow
from statecore.codec import ERASED
from statecore.errors import AlreadyDecided, KeyReused, NotEnded, RunErased, UnsupportedSetting
from statecore.stores.records import RunFilter
from tests.ending.made import IBAN, completed, failing_of, flow_of
from tests.ending.test_erase import HOLDS, traces


@pytest.fixture(params=["sqlite", "memory"])
def db(request, file):
    """A store of each kind that erases here."""
    with closing(SqliteDb(file, durability="normal") if request.param == "sqlite" else InMemoryDb()) as store:
        yield store


@pytest.mark.parametrize("field", HOLDS)
def test_a_field_goes_alone_to_every_reader(db, clock, field):
    """No reader sees the text of a field that was erased, each sees the others; the same order again takes nothing more."""
    review = HumanReview(requires_confirmation=True, confirmation_message="message-7f")
    flow = Workflow("fields", [Step("first", lambda _: "output-7f"), Step("gate", lambda _: "ok", human_review=review)], db=db)
    flow.run("input-7f", run_id="one", user_id="user-7f", session_id="session-7f")
    with pytest.raises(NotEnded):
        db.erase("one", "dpo", clock())
    flow.decide("one", "gate:confirmation:0", "confirm", by="person-7f", comment="comment-7f")
    flow.continue_run(run_id="one")
    assert db.erase("one", "dpo", clock(), fields=[field]).bodies > 0
    held = repr((db.load("one"), db.journal("one"), db.decisions("one"), db.pause("one", "gate:confirmation:0")))
    assert {name for name, text in HOLDS.items() if text in held} == set(HOLDS) - {field}
    assert (db.runs(RunFilter(session_id="session-7f")) == []) is (field == "session")
    assert db.erase("one", "dpo", clock(), fields=[field]).bodies == 0
    if field == "output":
        assert Inbox(db).show("one").step_results[0].content is ERASED


def test_a_failed_run_with_erased_values_calls_nothing(db, clock):
    """A retry of a failed run of which a value was erased is refused by name; its step is not called."""
    called = []

    def fail(step_input):
        called.append(step_input.input)
        raise OSError(IBAN)

    flow = Workflow("failing", [Step("fail", fail)], db=db)
    with pytest.raises(OSError, match=IBAN):
        flow.run(IBAN, run_id="one")
    db.erase("one", "dpo", clock(), fields=["input"])
    with pytest.raises(RunErased, match="input"):
        flow.continue_run(run_id="one", retry_failed=True)
    assert called == [IBAN]


def test_the_same_decision_again_is_decided_already(db, clock):
    """Whether the answer is the same cannot be known any more: the same one again is `AlreadyDecided`, and the same start again `KeyReused`."""
    flow = Workflow("form", [Step("ask", lambda s: s.input, requires_output_review=True)], db=db)
    flow.run(IBAN, run_id="one", idempotency_key="k")
    pause = flow.list_pauses(run_id="one")[0].pause_id
    flow.decide("one", pause, "edit", value=IBAN)
    assert flow.continue_run(run_id="one").content == IBAN
    flow.decide("one", pause, "edit", value=IBAN)
    db.erase("one", "dpo", clock())
    with pytest.raises(AlreadyDecided):
        flow.decide("one", pause, "edit", value=IBAN)
    with pytest.raises(KeyReused):
        flow.run(IBAN, idempotency_key="k")


def test_a_session_goes_with_what_a_purged_run_left_to_it(db, file, clock):
    """The state that a purged run left goes with the session of the run that began with it: no trace stays, and no later run begins with it."""
    flow = flow_of(db, clock)
    completed(flow, "first", session_id="s")
    late = clock() + 1
    assert db.purge(late, late).runs == 1
    clock.advance(1)
    completed(flow, "second", session_id="s")
    assert db.load("second").session_state == f'{{"customer":"{IBAN}"}}'
    assert db.erase("second", "dpo", clock()).done
    if isinstance(db, SqliteDb):
        assert traces(file) == []
    assert db.session_state("s", "flow") is None
    flow.run("x", run_id="third", session_id="s")
    assert db.load("third").session_state == "{}"


def test_what_a_living_run_holds_of_the_session_stays(db, clock):
    """An erasure takes no state of a session's other runs: the one that waits goes on with it."""
    flow = flow_of(db, clock)
    completed(flow, "first", session_id="s")
    flow.run("x", run_id="second", session_id="s")
    db.erase("first", "dpo", clock())
    assert db.load("second").session_state == db.session_state("s", "flow") == f'{{"customer":"{IBAN}"}}'
    late = clock() + 1
    assert db.purge(late, late).runs == 1
    assert [each.identity.run_id for each in db.runs(RunFilter(session_id="s"))] == ["second"]


NOTHING_GOES: dict[str, tuple[dict[str, Any], str]] = {
    "an unknown step": ({"step": "chrage"}, "the run has no row of it"),
    "a field that no step has": ({"step": "gate", "fields": ["output", "input"]}, "leave the step out"),
}


@pytest.mark.parametrize("name", NOTHING_GOES)
def test_an_order_that_could_take_nothing_is_refused(db, clock, name):
    """An order that names a step that did nothing in the run, or a field that no step has, is not told as done: it is refused, and nothing goes."""
    asked, why = NOTHING_GOES[name]
    completed(flow_of(db, clock), "one")
    with pytest.raises(UnsupportedSetting, match=why):
        db.erase("one", "dpo", clock(), **asked)
    assert Inbox(db).show("one").content == "remembered"
    assert db.load("one").identity.input == f'"{IBAN}"'


def test_a_failed_run_is_still_told_as_failed(db, clock):
    """The run's phase and its step's place stay after an erasure, with the message erased."""
    with pytest.raises(OSError, match=IBAN):
        failing_of(db, clock).run(IBAN, run_id="one")
    db.erase("one", "dpo", clock(), fields=["error"], step="fail")
    shown = Inbox(db).show("one")
    assert (shown.status, IBAN in repr(shown.step_results), "(erased)" in str(shown.step_results[0].error)) == (
        "ERROR",
        False,
        True,
    )
