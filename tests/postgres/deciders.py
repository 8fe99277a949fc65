"""Questions in a store of format 3 in Postgres, and logins that decide them: for the tests of `statecore_decide`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

import psycopg

from statecore.core import DECISIONS
from statecore.stores.frames import framing, questions
from tests.format3.tables import HASH, PARK, SALT, append, begin, event_id, insert
from tests.postgres.format3 import PATH, Speaking, filled
from tests.postgres.server import Server

ROLES = ("statecore_worker", "statecore_decider", "statecore_gateway", "statecore_keeper")
FORM = {
    "schema": [
        {"name": "amount", "field_type": "int", "description": None, "value": None, "required": True, "allowed_values": None},
        {"name": "why", "field_type": "str", "description": None, "value": None, "required": False, "allowed_values": ["a", "b"]},
        {"name": "rate", "field_type": "float", "description": None, "value": None, "required": False, "allowed_values": None},
        {"name": "sure", "field_type": "bool", "description": None, "value": None, "required": False, "allowed_values": None},
        {"name": "tags", "field_type": "list", "description": None, "value": None, "required": False, "allowed_values": None},
        {"name": "more", "field_type": "dict", "description": None, "value": None, "required": False, "allowed_values": None},
    ]
}
ROUTE = {"choices": ["mail", "print", "fax"], "multiple": True}
NUMBERS = count(1)
MOST = 1_000
"""The most bytes of an answer."""


def meanings(kind: str) -> dict[str, bytes]:
    """The digest of each word of a kind of question, as it may be."""
    return {word: framing.frame(f"meaning_{word}")[:32].ljust(32, b".") for word in DECISIONS[kind]}


def ask(file: Speaking, kind: str = "confirmation", form: Any = None, **values: Any) -> tuple[str, str]:
    """Put a question of a run of its own, with the digest that Python computes; the ids of the run and of the pause."""
    number = next(NUMBERS)
    run_id, pause_id = f"asked-{number}", f"a:{kind}:0"
    run = begin(file, run_id)
    append(file, run, 1, PARK)
    row: dict[str, Any] = {
        "run": run, "workflow": 1, "pause_id": pause_id, "question_id": f"q-{number}", "put": 1, "kind": kind, "at": "a", "turn": "",
        "attempt": 0, "step_name": "a", "words": "\n".join(DECISIONS[kind]), "max_bytes": MOST, "message": b"Pay?",
        "form": json.dumps(form, separators=(",", ":")).encode() if form is not None else None, "salt": SALT, "seen": HASH,
        "meanings": framing.hash_by_text("meanings", meanings(kind)), "opened": event_id(run, 1), "opened_us": 5, "on_timeout": "cancel",
    } | values  # fmt: skip
    row.setdefault("due_us", row.get("deadline_us"))
    insert(file, "pause", **row, seal=digest_of(run_id, row))
    file.execute("UPDATE hot SET owner = NULL, wake_us = NULL WHERE run = ?", (run,))
    return run_id, pause_id


def commitment(row: dict[str, Any], slot: str, name: str, salt: str = "salt") -> bytes | None:
    """The commitment to a body of a row."""
    if row.get(name) is None:
        return None
    return framing.commitment(slot, framing.slot_salt(row[salt], slot) or b"", row[name])


def digest_of(run_id: str, row: dict[str, Any]) -> bytes:
    """The digest of a question, by Python."""
    plain = {name: row.get(name) for name in questions.PAUSE.parts if name in row}
    return questions.PAUSE.digest(
        **{"rule": None, "deadline_us": None, "consequences": None}
        | plain
        | {
            "run_id": run_id,
            "message": commitment(row, "pause.message", "message"),
            "form": commitment(row, "pause.form", "form"),
            "choices": None,
            "names": None,
            "shown": [],
            "opened": row["opened"] & 0xFFFFFF,
            "words": row["words"].split("\n"),
            "meanings": meanings(row["kind"]),
        }
    )


class Logins:
    """The logins of a database, each with a role and its connections."""

    def __init__(self, server: Server, url: str) -> None:
        self.server, self.url = server, url
        self.made: list[str] = []
        self.opened: list[psycopg.Connection] = []

    def make(self, name: str, role: str) -> str:
        """A login of that name, with a role."""
        password = "not the server''s, ours"  # noqa: S105  # the tests' own
        self.server.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{password}' IN ROLE {role}", url=self.url)
        self.made.append(name)
        return name

    def open(self, name: str, *, autocommit: bool = True, options: str = "") -> psycopg.Connection:
        """Another session of a login."""
        url = self.url.replace("ada:", f"{name}:", 1)
        self.opened.append(psycopg.connect(url, autocommit=autocommit, options=options))
        return self.opened[-1]

    def end(self) -> None:
        """Close the sessions, and remove the logins and the roles."""
        for each in self.opened:
            each.close()
        names = [*self.made, *ROLES]
        self.server.execute(*[f"DROP OWNED BY {name}" for name in names], *[f"DROP ROLE {name}" for name in names], url=self.url)


@contextmanager
def store(server: Server, name: str) -> Iterator[tuple[Speaking, Logins]]:
    """A database with the function and the roles: its owner, and what makes logins."""
    with (
        filled(server, name, "decide-3.sql", "vote-3.sql", "roles-3.sql") as url,
        psycopg.connect(url, autocommit=True) as connection,
    ):
        connection.execute(PATH)
        logins = Logins(server, url)
        try:
            yield Speaking(connection), logins
        finally:
            logins.end()


DECIDE = "SELECT code, detail FROM statecore.statecore_decide({})"


def decide(connection: psycopg.Connection, run_id: str, pause_id: str, word: str | None, **more: Any) -> tuple[str, str | None]:
    """Call the function; the code and its detail."""
    given = {"run_id": run_id, "pause_id": pause_id, "word": word} | more
    query = DECIDE.format(", ".join(f'"{name}" => %({name})s' for name in given))
    row = connection.execute(query.encode(), given).fetchone()
    assert row is not None
    return row[0], row[1]
