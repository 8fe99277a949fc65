"""The names in a rule of who may decide, apart from the rule: a store keeps the rule for ever, and names only until they are erased (AUTH-1)."""

from __future__ import annotations

from json import dumps, loads
from typing import TYPE_CHECKING

from attrs import evolve

from statecore.codec.erased import Gone
from statecore.core.authority import Ballot, people_at
from statecore.core.rule import ROLE, Rule
from statecore.errors import UnreadableValue

if TYPE_CHECKING:
    from collections.abc import Callable

    from statecore.core import Micros

    from .records import Pause

PLACE = "person:"
"""A person in a rule without names: this, and the place of the name in the list."""


def parted(pause: Pause) -> tuple[str | None, str | None]:
    """The rule of a question without names, and its names with those who decided earlier gates; None for none."""
    if pause.rule is None:
        return None, None
    names: list[str] = []

    def placed(who: str) -> str:
        """A role as it is; a person by the place of the name."""
        if who.startswith(ROLE):
            return who
        if who not in names:
            names.append(who)
        return f"{PLACE}{names.index(who)}"

    rule = renamed(Rule.read(pause.rule), placed)
    listed = dumps([names, list(pause.deciders)], separators=(",", ":")) if names or pause.deciders else None
    return rule.text(), listed


def whole(rule: str | None, names: str | None) -> tuple[str | None, tuple[str, ...]]:
    """The rule of a question with its names, and who decided earlier gates. Without names where they were erased. Raises `UnreadableValue`."""
    if rule is None or names is None or isinstance(names, Gone):
        return rule, ()
    try:
        people, deciders = loads(names)
        found = renamed(Rule.read(rule), lambda who: who if who.startswith(ROLE) else people[int(who.removeprefix(PLACE))])
        return found.text(), tuple(map(str, deciders))
    except (ValueError, TypeError, IndexError):
        why = "the names of a rule of who may decide are none that this release has written"
        raise UnreadableValue(why) from None


def renamed(rule: Rule, name: Callable[[str], str]) -> Rule:
    """A rule with each person and role under another name."""
    return evolve(
        rule,
        of=None if rule.of is None else tuple(map(name, rule.of)),
        also=tuple(map(name, rule.also)),
        delegates=tuple(map(name, rule.delegates)),
        escalations=tuple(evolve(each, to=tuple(map(name, each.to))) for each in rule.escalations),
    )


def audience(pause: Pause) -> list[tuple[str, Micros, Micros | None]]:
    """The people and roles who may decide about a question, each with the instants from which and until which they may."""
    rule, ballot = Rule.read(pause.rule or "{}"), Ballot(pause.opened, pause.deadline)
    if rule.is_computed:
        return []
    starts = [pause.opened, *[pause.opened + each.after for each in rule.escalations]]
    found: dict[str, tuple[Micros, Micros | None]] = dict.fromkeys(rule.also, (pause.opened, None))
    for n, since in enumerate(starts):
        now = people_at(rule, ballot, since)
        for who in now:
            found.setdefault(who, (since, None))
        for who, (first, until) in list(found.items()):
            if until is None and n and who not in now and who not in rule.also:
                found[who] = (first, since)
    return [(who if who.startswith(ROLE) else PLACE + who, since, until) for who, (since, until) in found.items()]
