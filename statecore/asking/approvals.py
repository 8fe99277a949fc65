"""A requirement with a rule, in lines: the people that it needs, its votes, and what is still needed; for a surface that has no stored row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from statecore.core.rule import read_rule
from statecore.stores.votes import REFUSAL, VOTE

from .text import clean, lasting, named

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

SECOND = 1_000_000
SAYS = {"satisfied": "the votes satisfy the rule", "refused": "a no stands"}


def rule_in_words(plain: Mapping[str, Any]) -> str:
    """A rule as one line: how many of whom, who may not, who may later, and how a person is known."""
    rule = read_rule(dict(plain))
    of = "people who are not named yet" if rule.of is None else people(rule.of) if rule.of else "anybody"
    parts = [" and ".join([f"{rule.k} of {of}", *(f"1 of {people([each])}" for each in rule.also)])]
    barred = [*(["the requester"] if rule.requester else []), *(f"those who decided {named(at)}" for at in rule.gates)]
    parts += [f"not {', '.join(barred)}"] if barred else []
    for each in rule.escalations:
        whom = f"only {people(each.to)}" if each.instead else f"{people(each.to)}, too"
        parts.append(f"after {lasting(each.after / SECOND)} {whom}{'' if each.k is None else f', {each.k} needed'}")
    parts += [f"known by {', '.join(map(named, rule.via))}"] if rule.via else []
    parts += ["no name that only was declared"] if rule.identified else []
    parts += [f"a comment {'for a no' if rule.comment == 'on_reject' else 'always'}"] if rule.comment else []
    return "; ".join(parts)


def people(who: Sequence[str]) -> str:
    """People and roles, in words."""
    return " or ".join(map(named, who))


def needed_in_words(still_needed: int | None, votes_say: str | None) -> str:
    """The outcome of the votes so far, in words."""
    if votes_say in SAYS:
        return SAYS[votes_say]
    more = still_needed or 0
    return f"{more} more vote{' is' if more == 1 else 's are'} needed" if more else "a no holds it"


def vote_lines(votes: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The acts about a question, a line each; a vote that stands no longer says so."""
    for act in votes:
        who = f"{named(act['by'] or 'a person without a name')} ({named(act['via'] or 'declared')})"
        if act["kind"] == VOTE:
            fate = "" if act["stands"] else ", stands no longer"
            comment = f": {clean(act['comment'], 100)}" if act["comment"] else ""
            yield f"{act['word']} by {who}, {act['at']}{fate}{comment}"
        elif act["kind"] == REFUSAL:
            times = f", {act['times']} times" if act["times"] > 1 else ""
            yield f"refused: {act['word']} by {who}, {act['at']}{times}: {named(act['why'])}"
        else:
            yield f"{act['kind']} by {who}, {act['at']}"


def declared_counts(plain: Mapping[str, Any]) -> bool:
    """Whether a name that only is declared counts under a rule."""
    rule = read_rule(dict(plain))
    return not rule.identified and (rule.via is None or "declared" in rule.via)
