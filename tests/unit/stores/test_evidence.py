# ruff: noqa: S608  # statements of columns that the tests name
"""The digests of a question lie with it: the one that a person is shown, and one a word (GATE-5, GATE-6); judged by the reference of format 3."""

from __future__ import annotations

from typing import Any

import pytest

from statecore import HumanReview, InMemoryDb, OnTimeout, SqliteDb, Step, StepRequirement, UserInputField, Workflow
from statecore.core.evidence import slices
from statecore.errors import StaleDecision, StoreCorrupt
from statecore.stores.evidence import evidence
from statecore.stores.records import Decided
from statecore.stores.sqlite.health import verify
from tests.format3 import reference
from tests.unit.stores.sqlite_files import raw, tamper


def pays(_step_input: Any) -> str:
    """The code behind the gate."""
    return "paid"


def burns(_step_input: Any) -> str:
    """Other code, behind the same gate, under the same name and policies."""
    return "burnt"


def gated(db, code=pays, message="Pay?"):
    """A gate with a deadline, a step behind it, and a form."""
    review = HumanReview(requires_confirmation=True, timeout=60, on_timeout=OnTimeout.skip, confirmation_message=message)
    form = Step("ask", pays, requires_user_input=True, user_input_schema=[UserInputField("amount", "int")])
    return Workflow("flow", [Step("pay", code, human_review=review), form], db=db)


@pytest.fixture
def file(tmp_path):
    """Where the store lies."""
    return tmp_path / "runs.db"


@pytest.fixture
def db(file):
    """A store of format 3."""
    store = SqliteDb(file)
    yield store
    store.close()


def rows(file, *columns):
    """Columns of the questions, in the order in which they were put."""
    connection = raw(file)
    found = connection.execute(f"SELECT {', '.join(columns)} FROM pause ORDER BY id").fetchall()
    connection.close()
    return found


def by_reference(program, row):
    """The digest of a question, and of each of its words, as the second implementation makes them of a row."""
    run_id, pause_id, kind, at, message, form, salt = row

    def committed(slot, text):
        return None if text is None else reference.sha(reference.framed(slot, reference.salt_of(salt, slot, 0), bytes(text))).hex()

    def plain(part):
        return {name: list(value) if isinstance(value, tuple | frozenset) else value for name, value in part._asdict().items()}

    parts = {"run_id": run_id, "pause_id": pause_id, "kind": kind, "rule": None, "choices": None, "names": None, "shown": []}
    parts |= {"message": committed("pause.message", message), "form": committed("pause.form", form)}
    found = {}
    for word, each in slices(program, at, kind).items():
        value = {"entries": each.entries, "components": [plain(part) for part in each.components], "stops": each.stops}
        found[word] = reference.sha(reference.sliced(value)).hex()
    seen = reference.sha(reference.RECORDS["question"](parts | {"slices": found}))
    words = {word: reference.sha(reference.RECORDS["word"](parts | {"word": word, "slice": found[word]})).hex() for word in found}
    return seen, words


@pytest.mark.spec("GATE-5", "GATE-6")
def test_a_question_lies_with_its_digests(db, file):
    """A gate with a deadline and a form have the digest, and one a word, that the reference makes of their rows and of the definition."""
    flow = gated(db)
    run = flow.run("x", run_id="r")
    flow.decide("r", run.requirements[0].pause_id, "confirm")
    flow.continue_run(run_id="r")
    found = rows(file, "pause_id", "kind", "at", "message", "form", "salt", "seen", "meanings")
    assert [row[1] for row in found] == ["confirmation", "user_input"]
    for row in found:
        seen, words = by_reference(flow.compiled.program, ("r", *row[:6]))
        assert (row[6], row[7]) == (seen, reference.th(words))
        assert db.pause("r", row[0]).pause.seen == seen.hex()
    gate, form = (by_reference(flow.compiled.program, ("r", *row[:6]))[1] for row in found)
    assert (set(gate), set(form)) == ({"confirm", "reject", "expire"}, {"input", "reject"})
    assert len({*gate.values(), *form.values()}) == 5
    assert verify(file).faults == []


@pytest.mark.spec("GATE-5")
def test_a_digest_covers_what_the_word_leads_to(db, file):
    """Under one salt, other code behind the gate changes the digest of the yes, and of no other word; another message changes all."""
    run = gated(db).run("x", run_id="r")
    [row] = rows(file, "pause_id", "kind", "at", "message", "form", "salt")
    first = by_reference(gated(db).compiled.program, ("r", *row))
    other = by_reference(gated(db, burns).compiled.program, ("r", *row))
    assert first[0] != other[0]
    assert {word for word in first[1] if first[1][word] != other[1][word]} == {"confirm"}
    asked = by_reference(gated(db).compiled.program, ("r", *row[:3], b"Burn?", *row[4:]))
    assert [first[1][word] == asked[1][word] for word in first[1]] == [False] * 3
    assert run.requirements[0].shown() == first[0].hex()


@pytest.mark.spec("GATE-6", "GATE-7b")
@pytest.mark.parametrize("store", ["sqlite", "memory"])
def test_the_store_compares_what_was_shown(db, store):
    """A decision that was shown another question is refused in the store's own transaction; the right one is stored with what it saw."""
    db = db if store == "sqlite" else InMemoryDb()
    run = gated(db).run("x", run_id="r")
    [asked] = run.requirements
    new = {"run_id": "r", "pause_id": asked.pause_id, "word": "confirm", "time": db.load("r").updated + 1}
    for wrong in ("00" * 32, asked.shown().upper(), "no digest"):
        with pytest.raises(StaleDecision):
            db.decide(Decided(**new, seen=wrong))
    assert db.decisions("r") == []
    sent = StepRequirement.from_dict(asked.to_dict())
    assert sent.shown() == asked.shown() == db.pause("r", asked.pause_id).pause.seen
    assert db.decide(Decided(**new, seen=sent.shown())).word == "confirm"
    assert gated(db).continue_run(run_id="r").steps_requiring_user_input


@pytest.mark.spec("GATE-7b")
def test_a_decision_carries_the_digest_of_its_word(db, file):
    """The decision keeps what it saw and what its word meant, and the journal's link covers both: a change of either is found."""
    flow = gated(db)
    run = flow.run("x", run_id="r")
    flow.decide("r", run.requirements[0].pause_id, "confirm")
    flow.continue_run(run_id="r")
    row = rows(file, "pause_id", "kind", "at", "message", "form", "salt", "decided_seen", "meaning")[0]
    seen, words = by_reference(flow.compiled.program, ("r", *row[:6]))
    assert (row[6], row[7].hex()) == (seen, words["confirm"])
    db.close()
    for column in ("meaning", "decided_seen"):
        tamper(file, f"UPDATE pause SET {column} = zeroblob(32) WHERE word IS NOT NULL")
        again = SqliteDb(file)
        with pytest.raises(StoreCorrupt, match="decision"):
            again.decisions("r")
        again.close()
        tamper(file, f"UPDATE pause SET {column} = x'{row[6 if column == 'decided_seen' else 7].hex()}' WHERE word IS NOT NULL")
    assert verify(file).faults == []


def test_a_question_without_slices_has_no_digest(db):
    """A question that comes without the hashes of its words has no evidence; one that is read from a store is such."""
    run = gated(db).run("x", run_id="r")
    pause = db.pause("r", run.requirements[0].pause_id).pause
    assert evidence(pause, bytes(16)) is None
