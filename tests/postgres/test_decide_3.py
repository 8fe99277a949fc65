"""`statecore_decide` judges and seals a decision where it is stored: each code, each word, and the same hashes as Python."""

from __future__ import annotations

import json
from typing import Any

import psycopg
import pytest

from statecore.codec import encode
from statecore.core import DECISIONS
from statecore.lifecycles.decisions import ANSWER, DECISION_WORDS
from statecore.stores.frames import questions
from tests.format3.tables import HASH, insert
from tests.postgres.deciders import FORM, MOST, ROUTE, ask, commitment, decide, digest_of, meanings, store

LATE, FAR = 1, 4_000_000_000_000_000


@pytest.fixture(scope="module")
def database(server):
    """A store with the function, and a decider, a gateway and a stranger."""
    with store(server, "decide_3") as (owner, logins):
        logins.make("dora", "statecore_decider")
        logins.make("gate", "statecore_gateway")
        yield owner, logins


@pytest.fixture
def owner(database):
    """The owner's session."""
    return database[0]


@pytest.fixture
def dora(database):
    """A decider's session."""
    return database[1].open("dora")


@pytest.fixture
def gate(database):
    """A gateway's session."""
    return database[1].open("gate")


def row_of(owner, run_id):
    """The row of the question of a run, by column."""
    cursor = owner.connection.execute(
        "SELECT p.*, r.run_id, h.wake_us FROM pause p JOIN run r ON r.id = p.run JOIN hot h ON h.run = r.id WHERE run_id = %s",
        (run_id,),
    )
    return dict(zip([column.name for column in cursor.description], cursor.fetchone(), strict=True))


def undecided(owner, run_id):
    """Whether the question of a run is as it was put."""
    row = row_of(owner, run_id)
    return row["word"] is None and row["decision_seal"] is None and row["wake_us"] is None


def clock(owner):
    """The server's clock, in microseconds."""
    return owner.connection.execute("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint").fetchone()[0]


ANSWERS = {
    "confirm": ("confirmation", None, None),
    "input": ("user_input", FORM, {"amount": 3, "why": "a", "rate": 1, "sure": True, "tags": [1], "more": {"x": 1}}),
    "select": ("route", ROUTE, ["print", "mail"]),
    "edit": ("output_review", None, {"text": "better"}),
    "provide": ("error", None, [1, None]),
    "reject": ("confirmation", None, "too much"),
    "retry": ("error", None, None),
    "skip": ("interrupted", None, None),
}


@pytest.mark.parametrize("word", [each.word for each in DECISION_WORDS if each is not ANSWER])
def test_each_word_is_stored_and_sealed_as_python_does(owner, dora, word):
    """Each decision word but `answer`, which the function refuses by name so far, is stored with the server's clock and the login.

    Python computes the same digest from the row, and the run wakes.
    """
    kind, form, value = ANSWERS[word]
    asked = ask(owner, kind, form, deadline_us=FAR)
    answer = None if value is None else encode(value).encode()
    before = clock(owner)
    code, detail = decide(dora, *asked, word, answer=answer, comment="checked", key="k", seen=HASH)
    after = clock(owner)
    row = row_of(owner, asked[0])
    assert (code, detail) == ("stored", str(row["decided_us"]))
    assert before <= row["decided_us"] <= after
    assert (row["by"], row["login"], row["via"], row["wake_us"]) == (b"dora", b"dora", "login", 0)
    assert (row["word"], row["answer"], row["comment"], row["key"]) == (word, answer, b"checked", "k")
    assert row["decision_seal"] == python_digest(row)
    assert decide(dora, *asked, word, answer=answer) == ("same", str(row["decided_us"]))


def python_digest(row):
    """The digest of the decision in a row."""
    question = digest_of(row["run_id"], row)
    assert row["seal"] == question
    return questions.DECISION.digest(
        pause=question,
        word=row["word"],
        decided_us=row["decided_us"],
        by=commitment(row, "decision.by", "by", "decision_salt"),
        login=commitment(row, "decision.login", "login", "decision_salt"),
        via=row["via"],
        answer=commitment(row, "decision.answer", "answer", "decision_salt"),
        comment=commitment(row, "decision.comment", "comment", "decision_salt"),
        key=row["key"],
        seen=row["seen"],
        meaning=meanings(row["kind"])[row["word"]],
        last_act=None,
    )


