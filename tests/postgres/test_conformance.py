"""Postgres passes the suite that is shipped, crowds and kills included."""

from __future__ import annotations

import os
from functools import partial
from hashlib import sha256
from typing import Any

import psycopg
import pytest

from statecore.stores.postgres.channel import Channel
from statecore.stores.postgres.store import PostgresDb2
from statecore.stores.postgres.store3 import PostgresDb
from statecore.testing.stores import SharedStoreConformance
from tests.conformance.test_stores import Format3
from tests.sizes import TIMES

USUAL = "conformance"
EMPTY = f"""DO $$ BEGIN
IF to_regnamespace('{USUAL}') IS NOT NULL THEN
  SET LOCAL session_replication_role TO replica;
  DELETE FROM {USUAL}.run; DELETE FROM {USUAL}.session_state; DELETE FROM {USUAL}.journal; DELETE FROM {USUAL}.pause;
  DELETE FROM {USUAL}.decision; DELETE FROM {USUAL}.value; DELETE FROM {USUAL}.definition;
END IF; END $$"""  # noqa: S608  # of names
"""Past the triggers, as only a superuser can."""


@pytest.fixture(scope="module")
def superuser(server):
    """A connection of the superuser's."""
    with psycopg.connect(server.url(), autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def kept():
    """Connections to the usual schema that a store has given back, with what each knows of its server."""
    found: list[Any] = []
    yield found
    for connection, _ in found:
        connection.close()


@pytest.fixture
def warm(kept, monkeypatch):
    """Connections outlive their stores, as they outlive a test's calls in a process that goes on: a new one has every trigger yet to compile.

    Each is lent to one store at a time, and those of other processes and of other schemas are new.
    """
    connect, close = Channel.connect, Channel.close

    def connected(channel, until=None):
        if channel.schema != USUAL:
            return connect(channel, until)
        try:
            connection, life = kept.pop()
        except IndexError:
            return connect(channel, until)
        channel._lives[connection], channel.known = life, True
        connection.lent(channel.haste, channel.until() if until is None else until)
        return connection

    def closed(channel):
        if channel.schema == USUAL and channel.pid == os.getpid():
            with channel._lock:
                free, channel._free = channel._free, []
            kept.extend((connection, channel._lives[connection]) for connection, _ in free)
        close(channel)

    monkeypatch.setattr(Channel, "connect", connected)
    monkeypatch.setattr(Channel, "close", closed)


if TIMES > 1:  # in a campaign: no new schema is of format 2

    class TestPostgresDb2(SharedStoreConformance):
        """One schema for each folder that a test would have on a disk; that of the fixtures is made once and emptied, which is faster."""

        @pytest.fixture(autouse=True)
        def _emptied(self, server, superuser, warm, tmp_path):
            self.url, self.usual = server.url(), tmp_path
            superuser.execute(EMPTY)

        def opener(self, folder):
            """A schema that need not be there yet."""
            name = USUAL if folder == self.usual else f"test_{sha256(str(folder).encode()).hexdigest()[:16]}"
            return partial(PostgresDb2, self.url, db_schema=name)


USUAL_3 = "conformance_3"
EMPTY_3 = f"""DO $$ DECLARE name TEXT; BEGIN
IF to_regnamespace('{USUAL_3}') IS NOT NULL THEN
  SET LOCAL session_replication_role TO replica;
  FOREACH name IN ARRAY ARRAY['run', 'hot', 'event', 'move', 'value', 'pause', 'act', 'audience', 'start_key', 'session_value', 'session', 'workflow',
    'definition'] LOOP EXECUTE 'DELETE FROM {USUAL_3}.' || name; END LOOP;
END IF; END $$"""  # noqa: S608  # of names


class TestPostgresDb(Format3):
    """One schema of format 3 for each folder that a test would have on a disk; that of the fixtures is made once and emptied."""

    @pytest.fixture(autouse=True)
    def _emptied(self, server, superuser, tmp_path):
        self.url, self.usual = server.url(), tmp_path
        superuser.execute(EMPTY_3)

    def opener(self, folder):
        """A schema that need not be there yet."""
        name = USUAL_3 if folder == self.usual else f"test_{sha256(str(folder).encode()).hexdigest()[:16]}"
        return partial(PostgresDb, self.url, db_schema=name)
