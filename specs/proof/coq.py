"""Coq as the tests use it: where it is, how the files are compiled and checked, and how the model becomes a program.

Debian's packages are enough: `apt-get install --no-install-recommends coq ocaml-findlib`. Coq 8.16 is the version that the files are
written for.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

HERE = Path(__file__).parent
FILES = (
    "Words",
    "Tables",
    "Core",
    "Checker",
    "Rows",
    "Gates",
    "Ends",
    "Positions",
    "Once",
    "Settle",
    "Counts",
    "Calls",
    "Skips",
    "Theorems",
)
"""The files of the proof, each after those that it needs."""

MODEL = ("Words", "Tables", "Core", "Checker", "Extract")
"""The files that the executable model is made of."""

TOOLS = ("coqc", "coqchk", "ocamlfind", "ocamlopt")
PATIENCE = 240
"""Seconds for one call of a tool; the slowest takes 25 on an idle machine."""

MISSING = (
    "THE PROOFS ARE NOT CHECKED: coqc, coqchk, ocamlfind or ocamlopt is not installed. "
    "Install them: apt-get install --no-install-recommends coq ocaml-findlib"
)
THEOREM = re.compile(r"^Theorem (\w+)", re.MULTILINE)
CLOSED = "Closed under the global context"
COMMENT = re.compile(r"\(\*.*?\*\)", re.DOTALL)


class CoqError(Exception):
    """Coq refused a file, or a tool failed."""


def absent() -> bool:
    """Whether a tool is not installed."""
    return not all(shutil.which(tool) for tool in TOOLS)


def missing() -> bool:
    """Whether a tool is absent. Raises CoqError where it is and CI is "true": there the proofs have to be checked.

    A test that passes over the proofs for this reason is not silent: the summary of the tests says it (`tests/conftest.py`).
    """
    if absent() and os.environ.get("CI") == "true":
        raise CoqError(MISSING)
    return absent()


def source(name: str) -> str:
    """The text of one file."""
    return (HERE / f"{name}.v").read_text(encoding="utf-8")


def code(name: str) -> str:
    """The text of one file without comments."""
    return COMMENT.sub("", source(name))


def theorems() -> list[str]:
    """The names of the theorems of `Theorems.v`, in order."""
    return THEOREM.findall(code("Theorems"))


def run(folder: Path, *command: str) -> str:
    """What a tool prints. Raises CoqError where it fails."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=PATIENCE)
    if done.returncode != 0:
        message = f"{' '.join(command)} ended with {done.returncode}: {done.stderr[-2000:]}"
        raise CoqError(message)
    return done.stdout + done.stderr


def compiled(folder: Path, files: Sequence[str] = FILES, changed: Mapping[str, str] | None = None) -> str:
    """Compile files in a folder, some with another text; the answer is what Coq printed. Raises CoqError where a file is refused."""
    said = ""
    for name in files:
        (folder / f"{name}.v").write_text((changed or {}).get(name, source(name)), encoding="utf-8")
        said += run(folder, "coqc", "-q", f"{name}.v")
    return said


def checked(folder: Path, *, library: bool = False) -> str:
    """The words of `coqchk` about the compiled files; with `library` it checks the parts of Coq's own library that they use, too."""
    options = FILES if library else [option for name in FILES for option in ("-norec", name)]
    return run(folder, "coqchk", "-silent", "-o", *options)


def open_theorems(folder: Path, names: Sequence[str]) -> list[str]:
    """What Coq says of theorems that assume something, an axiom or a missing proof; nothing where none does."""
    (folder / "Ask.v").write_text(
        "".join(["Require Import Theorems.\n", *(f"Print Assumptions {name}.\n" for name in names)]), encoding="utf-8"
    )
    said = run(folder, "coqc", "-q", "Ask.v").split(CLOSED)
    return [] if len(said) == len(names) + 1 and not "".join(said).strip() else said


def executable(folder: Path) -> Path:
    """The model as a program: extracted to OCaml, compiled with `driver.ml`."""
    compiled(folder, MODEL)
    shutil.copy(HERE / "driver.ml", folder)
    run(folder, "ocamlfind", "ocamlopt", "-w", "-a", "-O3", "model.mli", "model.ml", "driver.ml", "-o", "driver")
    return folder / "driver"
