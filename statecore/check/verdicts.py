"""What a check found: a verdict for each property, and what they come to."""

from __future__ import annotations

from enum import Enum

from attrs import field, frozen

from statecore.core import Event


class Verdict(Enum):
    """PROVED for all runs and all data; REFUTED by a possible run; UNDETERMINED within the budget; VACUOUS: it speaks of nothing."""

    proved = "PROVED"
    refuted = "REFUTED"
    undetermined = "UNDETERMINED"
    vacuous = "VACUOUS"


FINE, FAILED, UNDETERMINED = 0, 1, 3


@frozen
class Finding:
    """One property and its verdict.

    `events` are the shortest run that refutes it, or that a reachable one is proved by; empty where no single run shows it. `why` says more.
    """

    text: str
    verdict: Verdict
    builtin: bool = False
    events: tuple[Event, ...] = ()
    why: str = ""
    states: int = 0
    seconds: float = 0.0

    def fails(self, *, allow_vacuous: bool) -> bool:
        """Whether this keeps the check from passing, beyond being undetermined."""
        return self.verdict is Verdict.refuted or (self.verdict is Verdict.vacuous and not allow_vacuous)


@frozen
class Report:
    """What a check found: all findings, how much was looked at and how long that took, and what was left out.

    `drawing` are the seconds for the graph; each property's own are in its finding.
    """

    workflow: str
    findings: tuple[Finding, ...]
    situations: int
    events: int
    complete: bool
    seconds: float
    drawing: float = 0.0
    bounds: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()
    allow_vacuous: bool = field(default=False, kw_only=True)

    @property
    def exit_code(self) -> int:
        """0 where all is proved, 1 where something is refuted or vacuous, 3 where something is undetermined and nothing refuted."""
        if any(each.fails(allow_vacuous=self.allow_vacuous) for each in self.findings):
            return FAILED
        undetermined = any(each.verdict is Verdict.undetermined for each in self.findings)
        return UNDETERMINED if undetermined else FINE

    @property
    def walked(self) -> int:
        """The pairs of a situation and what a property remembers that were looked at, over all properties."""
        return sum(each.states for each in self.findings)

    @property
    def walking(self) -> float:
        """The seconds that this took."""
        return sum(each.seconds for each in self.findings)

    def __getitem__(self, text: str) -> Finding:
        """The finding about a property."""
        return next(each for each in self.findings if each.text == text)
