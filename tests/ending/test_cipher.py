"""P29, P21: values are enciphered before they are stored, keys are rotated, where a run stands is sealed with a key, and `verify` says what it saw."""

from __future__ import annotations

import secrets
import sqlite3
from contextlib import closing
from hashlib import sha256
from hmac import digest as hmac

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from statecore import AesGcm, Inbox, SqliteDb, Step, Workflow
from statecore.codec import ERASED
from statecore.errors import KeyMissing, StoreCorrupt
from statecore.stores.ending import rotating
from statecore.stores.records import RunFilter
from statecore.stores.sql3.ciphers import MARK, Keys
from statecore.stores.sqlite.archived import ArchiveDb
from statecore.stores.sqlite.archived import verify as archive_verified
from statecore.stores.sqlite.health import verify
from tests.ending.made import IBAN, LIVING, completed, filled, flow_of
from tests.unit.stores.sqlite_files import folder_of, tamper

FIRST, SECOND, SEAL, OTHER = (secrets.token_bytes(32) for _ in range(4))
OLD = Keys(AesGcm({"k1": FIRST}), {"s1": SEAL})
BOTH = Keys(AesGcm({"k1": FIRST, "k2": SECOND}), {"s1": SEAL, "s2": OTHER})
NEW = Keys(AesGcm({"k2": SECOND}), {"s2": OTHER})
BODIES = {
    "run": ("requester", "input", "additional", "metadata"),
    "event": ("by", "note", "value"),
    "value": ("body",),
    "pause": ("message", "form", "names", "answer", "by", "login", "comment"),
    "act": ("by", "login", "delegate", "answer", "comment"),
    "hot": ("cancel_by",),
    "session_value": ("body",),
}
"""The columns that hold texts of people and programs, written down by hand."""
SALTS = (
    ("run", "salt", BODIES["run"]),
    ("event", "salt", BODIES["event"]),
    ("pause", "salt", ("message", "form", "names")),
    ("pause", "decision_salt", ("answer", "by", "login", "comment")),
    ("act", "salt", BODIES["act"]),
    ("hot", "cancel_salt", BODIES["hot"]),
    ("session_value", "salt", BODIES["session_value"]),
)
"""The column of the salt of each of them."""


def opened(file, keys=OLD):
    """A store of some keys."""
    return closing(SqliteDb(file, durability="normal", cipher=keys.cipher, seal_key=keys.seals))


def bodies(file):
    """Each stored body, with its table."""
    with closing(sqlite3.connect(file)) as connection:
        for table, columns in BODIES.items():
            for column in columns:
                for (body,) in connection.execute(f'SELECT "{column}" FROM {table} WHERE "{column}" IS NOT NULL'):  # noqa: S608  # names from above
                    yield f"{table}.{column}", body


def heads(file):
    """The hashes of all runs."""
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute("SELECT r.seal, h.head FROM run r JOIN hot h ON h.run = r.id ORDER BY r.id").fetchall()


def remarks(found):
    """What `verify` remarks of a sound store."""
    assert found.faults == []
    return [each.why for each in found.remarks]


def test_nothing_lies_in_plain(file, clock):
    """No file of the store holds the value, each body is AES-256-GCM of a salt and a text by the plain library, and no salt beside one is in clear."""
    with opened(file) as db:
        filled(db, clock)
    assert [name for name, content in folder_of(file).items() if IBAN.encode() in content] == []
    seen, texts = set(), []
    for where, body in bodies(file):
        assert body.startswith(MARK + b"\x02k1"), where
        nonce, made = body[len(MARK) + 3 :][:12], body[len(MARK) + 15 :]
        plain = AESGCM(FIRST).decrypt(nonce, made, b"k1")
        texts.append(plain[48 if where == "run.metadata" else 16 :].decode())
        seen.add(where)
    assert {"run.input", "event.value", "value.body", "pause.by", "pause.comment", "hot.cancel_by", "session_value.body"} <= seen
    assert {f'"{IBAN}"', "ada", "eve", f"checked {IBAN}"} <= set(texts)
    with closing(sqlite3.connect(file)) as connection:
        for table, salt, columns in SALTS:
            told = " OR ".join(f'"{column}" IS NOT NULL' for column in columns)
            assert connection.execute(f"SELECT count(*) FROM {table} WHERE {salt} IS NOT NULL AND ({told})").fetchone() == (0,)  # noqa: S608  # as above


def test_a_run_goes_on_as_in_a_plain_store(file, clock):
    """With the key a run is decided, continued and read, and its values come back; a second process with the key sees them, too."""
    with opened(file) as db:
        filled(db, clock)
        flow = flow_of(db, clock)
        assert flow.continue_run(run_id="decided").status == "COMPLETED"
    with opened(file) as db:
        assert Inbox(db).show("decided").content == "remembered"
        assert db.load("decided").identity.input == f'"{IBAN}"'
        assert [each.by for each in db.decisions("decided")] == ["ada"]
    assert remarks(verify(file, keys=OLD)) == []


