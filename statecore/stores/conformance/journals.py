"""Tests of journals: gap-free, in order, equal to what was written, and chained."""
# ruff: noqa: S101, PLR2004  # assert is how a test speaks, and the expected number is its point

from __future__ import annotations

import pytest

from statecore.stores.memory import InMemoryDb
from statecore.stores.records import Entry, Store
from statecore.stores.rules import GENESIS, link

from .fresh import Fresh
from .samples import ALIVE, AWKWARD, STARTED, Fired, Writer, entered, identity, started, succeeded


def written(store: Store, run_id: str = "run-1", steps: int = 5) -> list[Entry]:
    """The rows of a run of some steps, as they were given to the store."""
    writer = started(store, run_id)
    entries = list(Writer(store, run_id).boundary(STARTED, entered("first")).entries)
    for n in range(steps):
        entries += writer.commit(succeeded(f"s{n}", f'"{n}"', turn=(n,) * n, attempt=n), entered(f"s{n + 1}")).entries
    return entries


class Journals(Fresh):
    """A journal only grows, and every row hangs on the one before."""

    def test_a_journal_is_what_was_written(self, store: Store) -> None:
        """All rows come back in order, without gaps, each equal to the one given."""
        given = written(store)
        assert store.journal("run-1") == given
        assert [entry.seq for entry in given] == list(range(1, 13))

    @pytest.mark.parametrize("text", AWKWARD.values(), ids=list(AWKWARD))
    def test_a_row_comes_back_equal(self, store: Store, text: str) -> None:
        """Addresses, particulars and values come back as they were given, to the last character."""
        writer = started(store)
        given = writer.commit(succeeded(f"at{text}", text, text), entered(f"next{text}"))
        assert store.journal("run-1", 2) == list(given.entries)

    def test_no_value_is_not_an_empty_one(self, store: Store) -> None:
        """A row without a value has none, a row with an empty text has that, and equal values do not become one row's."""
        writer = started(store)
        writer.commit(succeeded("a", None), succeeded("b", ""), succeeded("c", "1"), succeeded("d", "1"), succeeded("e", None))
        assert [entry.body.value for entry in store.journal("run-1", 2)] == [None, "", "1", "1", None]

    def test_a_slice_is_a_slice(self, store: Store) -> None:
        """The rows after one and up to another are those of the whole journal with such numbers; nothing is counted from the end."""
        whole = written(store, steps=2)
        ends = [-7, -1, 0, 1, 2, 5, 6, 7, 10**30]
        for after in ends:
            assert store.journal("run-1", after) == [entry for entry in whole if entry.seq > after]
            for upto in ends:
                assert store.journal("run-1", after, upto) == [entry for entry in whole if after < entry.seq <= upto]

    def test_equal_histories_have_equal_heads(self, store: Store) -> None:
        """The head is the one that the reference store has for the same boundaries, and the fold of the rule over the journal."""
        reference = InMemoryDb()
        for kept in (store, reference):
            written(kept)
        chain = GENESIS
        for entry in store.journal("run-1"):
            chain = link(chain, "run-1", entry)
        assert store.head("run-1") == reference.head("run-1") == chain.hex()

    def test_a_head_does_not_know_boundaries(self, store: Store) -> None:
        """The same rows have the same head however many transactions stored them."""
        rows: list[Fired] = [STARTED, entered("first"), succeeded("first", "1"), entered("second")]
        heads = set()
        for cut in range(5):
            name = InMemoryDb() if cut else store
            name.begin(identity(), "{}", ALIVE)
            writer = Writer(name, "run-1")
            for part in (rows[:cut], rows[cut:]):
                writer.commit(*part, time=7)
            heads.add(name.head("run-1"))
        assert len(heads) == 1

    def test_a_head_knows_its_run_and_every_row(self, store: Store) -> None:
        """Another run has another head, and each row moves it."""
        store.begin(identity(), "{}", ALIVE)
        heads = [store.head("run-1")]
        writer = Writer(store, "run-1")
        for fired in (STARTED, entered("first"), succeeded("first", "1")):
            writer.commit(fired, time=7)
            heads.append(store.head("run-1"))
        store.begin(identity("run-2"), "{}", ALIVE)
        Writer(store, "run-2").commit(STARTED, entered("first"), succeeded("first", "1"), time=7)
        heads.append(store.head("run-2"))
        assert len(set(heads)) == 5

    def test_a_long_journal_is_one_journal(self, store: Store) -> None:
        """A thousand boundaries later the rows are all there, and the first slice and the last are found."""
        whole = written(store, steps=500)
        assert store.journal("run-1") == whole
        assert store.journal("run-1", 0, 1) == whole[:1]
        assert store.journal("run-1", len(whole) - 1) == whole[-1:]
