"""How a figure is taken: works race each other round by round, so that what else the machine does falls on all of them alike."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping
from statistics import median
from typing import Any, TypeAlias

from attrs import asdict, field, frozen

Work: TypeAlias = Callable[[], object]


@frozen
class Scale:
    """How large a measurement is."""

    lengths: tuple[int, ...] = (10, 100, 1_000, 10_000)
    stores: tuple[int, ...] = (1, 100, 10_000, 100_000)
    depths: tuple[int, ...] = (1, 2, 5, 10)
    widths: tuple[int, ...] = (1, 8, 64)
    reviews: int = 2_000
    parked: tuple[int, int] = (10, 10_000)
    kept: int = 2_000
    crowd: int = 1_000
    counted: int = 100
    rounds: int = 7
    steps_a_round: int = 2_000
    peer_lengths: tuple[int, ...] = (10, 100, 1_000)
    peer_reviews: int = 200
    store_seconds: float = 120.0


FULL = Scale()
QUICK = Scale(
    lengths=(2, 10),
    stores=(1, 5),
    depths=(1, 2),
    widths=(1, 2),
    reviews=8,
    parked=(2, 6),
    kept=20,
    crowd=5,
    counted=5,
    rounds=1,
    steps_a_round=10,
    peer_lengths=(2,),
    peer_reviews=4,
    store_seconds=5.0,
)


@frozen
class Cost:
    """The median CPU and wall microseconds of a unit of work."""

    cpu: float
    wall: float


@frozen
class Row:
    """One line of the table: a figure in its unit, what it is measured against, and the target it has.

    `cpu` and `wall` are in `unit`; a counted figure has only `count`. `limit` names what `limit_cpu` and `limit_wall` (or
    `limit_count`) cost in the same run. `met` is None where there is no target.
    """

    name: str
    unit: str
    cpu: float | None = None
    wall: float | None = None
    count: float | None = None
    limit: str = ""
    limit_cpu: float | None = None
    limit_wall: float | None = None
    limit_count: float | None = None
    target: str = ""
    met: bool | None = None
    more: Mapping[str, Any] = field(factory=dict)

    def plain(self) -> dict[str, Any]:
        """The row as JSON, without what it does not say."""
        return {key: value for key, value in asdict(self).items() if value not in (None, "", {})}


def one_round(work: Work, units: int) -> tuple[float, float]:
    """The CPU and wall microseconds that a unit takes this time."""
    cpu, wall = time.process_time_ns(), time.perf_counter_ns()
    work()
    return (time.process_time_ns() - cpu) / 1_000 / units, (time.perf_counter_ns() - wall) / 1_000 / units


def race(works: Mapping[str, Work], units: int, rounds: int, *, warm: bool = True) -> dict[str, Cost]:
    """What a unit of each work costs: the median of several rounds, in each of which every work has its turn.

    `units` is how many units one call of a work does. The first round is not counted where it is to `warm` caches.
    """
    if warm:
        for work in works.values():
            work()
    took: dict[str, list[tuple[float, float]]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            gc.collect()
            took[name].append(one_round(work, units))
    return {name: middle(each) for name, each in took.items()}


def middle(took: list[tuple[float, float]]) -> Cost:
    """The medians of rounds."""
    return Cost(round(median([cpu for cpu, _ in took]), 3), round(median([wall for _, wall in took]), 3))


def beside(name: str, unit: str, found: Cost, limit: str = "", against: Cost | None = None, **more: Any) -> Row:
    """A row of a cost beside its limit."""
    return Row(
        name,
        unit,
        cpu=found.cpu,
        wall=found.wall,
        limit=limit,
        limit_cpu=against.cpu if against else None,
        limit_wall=against.wall if against else None,
        **more,
    )


def at_most(figure: float, bound: float, unit: str) -> dict[str, Any]:
    """A target that a figure has to stay within, as fields of a row."""
    return {"target": f"<= {bound:g} {unit}".strip(), "met": figure <= bound}
