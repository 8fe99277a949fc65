"""The description of the API as `specs/openapi.json`. It is written anew where it only gains; a removal is named, and nothing is written.

python -m specs.tools.openapi
"""

from __future__ import annotations

import sys
from json import dumps, loads
from pathlib import Path

from statecore.inbox.openapi import description, removals

PAGE = Path(__file__).parents[1] / "openapi.json"


def main() -> int:
    """Write the description; 1 where something that it had is gone."""
    new = description()
    gone = removals(loads(PAGE.read_text(encoding="utf-8")), new) if PAGE.exists() else []
    for each in gone:
        sys.stderr.write(f"gone or changed: {each}\n")
    if gone:
        sys.stderr.write("Version 1 of the API only gains (API-3). Nothing is written.\n")
        return 1
    PAGE.write_text(dumps(new, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
