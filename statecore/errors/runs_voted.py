"""SC352 and on: a person may not decide about a question, or not in this way (AUTH-1 to AUTH-6)."""

from __future__ import annotations

from attrs import define

from .base import AS_ERROR
from .runs import RunError


@define(**AS_ERROR)
class NeedsVotes(RunError, ValueError):
    """The question has an approval: each person votes, and no single decision is stored."""

    code = "SC352"
    says = "Pause {pause_id!r} has an approval, so each person votes. Write decide(run_id, pause_id, word, by=..., seen=...) to store a vote."
    pause_id: str


@define(**AS_ERROR)
class MayNotDecide(RunError, ValueError):
    """The rule of a question does not let this person vote; the attempt is kept with the question."""

    code = "SC353"
    says = "{by:A person without a name} may not decide about pause {pause_id!r}: {why}. The attempt is kept with the question."
    pause_id: str
    by: str | None
    why: str


@define(**AS_ERROR)
class NoVote(RunError, ValueError):
    """The person has no vote that stands, so there is nothing to take back."""

    code = "SC354"
    says = "{by:A person without a name} has no vote on pause {pause_id!r} that stands, so nothing is withdrawn."
    pause_id: str
    by: str | None


@define(**AS_ERROR)
class NeedsRequester(RunError, ValueError):
    """A gate of the workflow excludes the requester, and the run names none."""

    code = "SC355"
    says = (
        "The approval of {gate!r} excludes the requester, and the run has none. Write run(..., requester='ada'), or give a user_id."
    )
    gate: str
