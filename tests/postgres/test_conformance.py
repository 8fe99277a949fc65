"""Postgres passes the suite that is shipped, crowds and kills included."""

from __future__ import annotations

from functools import partial
from hashlib import sha256

import psycopg
import pytest

from statecore.db.postgres import PostgresDb
from statecore.stores.conformance import SharedStoreConformance

EMPTY = """DO $$ BEGIN
IF to_regnamespace('conformance') IS NOT NULL THEN
  SET LOCAL session_replication_role TO replica;
  DELETE FROM conformance.run; DELETE FROM conformance.session_state; DELETE FROM conformance.journal; DELETE FROM conformance.pause;
  DELETE FROM conformance.decision; DELETE FROM conformance.value; DELETE FROM conformance.definition;
END IF; END $$"""
"""Past the triggers, as only a superuser can."""


@pytest.fixture(scope="module")
def superuser(server):
    """A connection of the superuser's."""
    with psycopg.connect(server.url(), autocommit=True) as connection:
        yield connection


class TestPostgresDb(SharedStoreConformance):
    """One schema for each folder that a test would have on a disk; that of the fixtures is made once and emptied, which is faster."""

    @pytest.fixture(autouse=True)
    def _emptied(self, server, superuser, tmp_path):
        self.url, self.usual = server.url(), tmp_path
        superuser.execute(EMPTY)

    def opener(self, folder):
        """A schema that need not be there yet."""
        name = "conformance" if folder == self.usual else f"test_{sha256(str(folder).encode()).hexdigest()[:16]}"
        return partial(PostgresDb, self.url, db_schema=name)
