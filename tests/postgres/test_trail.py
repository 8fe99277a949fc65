"""The trail of a run in Postgres is that of every store (AUDIT-1)."""

from __future__ import annotations

import pytest

from tests.unit.stores import test_trail as trail


@pytest.mark.spec("AUDIT-1")
def test_the_trail_is_the_same_in_postgres(db):
    """Event by event, with the chain through the rows, and with an erasure that is told with its person."""
    trail.test_a_run_is_told_event_by_event(db)
    run = trail.events(db, "two")
    assert run[-1].event == "cancelled"
    db.erase("two", "dpo", 1 << 51)
    assert [row.by for row in db.audit("two") if row.event == "erased"] == ["dpo"]
    rows = [row for row in db.audit("one") if row.seq]
    assert (len({row.chain for row in rows}), rows[-1].chain) == (len(db.journal("one")), db.head("one"))
