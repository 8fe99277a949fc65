"""The gauges of stores: open questions and the age of the oldest, and runs by phase. A store that counts them by index has `tallies`."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from statecore.stores import PauseFilter, RunFilter
from statecore.stores.abilities import UNENDED, Counts, Tallied

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from statecore.core import Micros
    from statecore.runtime.host import Runnable
    from statecore.stores import RunReader

OPEN = "statecore_open_questions", "Questions that wait for a decision."
OLDEST = "statecore_oldest_question_age_seconds", "Age of the question that has waited longest."
RUNS = "statecore_runs", "Runs that have not completed or been cancelled, by phase."
UP = "statecore_store_up", "Whether the store answered when it was last asked."
SEEN = (OPEN, OLDEST, RUNS, UP)

MOST = 100_000


class Gauge(NamedTuple):
    """A value of a store: the metric, its help, its labels."""

    name: str
    help: str
    labels: Mapping[str, str]
    value: float


def gauges(workflows: Iterable[Runnable]) -> Iterator[Gauge]:
    """The gauges of some workflows; of a workflow whose store does not answer, only that."""
    for workflow in workflows:
        try:
            counts, now = counts_of(workflow.db, workflow.id), workflow.host.clock()
        except Exception:  # noqa: BLE001  # a store that is away is a figure, and no error of the scrape
            yield Gauge(*UP, {"workflow": workflow.id}, 0)
            continue
        yield Gauge(*UP, {"workflow": workflow.id}, 1)
        yield from told(workflow.id, counts, now)


def told(workflow: str, counts: Counts, now: Micros) -> Iterator[Gauge]:
    """The gauges of the counts of one workflow."""
    for kind, (count, oldest) in sorted(counts.questions.items()):
        labels = {"workflow": workflow, "kind": kind}
        yield Gauge(*OPEN, labels, count)
        yield Gauge(*OLDEST, labels, max(0, now - oldest) / 1_000_000)
    for phase, count in sorted(counts.runs.items()):
        yield Gauge(*RUNS, {"workflow": workflow, "phase": phase}, count)


def counts_of(store: RunReader, workflow_id: str) -> Counts:
    """The counts of a workflow: by the store itself, or from its listings."""
    if isinstance(store, Tallied):
        return store.tallies(workflow_id)
    questions: dict[str, tuple[int, Micros]] = {}
    for row in store.pauses(PauseFilter(workflow_id=workflow_id, limit=MOST)):
        count, oldest = questions.get(row.pause.kind, (0, row.pause.opened))
        questions[row.pause.kind] = count + 1, min(oldest, row.pause.opened)
    runs = Counter(each.state.run for each in store.runs(RunFilter(workflow_id=workflow_id, phases=UNENDED, limit=MOST)))
    return Counts(questions, {phase: runs[phase] for phase in UNENDED})
