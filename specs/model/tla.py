"""The TLA+ modules that follow from the package: `Lifecycle` from the tables, `Program` from compiled workflows.

`python -m specs.model.tla` writes `specs/model/generated/`; `--check` says what is out of date.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from specs.model.programs import deaths_of, two_steps
from statecore.check.tla import lifecycle_module, program_module

GENERATED = Path(__file__).parent / "generated"

# -- files -------------------------------------------------------------------------------------------------------------------------


def files() -> dict[str, str]:
    """The generated files by name."""
    return {"Lifecycle.tla": lifecycle_module(), "Program.tla": program_module(two_steps(), deaths_of)}


def drift(folder: Path = GENERATED) -> list[str]:
    """The generated files that are not what the package gives now."""
    wanted = files()
    found = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.tla")}
    return sorted(name for name in {*wanted, *found} if wanted.get(name) != found.get(name))


def main(arguments: Sequence[str]) -> int:
    """Write the generated files, or say which are out of date."""
    if "--check" in arguments:
        stale = drift()
        for name in stale:
            sys.stderr.write(f"specs/model/generated/{name} is out of date: run python -m specs.model.tla\n")
        return int(bool(stale))
    GENERATED.mkdir(exist_ok=True)
    for name, text in files().items():
        (GENERATED / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