UNFIT = [
    ("confirm", None, 1),
    ("input", FORM, None),
    ("input", FORM, {}),
    ("input", FORM, {"amount": None}),
    ("input", FORM, {"amount": "3"}),
    ("input", FORM, {"amount": 1.5}),
    ("input", FORM, {"amount": True}),
    ("input", FORM, {"amount": 1, "other": 2}),
    ("input", FORM, {"amount": 1, "why": "c"}),
    ("input", FORM, {"amount": 1, "why": 1}),
    ("input", FORM, {"amount": 1, "rate": "1"}),
    ("input", FORM, {"amount": 1, "sure": 1}),
    ("input", FORM, {"amount": 1, "tags": {}}),
    ("input", FORM, {"amount": 1, "more": []}),
    ("input", FORM, [1]),
    ("select", ROUTE, None),
    ("select", ROUTE, "mail"),
    ("select", ROUTE, []),
    ("select", ROUTE, ["mail", "mail"]),
    ("select", ROUTE, ["phone"]),
    ("select", ROUTE, [1]),
    ("select", ROUTE, [None]),
    ("select", ROUTE | {"multiple": False}, ["mail", "fax"]),
    ("edit", None, None),
    ("provide", None, None),
]


@pytest.mark.parametrize(("word", "form", "value"), UNFIT, ids=str)
def test_an_answer_outside_its_question_is_refused(owner, dora, word, form, value):
    """A value where none belongs, outside its form, or a choice that there is not, is refused by a code, and nothing is stored."""
    asked = ask(owner, ANSWERS[word][0], form)
    code, detail = decide(dora, *asked, word, answer=None if value is None else encode(value).encode())
    assert code == "unfit"
    assert detail
    assert undecided(owner, asked[0])


@pytest.mark.parametrize("answer", [b"{", b"\xff", b"", b"[" * 100_000, b'{"amount": 1, "amount": "x"}', b'"a\x00b"', b"nan"])
def test_what_is_no_value_is_refused(owner, dora, answer):
    """Bytes that are no text, texts that are no JSON, and JSON that nests without end are codes, never errors."""
    asked = ask(owner, "user_input", FORM, max_bytes=1_000_000)
    assert decide(dora, *asked, "input", answer=answer)[0] == "unfit"
    assert undecided(owner, asked[0])


REFUSALS = [
    ("unknown_run", {}, {"run_id": "none"}, None),
    ("unknown_pause", {}, {"pause_id": "none"}, None),
    ("unknown_word", {}, {"word": "select"}, "\n".join(DECISIONS["confirmation"])),
    ("unknown_word", {}, {"word": "confirm\nreject"}, "\n".join(DECISIONS["confirmation"])),
    ("unknown_word", {}, {"word": None}, "\n".join(DECISIONS["confirmation"])),
    ("needs_votes", {"rule": "2 of role:finance"}, {}, "2 of role:finance"),
    ("too_large", {}, {"answer": b'"' + b"x" * MOST + b'"', "word": "reject"}, "answer"),
    ("too_large", {}, {"comment": "x" * 65_537}, "comment"),
    ("too_large", {}, {"key": "x" * 1_025}, "key"),
    ("too_large", {}, {"key": ""}, "key"),
    ("expired", {"deadline_us": LATE}, {}, str(LATE)),
    ("stale", {}, {"seen": bytes(32)}, HASH.hex()),
    ("not_you", {}, {"by": "ada"}, "dora"),
    ("not_you", {}, {"by": ""}, "dora"),
    ("not_you", {}, {"via": "oidc"}, "dora"),
]
"""Calls that are refused: the code, the question, the call, and the detail."""


@pytest.mark.parametrize(("code", "question", "call", "detail"), REFUSALS, ids=str)
def test_each_refusal_has_its_code(owner, dora, code, question, call, detail):  # noqa: PLR0913  # what a case has
    """What is refused is refused with its code and its reason, and nothing is stored."""
    run_id, pause_id = ask(owner, **question)
    given = {"run_id": run_id, "pause_id": pause_id, "word": "confirm"} | call
    assert decide(dora, **given) == (code, detail)
    assert undecided(owner, run_id)


def test_one_question_has_one_decision(owner, dora):
    """A second word is told the first; so is another value; the key of a decision decides no other question of its run."""
    asked = ask(owner)
    assert decide(dora, *asked, "reject", answer=b'"no"', key="k")[0] == "stored"
    assert decide(dora, *asked, "confirm") == ("already_decided", "reject")
    assert decide(dora, *asked, "reject", answer=b'"other"') == ("already_decided", "reject")
    row = row_of(owner, asked[0])
    other = {name: row[name] for name in ("run", "workflow", "put", "kind", "turn", "attempt", "step_name", "words", "max_bytes")}
    more = {"opened": row["opened"], "opened_us": 5, "on_timeout": "cancel", "seal": HASH, "salt": HASH[:16]}
    insert(owner, "pause", **other, **more, pause_id="b:confirmation:0", question_id=f"other-{asked[0]}", at="b")
    assert decide(dora, asked[0], "b:confirmation:0", "confirm", key="k") == ("key_reused", asked[1])
    assert decide(dora, asked[0], "b:confirmation:0", "confirm", key="another")[0] == "stored"


