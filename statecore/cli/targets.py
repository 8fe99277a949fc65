"""A target names a workflow: `module:attribute` or `file.py:attribute`; the attribute may be left out where there is one workflow.

Which store a command works on: `--db` or STATECORE_DB, else the workflow's own, else `statecore.db` in the current folder.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from pkgutil import iter_modules
from traceback import extract_tb
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

import click

from statecore import Workflow
from statecore.errors import TargetError, suggest
from statecore.stores import InMemoryDb

from . import exits
from .options import Option

if TYPE_CHECKING:
    from statecore.db.postgres import PostgresDb
    from statecore.stores import Store
    from statecore.temporal import TemporalDb
    from statecore.workflow.inbox import Inbox


def load(target: str) -> Workflow:
    """The workflow that a target names. Raises `TargetError` with what is wrong and what is near."""
    place, attribute = split(target)
    module = from_file(target, Path(place)) if place.endswith(".py") else from_name(target, place)
    return attribute_of(target, module, attribute) if attribute else only_workflow(target, module)


def split(target: str) -> tuple[str, str | None]:
    """The module or file, and the attribute; a colon of a drive letter is none of ours."""
    place, colon, attribute = target.rpartition(":")
    if not colon or "/" in attribute or "\\" in attribute or attribute.endswith(".py"):
        return target, None
    return place, attribute or None


def from_file(target: str, path: Path) -> ModuleType:
    """A file, run as a module; what lies beside it can be imported."""
    if not path.is_file():
        near = [each.name for each in path.parent.glob("*.py")] if path.parent.is_dir() else []
        raise TargetError(target, f"there is no file {str(path)!r}.{suggest(path.name, near)}".removesuffix("."))
    sys.path.insert(0, str(path.parent.resolve()))
    name = path.stem if path.stem not in sys.modules else f"target_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise TargetError(target, f"{str(path)!r} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise TargetError(target, failure(error)) from error
    return module


def from_name(target: str, name: str) -> ModuleType:
    """A module by its name; those of the current folder are found too."""
    if "" not in sys.path:
        sys.path.insert(0, "")
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(error.name + ".")):
            raise TargetError(target, missing(name, error.name)) from error
        raise TargetError(target, failure(error)) from error
    except Exception as error:
        raise TargetError(target, failure(error)) from error


def missing(name: str, lacking: str) -> str:
    """Why a module is not there, and which one is near."""
    if Path(name.replace(".", "/") + ".py").is_file() or Path(name).exists():
        return f"there is no module {name!r}, but there is a file: write it with its ending .py"
    parent = lacking.rpartition(".")[0]
    paths = (
        list(getattr(sys.modules.get(parent), "__path__", ())) if parent else [str(Path.cwd())]
    )  # "." would be remembered as the folder it was first
    near = [module.name for module in iter_modules(paths) if not module.name.startswith("_")]
    return f"there is no module {lacking!r}.{suggest(lacking.rpartition('.')[2], near)}".removesuffix(".")


def failure(error: Exception) -> str:
    """What went wrong while a module was imported, and in which line."""
    frames = [frame for frame in extract_tb(error.__traceback__) if "importlib" not in frame.filename]
    where = f" ({frames[-1].filename}:{frames[-1].lineno})" if frames else ""
    return f"importing it raised {type(error).__name__}: {error}{where}"


def workflows(module: ModuleType) -> dict[str, Workflow]:
    """The workflows of a module, each under its first name."""
    found: dict[str, Workflow] = {}
    for name, value in vars(module).items():
        if isinstance(value, Workflow) and all(value is not other for other in found.values()):
            found[name] = value
    return found


def only_workflow(target: str, module: ModuleType) -> Workflow:
    """The one workflow of a module."""
    found = workflows(module)
    if len(found) == 1:
        return next(iter(found.values()))
    if not found:
        raise TargetError(target, "it has no Workflow")
    names = ", ".join(f"{target}:{name}" for name in found)
    raise TargetError(target, f"it has {len(found)} workflows. Choose one: {names}")


def attribute_of(target: str, module: ModuleType, attribute: str) -> Workflow:
    """The workflow of that name; dots lead into objects."""
    value: object = module
    for part in attribute.split("."):
        if not hasattr(value, part):
            raise TargetError(target, f"it has no {attribute!r}.{suggest(attribute, workflows(module))}".removesuffix("."))
        value = getattr(value, part)
    if not isinstance(value, Workflow):
        why = f"{attribute!r} is a {type(value).__name__}, not a Workflow.{suggest(attribute, workflows(module))}"
        raise TargetError(target, why.removesuffix("."))
    return value


DEFAULT = "statecore.db"
URLS = ("postgresql://", "postgres://", "postgresql+psycopg://")

db_option: Option = click.option(
    "--db",
    metavar="STORE",
    envvar="STATECORE_DB",
    show_envvar=True,
    help=f"Where the runs are: an SQLite file, postgresql://user@host/database, or temporal://HOST:PORT/NAMESPACE. "
    f"Default: the workflow's own, else ./{DEFAULT}.",
)


def is_url(db: str | None) -> bool:
    """Whether a store is named by a URL."""
    return db is not None and db.startswith(URLS)


def existing(ctx: click.Context, param: click.Parameter, value: str | None) -> Path | str | None:
    """A store that is there, as it was written on the command line: a file as a path, the URL of a database as it is."""
    if value is None or is_url(value):
        return value
    file: Path = click.Path(exists=True, dir_okay=False, path_type=Path).convert(value, param, ctx)
    return file


def database(url: str) -> PostgresDb:
    """The store in a database, which is made where there is none."""
    from statecore.db.postgres import PostgresDb  # noqa: PLC0415  # only who asks for it needs psycopg

    store = PostgresDb(url)
    click.get_current_context().call_on_close(store.close)
    return store


def opened(db: str | None) -> Store:
    """The store in a file or a database, which is made where there is none; or the one on a Temporal server."""
    if db is not None and is_url(db):
        return database(db)
    store: Store = served(db) if is_served(db) else filed(db or DEFAULT)
    click.get_current_context().call_on_close(store.close)
    return store


def filed(file: str) -> Store:
    """The store in a file."""
    from statecore.stores.sqlite.store import SqliteDb  # noqa: PLC0415  # a database or a server needs no SQLite

    return SqliteDb(db_file=file)


def is_served(db: str | None) -> bool:
    """Whether a store is a server whose own workers execute runs."""
    return (db or "").startswith("temporal://")


def served(db: str | None) -> TemporalDb:
    """The store on a Temporal server. Raises `MissingExtra`."""
    from statecore.temporal import TemporalDb  # noqa: PLC0415  # an extra

    exits.leave_at_once()
    return TemporalDb.at(db or "")


def inbox(db: str | None) -> Inbox:
    """The store of a command that needs no workflow. A file that is not there is a usage error, and is not created."""
    file = Path(db or DEFAULT)
    if not is_url(db) and not is_served(db) and not file.exists():
        message = f"There is no store {str(file)!r}. Name the file that the runs are in: --db FILE, or STATECORE_DB=FILE."
        raise click.UsageError(message)
    from statecore.workflow.inbox import Inbox  # noqa: PLC0415  # `verify` and `backup` take a store as it is

    return Inbox(opened(db))


def placed(workflow: Workflow, db: str | None) -> tuple[Workflow, str]:
    """A workflow on the store that is meant, and what to write after `--db` to find that store again ("" where it is the default)."""
    if db is None and not isinstance(workflow.db, InMemoryDb):
        file = place_of(workflow.db)
        return workflow, file
    store = opened(db)
    if is_served(db):
        cast("TemporalDb", store).learn(workflow)
    return workflow.on(store), place_of(store) if is_url(db) else db or ""


def place_of(store: Any) -> str:
    """The place of a store, as far as it has one; of a database, without the password."""
    return str(getattr(store, "path", ""))
