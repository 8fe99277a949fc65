"""What may never happen to a file of format 3 is refused by the file: each guard refuses something that nothing else refuses."""

from __future__ import annotations

import sqlite3

import pytest

from tests.format3.attacks import CASES, ERASABLE, REPLACED, ROTATING, RULES, change, made, prepare
from tests.format3.tables import execute, filled, order


@pytest.fixture
def file():
    """The file with its three runs."""
    connection = filled()
    yield connection
    connection.close()


@pytest.mark.parametrize("case", [*CASES, *REPLACED], ids=lambda case: case.guard)
def test_a_guard_refuses(file, case):
    """Each statement is refused with words of the guard, and changes nothing."""
    prepare(file, case)
    before = list(file.iterdump())
    said = file.execute("SELECT sql FROM sqlite_schema WHERE name = ?", (case.guard,)).fetchone()[0]
    with pytest.raises(sqlite3.IntegrityError) as refusal:
        execute(file, case.statement)
    assert f"'{refusal.value}'" in said
    assert list(file.iterdump()) == before


@pytest.mark.parametrize("case", [*CASES, *REPLACED], ids=lambda case: case.guard)
def test_nothing_else_refuses(file, case):
    """Without the guard the same statement is executed: it is the guard that refuses, and it earns its place."""
    file.execute("PRAGMA foreign_keys = 0")
    prepare(file, case)
    file.execute(f"DROP TRIGGER {case.guard}")
    assert execute(file, case.statement) != 0


def test_every_guard_has_a_case(file):
    """No trigger is without a statement that it refuses; three of them change another row instead."""
    triggers = {name for (name,) in file.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'")}
    assert triggers == {case.guard for case in CASES} | {"event_takes_along", "event_takes_listed_along", "pause_wakes"}


@pytest.mark.parametrize(("said", "what", "first"), RULES, ids=lambda text: text)
@pytest.mark.parametrize("row", ERASABLE, ids=lambda row: row.trigger)
def test_an_erasure_keeps_to_its_rules(file, row, said, what, first):
    """Under an erasure in force each body of each table is refused each change that would leave a guessable or another value."""
    made(file, row)
    if row.trigger != "erasure_erases":
        order(file, row.run)
    if row.trigger == "run_erases":
        file.execute("DROP TRIGGER run_keeps")  # which refuses another session and user, too
    for body in row.bodies:
        file.execute("SAVEPOINT s")
        if first:
            assert execute(file, change(row, body, first)) == 1
        with pytest.raises(sqlite3.IntegrityError, match=said):
            execute(file, change(row, body, what))
        file.execute("ROLLBACK TO s")


@pytest.mark.parametrize("row", ERASABLE, ids=lambda row: row.trigger)
def test_without_an_order_nothing_is_erased(file, row):
    """Before an order and after it is done no body goes, no salt, and no commitment is added; while it is in force each body does."""
    made(file, row)
    number = 1 if row.trigger == "erasure_erases" else order(file, row.run)
    for body in row.bodies:
        file.execute("SAVEPOINT s")
        assert execute(file, change(row, body, "B = NULL, C = zeroblob(32), S = zeroblob(60)")) == 1
        file.execute("ROLLBACK TO s")
        file.execute("UPDATE erasure SET done_us = 5 WHERE id = ?", (number,))
        for what in ("B = NULL, C = zeroblob(32), S = zeroblob(60)", "S = NULL", "C = zeroblob(32)"):
            with pytest.raises(sqlite3.IntegrityError, match="only an erasure in force"):
                execute(file, change(row, body, what))
        file.execute("ROLLBACK TO s")


@pytest.mark.parametrize("row", ERASABLE, ids=lambda row: row.trigger)
def test_what_is_enciphered_may_be_enciphered_anew(file, row):
    """Without a salt in the row each body may change while the store says so; a session and a user are no cipher's and may not."""
    made(file, row)
    if row.trigger != "erasure_erases":
        order(file, row.run)
    execute(file, change(row, row.bodies[0], "S = NULL"))
    file.execute(ROTATING)
    for body in row.bodies:
        if body in {"session", "user_id"}:
            with pytest.raises(sqlite3.IntegrityError, match="a run is never changed"):
                execute(file, change(row, body, "B = V"))
        else:
            assert execute(file, change(row, body, "B = V")) == 1
