"""What is installed with statecore, and what statecore installs: no unused dependency, no undeclared one, and a wheel that needs no checkout."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "statecore"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
BASE = ""
ROOMS = {
    BASE: "",
    "agno": "agents/reference.py",
    "apprise": "notices/channels.py",
    "cel": "runtime/",
    "client": "client/",
    "crypto": "stores/aesgcm.py",
    "diagrams": "draw/",
    "inbox": "inbox/",
    "langchain": "agents/chains.py",
    "numpy": "codec/science.py",
    "openai-agents": "agents/openai.py",
    "otel": "telemetry/",
    "pandas": "codec/science.py",
    "postgres": "stores/postgres/",
    "pydantic-ai": "agents/pydantic.py",
    "temporal": "temporal/",
    "testing": "testing/",
}
"""The part of the package that may use each extra; the base dependencies may be used anywhere."""

SHARED = {"opentelemetry": "opentelemetry-api", "langgraph": "langgraph"}
"""A name of modules that several distributions share, and the one of them that the package uses."""

CHECKOUT = frozenset({"pyproject.toml", "specs", "tests", "README.md"})
"""Files and folders that only a checkout has."""


def name_of(requirement: str) -> str:
    """The normalised name of the distribution that a requirement asks for."""
    found = re.match(r"[\w.-]+", requirement)
    assert found is not None
    return re.sub(r"[-_.]+", "-", found[0]).lower()


def declared(project: dict) -> dict[str, set[str]]:
    """The distributions of the base (under "") and of each extra but `dev`."""
    extras = {name: needs for name, needs in project["optional-dependencies"].items() if name != "dev"}
    return {name: {name_of(each) for each in needs} for name, needs in {BASE: project["dependencies"], **extras}.items()}


def sources() -> dict[str, str]:
    """The package's files, by their path in it."""
    return {path.relative_to(PACKAGE).as_posix(): path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py")}


@cache
def imported(source: str) -> set[str]:
    """The top packages that a file imports, anywhere in it, other than Python's own and this one."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found - sys.stdlib_module_names - {"statecore"}


@cache
def texts(source: str) -> set[str]:
    """The strings of a file, without its docstrings."""
    tree = ast.parse(source)
    bare = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    return {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in bare
    }


@cache
def owners_of() -> dict[str, list[str]]:
    """The distributions that are installed, by the modules that they bring."""
    return dict(packages_distributions())


def used(files: dict[str, str]) -> dict[str, set[str]]:
    """The distributions of which a file imports a module or, where one has no module, names the program; by file."""
    owners = owners_of()
    programs = set().union(*declared(PROJECT).values()) - {name_of(each) for names in owners.values() for each in names}
    return {
        path: {SHARED.get(top) or name_of(owners.get(top, [top])[0]) for top in imported(source)} | texts(source) & programs
        for path, source in files.items()
    }


def unused(needs: dict[str, set[str]], files: dict[str, set[str]]) -> set[str]:
    """Declared distributions that no file of their room uses."""
    return {
        name
        for extra, names in needs.items()
        for name in names
        if not any(name in found for path, found in files.items() if path.startswith(ROOMS[extra]))
    }


def undeclared(needs: dict[str, set[str]], files: dict[str, set[str]]) -> set[tuple[str, str]]:
    """Files that use a distribution which neither the base nor the extra of their room declares."""
    return {
        (path, name)
        for path, found in files.items()
        for name in found
        if not any(name in names for extra, names in needs.items() if path.startswith(ROOMS[extra]))
    }


def test_every_dependency_is_used() -> None:
    """Each distribution of the base and of each extra is imported by its room, or run as a program."""
    assert set(declared(PROJECT)) == set(ROOMS)
    assert unused(declared(PROJECT), used(sources())) == set()


def test_every_import_is_declared() -> None:
    """Each import of another distribution is declared: in the base, or in the extra of the file's room."""
    assert undeclared(declared(PROJECT), used(sources())) == set()


@pytest.mark.parametrize(
    ("needs", "files", "idle", "bare"),
    [
        ({BASE: {"attrs", "cattrs"}}, {"core/x.py": "import attr"}, {"cattrs"}, set()),
        ({BASE: {"click"}}, {"cli/x.py": "def f():\n    from click import echo"}, set(), set()),
        ({BASE: set(), "postgres": {"psycopg"}}, {"stores/postgres/x.py": "import psycopg"}, set(), set()),
        ({BASE: set(), "postgres": {"psycopg"}}, {"core/x.py": "import psycopg"}, {"psycopg"}, {("core/x.py", "psycopg")}),
        ({BASE: set(), "cel": {"cel-python"}}, {"runtime/calls.py": "import celpy"}, set(), set()),
        ({BASE: set()}, {"core/x.py": "import yamlish"}, set(), {("core/x.py", "yamlish")}),
        ({BASE: set(), "diagrams": {"graphviz-pure"}}, {"draw/x.py": "TOOL = 'graphviz-pure'"}, set(), set()),
        ({BASE: set(), "diagrams": {"graphviz-pure"}}, {"draw/x.py": "'graphviz-pure'"}, {"graphviz-pure"}, set()),
    ],
)
def test_an_unused_or_undeclared_dependency_is_found(needs, files, idle, bare) -> None:
    """The law can fail: made-up files leave a dependency unused, or use one that is not declared for them."""
    assert (unused(needs, used(files)), undeclared(needs, used(files))) == (idle, bare)


# -- the wheel ---------------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """The wheel of this checkout, built and unpacked."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    [archive] = folder.glob("*.whl")
    zipfile.ZipFile(archive).extractall(folder / "unpacked")
    return folder / "unpacked"


def in_wheel(wheel: Path, code: str) -> subprocess.CompletedProcess[str]:
    """A program that sees the wheel and what is installed, and not this checkout."""
    start = f"import sys\nsys.path[:0] = [{str(wheel)!r}]\nsys.path.append({sysconfig.get_path('purelib')!r})\n"
    return subprocess.run([sys.executable, "-I", "-S", "-c", start + code], capture_output=True, text=True, check=False, cwd=wheel)


def test_the_wheel_has_the_package_alone(wheel) -> None:
    """The wheel has the package, every file of it, with the modules for TLC, and nothing beside it."""
    assert {path.name for path in wheel.iterdir() if not path.name.endswith(".dist-info")} == {"statecore"}
    shipped = {path.relative_to(wheel).as_posix() for path in (wheel / "statecore").rglob("*") if path.is_file()}
    here = {path.relative_to(ROOT).as_posix() for path in PACKAGE.rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    tla = {f"statecore/check/tla/{name}" for name in ("Engine.tla", "Properties.tla", "Properties.cfg", "Endless.cfg")}
    assert shipped == here | tla


def test_every_module_of_the_wheel_can_be_imported(wheel) -> None:
    """Outside of a checkout each module of the wheel is imported, from the wheel."""
    code = (
        "import importlib, pkgutil, statecore\n"
        "names = [each.name for each in pkgutil.walk_packages(statecore.__path__, 'statecore.') if not each.name.endswith('__main__')]\n"
        "files = [importlib.import_module(name).__file__ for name in names]\n"
        f"print(len(files), all(each.startswith({str(wheel)!r}) for each in files))"
    )
    done = in_wheel(wheel, code)
    assert done.returncode == 0, done.stderr
    modules = [path for path in PACKAGE.rglob("*.py") if path.name != "__main__.py"]
    assert done.stdout.split() == [str(len(modules) - 1), "True"]


def test_the_wheel_exports_a_workflow_for_tlc(wheel) -> None:
    """The one thing that a checkout reads from `specs/` is in the wheel, and is read from there."""
    code = (
        "from statecore import Step, Workflow\nfrom statecore.check import tla\n"
        "print(*sorted(tla.exported(Workflow('flow', [Step('a', lambda _: 1)]).compiled.program)))"
    )
    done = in_wheel(wheel, code)
    assert done.returncode == 0, done.stderr
    assert {"Engine.tla", "Lifecycle.tla", "Program.tla", "Properties.tla"} <= set(done.stdout.split())


def of_a_checkout(source: str) -> set[str]:
    """The files and folders of a checkout that a file names in a string, whole or as the beginning of a path."""
    return {text for text in texts(source) if text.partition("/")[0] in CHECKOUT}


def test_nothing_shipped_reads_a_checkout() -> None:
    """No module of the package names a file that only a checkout has; the exporter alone falls back to `specs/`."""
    found = {path: named for path, source in sources().items() if (named := of_a_checkout(source))}
    assert found == {"check/tla.py": {"specs"}}


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("open(ROOT / 'pyproject.toml')", {"pyproject.toml"}),
        ("P = 'specs/guide/x.md'", {"specs/guide/x.md"}),
        ('"""specs"""', set()),
    ],
)
def test_a_file_of_a_checkout_is_found(line: str, named: set[str]) -> None:
    """The rule can fail: a name in code is seen, one in a docstring is not."""
    assert of_a_checkout(line) == named