def test_without_the_key_chains_are_verified(file, clock):
    """Without keys `verify` is sound and says what it did not open; a changed hash is a fault all the same, and reading raises `KeyMissing`."""
    with opened(file) as db:
        filled(db, clock)
    told = remarks(verify(file))
    assert [why for why in told if why.startswith("values not opened: the key 'k1'")] != []
    assert [why for why in told if "seals not checked: the key 's1'" in why] != []
    with closing(SqliteDb(file)) as db:
        with pytest.raises(KeyMissing, match="the key 'k1'"):
            db.load("done")
        with pytest.raises(KeyMissing, match="Nothing is damaged"):
            db.runs(RunFilter())
    tamper(file, "UPDATE event SET value_c = zeroblob(32) WHERE value_c IS NOT NULL")
    assert verify(file).faults != []


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE event SET value = (SELECT input FROM run LIMIT 1) WHERE value IS NOT NULL",
        "UPDATE value SET body = (SELECT input FROM run LIMIT 1)",
        "UPDATE pause SET by = comment WHERE comment IS NOT NULL",
        "UPDATE run SET input = additional",
        "UPDATE session_value SET body = (SELECT input FROM run LIMIT 1)",
        "UPDATE run SET user_c = zeroblob(32) WHERE user_c IS NOT NULL",
        "UPDATE pause SET comment_c = zeroblob(32) WHERE comment_c IS NOT NULL",
        "UPDATE event SET value = CAST(substr(value, 1, length(value) - 1) || x'00' AS BLOB) WHERE value IS NOT NULL",
    ],
)
def test_a_body_of_another_place_is_seen(file, clock, change):
    """With the key `verify` names a body that was moved, changed or committed to otherwise, though the cipher may open it."""
    with opened(file) as db:
        completed(flow_of(db, clock), "done", comment="checked", user_id="ann", session_id="s")
    tamper(file, change)
    assert verify(file, keys=OLD).faults != []


def test_a_dictionary_confirms_nothing_without_the_key(file, clock):
    """All values of a small set, tried under every 16 bytes of the file's rows as salt, match no commitment: no salt is there to try."""
    with opened(file) as db:
        completed(flow_of(db, clock), "done")
    with closing(sqlite3.connect(file)) as connection:
        cells = [
            cell
            for table in ("run", "event", "pause", "value")
            for row in connection.execute(f"SELECT * FROM {table}")  # noqa: S608  # as above
            for cell in row
        ]
    stored = {cell for cell in cells if isinstance(cell, bytes) and len(cell) == 32}
    salts = {cell for cell in cells if isinstance(cell, bytes) and len(cell) == 16}

    def framed(*parts):
        return b"".join(len(part).to_bytes(8, "big") + part for part in parts)

    for salt in salts | {cell[n : n + 16] for cell in cells if isinstance(cell, bytes) for n in range(len(cell) - 15)}:
        for slot in (b"run.input", b"event.value"):
            own = sha256(framed(b"statecore/3/salt", salt, slot, bytes(8))).digest()[:16]
            for key in (salt, own):
                assert sha256(framed(b"statecore/3/" + slot, key, f'"{IBAN}"'.encode())).digest() not in stored


def test_a_rotation_changes_no_hash(file, clock):
    """After a rotation the newest keys alone open and check everything, nothing of the old key is left in the files, and no hash has changed."""
    with opened(file) as db:
        filled(db, clock)
    before = heads(file)
    with opened(file, BOTH) as db:
        done = db.rotate()
        assert (done.left, done.seals) == (None, 8)
        assert done.bodies == len(list(bodies(file)))
        assert db.rotate() == rotating.Rotated(0, 0)
    assert heads(file) == before
    assert remarks(verify(file, keys=NEW)) == []
    assert [name for name, content in folder_of(file).items() if MARK + b"\x02k1" in content] == []
    with opened(file, NEW) as db:
        assert flow_of(db, clock).continue_run(run_id="decided").status == "COMPLETED"


def test_a_rotation_goes_on(file, clock, monkeypatch):
    """A rotation that dies after any batch leaves a store that both keys serve, `verify` says that it is not done, and the next one ends it."""
    with opened(file) as db:
        filled(db, clock)
    real, left = rotating.bodies, [0]

    def dying(connection, table, after):
        if left[0] == 0:
            raise KeyboardInterrupt
        left[0] -= 1
        return real(connection, table, after)

    for batches in (0, 3, 6):
        left[0] = batches
        with opened(file, BOTH) as db, monkeypatch.context() as patch:
            patch.setattr(rotating, "bodies", dying)
            with pytest.raises(KeyboardInterrupt):
                db.rotate()
        assert [why for why in remarks(verify(file, keys=BOTH)) if "rotation of keys was begun and is not done" in why] != []
    with opened(file, BOTH) as db:
        db.rotate()
    assert remarks(verify(file, keys=NEW)) == []


