"""The same plays as in every store: what a run in Postgres leaves behind is what it leaves in memory, row by row, and it verifies."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from statecore import InMemoryDb
from statecore.db.postgres import PostgresDb
from statecore.stores.postgres.health import verify
from tests.conformance.drive import COLOURS, Colour, Drive
from tests.conformance.plans import Plans, answers, plans
from tests.conformance.plays import play
from tests.postgres.server import Server
from tests.sizes import examples

NUMBERS = count(1)


@pytest.fixture(scope="module")
def store(server: Server) -> Iterator[PostgresDb]:
    """A store for all plays; when they are over, every row that they left is checked and every journal is played again."""
    store = PostgresDb(server.url(), db_schema="plays")
    yield store
    found = verify(store)
    assert found.faults == []
    assert found.runs == next(NUMBERS) - 1
    store.close()


@settings(max_examples=examples(8), deadline=None, print_blob=True, suppress_health_check=list(HealthCheck))
@given(made=plans(3, least=1), script=answers, colour=st.sampled_from(COLOURS))
def test_a_play_leaves_the_same_journal_as_in_memory(store: PostgresDb, made: Plans, script: bytes, colour: Colour) -> None:
    """Random workflows, random answers, every colour: journal, outputs, session state, calls and refusals are those of the run in memory."""
    run_id = f"play-{next(NUMBERS)}"
    here = play(made, script, Drive("sync"), InMemoryDb(), run_id)
    there = play(made, script, Drive(colour), store, run_id)
    assert there.history == here.history
    assert there.seen == here.seen
