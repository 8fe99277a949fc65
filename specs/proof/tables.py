"""The Coq files that follow from the package: `Words.v` from the names in the tables, `Tables.v` from their rows.

`python -m specs.proof.tables` writes both beside this module; `--check` says which is out of date. Machines, phases, triggers and guards
become enumerations. Rows, what each phase owes, the joint table and the constants of the core become definitions. No name and no row is
typed in by hand, so a changed row changes a file, and the proofs are checked against it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from statecore.core import draft, facts, path
from statecore.lifecycles import JOINT, TABLES, Table

HERE = Path(__file__).parent
HEAD = "(* GENERATED from statecore/lifecycles and statecore/core by `python -m specs.proof.tables`. Do not edit.\n   {what} *)"

MACHINES = [table.name for table in TABLES.values()]
PHASES = list(dict.fromkeys(state for table in TABLES.values() for state in table.states))
TRIGGERS = list(dict.fromkeys(trigger for table in TABLES.values() for trigger in table.triggers))
GUARDS = ["always", *dict.fromkeys(guard for table in TABLES.values() for guard in table.guards)]
LINES = [*JOINT, "not_begun"]
"""The lines of the joint table, and the one that a cursor without any makes true."""

ENUMERATIONS = {
    "machine": ("M", MACHINES),
    "phase": ("P", PHASES),
    "trigger": ("T", TRIGGERS),
    "guard": ("G", GUARDS),
    "owed": ("O", ["ask", "call", "timer"]),
    "line": ("L", LINES),
}


def words() -> str:
    """`Words.v`: the enumerations, each with its decided equality."""
    out = [
        HEAD.format(what="The names in the tables: machines, phases, triggers, guards."),
        "Require Import List. Import ListNotations.",
    ]
    out += [
        f"Inductive {name} := {' | '.join(f'{prefix}_{word}' for word in found)}." for name, (prefix, found) in ENUMERATIONS.items()
    ]
    out += [f"Scheme Equality for {name}." for name in ENUMERATIONS]
    for name in ("machine", "phase", "trigger", "guard"):
        prefix, found = ENUMERATIONS[name]
        out.append(f"Definition all_{name}s := {listed(prefix, found)}.")
    return "\n".join(out) + "\n"


def rows(tables: Mapping[str, Table] | None = None) -> str:
    """`Tables.v`: the rows of these tables, or of those that run, and the constants of the core."""
    each = list((TABLES if tables is None else tables).values())
    out = [
        HEAD.format(what="The rows of every lifecycle, what each phase owes, and the constants of the core."),
        "Require Import List. Import ListNotations.\nRequire Export Words.",
        "Record row := Row { src : phase; on : trigger; dst : phase; when : guard }.",
        "Definition rows (m : machine) : list row := match m with",
    ]
    for table in each:
        body = ";\n    ".join(f"Row P_{r.source} T_{r.on} P_{r.dest} G_{r.when}" for r in table.rows)
        out.append(f"  | M_{table.name} => [\n    {body}]")
    out += ["  end.", "Definition owes (m : machine) (p : phase) : option owed := match m, p with"]
    out += [f"  | M_{table.name}, P_{phase} => Some O_{what}" for table in each for phase, what in table.owes.items()]
    out += ["  | _, _ => None end."]
    out += of_machines("final", {table.name: table.final for table in each})
    out += of_machines("cancellable", draft.CANCELLABLE)
    joint = "; ".join(f"(L_{line}, {'None' if on is None else f'Some T_{on}'})" for line, on in JOINT.items())
    out += [f"Definition joint : list (line * option trigger) := [{joint}].", *constants()]
    return "\n".join(out) + "\n"


def constants() -> list[str]:
    """The few sets of words that the core itself names; of guards those that some row asks for."""
    out = [f"Definition max_interrupts := {facts.MAX_INTERRUPTS}."]
    for name, found in (("errors", facts.ERRORS), ("iteration", facts.ITERATION), ("ends_early", facts.ENDS_EARLY)):
        out.append(f"Definition {name} : list guard := {listed('G', sorted(found & set(GUARDS)))}.")
    for name, triggers in (("new_attempt", path.NEW_ATTEMPT), ("by_person", path.BY_PERSON)):
        out.append(f"Definition {name} : list trigger := {listed('T', sorted(triggers))}.")
    return [*out, f"Definition reviewed : list phase := {listed('P', sorted(path.REVIEWED))}."]


def of_machines(name: str, phases: Mapping[str, Iterable[str]]) -> list[str]:
    """A definition that gives each machine a list of phases."""
    head = f"Definition {name} (m : machine) : list phase := match m with"
    return [head, *(f"  | M_{machine} => {listed('P', sorted(found))}" for machine, found in phases.items()), "  end."]


def listed(prefix: str, found: Iterable[str]) -> str:
    """Words as a Coq list."""
    return f"[{'; '.join(f'{prefix}_{word}' for word in found)}]"


# -- files -------------------------------------------------------------------------------------------------------------------------


def files() -> dict[str, str]:
    """The generated files by name."""
    return {"Words.v": words(), "Tables.v": rows()}


def drift(folder: Path = HERE) -> list[str]:
    """The generated files that are not what the package gives now."""
    return [name for name, text in files().items() if not (folder / name).is_file() or (folder / name).read_text("utf-8") != text]


def main(arguments: Sequence[str]) -> int:
    """Write the generated files, or say which are out of date."""
    if "--check" in arguments:
        stale = drift()
        for name in stale:
            sys.stderr.write(f"specs/proof/{name} is out of date: run python -m specs.proof.tables\n")
        return int(bool(stale))
    for name, text in files().items():
        (HERE / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
