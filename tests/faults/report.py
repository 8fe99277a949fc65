"""What a campaign is ordered to do and what it found."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from random import Random
from time import monotonic
from typing import Any

from attrs import define, field, frozen


@frozen
class Order:
    """How large: `size` is "sample", "usual" or "full". `seed` decides what is random; after `budget` seconds no new point is begun."""

    folder: Path
    size: str = "usual"
    seed: int = 1
    budget: float = 600.0
    begun: float = field(factory=monotonic)

    @property
    def random(self) -> Random:
        """A fresh stream of this seed."""
        return Random(self.seed)  # noqa: S311  # reproducible on purpose

    def of(self, sample: int, usual: int, full: int) -> int:
        """A count by size."""
        return {"sample": sample, "usual": usual, "full": full}[self.size]

    @property
    def over(self) -> bool:
        """Whether the budget is spent."""
        return monotonic() - self.begun > self.budget


@define
class Tally:
    """Counts by name, and violations; a violation says where, so that it can be made again."""

    counts: Counter[str] = field(factory=Counter)
    violations: list[str] = field(factory=list)
    cut_short: bool = False
    missing: str = ""
    notes: dict[str, str] = field(factory=dict)

    def without(self, what: str) -> Tally:
        """Not done for want of something, which says what to do: a violation where everything has to be there (CI)."""
        self.missing = what
        self.violations += [what] if os.environ.get("CI") == "true" else []
        return self

    def add(self, what: str, wrong: list[str], where: str) -> None:
        """One point, and what was wrong there."""
        self.counts[what] += 1
        self.counts["points"] += 1
        self.violations += [f"{where}: {each}" for each in wrong]

    def plain(self) -> dict[str, Any]:
        """As data."""
        found = {"counts": dict(self.counts), "notes": self.notes, "violations": self.violations}
        return {**found, "cut_short": self.cut_short, "missing": self.missing}
