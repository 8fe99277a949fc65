"""A decider's login that is in hostile hands: random SQL with every grant that it has, beside honest deciders and a worker.

Judged by what the store holds afterwards: nothing has changed but questions that were decided, each by a call that said so, in words, before a
deadline, sealed as Python seals it; no run has moved; a worker could lock each run but those whose questions the attacker has just answered.
"""

# ruff: noqa: S608  # statements are put together, on purpose

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from threading import Event, Thread
from typing import Any

import psycopg

from statecore.core import DECISIONS
from tests.format3.tables import HASH
from tests.postgres.deciders import DECIDE, FORM, ROUTE, ask, decide, store
from tests.postgres.server import Server

KINDS = {"confirmation": None, "user_input": FORM, "route": ROUTE, "output_review": None, "error": None}
ALLOWED = {
    "word",
    "decided_us",
    "answer",
    "by",
    "login",
    "comment",
    "via",
    "key",
    "decided_seen",
    "meaning",
    "last_act",
    "decision_salt",
}
"""What a decision writes, with its seal."""


@dataclass
class Attacker:
    """Random statements over the tables and columns of a schema."""

    random: Random
    columns: dict[str, list[str]]
    questions: list[tuple[str, str]]
    functions: list[str]
    stored: list[str] = field(default_factory=list)

    def value(self) -> str:
        """A literal or an expression."""
        simple = [
            "NULL",
            "0",
            "1",
            "-1",
            "9223372036854775807",
            "'confirm'",
            "'x'",
            "true",
            "'\\x00'::bytea",
            "decode(repeat('00', 32), 'hex')",
        ]
        return self.random.choice(
            [*simple, "now()", "session_user", "'completed'", "repeat('x', 20000)", "'{confirm,reject}'::text[]", "''"]
        )

    def table(self) -> tuple[str, str]:
        """A table, and one of its columns."""
        table = self.random.choice(sorted(self.columns))
        return f"statecore.{table}", f'"{self.random.choice(self.columns[table])}"'

    def call(self) -> str:
        """A call of the function; every third may be right."""
        if self.random.random() < 1 / 3:
            (run_id, pause_id), right = (
                self.random.choice(self.questions),
                {"user_input": "'{\"amount\": 3}'", "route": "'[\"fax\"]'"},
            )
            kind = pause_id.split(":")[1]
            word = {"user_input": "input", "route": "select", "error": "retry"}.get(kind, "confirm")
            return DECIDE.format(f"'{run_id}', '{pause_id}', '{word}', {right.get(kind, 'NULL')}")
        run_id, pause_id = self.random.choice([*self.questions, ("parked", "a:confirmation:0"), ("none", "none")])
        words = ["confirm", "reject", "input", "select", "edit", "retry", "skip", "pay", "", "confirm\nreject"]
        answers = [
            "NULL",
            "'{\"amount\": 3}'",
            "'[\"mail\"]'",
            "'\"no\"'",
            "'{'",
            "'[1]'",
            "convert_to(repeat('x', 20000), 'UTF8')",
            '\'{"amount": "x"}\'',
        ]
        more = [
            "",
            ", \"by\" => 'ada'",
            ", seen => '\\x00'",
            ", via => 'oidc'",
            ", key => 'k'",
            ', "by" => session_user',
            ", comment => repeat('c', 90000)",
        ]
        call = f"'{run_id}', '{pause_id}', '{self.random.choice(words)}', {self.random.choice(answers)}{self.random.choice(more)}"
        return DECIDE.format(call)

    def statement(self) -> str:
        """One statement, or several at once."""
        (table, column), (other, another) = self.table(), self.table()
        value, name = self.value(), self.random.choice(["pause", "hot", "store", "bytea", "sha256", "commitment", "legal"])
        function = self.random.choice(self.functions)
        forms = [
            f"UPDATE {table} SET {column} = {value}",
            f"UPDATE {table} SET {column} = (SELECT {another} FROM {other} LIMIT 1)",
            f"INSERT INTO {table} ({column}) VALUES ({value}) ON CONFLICT DO NOTHING",
            f"INSERT INTO {table} SELECT * FROM {table}",
            f"DELETE FROM {table} WHERE {column} IS NOT DISTINCT FROM {value}",
            f"WITH x AS (UPDATE {table} SET {column} = {value} RETURNING 1) SELECT * FROM x",
            f"MERGE INTO {table} USING statecore.store ON true WHEN MATCHED THEN UPDATE SET {column} = {value}",
            f"TRUNCATE {table} CASCADE",
            f"SELECT {column} FROM {table} FOR {self.random.choice(['UPDATE', 'NO KEY UPDATE', 'SHARE', 'KEY SHARE'])} NOWAIT",
            f"LOCK TABLE {table} IN {self.random.choice(['ACCESS SHARE', 'ROW EXCLUSIVE', 'EXCLUSIVE', 'ACCESS EXCLUSIVE'])} MODE NOWAIT",
            f"ALTER TABLE {table} DISABLE TRIGGER ALL",
            f"ALTER TABLE {table} DROP COLUMN {column}",
            f"DROP TABLE {table} CASCADE",
            f"COPY {table} FROM PROGRAM 'true'",
            f"CREATE TRIGGER t BEFORE UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION statecore.refuses('x')",
            f"CREATE TEMP TABLE {name} AS SELECT * FROM {table}",
            f"CREATE DOMAIN pg_temp.{name} AS text",
            f"CREATE FUNCTION pg_temp.{name}(bytea) RETURNS bytea LANGUAGE sql AS $$ SELECT $1 $$",
            f"CREATE FUNCTION statecore.{name}_(bytea) RETURNS bytea LANGUAGE sql AS $$ SELECT $1 $$",
            f"SELECT statecore.{function}({', '.join(self.value() for _ in range(self.random.randrange(4)))})",
            f"GRANT ALL ON {table} TO PUBLIC",
            f"SET ROLE {self.random.choice(['ada', 'statecore_worker', 'statecore_gateway', 'statecore_decider'])}",
            "SET SESSION AUTHORIZATION ada",
            "RESET ROLE",
            f"SET {self.random.choice(['session_replication_role = replica', 'search_path = pg_temp, statecore', 'lock_timeout = 0'])}",
            f"SET {self.random.choice(['bytea_output = escape', 'row_security = off', 'default_transaction_isolation = serializable'])}",
            f"SELECT set_config('plpgsql.variable_conflict', 'use_variable', false), pg_advisory_lock({self.random.randrange(9)})",
            "SELECT pg_terminate_backend(pid), pg_cancel_backend(pid) FROM pg_stat_activity WHERE usename <> session_user",
            "SELECT pg_notify('statecore.statecore', 'x')",
            f"SELECT setval('statecore.claim_order', 1), nextval('statecore.{self.random.choice(['run', 'pause', 'act'])}_id_seq')",
            "BEGIN",
            "COMMIT",
            "ROLLBACK",
            f"DO $$ BEGIN UPDATE {table} SET {column} = {value}; END $$",
            f"SELECT * FROM {table} WHERE {column} = {value}",
        ]
        return self.call() if self.random.random() < 1 / 3 else self.random.choice(forms)


