"""The reference of settings: `python -m specs.tools.settings` writes `guide/settings.md` from the tables of the definitions."""

from __future__ import annotations

import sys
from pathlib import Path

from statecore.definition.needs import NEEDS, Need
from statecore.definition.review import SETTINGS, SUPPORTED

PAGE = Path(__file__).parents[1] / "guide" / "settings.md"
HEAD = """# Settings and their companions

A setting that can have no effect is refused with `UnsupportedSetting` (SC101) when the component is made
(GATE-1). Both spellings, flat keywords and `HumanReview`, follow the same tables; so do `@pause` and
`Workflow.from_dict`. The page is generated from these tables (`python -m specs.tools.settings`).

A setting is *set* if its value differs from the default. A default that is written out sets nothing; the word that
`on_reject` stands for where it is left out (`else` for a Condition, `skip` for all others) is a default, too.
`hitl_max_retries` is `max_retries` of a `HumanReview`.
"""
SECOND = """
## The companions of each setting

Each row is checked by itself: a setting with two rows needs a companion from both. An `on_error` counts where it is
written: a deadline of an error pause that a component inherits needs `on_error="pause"` on the component, too. The
question after an interruption gives a deadline no effect by itself.

| setting | on | needs |
|---|---|---|
"""


def page() -> str:
    """The page."""
    kinds = [kind for kind in SUPPORTED if kind != "Workflow"]
    parts = [
        HEAD,
        "\n## Which component has which setting\n\n| setting | ",
        " | ".join(kinds),
        " |\n|---|",
        "---|" * len(kinds),
        "\n",
    ]
    parts += [f"| `{each}` | {' | '.join('yes' * (each in SUPPORTED[kind]) for kind in kinds)} |\n" for each in SETTINGS]
    return "".join([*parts, SECOND, *map(row, NEEDS)])


def row(need: Need) -> str:
    """The line of a need."""
    companions = " or ".join(each.says for each in need.companions) or "always refused"
    why = f"; {need.why}" if need.why else ""
    return f"| `{need.says}` | {', '.join(need.kinds)} | {companions}{why} |\n"


def main(arguments: list[str]) -> int:
    """Write the page, or with `--check` say whether it is out of date."""
    if "--check" in arguments:
        return int(PAGE.read_text(encoding="utf-8") != page())
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
