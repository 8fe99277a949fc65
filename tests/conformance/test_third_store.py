"""A third store in tables is written in under forty lines: the guide shows it, and it passes the shipped suite."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from statecore import Step, Workflow
from statecore.stores.sqlite.health import verify
from statecore.testing import StoreConformance

PAGE = Path(__file__).parents[2] / "specs" / "guide" / "writing-a-store.md"
CODE = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)[0]
MOST = 40


def written() -> Any:
    """The class that the guide shows."""
    names: dict[str, Any] = {}
    exec(compile(CODE, str(PAGE), "exec"), names)  # noqa: S102  # the guide's own code
    return names["BareDb"]


class TestBareDb(StoreConformance):
    """The store of the guide keeps what every store promises."""

    def open_store(self, folder: Path) -> Any:
        return written()(folder / "runs.db")


def test_it_is_short():
    """Its imports and its class are under forty lines, blank ones not counted."""
    lines = [line for line in CODE.splitlines() if line.strip()]
    assert 20 < len(lines) < MOST


def test_a_store_is_opened_again(tmp_path):
    """Rows that it has stored are there for the next one that opens the file, and sound."""
    first = TestBareDb().open_store(tmp_path)
    run = Workflow("w", [Step("a", lambda _: "x")], first).run()
    head = first.head(run.run_id)
    first.close()
    again = TestBareDb().open_store(tmp_path)
    assert (again.head(run.run_id), again.load(run.run_id).state.run) == (head, "completed")
    again.close()
    assert verify(tmp_path / "runs.db").faults == []
