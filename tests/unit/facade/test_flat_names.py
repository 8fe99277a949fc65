"""The flat names: each is the thing of its home, and a base install, without any extra, lists and loads all that it offers."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from pathlib import Path

import pytest

import statecore
from statecore import errors

ROOT = Path(statecore.__file__).parents[1]
PACKAGES = sorted(f"statecore.{path.parent.name}" for path in (ROOT / "statecore").glob("*/__init__.py"))
MODULES = [
    *PACKAGES,
    "statecore.db.in_memory",
    "statecore.db.postgres",
    "statecore.db.sqlite",
    "statecore.run.workflow",
    "statecore.lazy",
]
EXTRAS = ("psycopg", "temporalio", "hypothesis", "pytest", "graphviz", "celpy")

BASE = f"""
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {EXTRAS!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Absent())
"""
"""The beginning of a program that cannot import any package of an extra."""


def in_base(code: str) -> subprocess.CompletedProcess[str]:
    """A program in a fresh interpreter to which the packages of the extras are absent."""
    return subprocess.run([sys.executable, "-c", BASE + code], capture_output=True, text=True, check=False, cwd=ROOT)


def test_the_packages_of_the_extras_are_absent() -> None:
    """The setting of these tests holds: none of the packages can be imported there, though all are installed here."""
    done = in_base("\n".join(f"try:\n    import {name}\nexcept ImportError:\n    print('{name}')" for name in EXTRAS))
    assert done.stdout.split() == list(EXTRAS), done.stderr


def test_the_flat_names_are_sorted_and_whole() -> None:
    """`__all__` is sorted, constants first, equals `dir()`, and has each error class and the names that a program meets first."""
    assert statecore.__all__ == sorted(statecore.__all__, key=lambda name: (not name.isupper(), name))
    assert sorted(statecore.__all__) == dir(statecore)
    known = {name for name, each in vars(errors).items() if inspect.isclass(each) and issubclass(each, errors.StatecoreError)}
    assert known <= set(statecore.__all__)
    assert {"Inbox", "PauseFilter", "RunFilter", "Step", "Worker", "Workflow"} <= set(statecore.__all__)


@pytest.mark.parametrize("name", statecore.__all__)
def test_a_flat_name_is_the_thing_of_that_name(name: str) -> None:
    """A flat name gives what is called so, and gives the same each time."""
    found = getattr(statecore, name)
    assert found is getattr(statecore, name)
    assert getattr(found, "__name__", name) == name.removeprefix("Async")  # a constant has none


def test_an_unknown_name_is_an_attribute_error() -> None:
    """A misspelt name is refused as Python does."""
    with pytest.raises(AttributeError, match="no attribute 'Worflow'"):
        getattr(statecore, "Worflow")  # noqa: B009  # the checkers refuse the plain spelling


def test_a_base_install_loads_what_it_lists() -> None:
    """Without any extra, `import *` and `getmembers` of each package work, and leave out the names that need one."""
    done = in_base(
        "import importlib, inspect, json\n"
        "from statecore import *\n"
        f"modules = [importlib.import_module(name) for name in ['statecore', *{MODULES!r}]]\n"
        "print(json.dumps({each.__name__: [name for name, _ in inspect.getmembers(each)] for each in modules}))"
    )
    assert done.returncode == 0, done.stderr
    members = json.loads(done.stdout)
    assert members["statecore"] == [name for name in sorted(statecore.__all__) if not name.endswith("PostgresDb")]
    assert (members["statecore.db.postgres"], members["statecore.temporal"]) == ([], [])
    assert "Reviewer" in members["statecore.testing"]
    assert {"StoreConformance", "workflow_machine"}.isdisjoint(members["statecore.testing"])


def test_a_base_install_renders_every_public_module() -> None:
    """`pydoc` of each package and public module works without any extra."""
    done = in_base(
        f"import pydoc\nfor name in ['statecore', *{MODULES!r}]:\n"
        "    text = pydoc.plain(pydoc.render_doc(name))\n    print(name, len(text) > 200)"
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [f"{name} True" for name in ("statecore", *MODULES)]


@pytest.mark.parametrize(
    ("home", "name", "extra"),
    [
        ("statecore", "PostgresDb", "postgres"),
        ("statecore", "AsyncPostgresDb", "postgres"),
        ("statecore.db.postgres", "PostgresDb", "postgres"),
        ("statecore.temporal", "TemporalDb", "temporal"),
        ("statecore.temporal", "FolderValues", "temporal"),
        ("statecore.testing", "StoreConformance", "testing"),
        ("statecore.testing", "workflow_machine", "testing"),
    ],
)
def test_a_name_that_lacks_its_extra_says_what_to_install(home: str, name: str, extra: str) -> None:
    """Asked for by name, in either spelling, it raises `MissingExtra` with the command."""
    done = in_base(
        f"import {home}\nfrom statecore import MissingExtra\n"
        f"try:\n    from {home} import {name}\nexcept MissingExtra as missing:\n    print(missing)\n"
        f"try:\n    {home}.{name}\nexcept MissingExtra as missing:\n    print(missing)\n"
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(f"pip install 'statecore[{extra}]'") == 2


def test_a_half_installed_extra_says_what_to_install() -> None:
    """A psycopg that cannot load its library, so that its import fails, is a missing extra, too; its cause is kept."""
    done = in_base(
        "import types\nfrom importlib.machinery import ModuleSpec\n"
        "class Broken:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        return ModuleSpec(name, self) if name == 'psycopg' else None\n"
        "    def create_module(self, spec): return None\n"
        "    def exec_module(self, module): raise ImportError('no pq wrapper available')\n"
        "sys.meta_path.insert(0, Broken())\n"
        "import statecore\n"
        "try:\n    statecore.PostgresDb\nexcept statecore.MissingExtra as missing:\n    print(missing, missing.__cause__)"
    )
    assert done.returncode == 0, done.stderr
    assert "statecore[postgres]" in done.stdout
    assert "no pq wrapper available" in done.stdout