def everything(owner: psycopg.Connection, tables: list[str]) -> dict[str, list[Any]]:
    """All rows of all tables, as JSON."""
    return {
        table: [row[0] for row in owner.execute(f"SELECT to_jsonb(t) FROM {table} t ORDER BY t::text".encode())] for table in tables
    }


def without(rows: dict[str, list[Any]]) -> dict[str, Any]:
    """The rows without what a decision may write."""
    kept = {table: sorted(map(repr, each)) for table, each in rows.items() if table not in {"pause", "hot"}}
    pauses = [{name: value for name, value in row.items() if name not in ALLOWED | {"decision_seal"}} for row in rows["pause"]]
    runs = [{name: value for name, value in row.items() if name != "wake_us"} for row in rows["hot"]]
    return kept | {"pause": sorted(map(repr, pauses)), "hot": sorted(map(repr, runs))}


def honest(connection: psycopg.Connection, questions: list[tuple[str, str]], stop: Event) -> None:
    """A person who confirms one question after the other, until the attack is over."""
    for asked in questions:
        if stop.is_set():
            return
        code, _ = decide(connection, *asked, "confirm", seen=HASH)
        assert code in {"stored", "same", "already_decided"}, code


def lockable(worker: psycopg.Connection) -> set[str]:
    """The runs that a worker can lock now."""
    query = "SELECT r.run_id FROM statecore.hot h JOIN statecore.run r ON r.id = h.run FOR NO KEY UPDATE OF h SKIP LOCKED"
    with worker.transaction():
        return {run_id for (run_id,) in worker.execute(query.encode())}


