"""A target names a workflow: `module:attribute` or `file.py:attribute`; the attribute may be left out where there is one workflow."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Iterable
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType

from statecore import Workflow
from statecore.errors import TargetError, suggest
from statecore.runtime.traces import where


def load(target: str) -> Workflow:
    """The workflow that a target names. Raises `TargetError` with what is wrong and what is near."""
    [workflow] = load_all([target])
    return workflow


def load_all(targets: Iterable[str]) -> list[Workflow]:
    """The workflows that targets name; a file that several name is run once. Raises `TargetError`."""
    modules: dict[str, ModuleType] = {}
    found = []
    for target in targets:
        place, attribute = split(target)
        if place not in modules:
            modules[place] = from_file(target, Path(place)) if place.endswith(".py") else from_name(target, place)
        found.append(attribute_of(target, modules[place], attribute) if attribute else only_workflow(target, modules[place]))
    return found


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
    """The error of a module's import, and the line of the user's code that is nearest to it."""
    place = where(error)
    return f"importing it raised {type(error).__name__}: {error}" + (f" ({place.rpartition(', ')[0]})" if place else "")


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
