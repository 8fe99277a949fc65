"""What the tables of format 3 allow, whichever database has them: the tests of SQLite and of Postgres take these over."""

from __future__ import annotations

import sqlite3

import psycopg
import pytest

from statecore.stores.frames import framing
from tests.format3.tables import (
    DECIDED,
    ENDED,
    FAIL,
    FINISH,
    HASH,
    PARKED,
    RESUME,
    RUNNING,
    SALT,
    STEP,
    append,
    begin,
    bury,
    event_id,
    execute,
    hash_of,
    insert,
    legal,
    order,
    question,
)

REFUSAL = (sqlite3.IntegrityError, psycopg.IntegrityError)


def one(file, query, *values):
    """The first row of a query, or its only value."""
    row = file.execute(query, values).fetchone()
    return row[0] if row is not None and len(row) == 1 else row


class Lives:
    """Lives of runs and of questions, in a file with the three runs."""

    def test_a_decision_wakes_its_run_and_the_run_goes_on(self, file):
        """Decided, resumed by the next claim, ended: the phase follows the journal, and so does the head."""
        execute(file, DECIDED)
        assert one(file, "SELECT wake_us FROM hot WHERE run = 1") == 0
        file.execute("UPDATE hot SET owner = 'me', epoch = 2, claim_order = 9 WHERE run = 1")
        append(file, PARKED, 2, RESUME, epoch=2)
        assert one(file, "SELECT phase, number, head FROM hot WHERE run = 1") == ("running", 2, hash_of(PARKED, 2))
        file.execute(
            "UPDATE pause SET closed = ?, outcome = 'decided', voter_salt = NULL, decision_kid = 'k', decision_seal = ?",
            (event_id(PARKED, 2), HASH),
        )
        append(file, PARKED, 3, STEP, epoch=2)
        assert one(file, "SELECT number FROM hot WHERE run = 1") == 2
        file.execute("UPDATE hot SET number = 3, head = ?, state = 'stored' WHERE run = 1", (hash_of(PARKED, 3),))
        append(file, PARKED, 4, FINISH, epoch=2)
        file.execute("UPDATE hot SET owner = NULL, ended_us = 9 WHERE run = 1")
        assert one(file, "SELECT phase FROM hot WHERE run = 1") == "completed"

    def test_several_events_are_one_boundary(self, file):
        """Two decisions that are applied at once are two events of one boundary; questions and values may come after both."""
        append(file, RUNNING, 3, STEP, boundary=3, note_c=HASH)
        append(file, RUNNING, 4, STEP, boundary=3)
        insert(file, "value", event=event_id(RUNNING, 3), slot="note", body=b"long")
        insert(file, "pause", **question(RUNNING, 3))
        append(file, RUNNING, 5, STEP, boundary=4)
        assert one(file, "SELECT count(*) FROM event WHERE run = 2") == 5

    def test_a_long_list_of_moves_lies_with_its_event(self, file):
        """Moves that are no shape come first, in one transaction with their event, and take the run along; a run that failed is reopened."""
        file.execute("BEGIN")
        moves = [("p", "step", "running", "cancel", "cancelled")] * 40 + [
            ("", "run", "running", "fail", "failed"),
            ("", "run", "failed", "resume", "running"),
        ]
        moves += [("", "run", "running", "cancel", "cancelled")]
        for k, (where, *move) in enumerate(moves):
            insert(file, "move", event=event_id(RUNNING, 3), k=k, at=where, legal=legal(file, *move))
        append(file, RUNNING, 3, None)
        file.execute("COMMIT")
        assert one(file, "SELECT phase, number FROM hot WHERE run = 2") == ("cancelled", 3)

    def test_moves_without_their_event_are_not_committed(self, file):
        """Moves whose event does not come, and a list whose shape does not, are refused at the end of the transaction."""
        for statement in ("INSERT INTO move VALUES (:running_3, 0, 'a', 20)", "INSERT INTO shape_move VALUES (99, 0, 'a', 20)"):
            file.execute("BEGIN")
            execute(file, statement)
            with pytest.raises(REFUSAL, match=r"(?i)FOREIGN KEY"):
                file.execute("COMMIT")
            file.execute("ROLLBACK")

    def test_a_failed_run_is_reopened_and_ends_again(self, file):
        """A run that failed has a leaf for its end, and after it was reopened and failed again another one."""
        for number, leaf in ((3, 3), (5, 4)):
            append(file, RUNNING, number, FAIL)
            file.execute("UPDATE hot SET ended_us = 9 WHERE run = 2")
            insert(
                file,
                "leaf",
                number=leaf,
                kind="ended",
                run=RUNNING,
                run_id="running",
                event=number,
                digest=hash_of(RUNNING, number),
                hash=HASH,
            )
            if number == 3:
                file.execute("BEGIN")
                insert(
                    file, "move", event=event_id(RUNNING, 4), k=0, at="", legal=legal(file, "run", "failed", "resume", "running")
                )
                append(file, RUNNING, 4, None)
                file.execute("COMMIT")
                file.execute("UPDATE hot SET ended_us = NULL WHERE run = 2")
        assert file.execute("SELECT event FROM leaf WHERE run = 2 ORDER BY number").fetchall() == [(3,), (5,)]

    def test_a_question_is_put_again(self, file):
        """A question that lapsed is put again under another id, and after a void a third time."""
        file.execute("UPDATE pause SET closed = opened, outcome = 'lapsed', voter_salt = NULL")
        insert(file, "pause", **question(PARKED, 1, pause_id="a:confirmation:0@2", question_id="q2", put=2))
        file.execute("UPDATE pause SET closed = opened, outcome = 'void' WHERE put = 2")
        insert(file, "pause", **question(PARKED, 1, pause_id="a:confirmation:0@3", question_id="q3", put=3))
        assert file.execute("SELECT pause_id FROM pause WHERE closed IS NULL").fetchall() == [("a:confirmation:0@3",)]

    @pytest.mark.parametrize(
        "changes",
        [
            {"question_id": "q_1"},
            {"at": "a", "turn": ""},
            {"pause_id": "a:confirmation:0", "at": "b"},
            {"put": 0},
            {"shown_c": b"x"},
        ],
    )
    def test_a_question_is_one(self, file, changes):
        """One question a place is open, and each has an id and a short id of its own."""
        row = question(PARKED, 1, **{"pause_id": "b:confirmation:0", "question_id": "q_b", "at": "b"} | changes)
        with pytest.raises(REFUSAL):
            insert(file, "pause", **row)

    def test_a_key_decides_once(self, file):
        """A key of a decision is used once in a run."""
        another = insert(file, "pause", **question(PARKED, 1, pause_id="b:confirmation:0", question_id="q_b", at="b"))
        execute(file, DECIDED)
        with pytest.raises(REFUSAL, match=r"(?i)UNIQUE"):
            execute(file, DECIDED.replace("id = 1", f"id = {another}"))

    @pytest.mark.parametrize(
        "change",
        [
            "decided_us = 7",
            "decision_seal = seal",
            "answer = seal",
            '"by" = seal',
            "via = 'x'",
            "key = 'x'",
            "meaning = seal",
            "last_act = 1",
        ],
    )
    def test_a_decision_is_whole(self, file, change):
        """Nothing of a decision is there without its word."""
        with pytest.raises(REFUSAL, match=r"(?i)CHECK"):
            file.execute("UPDATE pause SET " + change)  # noqa: S608  # from above

    def test_a_voter_votes_once_a_round(self, file):
        """A second vote of a voter in a round is refused, one in the next round is not; a refusal is counted, an extension moves the deadline."""
        vote = {"pause": 1, "kind": "vote", "word": "reject", "voter": HASH, "time_us": 7, "roles": "", "seal": HASH}
        with pytest.raises(REFUSAL, match=r"(?i)UNIQUE"):
            insert(file, "act", **vote, round=0)
        insert(file, "act", **vote, round=1)
        file.execute("UPDATE act SET times = 9 WHERE kind = 'refusal'")
        insert(file, "act", pause=1, kind="extension", round=0, time_us=7, roles="", until_us=500, seal=HASH)
        file.execute("UPDATE pause SET due_us = 500")
        execute(file, DECIDED.replace("decided_us = 50", "decided_us = 400"))

    def test_silence_that_approves_lets_a_late_no_in(self, file):
        """A rejection is taken after the deadline where silence would approve."""
        another = insert(
            file, "pause", **question(PARKED, 1, pause_id="b:confirmation:0", question_id="q_b", at="b", on_timeout="approve")
        )
        execute(file, DECIDED.replace("'confirm'", "'reject'").replace("= 50", "= 200").replace("id = 1", f"id = {another}"))
        with pytest.raises(REFUSAL, match="deadline"):
            execute(file, DECIDED.replace("= 50", "= 200"))

    def test_an_erasure_in_force_erases(self, file):
        """Under an order each body goes with its salt and leaves its commitment; twice in a row; and after it is done nothing goes any more."""
        ordered = order(file, RUNNING)
        event, left = event_id(RUNNING, 2), framing.salts_left(SALT, [("event.note", 0)])
        file.execute('UPDATE event SET "by" = NULL, by_c = ?, salt = ? WHERE id = ?', (HASH, left, event))
        file.execute("DELETE FROM value WHERE event = ?", (event,))
        file.execute("UPDATE event SET note = NULL, note_c = ?, salt = NULL WHERE id = ?", (HASH, event))
        file.execute(
            "UPDATE run SET session = NULL, session_c = ?, user_id = NULL, user_c = ?, salt = zeroblob(60) WHERE id = 2",
            (HASH, HASH),
        )
        file.execute('UPDATE erasure SET "by" = NULL, by_c = ?, salt = NULL', (HASH,))
        file.execute("UPDATE erasure SET done_us = 5 WHERE id = ?", (ordered,))
        with pytest.raises(REFUSAL, match="only an erasure in force"):
            file.execute("UPDATE run SET input = NULL, input_c = ?, salt = NULL WHERE id = 2", (HASH,))
        assert one(file, 'SELECT "by", note, value, salt, by_c, note_c FROM event WHERE id = ?', event) == (
            None,
            None,
            None,
            None,
            HASH,
            HASH,
        )

    def test_bodies_are_enciphered_anew(self, file):
        """Where a row has no salt, its bodies may change while the store says so, and no longer."""
        append(file, RUNNING, 3, STEP, salt=None, value=b"old", value_c=HASH)
        change = f"UPDATE event SET value = x'00' WHERE id = {event_id(RUNNING, 3)}"  # noqa: S608  # a number
        with pytest.raises(REFUSAL):
            file.execute(change)
        file.execute("UPDATE store SET rotating_us = 1")
        file.execute(change)
        file.execute("UPDATE value SET body = x'00'")
        file.execute("UPDATE store SET rotating_us = NULL")
        with pytest.raises(REFUSAL):
            file.execute(change.replace("00", "01"))

    def test_a_purge_takes_all_of_a_run(self, file):
        """Behind its tombstone each row of an ended run goes; leaf, start key and tombstone stay, the number and the id are not used again."""
        order(file, ENDED)
        bury(file)
        for table, column in (("erasure", "run"), ("notice", "run"), ("event", "run"), ("hot", "run"), ("run", "id")):
            if table == "notice":
                file.execute("DELETE FROM delivery")
            assert file.execute(f"DELETE FROM {table} WHERE {column} = ?", (ENDED,)).rowcount > 0  # noqa: S608  # names of the schema
        assert one(file, "SELECT count(*) FROM leaf") == 2
        assert one(file, "SELECT run_id FROM start_key WHERE key = 'key of ended'") == "ended"
        assert begin(file, "another") == ENDED + 1
        assert file.execute("DELETE FROM tombstone").rowcount == 1

    def test_a_purge_takes_questions_values_and_moves(self, file):
        """A run with all that a run can have goes whole."""
        append(file, RUNNING, 3, FINISH)
        asked = insert(file, "pause", **question(RUNNING, 3))
        insert(file, "act", pause=asked, kind="void", round=0, time_us=1, roles="", seal=HASH)
        insert(file, "audience", who="role:x", pause=asked, since_us=0)
        file.execute("UPDATE pause SET closed = opened, outcome = 'cancelled' WHERE run = 2")
        file.execute("UPDATE hot SET owner = NULL, ended_us = 9 WHERE run = 2")
        insert(
            file, "tombstone", run=2, run_id="running", workflow=1, identity=HASH, phase="completed", number=3, head=hash_of(2, 3), created_us=1,
            ended_us=9, purged_us=10, seal=HASH,
        )  # fmt: skip
        for statement in (
            "DELETE FROM act WHERE pause > 1", "DELETE FROM audience WHERE pause > 1", "DELETE FROM pause WHERE run = 2",
            "DELETE FROM value WHERE event BETWEEN :running_1 AND :running_5", "DELETE FROM event WHERE run = 2", "DELETE FROM hot WHERE run = 2",
            "DELETE FROM run WHERE id = 2",
        ):  # fmt: skip
            assert execute(file, statement) > 0
        file.execute("BEGIN")
        file.execute("COMMIT")
        assert one(file, "SELECT count(*) FROM run WHERE id = 2") == 0
