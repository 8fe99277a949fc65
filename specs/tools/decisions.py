"""The index of the decisions: `python -m specs.tools.decisions` writes `decisions/README.md` from their headings and first sentences."""

from __future__ import annotations

import re
import sys
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "decisions"
PAGE = FOLDER / "README.md"
HEAD = """# Decisions

Each page records one decision: the choice, the reasons, the alternatives. A number is never reused. The index is
generated (`python -m specs.tools.decisions`).

| number | decision | in one sentence |
|---|---|---|
"""


def pages(folder: Path = FOLDER) -> list[Path]:
    """The pages of the decisions, by number."""
    return sorted(folder.glob("[0-9]*.md"))


def row(path: Path) -> str:
    """The line of a decision: its number and title, and the first sentence of its text."""
    heading, _, body = path.read_text(encoding="utf-8").partition("\n")
    number, _, title = heading.removeprefix("# ").partition(" ")
    text = " ".join(body.strip().partition("\n\n")[0].removeprefix("**Decided.**").split())
    sentence = re.split(r"(?<=[.])\s+(?=[A-Z`*])", text, maxsplit=1)[0].replace("|", "\\|")
    return f"| [{number}]({path.name}) | {title} | {sentence} |\n"


def page(folder: Path = FOLDER) -> str:
    """The index."""
    return HEAD + "".join(map(row, pages(folder)))


def main(arguments: list[str]) -> int:
    """Write the index, or with `--check` say whether it is out of date."""
    if "--check" in arguments:
        return int(PAGE.read_text(encoding="utf-8") != page())
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
