"""The decisions of a boundary: which of them are stored, and which stored ones stand against it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from statecore.errors import ClaimLost, UnknownPause
from statecore.lifecycles import words as w

from .rules import judge

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .records import Boundary, Decided, Pause

UNDECIDED = frozenset({w.expire, w.renew})
"""The triggers that close a pause without a decision, or with one that counts no more."""


def check_expiries(boundary: Boundary, pauses: Mapping[str, Pause], stored: Mapping[str, Decided]) -> None:
    """Raise `ClaimLost` where a pause is about to expire, or to be put again, that somebody has decided meanwhile: look again (TIME-2).

    A boundary that puts a question again and has the decision that lapses with it knows of it.
    """
    rows = [(entry.at, entry.turn) for entry in boundary.entries if entry.trigger in UNDECIDED]
    known = {each.pause_id for each in boundary.decisions} if rows else ()
    for pause_id in boundary.closed if rows else ():
        pause = pauses.get(pause_id)
        if (
            pause is not None
            and pause_id in stored
            and pause_id not in known
            and any(pause.at == at and pause.turn[: len(turn)] == turn for at, turn in rows)
        ):
            raise ClaimLost(boundary.run_id)


def judge_all(
    boundary: Boundary, pauses: Mapping[str, Pause], stored: Mapping[str, Decided], phase: str, voted: Mapping[str, Decided]
) -> dict[str, Decided]:
    """The decisions of a boundary that are to be stored, by pause; what is stored already is left out.

    `voted` has what the votes of questions with a rule say now. Raises what `judge` raises, `UnknownPause`, and `ClaimLost` where a boundary
    applies what votes do not say any more: look again (AUTH-2).
    """
    check_expiries(boundary, pauses, {**voted, **stored})
    fresh: dict[str, Decided] = {}
    for new in boundary.decisions:
        pause = pauses.get(new.pause_id)
        if pause is None:
            raise UnknownPause(boundary.run_id, new.pause_id, [known.pause_id for known in pauses.values() if known.closed is None])
        before = stored.get(new.pause_id) or fresh.get(new.pause_id)
        if pause.rule is not None and before is None and not same_votes(voted.get(new.pause_id), new):
            raise ClaimLost(boundary.run_id)
        if judge(pause, before, new, phase, voted=True) is None:
            fresh[new.pause_id] = new
    return fresh


def same_votes(found: Decided | None, new: Decided) -> bool:
    """Whether a decision is what votes say: the same word, the same value, and by the same people."""
    return found is not None and (found.word, found.value, found.by) == (new.word, new.value, new.by)


def parks_paused(boundary: Boundary) -> bool:
    """Whether a boundary leaves its run to people, so that no decision of an open question may wait."""
    return boundary.parks and boundary.heeds_decisions and boundary.state.run == w.paused


def waiting_decisions(boundary: Boundary, open_ids: Iterable[str], decided: Mapping[str, Decided]) -> tuple[Decided, ...]:
    """The decisions that stand against a boundary: those of questions that it would leave open while it parks the run (SAID-1)."""
    if not parks_paused(boundary):
        return ()
    return tuple(decided[pause_id] for pause_id in open_ids if pause_id in decided and pause_id not in boundary.closed)
