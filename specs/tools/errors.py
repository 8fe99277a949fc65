"""The table of all errors, by code: `python -m specs.tools.errors` writes `guide/errors.md`.

A code is for ever: it is never given to another error. Its first digit says what it is about.
"""

from __future__ import annotations

import inspect
import sys
from pathlib import Path

from statecore import errors
from statecore.errors import StatecoreError

PAGE = Path(__file__).parents[1] / "guide" / "errors.md"
ABOUT = {
    "SC1": "Definitions: a mistake is refused where it is written",
    "SC2": "Lifecycles: triggers that no row allows",
    "SC3": "Runs and decisions",
    "SC4": "Values",
    "SC5": "Stores",
    "SC6": "Optional packages and drawing",
    "SC7": "Commands, properties and tests",
}
HEAD = """# Errors

Every error of statecore is a `StatecoreError`; an error of wrong input is a `ValueError`, too. Each has a stable
`code`, which begins its message, and attributes, so that no caller parses a text. The message gives the event, the
reason and the remedy. The table is generated from the classes (`python -m specs.tools.errors`), and a test raises each
error.

A message is one line of at most 2,000 visible characters. A longer name in it is cut at ` ... `; control characters and
marks of direction are shown as Python writes them. A message never contains a refused value: it names the field, the
type and the reason. The attributes hold the given values.

Errors are compared by class, message and attributes. They survive `pickle`, `copy` and process pools, with their notes;
cause and traceback are lost, as with every exception of Python. An attribute that is not plain data (text, bytes,
numbers, `None`, lists, tuples, dicts) becomes a text that tells its type.
"""


def classes() -> list[type[StatecoreError]]:
    """Every error with a code of its own, by code."""
    found = [
        each for _, each in inspect.getmembers(errors, inspect.isclass) if issubclass(each, StatecoreError) and "code" in vars(each)
    ]
    return sorted(found, key=lambda each: each.code)


def page() -> str:
    """The page."""
    parts = [HEAD]
    for prefix, about in ABOUT.items():
        rows = [each for each in classes() if each.code.startswith(prefix)]
        parts.append(f"\n## {about}\n\n| code | error | says |\n|---|---|---|\n" + "".join(map(row, rows)))
    return "".join(parts)


def row(error: type[StatecoreError]) -> str:
    """The line of an error: the first sentence of its docstring is what it says."""
    says = (error.__doc__ or "").split("\n")[0].replace("|", "\\|")
    kinds = [
        base.__name__ for base in error.__mro__ if base.__module__ == "builtins" and base not in (Exception, BaseException, object)
    ]
    also = f" (also a `{kinds[0]}`)" if kinds else ""
    return f"| {error.code} | `{error.__name__}`{also} | {says} |\n"


def main(arguments: list[str]) -> int:
    """Write the page, or with `--check` say whether it is out of date."""
    if "--check" in arguments:
        return int(PAGE.read_text(encoding="utf-8") != page())
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
