"""The end of data, as callers see it: the results of a purge, and the protocol of a store that purges."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Protocol, runtime_checkable

from attrs import field, frozen

from statecore.codec import erased
from statecore.codec.erased import Gone
from statecore.core import Micros, Seconds
from statecore.errors import UnsupportedSetting

from .detail import name_of
from .records import Unread

NONE: Mapping[str, int] = MappingProxyType({})


def frozen_counts(found: Mapping[str, int]) -> Mapping[str, int]:
    """Counts that nobody changes."""
    return MappingProxyType(dict(found))


ERASED_VALUE = erased.TEXT
"""The text in place of a value that was erased; it is read as `ERASED`."""
ERASED_TEXT = "(erased)"
"""The text in place of a name or a message that was erased."""
ERASED_FORM = '{"erased":true}'
"""The particulars in place of those of a question that were erased."""


def differs(one: object, other: object) -> bool:
    """Whether two texts of one thing differ, as far as neither was erased."""
    is_gone = any(isinstance(each, Gone) or each in (ERASED_TEXT, ERASED_VALUE) for each in (one, other))
    return not is_gone and one != other


OWNED, DECIDED = "a process executes it", "a person decided in it, and decisions are kept"
LAST = "its session goes on from it, and older runs of the session are there"
"""Why a run that ended in time stays, in every store."""


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


FIELDS = ("input", "output", "form", "message", "comment", "by", "error", "session", "user")
"""The slots that can be erased, as people name them."""
OF_RUN = frozenset({"input", "session", "user"})
"""Those that no step has."""
ALL, WHERE = "all", "erase"


@frozen
class What:
    """An order: the fields that go, and the step whose they are; None is the whole run."""

    fields: frozenset[str]
    step: str | None = None

    @property
    def text(self) -> str:
        """The order as it is stored."""
        names = ALL if self.fields == frozenset(FIELDS) else ",".join(name for name in FIELDS if name in self.fields)
        return names if self.step is None else f"{names}@{self.step}"

    @property
    def told(self) -> str:
        """The order in words."""
        names = "everything" if self.fields == frozenset(FIELDS) else ", ".join(name for name in FIELDS if name in self.fields)
        return names if self.step is None else f"{names} of step {self.step!r}"

    def is_of(self, at: str) -> bool:
        """Whether what lies at an address goes: the step is named by its name or by its whole address."""
        return self.step is None or self.step in (at, name_of(at))


def ordered(fields: Iterable[str], step: str | None) -> What:
    """An order of these fields; of none named: of all. Raises `UnsupportedSetting` for a field that there is not, or that no step has."""
    named = frozenset(fields)
    unknown = sorted(named - frozenset(FIELDS))
    if unknown:
        raise UnsupportedSetting(WHERE, f"field={unknown[0]!r}", "it is none of the fields of a run", FIELDS)
    if step is not None and named & OF_RUN:
        of_steps = [name for name in FIELDS if name not in OF_RUN]
        setting = f"field={min(named & OF_RUN)!r} with step={step!r}"
        raise UnsupportedSetting(WHERE, setting, "it belongs to the run as a whole: leave the step out", of_steps)
    return What(named or frozenset(FIELDS), step)


def check_step(what: What, places: Collection[str]) -> None:
    """Raise `UnsupportedSetting` where an order names a step of which a run has no row: nothing would go, and the order would be done."""
    if not any(map(what.is_of, places)):
        found = sorted({name_of(at) for at in places} - {""})
        raise UnsupportedSetting(WHERE, f"step={what.step!r}", "the run has no row of it", found)


def read_order(text: str) -> What | None:
    """The order that a stored text stands for; None for a text of no order."""
    names, at, step = text.partition("@")
    fields = frozenset(FIELDS) if names == ALL else frozenset(names.split(","))
    return What(fields, step if at else None) if fields <= frozenset(FIELDS) else None


@frozen
class Erasure:
    """An order to erase, carried out: of which run, what in words, and how many bodies went this time.

    It is `done` when no trace is left in the files of the store; else `left` says what holds one, and the same call goes on with it. `beyond` says
    what no store can reach.
    """

    run_id: str
    what: str
    bodies: int
    done: bool
    left: str | None = None
    beyond: str | None = None


@runtime_checkable
class Erases(Protocol):
    """A store that erases values of ended runs."""

    def erase(  # noqa: PLR0913  # as many as there is to say of an erasure
        self,
        run_id: str,
        by: str,
        time: Micros,
        *,
        fields: Collection[str] = (),
        step: str | None = None,
        reason: str | None = None,
        wait: Seconds = 10.0,
    ) -> Erasure:
        """Replace values of an ended run by their commitments; no field named means all. Raises `UnknownRun`, `NotEnded`."""


@frozen
class Archived:
    """A file of archived runs: where it is, which runs it holds, and how many rows."""

    path: str
    runs: tuple[str, ...]
    rows: int


@frozen
class Anchored:
    """The root over the first `leaves` leaves, in hex, and how many of them are new. Keep both elsewhere."""

    leaves: int
    root: str
    added: int = 0


@runtime_checkable
class Archives(Protocol):
    """A store that archives runs and anchors its chain."""

    def archive(self, run_ids: Sequence[str], to: str | Path, time: Micros) -> Archived:
        """Write runs into a new file, with all that is needed to verify them elsewhere."""

    def anchor(self) -> Anchored:
        """Append the leaves of the runs that have begun and ended since the last time; the root over all leaves."""

    def root(self, leaves: int | None = None) -> Anchored:
        """The root over the first leaves, or over all of them."""


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
