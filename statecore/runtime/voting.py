"""Votes, by those who execute: the rule of a question as it is put, and what the votes of an open question say by the roles of now (AUTH-1, AUTH-4).

A store says what votes say by the roles that they were cast with. Before an outcome is applied, `taken_up` asks the workflow's `people` again:
a yes whose voter has lost the role lapses, which is stored as an act, and the question stays open. Code of the user that raises keeps a gate closed.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol
from unicodedata import normalize

from attrs import asdict, evolve

from statecore.codec import decode
from statecore.core.authority import SAYS, Needs, Why, lapsed
from statecore.core.owed import ruled_asks
from statecore.core.rule import ROLE, Rule
from statecore.definition.approval import is_name, several
from statecore.definition.step_io import RunContext
from statecore.errors import DefinitionError, MayNotDecide, NeedsRequester, NoVote, UnsupportedSetting
from statecore.stores import Act, Decided
from statecore.stores.abilities import KeepsVotes
from statecore.stores.votes import LAPSE, REFUSAL, Voted, as_stored, ballot_of, decided_by, outcome_of, standing, vote_of

from .observers import WARNING, write

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from statecore.core import Compiled, OpenQuestion, Program, State
    from statecore.core.authority import RolesNow
    from statecore.definition import Person
    from statecore.stores import Identity, Pause, Waiting

    from .host import Host

LOST = "the person has lost the role by which the vote was allowed"


class Executing(Protocol):
    """An execution, as far as votes need it."""

    host: Host
    compiled: Compiled
    identity: Identity
    state: State
    session_state: str
    answers: dict[str, Decided]
    voted: dict[str, Decided]
    rules: dict[str, tuple[str, tuple[str, ...]]]

    @property
    def program(self) -> Program:
        """The program that is executed."""


# -- as a question is put ----------------------------------------------------------------------------------------------------------


def check_requester(store: object, program: Program, requester: str | None, user_id: str | None) -> None:
    """Raise `NeedsRequester` where a gate excludes the requester of a run that names nobody; `UnsupportedSetting` where none could be kept."""
    if requester is not None and not getattr(store, "keeps_votes", False):
        raise UnsupportedSetting(type(store).__name__, "requester", "it keeps no votes, and no requester; give a user_id")
    if not (requester or user_id or "").strip():
        gate = next((node for node in program.nodes.values() if node.rule is not None and node.rule.requester), None)
        if gate is not None:
            raise NeedsRequester(gate.name)


def ruled(execution: Executing, ask: OpenQuestion, pause: Pause) -> Pause:
    """A question with the rule of its component; the people that a callable names, and who decided earlier gates, are settled here."""
    rule = execution.program.nodes[ask.at].rule
    if rule is None:
        return pause
    known = execution.rules.get(pause.pause_id)
    if known is None:
        if rule.is_computed:
            rule = named(execution, ask, rule)
        deciders = deciders_of(execution, ask, rule) if rule.gates else ()
        known = execution.rules[pause.pause_id] = (rule.text(), deciders)
    return evolve(pause, rule=known[0], deciders=known[1])


def named(execution: Executing, ask: OpenQuestion, rule: Rule) -> Rule:
    """The rule with the people that its callable names; as it is where that raises, or names nobody: then no vote counts."""
    component: Any = execution.compiled.components.get(ask.at)
    approval = getattr(getattr(component, "human_review", None), "approval", None)
    if approval is None or not callable(approval.of):
        return rule
    identity = execution.identity
    context = RunContext(
        run_id=identity.run_id,
        session_id=identity.session_id,
        user_id=identity.user_id,
        workflow_id=identity.workflow_id,
        workflow_name=identity.workflow_name,
        session_state=decode(execution.session_state),
        metadata=decode(identity.metadata),
        dependencies=execution.host.dependencies,
    )
    try:
        found = several("of", approval.of(context))
    except Exception as error:  # noqa: BLE001  # user code; a gate that nobody may open is asked again under a definition that can name them
        warned("the people of %r could not be named: %s", ask.pause_id, type(error).__name__)
        return rule
    return rule.named(found) if found else rule


def deciders_of(execution: Executing, ask: OpenQuestion, rule: Rule) -> tuple[str, ...]:
    """The people whose votes were counted at the earlier gates of a rule, in this turn; of a gate without a rule, the one who decided."""
    store, run_id = execution.host.store, execution.identity.run_id
    fresh = {**execution.answers, **execution.voted}
    decided = {each.pause_id: each for each in store.decisions(run_id)} | fresh
    found: set[str] = set()
    for pause_id, said in decided.items():
        row = store.pause(run_id, pause_id)
        if row is None or row.pause.at not in rule.gates or row.pause.turn != ask.turn[: len(row.pause.turn)]:
            continue
        counted = [act.by for act in standing(row.acts) if act.word == said.word] if row.pause.rule is not None else [said.by]
        found |= {normalize("NFC", name) for name in counted if name}  # the database compares them as they are stored
    return tuple(sorted(found))


# -- as an outcome is applied ------------------------------------------------------------------------------------------------------


def roles_of(host: Host) -> RolesNow:
    """The roles of people at this moment, each asked once; where the workflow has no `people`, those of the vote. Raises what `people` raises."""
    people = host.people
    if people is None:
        return as_stored
    known: dict[str, frozenset[str]] = {}

    def roles(name: str) -> frozenset[str]:
        """The roles of one person."""
        if name not in known:
            known[name] = roles_named(people, name)
        return known[name]

    return roles


def roles_named(people: Any, name: str) -> frozenset[str]:
    """The roles that `people` gives for a name, with or without `role:`. Raises `DefinitionError` for anything but names."""
    given = people(name)
    every = [given] if isinstance(given, str) else list(given or ())
    if not all(map(is_name, every)):
        message = "people gives the names of a person's roles, and gave something else."
        raise DefinitionError(message)
    return frozenset(str(each).removeprefix(ROLE) for each in every)


def taken_up(host: Host, row: Waiting) -> Decided | None:
    """The decision of an open question: the stored one, or what its votes amount to by the roles of now, which is not stored yet.

    Votes that have lapsed are stored as such. None where there is none, and where `people` raises.
    """
    if row.decided is not None or decided_by(row) is None:
        return row.decided
    roles = roles_of(host)
    try:
        while (found := decided_by(row)) is not None:
            votes = [vote_of(act) for act in standing(row.acts)]
            lost = lapsed(Rule.read(row.pause.rule or "{}"), votes, ballot_of(row.pause, row.requester), roles)
            if not lost:
                return decided_by(row, roles) and plain(found)
            for vote in lost:
                lapse(host, row, vote.voter)
            row = host.store.pause(row.pause.run_id, row.pause.pause_id) or row
    except Exception as error:  # noqa: BLE001  # user code
        warned("what %r says cannot be judged now: %s", row.pause.pause_id, type(error).__name__)
    return None


def voted_on(host: Host, rows: Iterable[Waiting]) -> dict[str, Decided]:
    """The decisions that votes amount to by the roles of now, by pause; nothing of questions that have a decision."""
    some = [row for row in rows if row.pause.rule is not None and row.decided is None]
    return {row.pause.pause_id: said for row in some if (said := taken_up(host, row)) is not None}


def applied(row: Waiting) -> list[Decided]:
    """The decision of a question that is over."""
    return [row.decided] if row.decided is not None and row.pause.closed is not None else []


def lapse(host: Host, row: Waiting, voter: str) -> None:
    """Store that the vote of a person no longer counts; another process may have done so."""
    with suppress(NoVote):
        keeping(host).act(Act(row.pause.run_id, row.pause.pause_id, LAPSE, host.clock(), by=voter, detail=LOST))


def plain(found: Decided) -> Decided:
    """A decision as it is stored."""
    return Decided(**asdict(found))


def agreed(execution: Executing, stored: Iterable[Decided]) -> dict[str, Decided]:
    """Decisions that a store has named, by pause, without those whose votes do not say so by the roles of now."""
    found: dict[str, Decided] = {}
    for each in stored:
        if not isinstance(each, Voted):
            found[each.pause_id] = each
            continue
        row = execution.host.store.pause(each.run_id, each.pause_id)
        said = taken_up(execution.host, row) if row is not None else None
        if said is not None:
            found[each.pause_id] = execution.voted[each.pause_id] = said
    return found


def looked(execution: Executing, listed: Sequence[Waiting]) -> list[Decided]:
    """The decisions of listed questions, and of those that take votes; what votes said before is forgotten."""
    execution.voted.clear()
    found = []
    for row in (*listed, *ruled_rows(execution, listed)):
        said = taken_up(execution.host, row)
        if said is not None:
            found.append(said)
            if row.decided is None:
                execution.voted[said.pause_id] = said
    return found


def ruled_rows(execution: Executing, rows: Iterable[Waiting]) -> list[Waiting]:
    """The open questions that take votes, beside rows that a listing gave."""
    told = {row.pause.pause_id for row in rows}
    names = [name for name in ruled_asks(execution.program, execution.state) if name not in told]
    found = [execution.host.store.pause(execution.identity.run_id, name) for name in names]
    return [row for row in found if row is not None]


def warned(message: str, *more: object) -> None:
    """Log what keeps a gate closed; the log has no words of the error."""
    from logging import getLogger  # noqa: PLC0415  # only a refusal needs it

    write(getLogger("statecore"), WARNING, message, *more)


# -- a vote ------------------------------------------------------------------------------------------------------------------------


def cast(host: Host, vote: Act, who: Person | None) -> Act:
    """Store the vote of a person about a question with a rule; the vote as it is stored. Raises `MayNotDecide`, and what `KeepsVotes.act` raises."""
    store = keeping(host)
    if who is not None:
        held = who.roles if host.people is None else roles_named(host.people, who.name)
        vote = evolve(vote, by=who.name, via=who.via, roles=tuple(sorted(held)))
    return accepted(store.act(vote))


def withdraw(host: Host, taken: Act) -> Act:
    """Store that a person takes back a vote. Raises `MayNotDecide` where the person is not known well enough, and what `KeepsVotes.act` raises."""
    return accepted(keeping(host).act(taken))


def accepted(stored: Act) -> Act:
    """An act that a store has answered with. Raises `MayNotDecide` for a refusal that was kept."""
    if stored.kind == REFUSAL:
        raise MayNotDecide(stored.pause_id, stored.by, SAYS[Why(stored.detail)])
    return stored


def check_unkeyed(key: str | None) -> None:
    """Raise `UnsupportedSetting` for the key of a vote: the same word of the same person is the same vote."""
    if key is not None:
        where = "decide"
        raise UnsupportedSetting(where, "idempotency_key", "a person has one vote, and the same word again gets the same answer")


def keeping(host: Host) -> KeepsVotes:
    """The store, as one that keeps votes. Raises `UnsupportedSetting`."""
    if not isinstance(host.store, KeepsVotes):
        raise UnsupportedSetting(type(host.store).__name__, "votes", "it keeps none")
    return host.store


def needed(row: Waiting | None) -> str:
    """How many votes a question with a rule still needs, as a part of a sentence; nothing for any other."""
    if row is None or row.pause.rule is None:
        return ""
    found = outcome_of(row, row.pause.opened)
    more = found.n if isinstance(found, Needs) else 0
    return f" ({more} more vote{'s' if more > 1 else ''})" if more else ""
