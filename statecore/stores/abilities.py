"""The abilities that not every store has: to count what waits in it by an index, to set runs aside, and to keep votes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol, runtime_checkable

from statecore.core import Micros

from .acts import Act
from .records import Listing, Waiting

UNENDED = ("pending", "running", "paused", "failed")
"""The phases of runs that a person or a process may still move."""


class Counts(NamedTuple):
    """The counts of a workflow: of its open, undecided questions by kind, with the instant since which the oldest waits; of its runs by phase."""

    questions: Mapping[str, tuple[int, Micros]]
    runs: Mapping[str, int]


@runtime_checkable
class Tallied(Protocol):
    """A store that counts what waits in it by an index."""

    def tallies(self, workflow_id: str) -> Counts:
        """The counts of a workflow; none of one that the store does not know."""


@runtime_checkable
class NamesQuestions(Protocol):
    """A store that finds a question by its short name, by an index."""

    def question(self, question_id: str) -> Waiting | None:
        """The question with a short name, open or closed; None where there is none."""

    def past_questions(self, after: tuple[str, str] | None, limit: int) -> Listing[Waiting]:
        """Questions that are decided or closed, the one put last first; `after` of a page is the key of the next."""


@runtime_checkable
class KeepsAside(Protocol):
    """A store that sets runs aside."""

    def set_aside(self, run_id: str, time: Micros) -> Micros:
        """Set a run aside, whatever its rows say: no process claims it; since when it is. Raises `UnknownRun`, `RunBusy`."""

    def take_back(self, run_id: str) -> bool:
        """Take back a run that was set aside; whether it was. Raises `UnknownRun`."""

    def aside(self) -> list[tuple[str, Micros]]:
        """The runs that are set aside, each with the instant since which it is."""


@runtime_checkable
class KeepsVotes(Protocol):
    """A store that keeps what people do about questions with a rule, and judges each vote in the transaction that stores it (AUTH-2)."""

    keeps_votes: bool

    def act(self, new: Act) -> Act:
        """Store a vote, a withdrawal or a lapse, judged by the rule of its question; the act that is stored.

        A vote that was cast before in the same words returns the stored one; one that is refused is stored, and returned, as a `refusal`. Raises
        `UnknownRun`, `UnknownPause`, `UnknownDecision`, `AlreadyDecided`, `NotPaused`, `PauseExpired`, `StaleDecision`, `NoVote`.
        """
