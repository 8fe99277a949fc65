"""P30: an archive holds all that is needed to verify a run elsewhere; what is wrong with it is seen."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import closing
from hashlib import sha256

import pytest

from statecore import Inbox, SqliteDb
from statecore.cli.main import main
from statecore.errors import StoreCorrupt, StoreUnavailable, UnknownRun, UnsupportedSetting
from statecore.stores.ending.files import is_archive
from statecore.stores.records import RunFilter
from statecore.stores.sqlite.archived import ArchiveDb, verify
from statecore.stores.sqlite.store import SqliteDb2
from statecore.testing.doubles import Clock
from tests.ending.made import IBAN, filled
from tests.sizes import examples

ALL = ("done", "again", "cancelled", "failed", "wide", "paused", "decided", "submitted")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A store with runs of every kind, one of them erased in part, and an archive of all."""
    folder = tmp_path_factory.mktemp("made")
    clock = Clock()
    with closing(SqliteDb(folder / "runs.db", durability="normal")) as db:
        filled(db, clock)
        db.erase("cancelled", "dpo", clock(), fields=["by"])
        done = db.archive(ALL, folder / "runs.archive", clock())
        assert done.runs == ALL
    return folder


@pytest.fixture
def db(made):
    """The store."""
    with closing(SqliteDb(made / "runs.db", durability="normal")) as store:
        yield store


def test_an_archive_is_verified_elsewhere(made):
    """With the file alone every run is checked as in its store: all rows, and the erasure is told."""
    assert is_archive(made / "runs.archive")
    found = verify(made / "runs.archive")
    assert (found.faults, found.runs, len(found.remarks)) == ([], 8, 1)
    assert "erased: by, ordered by dpo" in found.remarks[0].why


def test_a_run_is_shown_as_in_its_store(made, db):
    """Runs, journals, questions, decisions and heads are those of the store; an archive is never changed."""
    with closing(ArchiveDb(made / "runs.archive")) as archive:
        assert {each.identity.run_id for each in archive.runs(RunFilter())} == set(ALL)
        for run_id in ALL:
            assert archive.load(run_id) == db.load(run_id)
            assert archive.journal(run_id) == db.journal(run_id)
            assert archive.decisions(run_id) == db.decisions(run_id)
            assert archive.head(run_id) == db.head(run_id)
        box = Inbox(archive)
        assert [each.pause_id for each in box.show("paused").requirements] == ["gate:confirmation:0"]
        with pytest.raises(StoreUnavailable, match="read and never changed"):
            box.decide("paused", "gate:confirmation:0", "confirm")
        with pytest.raises(UnknownRun):
            archive.load("never")


def test_nothing_is_overwritten(made, db, tmp_path):
    """A file that exists stays as it is, an unknown run leaves no file, and a store of format 2 is refused by name."""
    before = (made / "runs.archive").read_bytes()
    with pytest.raises(StoreUnavailable, match="overwrites nothing"):
        db.archive(["done"], made / "runs.archive", 1)
    assert (made / "runs.archive").read_bytes() == before
    with pytest.raises(UnknownRun):
        db.archive(["done", "never"], tmp_path / "new.archive", 1)
    assert list(tmp_path.iterdir()) == []
    with closing(SqliteDb2(tmp_path / "old.db")) as old, pytest.raises(UnsupportedSetting, match="statecore migrate"):
        Inbox(old).archive(["done"], tmp_path / "new.archive")


def lines(made):
    """The lines of the archive."""
    return (made / "runs.archive").read_bytes().splitlines(keepends=True)


def resealed(parts):
    """Lines with a last line that fits them again, as a thief would write it."""
    body = parts[:-1]
    return [*body, json.dumps({"rows": len(body) - 1, "sha256": sha256(b"".join(body)).hexdigest()}).encode() + b"\n"]


@pytest.mark.parametrize("cut", [1, 2, 40])
def test_a_file_that_was_cut_off_is_seen(made, tmp_path, cut):
    """Without its last lines, or without its last byte, the file is refused as damaged."""
    for content in (b"".join(lines(made)[:-cut]), b"".join(lines(made))[: -cut - 1]):
        (tmp_path / "cut.archive").write_bytes(content)
        assert verify(tmp_path / "cut.archive").faults != []
        with pytest.raises(StoreCorrupt):
            ArchiveDb(tmp_path / "cut.archive")


FEW = examples(3)
"""How many rows of each table are tried."""


def test_a_changed_line_is_seen(made, tmp_path):
    """A thief who changes, drops or doubles a row, and makes the last line fit, is seen by the hashes of the run, whatever the row is."""
    whole = lines(made)
    borne = {"legal", "store", "workflow", "session", "definition", "shape", "shape_move", "start_key"}
    seen: Counter[str] = Counter()
    tried = 0
    for number, line in list(enumerate(whole))[1:-1]:
        [table, _] = json.loads(line)
        seen[table] += 1
        if table in borne or seen[table] > FEW:
            continue
        for other in ([], [line, line]):
            tried += 1
            spoilt = [*whole[:number], *other, *whole[number + 1 :]]
            (tmp_path / "spoilt.archive").write_bytes(b"".join(resealed(spoilt)))
            if table == "session_value" and not other:
                continue
            assert verify(tmp_path / "spoilt.archive").faults != [], line[:200]
    assert tried > 30


def test_changed_bytes_are_seen(made, tmp_path):
    """The value of another person in place of the stored one is seen, although the last line fits."""
    hidden = IBAN.encode().hex().encode()
    other = hidden.replace(b"30", b"31")
    content = b"".join(lines(made)).replace(hidden, other, 1)
    (tmp_path / "other.archive").write_bytes(b"".join(resealed(content.splitlines(keepends=True))))
    assert verify(tmp_path / "other.archive").faults != []


@pytest.mark.parametrize(
    "line",
    [
        b"[]\n",
        b'["run"]\n',
        b'["tombstone",[1]]\n',
        b'["run; DROP TABLE run",[1]]\n',
        b'["run",[1,2]]\n',
        b'["run",[{"x":"zz"}]]\n',
        b"[" * 5_000 + b"\n",
        b'["legal",[1e400]]\n',
    ],
)
def test_a_hostile_line_is_refused(made, tmp_path, line):
    """A line that is no row of an archive is refused by name, and nothing of it is executed."""
    whole = lines(made)
    (tmp_path / "hostile.archive").write_bytes(b"".join(resealed([*whole[:5], line, *whole[5:]])))
    with pytest.raises(StoreCorrupt):
        ArchiveDb(tmp_path / "hostile.archive")


def test_the_commands(made, tmp_path, capsys):
    """`archive` writes a file that `verify`, `show` and `runs` read; a wrong one ends `verify` with 1."""
    file = tmp_path / "one.archive"
    assert main(["archive", "done", "paused", "--to", str(file), "--db", str(made / "runs.db")]) == 0
    assert "2 runs with" in capsys.readouterr().out
    assert main(["verify", str(file)]) == 0
    assert main(["show", "done", "--db", str(file)]) == 0
    assert "gate" in capsys.readouterr().out
    assert main(["archive", "done", "--to", str(file), "--db", str(made / "runs.db")]) == 1
    file.write_bytes(file.read_bytes()[:-9])
    assert main(["verify", str(file)]) == 1
    assert "a line of it is none of an archive" in capsys.readouterr().out
