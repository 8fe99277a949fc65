"""Storms on one Postgres: many deciders, a server that is restarted or killed under way, hints that are lost."""

from __future__ import annotations

import pytest

from statecore.testing.stores.samples import answer, asked, begin, identity, question
from tests.postgres.campaigns import crowd, storm


def test_of_sixteen_deciders_one_decides(database):
    """Sixteen, each with connections of his own, decide one pause at once: one is heard, and fifteen are told whom."""
    crowd(database, 16, 3, threads=True)


@pytest.mark.parametrize("how", ["restart", "crash"])
def test_a_server_that_goes_and_comes_loses_nothing(server, database, how):
    """The server is stopped, or ended without a farewell, and started again in the middle of a storm: 0 lost answers, 0 steps twice."""
    assert storm(server, database, 24, 2, crash=how == "crash")["server gone"] == 2


def test_a_hint_is_heard_and_may_be_lost(db, server):
    """A decision and a free run are told at once to whoever listens; after a lost connection he is told to look for himself."""
    assert db.listen(0)  # whoever begins to listen looks first
    assert not db.listen(0.01)
    asked(db)
    assert not db.listen(0.01)
    db.decide(answer(question("run-1")))
    assert db.listen(60)
    begin(db, identity("run-2"))
    assert not db.listen(0.01)
    db.release("run-2", 1)
    assert db.listen(60)
    server.restart()
    assert not db.listen(0.01)
    assert db.listen(0)
