"""All that a store in memory keeps of one run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define, field

from statecore.core import BEGINNING, Micros
from statecore.lifecycles import words as w

from .records import Record, Waiting
from .rules import ENDED, Place, until
from .votes import votes_stand

if TYPE_CHECKING:
    from collections.abc import Mapping

    from statecore.core import Ref, State

    from .acts import Act
    from .records import Decided, Entry, Identity, Pause, Text


@define
class Kept:
    """All that is kept of one run; `number` counts the runs of the store, `open_at` says where its open pauses ask.

    `elsewhere` is how many of its first rows are not here any more; a store in memory that moves none has 0. `erased` is the first order by which
    values of it were erased, and its instant.
    """

    identity: Identity
    number: int
    session_state: Text
    updated: Micros
    owner: str | None = None
    lease: Micros | None = None
    state: State = BEGINNING
    held: Mapping[Ref, int] = field(factory=dict)
    epoch: int = 0
    cancel_by: str | None = None
    cancel_requested: Micros | None = None
    entries: list[Entry] = field(factory=list)
    pauses: dict[str, Pause] = field(factory=dict)
    open_at: dict[str, Place] = field(factory=dict)
    decisions: dict[str, Decided] = field(factory=dict)
    acts: dict[str, tuple[Act, ...]] = field(factory=dict)
    elsewhere: int = 0
    erased: tuple[str, Micros] | None = None
    questions: dict[str, str] = field(factory=dict)
    """The id of each pause by the short name of its question."""

    @property
    def seq(self) -> int:
        """The number of the last row."""
        return self.elsewhere + len(self.entries)

    def can_go_on(self, time: Micros) -> bool:
        """Whether there is anything to do: calls that are owed, answers, delays and deadlines that are over, a cancellation."""
        if self.state.run in ENDED:
            return False
        if self.state.run != w.paused and (until(self.state) or 0) <= time:
            return True
        asked = [self.pauses[pause_id] for pause_id in self.open_at]
        late = any(pause.deadline is not None and pause.deadline <= time for pause in asked)
        if late or self.cancel_requested is not None or any(pause.pause_id in self.decisions for pause in asked):
            return True
        return bool(votes_stand(self.voted()))

    def waiting(self, pause: Pause) -> Waiting:
        """A question as a row of the inbox."""
        identity, acts = self.identity, self.acts.get(pause.pause_id, ())
        requester = (identity.requester or identity.user_id) if pause.rule is not None else None
        whose = (identity.workflow_id, identity.workflow_name, identity.session_id)
        return Waiting(pause, self.decisions.get(pause.pause_id), *whose, acts, requester, user_id=identity.user_id)

    def voted(self) -> list[Waiting]:
        """The open questions about which people did something."""
        return [self.waiting(self.pauses[pause_id]) for pause_id in self.acts if pause_id in self.open_at]

    def record(self) -> Record:
        """The run as callers see it."""
        return Record(
            identity=self.identity,
            state=self.state,
            seq=self.seq,
            held=self.held,
            session_state=self.session_state,
            owner=self.owner,
            epoch=self.epoch,
            lease=self.lease,
            cancel_by=self.cancel_by,
            cancel_requested=self.cancel_requested,
            updated=self.updated,
        )


def by_id(kept: Kept) -> str:
    """The key of listings in the order of ids."""
    return kept.identity.run_id


def by_number(kept: Kept) -> int:
    """The key of listings in which the run begun last comes first."""
    return -kept.number
