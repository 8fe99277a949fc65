"""The authority of a question with a rule, as a requirement shows it: the people who may decide, the votes, and their meaning."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import define, field

from statecore.core.authority import Needs, Rejected, people_at
from statecore.core.rule import Rule
from statecore.stores.rules import clock_text
from statecore.stores.votes import REFUSAL, VOTE, ballot_of, outcome_of, standing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from statecore.core import Micros
    from statecore.stores import Act, Waiting

EVERYBODY = "everybody"
SHOWN = ("rule", "who_may", "votes", "still_needed", "votes_say")
"""The attributes of a requirement that only a question with a rule has."""


@define(kw_only=True)
class Authority:
    """The attributes of a requirement that only a question with an approval has; `votes_say` is needs_more, satisfied or refused."""

    rule: Mapping[str, Any] | None = field(default=None, repr=False)
    who_may: tuple[str, ...] = field(default=(), converter=tuple, repr=False)
    votes: tuple[Mapping[str, Any], ...] = field(default=(), converter=tuple, repr=False)
    still_needed: int | None = field(default=None, repr=False)
    votes_say: str | None = field(default=None, repr=False)


def is_told(asked: Authority, name: str) -> bool:
    """Whether an attribute of a requirement is part of its plain data."""
    return not name.startswith("_") and (asked.rule is not None or name not in SHOWN)


def authority(waiting: Waiting, clock: Callable[[], Micros] | None) -> dict[str, Any]:
    """The attributes of a requirement whose question has a rule; `still_needed` is 0 where the votes satisfy it, None where a no stands."""
    pause = waiting.pause
    rule, ballot = Rule.read(pause.rule or "{}"), ballot_of(pause, waiting.requester)
    now = clock() if clock is not None else pause.opened
    found = outcome_of(waiting, now)
    said = "needs_more" if isinstance(found, Needs) else "refused" if isinstance(found, Rejected) else "satisfied"
    return {
        "seen": pause.seen,
        "rule": rule.plain(),
        "who_may": () if rule.is_computed else (*(people_at(rule, ballot, now) or (EVERYBODY,)), *rule.also),
        "votes": tuple(shown(act, standing(waiting.acts)) for act in waiting.acts),
        "still_needed": found.n if isinstance(found, Needs) else None if isinstance(found, Rejected) else 0,
        "votes_say": said,
    }


def shown(act: Act, votes: tuple[Act, ...]) -> dict[str, Any]:
    """One act as plain data: a vote that stands no longer says so, a refusal says why, and how often."""
    plain = {"kind": act.kind, "by": act.by, "word": act.word, "via": act.via, "comment": act.comment, "at": clock_text(act.time)}
    if act.kind == VOTE:
        return {**plain, "stands": act in votes}
    return {**plain, "why": act.detail, **({"times": act.times} if act.kind == REFUSAL else {})}
