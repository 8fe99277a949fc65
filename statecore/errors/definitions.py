"""SC1 and SC2: what the user wrote cannot mean anything, and what no row of a lifecycle allows."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import define, field

from .base import AS_ERROR, StatecoreError, is_empty, listed, texts, worded


class DefinitionError(StatecoreError, ValueError):
    """A workflow's definition cannot mean anything."""

    code = "SC100"


@define(**AS_ERROR)
class UnsupportedSetting(DefinitionError):
    """A setting was given to a component that cannot honour it."""

    code = "SC101"
    says = "{component} does not support {setting}: {why}.{_known}"
    component: str
    setting: str
    why: str
    supported: tuple[str, ...] = field(default=(), converter=texts)

    @property
    def _known(self) -> str:
        return f" Supported here: {listed(map(worded, self.supported))}." if self.supported else ""


@define(**AS_ERROR)
class ConflictingSettings(DefinitionError):
    """One setting was given twice with different values."""

    code = "SC102"
    says = "{component} got {setting}={flat!v} as a keyword and {setting}={review!v} in human_review. Give it once, or the same."
    component: str
    setting: str
    flat: object
    review: object


@define(**AS_ERROR)
class DuplicateNames(DefinitionError):
    """Two components of one list share a name, so neither has an address."""

    code = "SC103"
    says = (
        "{parent:the workflow} has two components named {name!r}. A paused run is found again by name: "
        "give each its own, e.g. Step(name=...)."
    )
    parent: str
    name: str


@define(**AS_ERROR)
class NotAComponent(DefinitionError):
    """Something that is no component stands in a list of steps, or in place of the list (`setting`)."""

    code = "SC104"
    says = "{_place} {found!t}, {_wrong}"
    where: str
    found: object
    setting: str = ""

    @property
    def _place(self) -> str:
        where = worded(self.where)
        return f"{where} contains" if is_empty(self.setting) else f"The {worded(self.setting)} of {where} must be a list, not"

    @property
    def _wrong(self) -> str:
        if not is_empty(self.setting):
            return f"so write {worded(self.setting)}=[...], also around a single component."
        return "which is no Step, component, Workflow, callable or list of these."


class LifecycleError(StatecoreError):
    """The tables do not allow what was asked."""

    code = "SC200"


def in_order(facts: Iterable[str]) -> tuple[str, ...]:
    """Facts as a sorted tuple, so that the same facts are the same error."""
    return tuple(sorted(facts))


@define(**AS_ERROR)
class RefusedTrigger(LifecycleError):
    """No row of the lifecycle allows this trigger here."""

    code = "SC201"
    says = "The {machine} lifecycle has no row for {trigger!r} in {phase!r} where {facts:nothing} holds."
    machine: str
    phase: str
    trigger: str
    facts: tuple[str, ...] = field(converter=in_order)


def numbers(given: Iterable[int]) -> tuple[int, ...]:
    """Any iterable of numbers as a tuple, in its order."""
    return tuple(given)


@define(**AS_ERROR)
class StaleEvent(LifecycleError):
    """An event speaks of a step, turn or attempt that the run is no longer at."""

    code = "SC202"
    says = "{trigger!r} for {address!r}, attempt {attempt}, came too late: the run is not there any more."
    address: str
    turn: tuple[int, ...] = field(converter=numbers)
    attempt: int
    trigger: str
