"""`Rule`: the people who may decide about a component, as plain data that a program, a stored question and a digest keep (AUTH-1).

It is what an `Approval` says, with the addresses of earlier gates in place of their names. `Rule.text` is one JSON object, the same for the
same rule; reading refuses what this release does not know. `core.authority` judges by it.
"""

from __future__ import annotations

from json import dumps, loads
from typing import TYPE_CHECKING, Any, NoReturn

from attrs import evolve, fields, frozen

from statecore.errors import UnreadableValue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
ROLE = "role:"


@frozen
class Escalation:
    """From `after` (microseconds from the asking) on, `to` may decide, too, or only they (`instead`); `k` holds from then on, where it is given."""

    after: int
    to: tuple[str, ...]
    k: int | None = None
    instead: bool = False


@frozen
class Rule:
    """`k` people of `of`, one of each of `also`, and none of those who are excluded.

    `of`: people and roles (`role:finance`); () is every person, None stands for what a callable names when the question is asked. `requester`:
    who asked for the run may not decide. `gates`: the addresses of earlier gates, whose deciders may not. `comment`: "on_reject", "always" or
    "". `via`: the ways of authentication that count, None for all; `identified`: a declared name is none. `delegates`: to whom a vote may be
    handed on. `no_holds`: a no leads to steps of the component's own, so it needs the rule as a yes does.
    """

    k: int = 1
    of: tuple[str, ...] | None = ()
    also: tuple[str, ...] = ()
    requester: bool = False
    gates: tuple[str, ...] = ()
    comment: str = ""
    escalations: tuple[Escalation, ...] = ()
    via: tuple[str, ...] | None = None
    identified: bool = False
    delegates: tuple[str, ...] = ()
    no_holds: bool = False

    @property
    def is_computed(self) -> bool:
        """Whether the people are still to be named by a callable."""
        return self.of is None

    def named(self, people: Iterable[str]) -> Rule:
        """The rule with the people and roles that its callable named, in an order of their own."""
        return evolve(self, of=tuple(sorted(set(people))))

    def plain(self) -> dict[str, Any]:
        """The rule as plain data: what differs from a rule that asks nothing."""
        return {name: plain_part(value) for name, default in PARTS.items() if (value := getattr(self, name)) != default}

    def text(self) -> str:
        """The rule as one JSON object, for a row and a digest."""
        return dumps(self.plain(), ensure_ascii=True, separators=(",", ":"), sort_keys=True)

    @classmethod
    def read(cls, text: str) -> Rule:
        """The rule of a text. Raises `UnreadableValue` for what this release does not know."""
        try:
            plain = loads(text)
        except (ValueError, RecursionError):
            raise UnreadableValue(UNKNOWN + "it is no JSON") from None
        return read_rule(plain)


PARTS: dict[str, Any] = {attribute.name: attribute.default for attribute in fields(Rule)}


def plain_part(value: Any) -> Any:
    """A part of a rule as plain data."""
    if isinstance(value, Escalation):
        return [value.after, list(value.to), value.k, value.instead]
    return [plain_part(each) for each in value] if isinstance(value, tuple) else value


# -- reading -------------------------------------------------------------------------------------------------------------------------


UNKNOWN = "the rule of who may decide is none that this release knows: "


def refuse(why: str) -> NoReturn:
    """Refuse a stored rule: nothing of it is guessed. Raises `UnreadableValue`."""
    raise UnreadableValue(UNKNOWN + why)


def is_number(value: object) -> bool:
    """Whether a value is a whole number from 1."""
    return type(value) is int and value >= 1


def is_texts(value: object) -> bool:
    """Whether a value is a list of texts that are not blank."""
    return type(value) is list and all(type(each) is str and each.strip() for each in value)


def is_escalation(value: object) -> bool:
    """Whether a value is the list of an escalation's parts."""
    if type(value) is not list or len(value) != len(fields(Escalation)):
        return False
    after, to, k, instead = value
    return is_number(after) and is_texts(to) and bool(to) and (k is None or is_number(k)) and type(instead) is bool


FITS: dict[str, Callable[[Any], bool]] = {
    "k": is_number,
    "of": lambda value: value is None or is_texts(value),
    "also": is_texts,
    "requester": lambda value: value is True,
    "gates": is_texts,
    "comment": lambda value: value in ("on_reject", "always"),
    "escalations": lambda value: type(value) is list and all(map(is_escalation, value)),
    "via": lambda value: is_texts(value) and bool(value),
    "identified": lambda value: value is True,
    "delegates": is_texts,
    "no_holds": lambda value: value is True,
}
"""The check of each part that is written: a default never is."""


def read_rule(plain: object) -> Rule:
    """A rule from plain data. Raises `UnreadableValue` for a part that is unknown or of another kind."""
    if type(plain) is not dict:
        refuse("it is no object")
    parts: Mapping[str, Any] = plain
    for name, value in parts.items():
        if name not in FITS:
            refuse(f"it has a part {name!r}")
        if not FITS[name](value):
            refuse(f"its part {name!r} has no meaning")
    made: dict[str, Any] = {name: tuple(value) if type(value) is list else value for name, value in parts.items()}
    if "escalations" in made:
        made["escalations"] = tuple(Escalation(after, tuple(to), k, instead) for after, to, k, instead in made["escalations"])
    return Rule(**made)
