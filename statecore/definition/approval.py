"""`Approval`: the people who decide about a component; `Person`: one of them (AUTH-1, AUTH-5, AUTH-6).

Pure data, checked where it is written. `core.rule` is what a program keeps of it, and `core.authority` the judgement.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from enum import Enum
from typing import Any, NoReturn, TypeAlias
from unicodedata import normalize

from attrs import field, fields, frozen

from statecore.errors import DefinitionError, quoted, suggest

from .calling import is_count, is_whole, taken
from .fields import plain_value

Seconds: TypeAlias = float
Who: TypeAlias = str
"""A person by name, or `role:` and the name of a role."""
ROLE = "role:"
DECLARED = "declared"
"""The `via` of a person who was not authenticated: a plain name."""
AGENTS = frozenset({"agent", "mcp"})
"""The `via` of a program: a token of these never decides where an Approval stands."""
COMMENTS = (None, "on_reject", "always")
LONGEST = 1e11


class Marker(Enum):
    """A stand-in for a person whom only the run knows.

    Example: `Approval(2, of="role:finance", exclude=requester)`.
    """

    requester = "requester"


requester = Marker.requester
"""The person who asked for the run (`run(..., requester=)`), in `exclude`. Example: `Approval(2, of="role:finance", exclude=requester)`."""


def refuse(setting: str, what: str, value: object, write: str) -> NoReturn:
    """Refuse a setting: what it must be, what it is, and what to write. Raises `DefinitionError`."""
    message = f"{setting} must be {what}, not {quoted(value)}. Write {write}."
    raise DefinitionError(message)


def seconds(setting: str, given: Any) -> Seconds:
    """A length of time, as a positive number of seconds or a `timedelta`, in seconds. Raises `DefinitionError`."""
    told = getattr(given, "total_seconds", None)
    found = told() if callable(told) else given
    if not isinstance(found, int | float) or isinstance(found, bool) or not 0 < found < LONGEST:
        refuse(setting, "a positive number of seconds or a timedelta", given, f"{setting}=timedelta(hours=24)")
    return float(found)


def is_name(value: object) -> bool:
    """Whether a value is a text of whole characters that is not blank."""
    return isinstance(value, str) and bool(value.strip()) and is_whole(value)


def who(setting: str, given: object) -> Who:
    """A person or a role, in NFC. Raises `DefinitionError`."""
    if not is_name(given) or not isinstance(given, str) or given.strip() == ROLE:
        refuse(setting, "the name of a person, or role: and the name of a role", given, f'{setting}="role:finance"')
    return normalize("NFC", given)


def several(setting: str, given: Any) -> tuple[Who, ...]:
    """One person or role, or some, as a tuple. Raises `DefinitionError`."""
    if isinstance(given, str) or not isinstance(given, Collection) or isinstance(given, Mapping):
        return (who(setting, given),)
    return tuple(who(setting, each) for each in (sorted(given) if isinstance(given, set | frozenset) else given))


def after(given: Any) -> Seconds:
    """The converter of `after`."""
    return seconds("after", given)


def to(given: Any) -> tuple[Who, ...]:
    """The converter of `to`."""
    return several("to", given)


def also(given: Any) -> tuple[Who, ...]:
    """The converter of `also`."""
    return several("also", given)


def delegate(given: Any) -> tuple[Who, ...]:
    """The converter of `delegate`."""
    return several("delegate", given)


def whom(given: Any) -> tuple[Who, ...] | Callable[..., Any] | None:
    """The converter of `of`: every person (None), some people and roles, or a callable of the run that names them."""
    if given is None:
        return None
    if callable(given):
        code: Callable[..., Any] = given
        return code
    found = several("of", given)
    if not found:
        refuse("of", "at least one person or role", given, 'of="role:finance", or leave it out: then every person may')
    return found


def excluded(given: Any) -> tuple[Marker | str, ...]:
    """The converter of `exclude`: the requester, and the names of earlier gates."""
    every = [given] if isinstance(given, str | Marker) else given
    if not isinstance(every, list | tuple):
        refuse("exclude", "requester, or the name of an earlier gate, or a list of these", given, "exclude=requester")
    found: list[Marker | str] = []
    for each in every:
        if isinstance(each, Mapping) and dict(each) == {"marker": "requester"}:
            found.append(requester)
        elif isinstance(each, Marker) or is_name(each):
            found.append(each)
        else:
            refuse("exclude", "requester, or the name of an earlier gate", each, 'exclude=[requester, "review"]')
    return tuple(found)


def routes(given: Any) -> frozenset[str] | None:
    """The converter of `via`: the ways of authentication that count."""
    if given is None:
        return None
    every = [given] if isinstance(given, str) else given
    if not isinstance(every, Collection) or isinstance(every, Mapping) or not every or not all(map(is_name, every)):
        refuse("via", "one or more ways of authentication", given, 'via={"oidc", "link"}')
    for each in sorted(AGENTS & set(every)):
        message = f"via has {each!r}, and what acts for an agent never decides where an Approval stands. Leave it out."
        raise DefinitionError(message)
    return frozenset(every)


def check_people(_made: object, attribute: Any, value: object) -> None:
    """A validator: a whole number of people, from 1; an attribute that is None by default may be left so."""
    if not (value is None and attribute.default is None) and (not is_count(value) or value == 0):
        refuse(attribute.name, "a whole number of people, from 1", value, f"{attribute.name}=2 for two people")


def check_flag(_made: object, attribute: Any, value: object) -> None:
    """A validator: True or False."""
    if not isinstance(value, bool):
        refuse(attribute.name, "True or False", value, f"{attribute.name}=True")


def check_some(_made: object, attribute: Any, value: object) -> None:
    """A validator: there is a name."""
    if not value:
        refuse(attribute.name, "at least one person or role", value, f'{attribute.name}="role:cfo"')


@frozen
class Escalate:
    """An escalation: from `after` (seconds or a `timedelta`, counted from the asking) on, `to` may decide, too, and `k` people are needed.

    Without `k` as many are needed as before. `instead=True`: from then on only `to`, and no longer those before. A vote that is stored
    stays as it was judged.
    Example: `Escalate(timedelta(hours=24), "role:cfo")`.
    """

    after: Seconds = field(converter=after)
    to: tuple[Who, ...] = field(converter=to, validator=check_some)
    k: int | None = field(default=None, validator=check_people)
    instead: bool = field(default=False, validator=check_flag)


def escalations(given: Any) -> tuple[Escalate, ...]:
    """The converter of `escalate`: one, or some, each an `Escalate`, a pair of (after, to) or its plain data; in the order of time."""
    if given is None:
        return ()
    every = [given] if isinstance(given, Escalate) else given
    if isinstance(every, tuple) and len(every) == PAIR and not isinstance(every[0], Escalate | Sequence):
        every = [every]
    if not isinstance(every, list | tuple):
        refuse("escalate", "a list of Escalate", given, 'escalate=[Escalate(timedelta(hours=24), "role:cfo")]')
    found: list[Escalate] = []
    for each in every:
        if isinstance(each, Escalate):
            found.append(each)
        elif isinstance(each, Mapping):
            found.append(Escalate(**each))
        elif isinstance(each, list | tuple) and len(each) == PAIR:
            found.append(Escalate(*each))
        else:
            refuse("escalate", "a list of Escalate", each, 'escalate=[Escalate(timedelta(hours=24), "role:cfo")]')
    return tuple(sorted(found, key=lambda each: each.after))


PAIR = 2


@frozen
class Approval:
    """An approval needs `k` people of those in `of`, and one of each in `also`; those in `exclude` may not decide.

    `of` is a person, a role (`"role:finance"`), a list of them, or a callable of the run (a `RunContext`) that names them once, when the
    question is asked; left out, every person may. A voter fills one seat, so `Approval(2, also=["role:legal"])` needs three people. `exclude` has
    `requester` and the names of earlier gates, whose deciders may not decide here. `comment` is required `"on_reject"` or `"always"`.
    `escalate` adds people with time (`Escalate`), `via` the ways of authentication that count, `delegate` those to whom a person may hand on a
    vote; no store of this release keeps a delegation, so a run of such a workflow is refused. Raises `DefinitionError`.
    Example: `Step("pay", pay, requires_confirmation=True, approval=Approval(2, of="role:finance", exclude=requester))`.
    """

    k: int = field(default=1, validator=check_people)
    of: tuple[Who, ...] | Callable[..., Any] | None = field(default=None, converter=whom)
    also: tuple[Who, ...] = field(default=(), converter=also)
    exclude: tuple[Marker | str, ...] = field(default=(), converter=excluded)
    comment: str | None = None
    escalate: tuple[Escalate, ...] = field(default=(), converter=escalations)
    via: frozenset[str] | None = field(default=None, converter=routes)
    delegate: tuple[Who, ...] = field(default=(), converter=delegate)

    def __attrs_post_init__(self) -> None:
        """Refuse what can never be satisfied, and what would mean nothing."""
        if self.comment not in COMMENTS:
            message = f"comment={quoted(self.comment)} means nothing.{suggest(self.comment, COMMENTS)}"
            raise DefinitionError(message)
        if callable(self.of):
            taken("an Approval", "of", self.of, "run_context")
        self._check_seats()

    def _check_seats(self) -> None:
        """Refuse seats that those who are named cannot fill: a person fills one."""
        for setting, given in (("of", self.of), ("also", self.also), ("exclude", self.exclude), ("delegate", self.delegate)):
            people = [each for each in given if not str(each).startswith(ROLE)] if isinstance(given, tuple) else []
            if len(set(people)) < len(people):
                message = f"{setting} names {quoted(next(each for each in people if people.count(each) > 1))} twice: a person fills one seat."
                raise DefinitionError(message)
        if isinstance(self.of, tuple) and not self.escalate and not any(each.startswith(ROLE) for each in self.of):
            free = set(self.of) - set(self.also)
            if len(free) < self.k:
                message = (
                    f"Approval(k={self.k}) needs {self.k} people of {', '.join(self.of)} beside those in also, and there are {len(free)}. "
                    "A person fills one seat: name more, or lower k."
                )
                raise DefinitionError(message)

    def to_dict(self) -> dict[str, Any]:
        """Plain data: the settings that differ from their defaults; a callable is named."""
        return {name: plain_part(value) for name, default in PARTS.items() if (value := getattr(self, name)) != default}


PARTS: dict[str, Any] = {attribute.name: attribute.default for attribute in fields(Approval)}


def plain_part(value: Any) -> Any:
    """A setting of an `Approval` as plain data."""
    if isinstance(value, Marker):
        return {"marker": value.value}
    if isinstance(value, Escalate):
        parts = {"after": value.after, "to": list(value.to), "k": value.k, "instead": value.instead}
        return {name: part for name, part in parts.items() if part not in (None, False)}
    if isinstance(value, frozenset):
        return sorted(value)
    return [plain_part(each) for each in value] if isinstance(value, tuple) else plain_value(value)


def as_approval(given: Any) -> Approval | None:
    """The converter of the setting `approval`: an `Approval`, its plain data, or none. Raises `DefinitionError`."""
    if given is None or isinstance(given, Approval):
        return given
    if not isinstance(given, Mapping):
        refuse("approval", "an Approval", given, 'approval=Approval(2, of="role:finance")')
    for name in given:
        if name not in PARTS:
            message = f"An Approval has no {quoted(name)}.{suggest(name, PARTS)}"
            raise DefinitionError(message)
    return Approval(**given)


# -- people ------------------------------------------------------------------------------------------------------------------------


def person_name(given: object) -> str:
    """The name of a person, in NFC; a blank one is none, and `role:` begins no name. Raises `DefinitionError`."""
    if not is_name(given) or not isinstance(given, str) or given.startswith(ROLE):
        message = (
            f"A Person needs a name that is not blank and does not begin with role:, not {quoted(given)}. Write Person('ada')."
        )
        raise DefinitionError(message)
    return normalize("NFC", given)


def roles(given: Any) -> frozenset[str]:
    """The roles of a person, by name. Raises `DefinitionError`."""
    every = [given] if isinstance(given, str) else given
    if not isinstance(every, Collection) or isinstance(every, Mapping) or not all(map(is_name, every)):
        refuse("roles", "names of roles", given, 'roles={"finance"}')
    for each in every:
        if each.startswith(ROLE):
            message = f"roles has {quoted(each)}: a role is written without role: where it is a person's. Write {quoted(each[len(ROLE) :])}."
            raise DefinitionError(message)
    return frozenset(normalize("NFC", each) for each in every)


def check_via(_made: object, _attribute: object, value: object) -> None:
    """A validator: a way of authentication."""
    if not is_name(value):
        refuse("via", "a way of authentication", value, 'via="oidc"')


@frozen
class Person:
    """The person who decides, as the authentication says: a name, compared exactly in NFC, how it is known, and the roles that it gave.

    A plain string is a `Person` that is `"declared"`. `claims` is what else the login said; it decides nothing.
    Example: `Person("bob", via="oidc", roles={"finance"})`.
    """

    name: str = field(converter=person_name)
    via: str = field(default=DECLARED, validator=check_via)
    roles: frozenset[str] = field(default=frozenset(), converter=roles)
    claims: Mapping[str, Any] = field(factory=dict, eq=False, repr=False)


def as_person(given: Any) -> Person:
    """A person: one that is given, or a plain name. Raises `DefinitionError`."""
    return given if isinstance(given, Person) else Person(given)
