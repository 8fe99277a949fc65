"""P24: an open store knows its file, and a path is what it seems: nothing is acknowledged into a file that has lost its name."""

from __future__ import annotations

import os
import shutil
import sqlite3
from pathlib import Path
from threading import Thread

import pytest

from statecore import Step, Workflow
from statecore.errors import StoreReplaced, StoreTooNew, StoreUnavailable, UnsupportedSetting
from statecore.stores.sqlite import channel
from statecore.stores.sqlite.channel import inode
from statecore.stores.sqlite.health import verify
from statecore.stores.sqlite.opening import VERSION
from statecore.stores.sqlite.store import SqliteDb2 as SqliteDb
from statecore.testing.stores.samples import answer, asked, question
from tests.unit.stores.sqlite_files import folder_of, outcome, raw


@pytest.fixture
def file(tmp_path):
    """Where a store will be."""
    return tmp_path / "runs.db"


@pytest.fixture
def store(file):
    """A store in use, with an open question."""
    made = SqliteDb(file)
    asked(made, "run-1", question("run-1"))
    yield made
    made.close()


def moved(file, *_):
    """The file gets another name."""
    file.rename(file.with_name("elsewhere.db"))


def removed(file, *_):
    """The file loses its name."""
    file.unlink()


def restored(file, *_):
    """A copy of the file takes its place, as a restored backup does."""
    copy = file.with_name("copy.db")
    shutil.copy(file, copy)
    copy.replace(file)


def without_log(file, *_):
    """The log loses its name."""
    file.with_name("runs.db-wal").unlink()


def other_log(file, *_):
    """Another log takes the place of the log."""
    without_log(file)
    file.with_name("runs.db-wal").touch()


def without_shared_memory(file, *_):
    """The shared-memory file loses its name."""
    file.with_name("runs.db-shm").unlink()


def migrated(file, *_):
    """A newer release migrates the file in place."""
    connection = raw(file)
    connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    connection.close()


BELOW = [moved, removed, restored, without_log, other_log, without_shared_memory]


@pytest.mark.parametrize("change", [*BELOW, migrated], ids=lambda change: change.__name__)
def test_an_open_store_knows_its_file(store, file, change):
    """Once the file, its log or its shared memory is another, or the schema is newer, no write is acknowledged, on any thread."""
    change(file)
    found = [outcome(store.decide, answer(question("run-1")))]
    other = Thread(target=lambda: found.append(outcome(store.decide, answer(question("run-1")))))
    other.start()
    other.join()
    if change in (without_log, other_log, without_shared_memory):
        assert found[0] is StoreReplaced
    elif change is migrated:
        assert found == [StoreReplaced, StoreTooNew]  # the other thread opens the file anew
    else:
        assert found == [StoreReplaced, StoreReplaced]


@pytest.mark.parametrize("change", BELOW, ids=lambda change: change.__name__)
def test_a_replaced_file_is_not_read(store, file, change):
    """What a file without its name says is not given as what the store says."""
    change(file)
    assert outcome(store.load, "run-1") is StoreReplaced


def test_a_file_that_is_put_back_is_used_on(store, file):
    """The file with its old name is the store again; nothing was forgotten meanwhile."""
    elsewhere = file.with_name("elsewhere.db")
    file.rename(elsewhere)
    assert outcome(store.load, "run-1") is StoreReplaced
    elsewhere.rename(file)
    assert store.load("run-1").identity.run_id == "run-1"


def test_the_file_is_compared_after_the_commit(file):
    """A file that loses its name in the moment of the COMMIT is noticed before the commit is acknowledged."""

    class Unlucky(sqlite3.Connection):
        """A connection whose file is moved while it commits."""

        def execute(self, statement, *values):
            if statement == "COMMIT" and armed:
                moved(file)
            return super().execute(statement, *values)

    armed = []
    store = SqliteDb(file, connection_factory=Unlucky)
    asked(store, "run-1", question("run-1"))
    armed.append(True)
    assert outcome(store.decide, answer(question("run-1"))) is StoreReplaced
    armed.clear()
    store.close()


