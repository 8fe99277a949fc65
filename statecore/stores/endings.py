"""The end of data, as callers see it: the results of a purge, and the protocol of a store that purges."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Protocol, runtime_checkable

from attrs import field, frozen

from statecore.core import Micros

from .records import Unread

NONE: Mapping[str, int] = MappingProxyType({})


def frozen_counts(found: Mapping[str, int]) -> Mapping[str, int]:
    """Counts that nobody changes."""
    return MappingProxyType(dict(found))


@frozen
class Purged:
    """The runs that a purge removed, or with `planned` would remove, and the rows of all tables (planned: the events alone).

    `batches` counts the transactions. `kept` says how many runs stay though they ended in time, by the reason; `unread` names those that stay
    because their rows are damaged.
    """

    runs: int = 0
    rows: int = 0
    batches: int = 0
    kept: Mapping[str, int] = field(default=NONE, converter=frozen_counts)
    unread: tuple[Unread, ...] = ()
    planned: bool = False


@runtime_checkable
class Purges(Protocol):
    """A store that removes ended runs."""

    def purge(  # noqa: PLR0913  # as many as there is to say of a purge
        self,
        ended_before: Micros,
        time: Micros,
        *,
        workflow_id: str | None = None,
        keep_decisions: bool = False,
        by: str | None = None,
        plan: bool = False,
        progress: Callable[[int], None] | None = None,
    ) -> Purged:
        """Remove the runs that ended before an instant, whole. A run that goes on or waits stays, whatever its age.

        `workflow_id`: of this workflow alone. `keep_decisions`: a run in which a person decided stays. `by`: the person who purges. `plan`: nothing is
        removed. `progress` is told after each transaction how many runs are gone.
        """
