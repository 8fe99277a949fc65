"""All earlier outputs of a run, as one call may see them: a mapping that looks a name up when it is asked for (PAR-5)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from statecore.definition import StepOutput
from statecore.stores.history import OVER

if TYPE_CHECKING:
    from statecore.stores.history import History, Visit


class PastMapping(Mapping[str, StepOutput]):
    """Earlier outputs by step name, as they were when it was made; a name is looked up when it is asked for."""

    def __init__(self, history: History, branches: list[tuple[str, str]], upto: int) -> None:
        self._history, self._branches, self._upto = history, branches, upto

    def _of(self, name: str) -> Iterator[Visit]:
        """The visits of a name that are over and may be seen, the newest first."""
        visits = self._history.by_name.get(name, ())
        return (v for v in reversed(visits) if v.first <= self._upto and v.phase in OVER and is_seen(v, self._branches))

    def __getitem__(self, name: str) -> StepOutput:
        """One output."""
        visit = next(self._of(name), None)
        if visit is None:
            raise KeyError(name)
        return self._history.output(visit)

    def __iter__(self) -> Iterator[str]:
        """The names, in the order in which the steps began."""
        first = [
            (min(visit.first for visit in found), name) for name in list(self._history.by_name) if (found := list(self._of(name)))
        ]
        return iter([name for _, name in sorted(first)])

    def __len__(self) -> int:
        """How many there are."""
        return sum(1 for _ in self)


def is_seen(visit: Visit, branches: list[tuple[str, str]]) -> bool:
    """Whether a visit lies in no other branch of a Parallel around a call (PAR-5)."""
    return all(not visit.at.startswith(inside) or f"{visit.at}/".startswith(branch) for inside, branch in branches)