def test_a_closed_question_is_not_decided(owner, dora):
    """A question that was closed, and one of a run that is over, says what became of it."""
    asked = ask(owner)
    owner.execute(f"UPDATE pause SET closed = opened, outcome = 'void' WHERE run = {row_of(owner, asked[0])['run']}")  # noqa: S608
    assert decide(dora, *asked, "confirm") == ("closed", "void")


def test_silence_that_approves_lets_a_late_no_in(owner, dora):
    """After the deadline only a no is taken, and only where silence would approve."""
    asked = ask(owner, on_timeout="approve", deadline_us=LATE)
    assert decide(dora, *asked, "confirm") == ("expired", str(LATE))
    assert decide(dora, *asked, "reject")[0] == "stored"


def test_an_extension_moves_the_deadline_and_stands_in_the_seal(owner, dora):
    """After an extension a decision is taken until the new deadline; its digest points to the act."""
    asked = ask(owner, deadline_us=LATE)
    row = row_of(owner, asked[0])
    act = {"kind": "extension", "round": 0, "time_us": 7, "until_us": FAR, "by": b"ada", "salt": HASH[:16]}
    insert(owner, "act", pause=row["id"], roles="", seal=HASH, **act)
    owner.execute("UPDATE pause SET due_us = ? WHERE id = ?", (FAR, row["id"]))
    assert decide(dora, *asked, "confirm")[0] == "stored"
    row = row_of(owner, asked[0])
    absent = (
        dict.fromkeys(questions.ACT.parts)
        | {"roles": [], "previous": row["seal"]}
        | {name: act[name] for name in act if name != "salt"}
    )
    last = questions.ACT.digest(**absent | {"by": commitment(act, "act.by", "by")})
    with_act = row | {"seal": row["seal"]}
    assert row["last_act"] is not None
    assert row["decision_seal"] != python_digest(with_act)
    plain = owner.connection.execute("SELECT digest_of_acts(%s, %s)", (row["id"], row["seal"])).fetchone()[0]
    assert plain == last


def test_a_gateway_speaks_for_others(owner, gate):
    """A login with the role of a gateway names who decides and how it knows; both are stored beside the login."""
    asked = ask(owner)
    assert decide(gate, *asked, "confirm", by="grace", via="oidc")[0] == "stored"
    row = row_of(owner, asked[0])
    assert (row["by"], row["login"], row["via"]) == (b"grace", b"gate", "oidc")
    assert row["decision_seal"] == python_digest(row)


def test_another_isolation_is_refused(owner, database):
    """A transaction that may see what was is told so: it would judge by it."""
    asked = ask(owner)
    login = database[1].open("dora")
    login.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
    assert decide(login, *asked, "confirm") == ("isolation", "repeatable read")
    assert undecided(owner, asked[0])


def test_a_store_of_another_version_is_refused(owner, database):
    """A store that a newer release has migrated takes no decision by the old function."""
    asked = ask(owner)
    owner.connection.execute("BEGIN")
    owner.connection.execute("UPDATE store SET version = 4")
    assert decide(owner.connection, *asked, "confirm") == ("replaced", "4")
    owner.connection.execute("ROLLBACK")


def test_shown_values_enter_the_digest(owner, dora):
    """The names and commitments of what a question shows enter the digest in their order, as in Python."""
    shown: list[list[Any]] = [["invoice", "fetch", "11" * 32], ["total", None, "22" * 32]]
    value: dict[str, Any] = {
        "shown": json.dumps([each[:2] for each in shown]).encode(),
        "shown_c": bytes.fromhex("".join(str(each[2]) for each in shown)),
    }
    asked = ask(owner, **value)
    row = row_of(owner, asked[0])
    parts = questions.PAUSE.parts
    plain = {name: row[name] for name in parts if name in row}
    expected = questions.PAUSE.digest(
        **plain
        | {
            "message": commitment(row, "pause.message", "message"),
            "shown": [(each[0], each[1], bytes.fromhex(str(each[2]))) for each in shown],
            "opened": row["opened"] & 0xFFFFFF,
            "words": row["words"].split("\n"),
            "meanings": meanings("confirmation"),
        }
    )
    query = "SELECT digest_of_pause(p, %s) FROM pause p WHERE id = %s"
    assert owner.connection.execute(query, (asked[0], row["id"])).fetchone()[0] == expected
    assert decide(dora, *asked, "confirm")[0] == "stored"


def test_a_worker_of_sql_is_told(owner, database, dora):
    """A decision that is committed is told to whoever listens, and one that is rolled back is not."""
    listener = psycopg.connect(database[1].url, autocommit=True)
    listener.execute('LISTEN "statecore.statecore"')
    dora.execute("BEGIN")
    decide(dora, *ask(owner), "confirm")
    dora.execute("ROLLBACK")
    decide(dora, *ask(owner), "confirm")
    told = list(listener.notifies(timeout=5, stop_after=1))
    assert [each.channel for each in told] == ["statecore.statecore"]
    listener.close()
