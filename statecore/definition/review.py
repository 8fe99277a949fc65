"""What a person is asked about a component, and what follows from the answer.

Settings may be written flat (`Step(..., requires_confirmation=True)`) or as `human_review=HumanReview(...)`; both mean the same.
`SUPPORTED` says which component honours which setting; every other pair is refused by name, so nothing is accepted and ignored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

from attrs import asdict, evolve, field, fields, frozen

from statecore.errors import ConflictingSettings, DefinitionError, UnsupportedSetting, suggest

from .words import OnError, OnReject

if TYPE_CHECKING:
    from collections.abc import Mapping
    from enum import Enum


class ReviewSettings(TypedDict, total=False):
    """The settings of a `HumanReview`, as flat keywords of a component."""

    requires_confirmation: bool
    confirmation_message: str | None
    on_reject: OnReject | str | None
    on_error: OnError | str | None


def word(enum: type[Enum], setting: str) -> Any:
    """A converter that takes the enum's member or its plain string, and names the choices otherwise."""

    def convert(value: object) -> Enum | None:
        if value is None or isinstance(value, enum):
            return value
        try:
            return enum(value)
        except ValueError:
            known = [str(member.value) for member in enum]
            message = f"{setting}={value!r} means nothing.{suggest(str(value), known)}"
            raise DefinitionError(message) from None

    return convert


def flag(setting: str) -> Any:
    """A validator for a setting that is True or False."""

    def check(_review: object, _attribute: object, value: object) -> None:
        if not isinstance(value, bool):
            message = f"{setting} must be True or False, not {value!r}."
            raise DefinitionError(message)

    return check


def text(setting: str) -> Any:
    """A validator for a setting that is a sentence or nothing."""

    def check(_review: object, _attribute: object, value: object) -> None:
        if value is not None and not isinstance(value, str):
            message = f"{setting} must be a string, not {value!r}."
            raise DefinitionError(message)

    return check


@frozen(kw_only=True)
class HumanReview:
    """When a person is asked about a component, and what a "no" or an error leads to.

    `requires_confirmation` asks before anything of the component runs, showing `confirmation_message`. `on_reject` defaults to the
    else branch for a Condition and to skip for everything else. `on_error` unset means that the nearest enclosing component that
    sets it decides, and `fail` where none does.
    """

    requires_confirmation: bool = field(default=False, validator=flag("requires_confirmation"))
    confirmation_message: str | None = field(default=None, validator=text("confirmation_message"))
    on_reject: OnReject | None = field(default=None, converter=word(OnReject, "on_reject"))
    on_error: OnError | None = field(default=None, converter=word(OnError, "on_error"))


SUPPORTED: dict[str, tuple[str, ...]] = {
    "Step": ("requires_confirmation", "confirmation_message", "on_reject", "on_error"),
    "Steps": ("requires_confirmation", "confirmation_message", "on_reject", "on_error"),
    "Condition": ("requires_confirmation", "confirmation_message", "on_reject", "on_error"),
    "Workflow": ("requires_confirmation", "confirmation_message", "on_reject", "on_error"),
}

REJECTIONS: dict[str, tuple[OnReject, ...]] = {
    "Step": (OnReject.skip, OnReject.cancel),
    "Steps": (OnReject.skip, OnReject.cancel),
    "Condition": (OnReject.else_branch, OnReject.skip, OnReject.cancel),
    "Workflow": (OnReject.skip, OnReject.cancel),
}


def merged(component: str, review: HumanReview | None, flat: Mapping[str, Any]) -> HumanReview:
    """One `HumanReview` out of the two spellings, checked against what this kind of component supports."""
    if review is not None and not isinstance(review, HumanReview):
        message = f"human_review of {component} must be a HumanReview, not {review!r}."
        raise DefinitionError(message)
    unknown = [name for name in flat if name not in SETTINGS]
    if unknown:
        message = f"{component} has no keyword {unknown[0]!r}.{suggest(unknown[0], SETTINGS)}"
        raise TypeError(message)
    given = HumanReview(**flat)
    result = review or HumanReview()
    for name in flat:
        wanted, there = getattr(given, name), getattr(result, name)
        if there != DEFAULTS[name] and there != wanted:
            raise ConflictingSettings(component, name, wanted, there)
    result = evolve(result, **{name: getattr(given, name) for name in flat})
    refuse_unsupported(component, result)
    return result


def refuse_unsupported(component: str, review: HumanReview) -> None:
    """Raise `UnsupportedSetting` for the first setting that this kind of component cannot honour."""
    kind = component.partition(" ")[0]
    for name, value in asdict(review).items():
        if value != DEFAULTS[name] and name not in SUPPORTED[kind]:
            raise UnsupportedSetting(component, name, "it would be ignored", SUPPORTED[kind])
    if review.on_reject is not None and review.on_reject not in REJECTIONS[kind]:
        why = {
            OnReject.retry: "there is no output to run again where the only review is a confirmation",
            OnReject.else_branch: "only a Condition has an else branch",
        }[review.on_reject]
        raise UnsupportedSetting(component, f"on_reject={review.on_reject.value!r}", why, [r.value for r in REJECTIONS[kind]])


DEFAULTS: dict[str, Any] = {attribute.name: attribute.default for attribute in fields(HumanReview)}
SETTINGS = tuple(DEFAULTS)
