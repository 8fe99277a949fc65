"""The changes of a release: `python -m specs.tools.changes 0.1.0` prints the fragments of `specs/changes` as one section of a changelog."""

from __future__ import annotations

import sys
from pathlib import Path
from textwrap import fill

FOLDER = Path(__file__).parents[1] / "changes"
WIDTH = 118


def fragments(folder: Path = FOLDER) -> list[Path]:
    """The files of the changes, by number."""
    return sorted(folder.glob("[0-9]*.md"))


def entry(path: Path) -> str:
    """A change as a point of a list; a list or a code block in it stays as it is written."""
    first, _, rest = path.read_text(encoding="utf-8").strip().partition("\n\n")
    head = fill(
        " ".join(first.split()), WIDTH, initial_indent="* ", subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
    )
    more = "".join(f"  {line}".rstrip() + "\n" for line in rest.splitlines())
    return f"{head}\n" + (f"\n{more}" if more else "")


def section(version: str, folder: Path = FOLDER) -> str:
    """The section of a release."""
    return f"## {version}\n\n" + "".join(map(entry, fragments(folder)))


def main(arguments: list[str]) -> int:
    """Print the section of the release that is named. Without a name it is that of the changes that no release has."""
    print(section(arguments[0] if arguments else "Unreleased"), end="")  # noqa: T201  # that is what the command is for
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
