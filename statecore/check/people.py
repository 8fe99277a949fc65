"""People in properties, symbolically: what every opening of a gate has in common, for any people, any k and any time (AUTH-8).

A person is known by the part of the rule that allows the vote: a role, a name, or nothing. A role of one is no role of another, a named person
may have none, and a delegate has that by which a vote may be handed on. So a rule guarantees something if no choice of seats, times and
delegates avoids it; that is a count over the seats, and takes no situation of the search.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from statecore.core import Micros
    from statecore.core.rule import Rule

ROLE = "role:"
ANYBODY = "anybody"
HOUR = 3_600_000_000


@frozen
class By:
    """The people who decided, as a property asks for them: `n` of a role (of any, where it is ""), and not the requester.

    Its text is `by 2 of finance`, `by 2` or `not by requester`.
    """

    n: int = 0
    role: str = ""
    barred: bool = False

    def __str__(self) -> str:
        """The end of an atom, as it is written on the command line."""
        count = f" by {self.n}{f' of {self.role}' if self.role else ''}" if self.n else ""
        return count + (" not by requester" if self.barred else "")


def shortfall(rule: Rule | None, by: By) -> str | None:
    """Some people who open a gate and are not those that are asked for, in words; None where there are none such."""
    if by.barred and (rule is None or not rule.requester):
        return (
            "the requester may decide alone"
            if rule is None or seats(rule, 0) == 1
            else "the requester may be one of those who decide"
        )
    if not by.n:
        return None
    if rule is None:
        return None if by.n == 1 and not by.role else "any one person opens it"
    found = min(openings(rule, by.role), key=lambda each: each[0])
    return None if found[0] >= by.n else found[1]


def seats(rule: Rule, time: Micros) -> int:
    """How many people a gate needs, if the latest of them votes at a time after the asking."""
    due = [each.k for each in rule.escalations if each.k is not None and each.after <= time]
    return (due[-1] if due else rule.k) + len(rule.also)


def openings(rule: Rule, role: str) -> Iterator[tuple[int, str]]:
    """For each time of the latest vote: the fewest people of a role with whom the gate opens, and who they are."""
    for time in (0, *(each.after for each in rule.escalations)):
        total = seats(rule, time)
        if not role:
            yield total, f"{people(total)} open it{after(time)}"
            continue
        others = [each for each in allowed(rule, time) if each != ROLE + role]
        free = total - len(rule.also) if others else 0
        fixed = [each for each in rule.also if each != ROLE + role]
        counted = total - free - len(fixed)
        stand_in = [each for each in rule.delegates if each != ROLE + role]
        if stand_in:  # each seat but a delegate's own may be filled by one who is handed the vote
            counted, others = 0, [*others, *(f"{each} for one of {role}" for each in stand_in)]
        told = f"{counted} of {role} and {total - counted} of {' or '.join(dict.fromkeys([*others, *fixed]))} open it{after(time)}"
        yield counted, told


def allowed(rule: Rule, time: Micros) -> list[str]:
    """All by which a seat of `of` may be filled up to a time: a vote keeps the time at which it was stored."""
    found, now = [], list(rule.of or [ANYBODY])
    found += now
    for each in rule.escalations:
        if each.after <= time:
            now = list(each.to) if each.instead else now if ANYBODY in now else [*now, *each.to]
            found += now
    return list(dict.fromkeys(found))


def people(count: int) -> str:
    """How many people."""
    return "1 person" if count == 1 else f"{count} people"


def after(time: Micros) -> str:
    """A time after the asking, in words; "" for at once."""
    return "" if time == 0 else f" {time / HOUR:.10g} h after the question was put"
