"""Pages of listings that are held in memory: which rows are wanted, in which order, and from which one on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from .records import Listing
from .rules import bounded
from .votes import decided_by

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from statecore.core import Micros

    from .records import Decided, Identity, PauseFilter, RunFilter, Waiting

Row = TypeVar("Row")


class Counted(NamedTuple):
    """A count of a listing: so many, and whether there may be more, because a count stops after 1,000 rows."""

    number: int
    more: bool

    def __str__(self) -> str:
        """The count as people read it: 17, or 1,000+."""
        return f"{self.number:,}{'+' if self.more else ''}"


def run_matches(identity: Identity, phase: str, wanted: RunFilter) -> bool:
    """Whether a run is one of those wanted."""
    return (
        wanted.session_id in (None, identity.session_id)
        and wanted.workflow_id in (None, identity.workflow_id)
        and wanted.user_id in (None, identity.user_id)
        and (wanted.phases is None or phase in wanted.phases)
        and (wanted.prefix is None or identity.run_id.startswith(wanted.prefix))
    )


def matches(waiting: Waiting, wanted: PauseFilter) -> bool:
    """Whether a row of the inbox is one of those wanted."""
    return (
        wanted.session_id in (None, waiting.session_id)
        and wanted.workflow_id in (None, waiting.workflow_id)
        and wanted.step_name in (None, waiting.pause.step_name)
        and wanted.kind in (None, waiting.pause.kind)
        and is_wanted(said_of(waiting, wanted), wanted)
        and is_due(waiting.pause.deadline, wanted)
    )


def said_of(waiting: Waiting, wanted: PauseFilter) -> Decided | None:
    """The decision of a row of the inbox; for a listing of what is decided that of its votes, too, which people may still change."""
    return decided_by(waiting) if waiting.decided is None and wanted.decided_only else waiting.decided


def is_wanted(decided: Decided | None, wanted: PauseFilter) -> bool:
    """Whether a filter wants a pause that is decided so, or not at all."""
    return decided is not None if wanted.decided_only else not (wanted.undecided_only and decided is not None)


def is_due(deadline: Micros | None, wanted: PauseFilter) -> bool:
    """Whether a deadline lies where a filter wants it."""
    if wanted.due_before is not None and (deadline is None or deadline >= wanted.due_before):
        return False
    return wanted.due_after is None or deadline is None or deadline > wanted.due_after


def by_due(wanted: PauseFilter) -> bool:
    """Whether a listing of pauses is in the order of their deadlines; otherwise it is in that of their asking."""
    return wanted.due_before is not None and wanted.run_id is None


def instant(waiting: Waiting, wanted: PauseFilter) -> Micros:
    """The instant by which a pause is put in order."""
    return (waiting.pause.deadline or 0) if by_due(wanted) else waiting.pause.opened


def paged(
    rows: Iterable[Row], key: Callable[[Row], Any], last: Any, wanted: RunFilter | PauseFilter, name: Callable[[Row], Any]
) -> Listing[Row]:
    """The rows behind the key of the last row of the page before, in the order of their keys; as many as are wanted, and where to go on."""
    limit = bounded(wanted.limit)
    found = sorted((row for row in rows if last is None or key(row) > last), key=key)
    page = found[:limit]
    return Listing(page, after=name(page[-1]) if page and len(found) > limit else None)