def test_a_file_that_took_the_name_is_not_touched(store, file):
    """Another program's file under the name of an open store keeps its bytes, and no file appears beside it, through a close, too."""
    for name in folder_of(file):
        file.with_name(name).rename(file.with_name(f"old-{name}"))
    other = sqlite3.connect(file)
    other.execute("CREATE TABLE theirs (x)")
    other.close()
    before = file.read_bytes()
    thread = Thread(target=outcome, args=(store.load, "run-1"))
    thread.start()
    thread.join()
    assert outcome(store.decide, answer(question("run-1"))) is StoreReplaced
    store.close()
    assert file.read_bytes() == before
    assert not any(name.startswith("runs.db-") for name in folder_of(file))


def test_a_run_whose_file_is_moved_says_so_and_goes_on_where_it_was_moved_to(file):
    """Through the public API: a step moves the file; `run` is refused by name, and the run goes on in the file with its new name."""
    elsewhere = file.with_name("elsewhere.db")

    def move(_):
        for end in ("", "-wal", "-shm"):
            if os.path.exists(f"{file}{end}"):  # noqa: PTH110  # a text with an ending
                os.rename(f"{file}{end}", f"{elsewhere}{end}")  # noqa: PTH104
        return "moved"

    db = SqliteDb(db_file=file)
    with pytest.raises(StoreReplaced, match="moved or removed"):
        Workflow("flow", [Step("move", move), Step("last", lambda _: "end")], db=db).run(run_id="r")
    db.close()
    assert not file.exists()
    ended = Workflow("flow", [Step("move", move), Step("last", lambda _: "end")], db=SqliteDb(db_file=elsewhere))
    assert ended.continue_run(run_id="r").content == "end"


# -- paths -------------------------------------------------------------------------------------------------------------------------


def test_a_tilde_is_the_home_folder(tmp_path, monkeypatch):
    """`~` is expanded in a path and in a URL of a file."""
    monkeypatch.setenv("HOME", str(tmp_path))
    assert SqliteDb("~/x.db").path == SqliteDb(Path("~/x.db")).path == SqliteDb(db_url="sqlite:///~/x.db").path == tmp_path / "x.db"


@pytest.mark.parametrize(
    "given",
    [
        "postgresql://ann:s3cret@host/x",
        Path("postgresql://ann:s3cret@host/x"),
        "file:x.db?key=s3cret",
        "FILE:s3cret",
        "https://u:s3cret@h",
    ],
)
@pytest.mark.parametrize("use", [SqliteDb, verify], ids=["SqliteDb", "verify"])
def test_a_url_is_no_path(use, given):
    """A URL, or `file:`, given as a path is refused; the message holds nothing of it, for it may hold a password."""
    with pytest.raises(UnsupportedSetting) as refused:
        use(given)
    assert "s3cret" not in f"{refused.value}{vars(refused.value)}"


def test_a_mistyped_folder_is_not_made(tmp_path):
    """The first use of a store in a folder that is not there is refused, and leaves nothing."""
    store = SqliteDb(tmp_path / "mistyped" / "x.db")
    with pytest.raises(StoreUnavailable, match="no folder"):
        store.load("r")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("change", BELOW, ids=lambda change: change.__name__)
def test_a_folder_that_stood_still_for_long_tells_of_a_change(store, file, change, monkeypatch):
    """Where the folder has not changed for long, its names are looked at once and no more; a change of one is seen all the same."""
    looks: list[str] = []

    def looked_at(name):
        looks.append(name)
        return inode(name)

    monkeypatch.setattr(channel, "inode", looked_at)
    for settled in (False, True):
        looks.clear()
        os.utime(file.parent, ns=(0, 0))
        store.load("run-1")
        store.load("run-1")
        assert len(looks) == (0 if settled else 3)
    change(file)
    assert outcome(store.load, "run-1") is StoreReplaced
    assert outcome(store.decide, answer(question("run-1"))) is StoreReplaced
