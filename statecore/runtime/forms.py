"""The form of a plain boundary: what a call's end in one situation always makes of a run. It is kept with the answer of the core, without bodies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from statecore.core import Ref
from statecore.core.owed import references
from statecore.core.path import GIVES, REVIEWED
from statecore.lifecycles import words as w
from statecore.stores import Boundary, Entry
from statecore.stores.records import NO_BODY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from statecore.core import Commit, Micros, State
    from statecore.core.loop import Remembered
    from statecore.stores import Claim, Identity

    from .host import Host


class PlainForm(NamedTuple):
    """The rows of a boundary without numbers, time and body; which of them brings the output, and the outputs that the next state refers to."""

    rows: tuple[tuple[Any, ...], ...]
    place: int
    gives: Ref
    keeps: bool
    """Whether the next state refers to the new output."""
    older: tuple[Ref, ...]
    """The other outputs that it refers to."""


class Former(Protocol):
    """An execution, as far as its plain boundaries need it."""

    host: Host
    identity: Identity
    epoch: int
    seq: int
    held: Mapping[Ref, int]
    claim: Claim | None

    @property
    def is_as_ever(self) -> bool:
        """Whether nothing of the run changes beside its state: no session state, and not its definition."""

    def renewed(self, time: Micros) -> Micros | None:
        """Until when the claim lasts from now on."""


def form_of(effect: Commit, known: Remembered) -> PlainForm | None:
    """The form of an effect; None where its boundary asks, reviews, or says of other rows what is handed on."""
    before, after = effect.before, effect.after
    brings = after.moves[known.place]
    others = (*after.moves[: known.place], *after.moves[known.place + 1 :])
    if not (is_alone(before) and is_alone(after.state)) or brings.trigger not in GIVES:
        return None
    if any(move.hands_on is not None for move in others) or any(cursor.phase in REVIEWED for cursor in before.cursors):
        return None
    gives, refs = Ref(brings.at, brings.turn, brings.attempt), references(after.state)
    rows = tuple([tuple(move[:7]) for move in after.moves])
    return PlainForm(rows, known.place, gives, gives in refs, tuple(refs - {gives}))


def is_alone(state: State) -> bool:
    """Whether a run has one branch, and it runs: then nobody is asked anything. Questions of a failed run stay open, for it may be reopened."""
    return state.run == w.running and len(state.cursors) < 2  # noqa: PLR2004


def formed(execution: Former, effect: Commit, *, heeds_cancel: bool) -> Boundary | None:
    """The boundary of an effect by its form; None where it has none, or the run changes otherwise, too."""
    known: Remembered | None = getattr(effect.after, "known", None)
    if known is None or not execution.is_as_ever:
        return None
    form: PlainForm | None = known.form
    if form is None and not known.formless:
        form = known.form = form_of(effect, known)
        known.formless = form is None
    event = effect.events[0]
    if form is None or event.body.value is None:
        return None
    time, seq, place = event.time or execution.host.clock(), execution.seq, form.place
    bodies = [NO_BODY] * len(form.rows)
    bodies[place] = event.body
    entries = tuple(
        [Entry._make((seq + n, *row, time, body)) for n, (row, body) in enumerate(zip(form.rows, bodies, strict=True), 1)]
    )
    before = execution.held
    held = {ref: before[ref] for ref in form.older}
    if form.keeps:
        held[form.gives] = seq + place + 1
    identity = execution.identity
    whose = (identity.run_id, execution.epoch, seq, time, effect.after.state, entries, held)
    nothing = ((), (), (), None, False, heeds_cancel, None)
    return Boundary(*whose, *nothing, execution.renewed(time), execution.claim, True, True)  # noqa: FBT003  # in the order of its fields
