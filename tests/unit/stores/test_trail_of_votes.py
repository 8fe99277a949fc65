"""The trail of the payment of the examples answers an auditor, without the code of the workflow (AUDIT-1, AUTH-2)."""

from __future__ import annotations

import csv
import io
import json
from contextlib import closing
from typing import Any

import pytest
from attrs import evolve

from statecore import SqliteDb, Workflow
from statecore.cli import main
from statecore.errors import MayNotDecide
from statecore.examples import payment
from statecore.testing.doubles import Clock


def paid(db: SqliteDb, clock: Clock) -> str:
    """A payment: ada asks for it and may not confirm, bob loses his role, eve is refused and ann and the CFO of the next day pay with cyd."""
    staff = {name: set(roles) for name, roles in payment.STAFF.items()}
    flow = Workflow("payment", payment.workflow.definition.steps, db=db, people=lambda name: staff.get(name, set()))
    flow.host = evolve(flow.host, clock=clock)
    run = flow.run("1200 to ACME", run_id="one", requester="ada")
    [asked] = run.requirements

    def vote(name: str, **more: Any) -> None:
        clock.advance(1)
        flow.decide("one", asked.pause_id, "confirm", by=name, seen=asked.seen, **more)

    for name in ("ada", "eve"):
        with pytest.raises(MayNotDecide):
            vote(name)
    for name in ("ann", "cyd", "bob"):
        vote(name, comment=f"said {name}")
    staff["bob"] = set()
    assert list(flow.tick()) == []
    clock.advance(24 * 60 * 60)
    vote("dan")
    assert [each.status for each in flow.tick()] == ["COMPLETED"]
    return str(asked.seen)


@pytest.mark.spec("AUDIT-1", "AUTH-2")
def test_the_trail_of_a_payment_answers_an_auditor(tmp_path, capsys):
    """As CSV and as lines of JSON: who asked and was asked, what they saw, who voted, was refused and why, what lapsed, and the root."""
    file, clock = str(tmp_path / "runs.db"), Clock()
    with closing(SqliteDb(db_file=file, durability="normal")) as db:
        seen = paid(db, clock)
    assert main(["audit", "one", "--jsonl", "--db", file]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert main(["audit", "one", "--csv", "--db", file]) == 0
    table = list(csv.DictReader(io.StringIO(capsys.readouterr().out, newline="")))
    assert [row["event"] for row in table] == [row["event"] for row in rows]
    told = [(row["event"], row["by"], row["word"]) for row in rows if row["event"] not in ("moved", "completed", "root")]
    assert told == [
        ("started", "ada", "start"),
        ("asked", "", ""),
        ("refusal", "ada", "confirm"),
        ("refusal", "eve", "confirm"),
        ("vote", "ann", "confirm"),
        ("vote", "cyd", "confirm"),
        ("vote", "bob", "confirm"),
        ("lapse", "bob", "confirm"),
        ("vote", "dan", "confirm"),
        ("decided", "ann, cyd, dan", "confirm"),
        ("applied", "ann, cyd, dan", "confirm"),
    ]
    of = {row["event"]: row for row in rows}
    assert json.loads(of["asked"]["detail"])["rule"] == {
        "k": 2, "of": ["role:finance"], "also": ["role:legal"], "requester": True, "comment": "on_reject",
        "escalations": [[24 * 60 * 60 * 1_000_000, ["role:cfo"], None, False]],
    }  # fmt: skip
    assert {row["seen"] for row in rows if row["event"] in ("asked", "vote")} == {seen}
    assert [json.loads(row["detail"])["detail"] for row in rows if row["event"] == "refusal"] == ["requester", "not_among"]
    assert "lost the role" in of["lapse"]["detail"]
    assert [row["comment"] for row in rows if row["event"] == "vote"] == ["said ann", "said cyd", "said bob", ""]
    assert main(["audit", "--db", file]) == 0
    assert of["root"]["chain"][:12] in capsys.readouterr().out
    with closing(SqliteDb(db_file=file, durability="normal")) as db:
        db.erase("one", "dpo", clock(), reason="asked for")
        erased = list(db.audit("one"))
    names = ("ann", "bob", "cyd", "dan", "1200 to ACME")
    assert [name for name in names if any(name in str(cell) for row in erased if row.event != "erased" for cell in row)] == []
    assert [(row.by, row.comment) for row in erased if row.event == "erased"] == [("dpo", "asked for")]
