"""Postgres passes the suite that is shipped, crowds and kills included."""

from __future__ import annotations

from functools import partial
from hashlib import sha256

import pytest

from statecore.db.postgres import PostgresDb
from statecore.stores.conformance import SharedStoreConformance

EMPTY = "TRUNCATE run, session_state, journal, pause, decision, value, definition RESTART IDENTITY"


class TestPostgresDb(SharedStoreConformance):
    """One schema for each folder that a test would have on a disk; that of the fixtures is made once and emptied, which is faster."""

    @pytest.fixture(autouse=True)
    def _emptied(self, server, tmp_path):
        self.url, self.usual = server.url(), tmp_path
        if server.execute("SELECT 1 FROM pg_namespace WHERE nspname = 'conformance'"):
            server.execute("SET search_path TO conformance; SET session_replication_role TO replica", EMPTY)

    def opener(self, folder):
        """A schema that need not be there yet."""
        name = "conformance" if folder == self.usual else f"test_{sha256(str(folder).encode()).hexdigest()[:16]}"
        return partial(PostgresDb, self.url, db_schema=name)