def test_ends_of_data_need_no_exception(file, clock, tmp_path):
    """Enciphered runs are erased, archived and purged: `verify` is sound with and without the key after each, and an archive opens with the key."""
    with opened(file) as db:
        ended = filled(db, clock)
        for fields in (("user",), ("input",), ("comment",), ()):
            assert db.erase("done", "dpo", clock(), fields=fields).done
            for keys in (OLD, Keys()):
                assert verify(file, keys=keys).faults == [], fields
        assert Inbox(db).show("done").content is ERASED
        db.archive(["again", "done", "paused"], tmp_path / "a.archive", clock())
        for keys in (OLD, Keys()):
            assert archive_verified(tmp_path / "a.archive", keys=keys).faults == []
        with closing(ArchiveDb(tmp_path / "a.archive", cipher=OLD.cipher)) as archive:
            assert archive.load("again").identity.input == f'"{IBAN}"'
        assert IBAN.encode() not in (tmp_path / "a.archive").read_bytes()
        assert db.purge(clock() + 1, clock()).runs == len(ended)
    for keys in (OLD, Keys()):
        found = verify(file, keys=keys)
        assert (found.faults, found.runs) == ([], len(LIVING))


def test_an_erasure_needs_no_key(file, clock):
    """A keeper without the key erases a run: a body goes as it lies, and its commitment is there already."""
    with opened(file) as db:
        filled(db, clock)
    with closing(SqliteDb(file)) as keeper:
        assert keeper.erase("wide", "dpo", clock(), fields=("by",)).done
    assert verify(file, keys=OLD).faults == []


def test_where_a_run_stands_is_sealed_with_a_key(file, clock):
    """The seal is HMAC-SHA256 of the digest; a person who writes the row and its plain seal anew is found out with the key, and by nothing else."""
    with opened(file) as db:
        filled(db, clock)
    with closing(sqlite3.connect(file)) as connection:
        kid, seal = connection.execute("SELECT kid, seal FROM hot LIMIT 1").fetchone()
    assert kid == "s1"
    assert len(seal) == len(hmac(SEAL, b"", "sha256"))
    tamper(file, "UPDATE hot SET claim_order = claim_order + 100 WHERE run = 1")
    assert [fault for fault in verify(file, keys=OLD).faults if "not as it was sealed" in fault.why] != []
    assert [fault for fault in verify(file, keys=Keys(OLD.cipher)).faults if "sealed" in fault.why] == []
    with opened(file) as db, pytest.raises(StoreCorrupt, match="not as it was sealed"):
        db.load("done")


def test_runs_before_the_key_are_not_countersigned(file, clock):
    """A store that gets a key later is sound; `verify` counts the runs that no process with the key has stored since."""
    with closing(SqliteDb(file, durability="normal")) as db:
        filled(db, clock)
    [why] = remarks(verify(file, keys=Keys(seals=OLD.seals)))
    assert why.startswith("8 runs not countersigned")
    with closing(SqliteDb(file, seal_key=OLD.seals)) as db:
        flow_of(db, clock).continue_run(run_id="decided")
    assert remarks(verify(file, keys=Keys(seals=OLD.seals)))[0].startswith("7 runs not countersigned")


def test_large_values_and_votes_are_enciphered(file):
    """A value of 100 kB, which lies apart, and what people say in a form and a comment come back; none is in a file."""
    large = "Zahlung " * 12_500
    with opened(file) as db:
        flow = Workflow(
            "w", [Step("s", lambda s: large, requires_output_review=True), Step("t", lambda s: len(s.previous_step_content))], db=db
        )
        run = flow.run("x", run_id="r")
        [question] = run.steps_requiring_output_review
        question.edit(large + "!", by="Zara")
        assert flow.continue_run(run).content == len(large) + 1
    assert [name for name, content in folder_of(file).items() if b"Zahlung" in content or b"Zara" in content] == []
    assert remarks(verify(file, keys=OLD)) == []


@pytest.mark.parametrize("keys", [{}, {"a": b"short"}, {"": bytes(32)}])
def test_a_key_that_is_none_is_refused(keys):
    """A key has 32 bytes and an id; the refusal does not repeat it."""
    with pytest.raises(ValueError, match="AesGcm takes") as refused:
        AesGcm(keys)
    assert "short" not in str(refused.value)
    assert "AesGcm(k1; enciphers with k1)" in repr(OLD.cipher)
