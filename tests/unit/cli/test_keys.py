"""Keys at the command line: a file that STATECORE_KEYS names opens an enciphered store, and `rotate` replaces an old key (P29)."""

from __future__ import annotations

import json
import secrets
from contextlib import closing

import pytest

from statecore import AesGcm, SqliteDb, Step, Workflow
from statecore.cli import main
from statecore.cli.exits import FAILED, FINE, USAGE

OLD, NEW = secrets.token_bytes(32), secrets.token_bytes(32)
WORD = "account-of-ada"


@pytest.fixture
def said(tmp_path, monkeypatch, capsys):
    """What runs a command with some lines of keys in force, and gives its exit code and all that it prints."""

    def one(keys: list[str], *words: str, mode: int = 0o600) -> tuple[int, str]:
        file = tmp_path / "keys"
        file.write_text("".join(f"{line}\n" for line in keys), encoding="utf-8")
        file.chmod(mode)
        monkeypatch.setenv("STATECORE_KEYS", str(file))
        capsys.readouterr()
        code = main(list(words))
        found = capsys.readouterr()
        return code, found.out + found.err

    return one


@pytest.fixture
def store(tmp_path):
    """A store whose values are enciphered with the old key."""
    file = tmp_path / "runs.db"
    with closing(SqliteDb(db_file=file, cipher=AesGcm({"k1": OLD}))) as db:
        Workflow("w", [Step("s", lambda given: f"paid to {given.input}")], db).run(WORD, run_id="r")
    return file


def line(kid: str, key: bytes) -> str:
    """A line of the file of keys."""
    return f"cipher {kid} {key.hex()}"


def test_a_rotated_store_is_read_with_the_new_key_alone(said, store):
    """With the key a run is shown; after `rotate` the new key alone shows it, and the old key alone no longer does."""
    shows = ("show", "r", "--json", "--db", str(store))
    old, new = line("k1", OLD), line("k2", NEW)
    assert said([old], *shows)[0] == FINE
    assert WORD in said([old], *shows)[1]
    assert said([new], *shows)[0] == FAILED
    code, told = said([old, new], "rotate", str(store), "--json")
    assert (code, json.loads(told)["bodies"] > 0) == (FINE, True)
    assert json.loads(said([old, new], "rotate", str(store), "--json")[1])["bodies"] == 0
    code, told = said([new], *shows)
    assert (code, WORD in told) == (FINE, True)
    code, told = said([old], *shows)
    assert (code, WORD in told) == (FAILED, False)
    assert WORD.encode() not in store.read_bytes()


@pytest.mark.parametrize(
    ("keys", "mode"),
    [([line("k1", OLD)], 0o644), (["cipher k1"], 0o600), ([f"lock k1 {OLD.hex()}"], 0o600), (["cipher k1 00ff"], 0o600)],
    ids=["others may read it", "no key", "no such use", "too short"],
)
def test_a_file_of_keys_that_cannot_be_used_is_refused(said, store, keys, mode):
    """A file that others may read, and a line that is none, end each command as wrong usage; no key is repeated."""
    for words in (("show", "r", "--db", str(store)), ("rotate", str(store))):
        code, told = said(keys, *words, mode=mode)
        assert (code, OLD.hex() in told, "STATECORE_KEYS" in told) == (USAGE, False, True)
