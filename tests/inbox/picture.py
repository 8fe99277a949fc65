"""The picture of a question in README.md: `python -m tests.inbox.picture [FILE]` takes it anew, in Chromium, of the workflow that README.md shows."""

from __future__ import annotations

import re
import runpy
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.inbox import browser as real

ROOT = Path(__file__).parents[2]
PICTURE = ROOT / "diagrams" / "inbox.png"
WIDE, HIGH = 1200, 760


def shown(folder: Path) -> Any:
    """The workflow of README.md's file `refunds.py`, which keeps its runs in the folder where it is loaded."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    [code] = re.findall(r"```python\n# refunds\.py\n(.*?)```", text, re.DOTALL)
    file = folder / "refunds.py"
    file.write_text(code.replace('"runs.db"', repr(str(folder / "runs.db"))), encoding="utf-8")
    return runpy.run_path(str(file))["refunds"]


def taken(file: Path) -> None:
    """Take the picture of the question, as bob of support sees it."""
    with TemporaryDirectory() as folder:
        workflow = shown(Path(folder))
        workflow.run("ticket 8812", requester="ada")
        with real.served(workflow.db, title="refunds") as base, real.browser() as found:
            page = real.person(found, "bob")
            page.set_viewport_size({"width": WIDE, "height": HIGH})
            page.goto(f"{base}/")
            page.click("a.q")
            page.screenshot(path=str(file))


if __name__ == "__main__":
    taken(Path(sys.argv[1]) if sys.argv[1:] else PICTURE)
