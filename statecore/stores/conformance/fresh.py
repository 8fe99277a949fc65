"""How a test gets its store: the hooks that a store's author gives, and the fixture that opens a fresh one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from statecore.stores.records import Store


class Fresh:
    """A fresh store for each test."""

    def open_store(self, folder: Path) -> Store:
        """An empty store that keeps what it keeps in an empty folder."""
        raise NotImplementedError

    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[Store]:
        """The store under test; closed when the test is over."""
        store = self.open_store(tmp_path)
        yield store
        store.close()


class Shared(Fresh):
    """A fresh store for each test that can be opened again, here and in other processes."""

    def opener(self, folder: Path) -> Callable[[], Store]:
        """What opens the store of a folder each time it is called. It is pickled into other processes."""
        raise NotImplementedError

    def open_store(self, folder: Path) -> Store:
        """The store, opened here."""
        return self.opener(folder)()

    @pytest.fixture
    def reopen(self, tmp_path: Path) -> Iterator[Callable[[], Store]]:
        """What opens the store under test once more; closed when the test is over."""
        opened: list[Store] = []

        def once_more() -> Store:
            opened.append(self.opener(tmp_path)())
            return opened[-1]

        yield once_more
        for store in opened:
            store.close()