def attack(server: Server, name: str, statements: int, seed: int) -> dict[str, Any]:
    """Execute random statements of a decider's login beside an honest one; what came of it. Raises `AssertionError` where a gate opened."""
    with store(server, name) as (owner, logins):
        many = max(12, statements // 20)
        questions = [ask(owner, kind, form) for _ in range(many) for kind, form in KINDS.items()]
        deadlines = [ask(owner, deadline_us=1) for _ in range(many)]
        kept = [ask(owner) for _ in range(statements // 3)]
        for login in ("mallory", "dora", "walt"):
            logins.make(login, "statecore_worker" if login == "walt" else "statecore_decider")
        found = owner.connection.execute(
            b"SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'statecore'"
        ).fetchall()
        columns: dict[str, list[str]] = {}
        for table, column in found:
            columns.setdefault(table, []).append(column)
        functions = [
            row[0]
            for row in owner.connection.execute(b"SELECT proname FROM pg_proc WHERE pronamespace = 'statecore'::regnamespace")
        ]
        attacker = Attacker(Random(seed), columns, questions + deadlines, functions)  # noqa: S311  # what happened can be repeated
        before = everything(owner.connection, sorted(columns))
        stop, worker = Event(), logins.open("walt")
        beside = Thread(target=honest, args=(logins.open("dora"), kept, stop))
        beside.start()
        told = campaign(attacker, logins, worker, statements, {run_id for run_id, _ in kept})
        stop.set()
        beside.join()
        after = everything(owner.connection, sorted(columns))
        assert without(after) == without(before)
        return told | judged(owner, after["pause"], before["pause"], attacker, {run_id for run_id, _ in kept})


def campaign(attacker: Attacker, logins: Any, worker: psycopg.Connection, statements: int, others: set[str]) -> dict[str, int]:
    """The attacker's statements, one after the other; after each, a worker tries to lock every run."""
    refused, held, login = 0, set(), None
    for number in range(statements):
        if login is None or (number % 20 == 0 and not held):
            login = logins.open("mallory", options="-c statement_timeout=5s")  # without the settings that it made
        statement = attacker.statement()
        try:
            cursor = login.execute(statement.encode())
            if statement.startswith("SELECT code"):
                code, _ = cursor.fetchone()
                if code == "stored":
                    held.add(statement.split("'")[1])
        except psycopg.Error:
            refused += 1
        status = login.info.transaction_status
        if status == psycopg.pq.TransactionStatus.IDLE:
            attacker.stored += sorted(held) if statement != "ROLLBACK" else []
            held.clear()
        elif status == psycopg.pq.TransactionStatus.INERROR:
            held.clear()
            login.execute(b"ROLLBACK")
        free = lockable(worker)
        assert {run_id for run_id, _ in attacker.questions} - free <= held, statement
        assert len(others - free) <= 1, statement  # what the honest one decides just now
    return {"statements": statements, "refused": refused}


def judged(owner: Any, after: list[Any], before: list[Any], attacker: Attacker, honest_runs: set[str]) -> dict[str, int]:
    """Whether each decision is one that a call stored: of its words, before the deadline, of the login that said so."""
    names = {row[0]: row[1] for row in owner.connection.execute(b"SELECT id, run_id FROM run")}
    was = {row["id"]: row for row in before}
    fresh = [row for row in after if row["word"] is not None and was[row["id"]]["word"] is None]
    by_mallory = [row for row in fresh if names[row["run"]] not in honest_runs]
    for row in fresh:
        who = b"dora" if names[row["run"]] in honest_runs else b"mallory"
        assert bytes.fromhex(row["by"][2:]) == bytes.fromhex(row["login"][2:]) == who, row
        assert row["word"] in DECISIONS[row["kind"]], row
        assert row["due_us"] is None or row["decided_us"] < row["due_us"], row
        assert row["rule"] is None, row
        query = "SELECT decision_seal = decision_digest(digest_of_pause(p, %s), word, decided_us, commitment('decision.by', slot_salt(decision_salt, "
        query += "'decision.by'), \"by\"), commitment('decision.login', slot_salt(decision_salt, 'decision.login'), login), via, "
        query += "kept_commitment(NULL, 'decision.answer', decision_salt, answer), kept_commitment(NULL, 'decision.comment', decision_salt, comment), "
        query += "key, decided_seen, meaning, NULL) FROM pause p WHERE id = %s"
        assert owner.connection.execute(query.encode(), (names[row["run"]], row["id"])).fetchone() == (True,), row
    assert sorted(names[row["run"]] for row in by_mallory) == sorted(attacker.stored)
    return {"decided by the attacker": len(by_mallory), "by the honest": len(fresh) - len(by_mallory)}
