"""The records of a store, plain and frozen. Values are encoded texts; times are whole microseconds since 1970, UTC."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, TypeAlias, TypeVar

from attrs import field, frozen

from statecore.core import Address, Micros, Ref, State
from statecore.core.state import Turn
from statecore.lifecycles.decisions import AskKind

from .acts import Act

Item = TypeVar("Item")
Text: TypeAlias = str
"""A value as `codec.encode` wrote it."""


FAR: Text = "@"
"""The value of a row of an outline: it is there, and is read from the journal. No encoded value begins so."""
NEAR = 1_024
"""The most characters of a value that a history holds; a longer one is read from the journal when it is asked for."""


class Body(NamedTuple):
    """The data of an event for the journal: a value (an output, an edit) and a small JSON object of particulars, as text.

    `detail` is "" where there is nothing to say; `detail.Detail` is what it means.
    """

    detail: str = ""
    value: Text | None = None


class Entry(NamedTuple):
    """One row of a run's journal: one firing of a row of a lifecycle, with who and when. `seq` counts from 1 without gaps."""

    seq: int
    machine: str
    at: Address
    turn: Turn
    attempt: int
    source: str
    trigger: str
    dest: str
    time: Micros
    body: Body


class Meant(NamedTuple):
    """The digest of each word of a question as it was put, and the salt of its row."""

    words: Mapping[str, bytes]
    salt: bytes


@frozen
class Pause:
    """One question put to a person. `pause_id` is unique within its run; `closed` says when its answer was applied or it fell away.

    `detail` is a small JSON object of what the person is shown besides; `detail.PauseDetail` is what it means. After `deadline` it takes
    `on_timeout`. `rule` is the text of a `core.rule.Rule`, None where there is none; `deciders` are names that its earlier gates gave. `slices` are
    the hashes of what each word leads to, given by a driver. `seen` is the digest of the question in hex, and `meant` what its words meant, given by
    a store that keeps these. They are not compared.
    """

    run_id: str
    pause_id: str
    kind: AskKind
    at: Address
    turn: Turn
    attempt: int
    step_name: str
    message: str | None
    opened: Micros
    closed: Micros | None = None
    detail: str = ""
    deadline: Micros | None = None
    on_timeout: str = "cancel"
    slices: Mapping[str, bytes] | None = field(default=None, eq=False, repr=False, kw_only=True)
    seen: str | None = field(default=None, eq=False, repr=False, kw_only=True)
    meant: Meant | None = field(default=None, eq=False, repr=False, kw_only=True)
    rule: Text | None = field(default=None, kw_only=True)
    deciders: tuple[str, ...] = field(default=(), kw_only=True)


@frozen
class Decided:
    """The one decision of a pause. `key` is the caller's idempotency key, `value` an encoded value that the word carries.

    `seen` is the digest of the question that the person was shown; a store that keeps digests refuses another one than its own, and keeps it.
    """

    run_id: str
    pause_id: str
    word: str
    time: Micros
    value: Text | None = None
    by: str | None = None
    comment: str | None = None
    key: str | None = None
    seen: str | None = field(default=None, eq=False, repr=False, kw_only=True)


@frozen
class Identity:
    """The immutable data of a run from its start: its ids, its workflow, its input. The values are encoded texts.

    `key` is the caller's idempotency key of the start: a workflow has one run for each. `requester` asked for it, if not the user.
    """

    run_id: str
    workflow_id: str
    workflow_name: str
    session_id: str
    user_id: str | None
    created: Micros
    input: Text
    additional_data: Text
    metadata: Text
    fingerprint: str
    canonical: str
    rules: int
    key: str | None = None
    requester: str | None = None


@frozen
class Claim:
    """The claiming of a run by its first boundary: of a stored run, or of a new one, which comes with its identity and session state."""

    owner: str
    identity: Identity | None = None
    session_state: Text = "{}"


@frozen
class Record:
    """A run as it stands in the store.

    `held` gives the journal row of each output that the state refers to. `owner` is the process that executes the run, None
    where none does; `epoch` counts how often the run was claimed: a fencing token, so that an earlier owner cannot store anything. Until `lease`
    the owner counts as alive where its process cannot be observed; None where the lease never ends.
    """

    identity: Identity
    state: State
    seq: int
    held: Mapping[Ref, int]
    session_state: Text
    owner: str | None
    epoch: int
    lease: Micros | None
    cancel_by: str | None
    cancel_requested: Micros | None
    updated: Micros


Obstacle: TypeAlias = "bool | tuple[Decided, ...]"
"""The obstacle of a boundary of which nothing was stored: a cancellation (True), or decisions; False where it was stored."""


class Boundary(NamedTuple):
    """One transaction: the end of something and what is next. All of it is stored, or nothing.

    `seq` is the run's last row before `entries`; a store refuses a boundary whose `epoch` or `seq` is not the run's own: the fencing.
    `opened` and `closed` are pauses, `decisions` those taken along, `session_state` is None where unchanged. `definition`, a fingerprint
    and a canonical form, is given where the run continues with another definition. `parks` releases the run in the same
    transaction: no call is owed any more; otherwise the lease ends at `lease` from now on, None leaves it. `claim` takes the run first,
    in the same transaction; `epoch` is then the new one. `heeds_cancel` and `heeds_decisions`: whether a requested cancellation, or a decision
    of a question that stays open in a parked run, stands against it. `follows` says that `state` and `held` are what the rows make
    of what was stored before, by the run's definition (`replay.followed`): a store may keep the rows alone.
    `ruled` are the questions that it leaves open in a parked run and that take votes, which may stand against it, too.
    """

    run_id: str
    epoch: int
    seq: int
    time: Micros
    state: State
    entries: tuple[Entry, ...]
    held: Mapping[Ref, int]
    opened: tuple[Pause, ...] = ()
    closed: tuple[str, ...] = ()
    decisions: tuple[Decided, ...] = ()
    session_state: Text | None = None
    parks: bool = False
    heeds_cancel: bool = True
    definition: tuple[str, Text] | None = None
    lease: Micros | None = None
    claim: Claim | None = None
    heeds_decisions: bool = True
    follows: bool = False
    ruled: tuple[str, ...] = ()


@frozen
class Waiting:
    """An open pause with its decision, and, where it has a rule, what people did about it and who asked for the run: a row of the inbox."""

    pause: Pause
    decided: Decided | None
    workflow_id: str
    workflow_name: str
    session_id: str
    acts: tuple[Act, ...] = ()
    requester: str | None = None
    user_id: str | None = field(default=None, eq=False, repr=False, kw_only=True)


class Unread(NamedTuple):
    """A run of a listing that could not be read, and the reason."""

    run_id: str
    why: str


class Listing(list[Item]):
    """The rows of a listing that could be read; `unread` names the runs of the others, so that one bad row harms one run (P23).

    `after` is the key of the last row that was looked at, for the filter of the next page; None where there is none. A page may have fewer rows
    than its limit and a key to go on (P26).
    """

    unread: tuple[Unread, ...]
    after: Any = None

    def __init__(self, found: Iterable[Item] = (), unread: Iterable[Unread] = (), after: Any = None) -> None:
        super().__init__(found)
        self.unread, self.after = tuple(unread), after


def unread_of(found: Sequence[object]) -> tuple[Unread, ...]:
    """The runs of a listing that could not be read; none where the store tells of none."""
    return found.unread if isinstance(found, Listing) else ()


def after_of(found: Sequence[object]) -> Any:
    """The key of the next page of a listing; None at the end, or where the store tells of none."""
    return found.after if isinstance(found, Listing) else None


@frozen
class RunFilter:
    """A selection of runs for a listing, the one begun last first. A run must fit every field; None fits all.

    `session_id`, `workflow_id`, `user_id`: equal to. `phases`: one of these, e.g. `("paused", "failed")`. `prefix`: the run id begins with it, case
    included; the listing is then in the order of the ids. `limit`: the most runs of one page; `after`: the id of the last run of the page before.
    `by_claim`: the run executed last comes first, instead; for the runs of a session, which are sorted, and have no pages.

    Example: `Inbox(db).runs(RunFilter(phases=("paused",), limit=20))`
    """

    session_id: str | None = None
    workflow_id: str | None = None
    phases: tuple[str, ...] | None = None
    limit: int = 100
    after: str | None = None
    prefix: str | None = None
    user_id: str | None = None
    by_claim: bool = False


@frozen
class PauseFilter:
    """A selection of open pauses for a listing, oldest first. A pause must fit every field; None fits all. With `due_before` the order is by deadline.

    `run_id`, `session_id`, `workflow_id`, `step_name`: equal to. `kind`: one of `confirmation`, `user_input`, `output_review`,
    `iteration_review`, `route`, `question`, `error`, `interrupted`. `undecided_only`: False lists decided pauses, too. `decided_only`: lists decided
    pauses alone, and `undecided_only` counts no more.
    `due_before`: the deadline comes before this instant (microseconds since 1970, UTC). `due_after`: the deadline comes after it, or there is none.
    `limit`: the most pauses of one page; `after`: the run's and the pause's id of the last pause of the page before.

    Example: `Inbox(db).pending(PauseFilter(workflow_id="payout", kind="confirmation"))`
    """

    run_id: str | None = None
    session_id: str | None = None
    workflow_id: str | None = None
    step_name: str | None = None
    kind: str | None = None
    undecided_only: bool = True
    limit: int = 100
    after: tuple[str, str] | None = None
    due_before: Micros | None = None
    due_after: Micros | None = None
    decided_only: bool = False


@frozen
class Symptom:
    """A finding about a store or a run of it: its kind, its subject, the reason, and the remedy ("" where there is nothing to do)."""

    kind: str
    about: str
    why: str
    remedy: str = ""


class RunReader(Protocol):
    """A database of runs that are read, decided and cancelled, whether processes such as this one execute them or not.

    Every method is one transaction, durable when it returns. Time always comes as an argument. `blocking` says that a call waits
    for a disk or a server, so that asyncio drivers keep it off the loop.

    A method that is given a run raises `UnknownRun` where there is none, one that stores raises `UnstorableValue` for a text with a
    lone surrogate, and a store on a disk may raise a `StoreError` anywhere.
    """

    blocking: bool

    def load(self, run_id: str) -> Record:
        """The run as it stands. Raises `UnknownRun`."""

    def runs(self, wanted: RunFilter) -> list[Record]:
        """Runs, the one begun last first; a `Listing` where a row may be unreadable, or a page may end before all is read."""

    def pauses(self, wanted: PauseFilter) -> list[Waiting]:
        """The inbox: open pauses of runs that have not ended, oldest first; with `due_before` the soonest deadline first.

        A `Listing` where a row may be unreadable; of one run a row that is unreadable is raised, for its other rows may not be believed alone.
        """

    def pause(self, run_id: str, pause_id: str) -> Waiting | None:
        """One pause, open or closed; None where the run never had it."""

    def decide(self, decision: Decided, *others: Decided) -> Decided:
        """Store the one decision of a pause, and return it; the same decision again returns the stored one.

        `others` are decisions of other pauses of the same run: all are stored in one transaction, or none. Raises `KeyReused` where another
        decision of the run has its key; `UnknownRun`, `UnknownPause`, `UnknownDecision`, `AlreadyDecided`, and `NotPaused` where the pause fell
        away undecided.
        """

    def decisions(self, run_id: str) -> list[Decided]:
        """All decisions of a run, in the order of their pauses."""

    def journal(self, run_id: str, after: int = 0, upto: int | None = None) -> list[Entry]:
        """The rows of a run with seq in (after, upto], in order. Raises `UnknownRun`."""

    def head(self, run_id: str) -> str:
        """The SHA-256 chain's last link, in hex: equal histories have equal heads."""

    def definition(self, fingerprint: str) -> Text | None:
        """The canonical form of a workflow that some run has or had; None where there is none."""

    def session_state(self, session_id: str, workflow_id: str) -> Text | None:
        """The session state as the run of a session left it that was executed last; None where there is none."""

    def request_cancel(self, run_id: str, by: str | None, time: Micros) -> Record:
        """Mark the run to be cancelled at its next boundary, and return it as it stands. Raises `UnknownRun`."""

    def close(self) -> None:
        """Give connections back; the store is not used afterwards."""


class RunStore(RunReader, Protocol):
    """A database of runs that are executed by the processes which use it; `testing.stores` is the test of one.

    A run is begun, claimed and moved by boundaries; `claim_next` claims runs that can go on, for workers.
    """

    def commit(self, boundary: Boundary) -> Obstacle:
        """Store a boundary. Returns False for a stored one, else its obstacle; then nothing was stored.

        True: a cancellation was requested, and the boundary heeds it. Decisions: the boundary parks the run as paused, heeds decisions, and
        would leave the questions of these open, which are decided (SAID-1); in the order of the questions.

        With a `claim` the run is begun or claimed first, with epoch + 1, or 1 for a new one. Raises `DuplicateStart` where a run of the
        workflow has the key of a new one, `DuplicateRun` where a run has its id; `RunBusy` where the owner of a stored one is alive, or
        may be: an owner of this host that is dead is known at once, one of another host is given up when its lease is over.

        Raises `ClaimLost` where epoch or seq are not the run's, or where a pause is to expire that was decided; `AlreadyDecided` where a
        decision conflicts with a stored one; the errors of `decide` for a decision; `RefusedBoundary` where a row is no move of a lifecycle
        or not the next one, or where a pause is closed that is not open, or opened that was asked before or where another is open.
        """

    def renew(self, run_id: str, epoch: int, lease: Micros) -> None:
        """Renew the lease until `lease`: the heartbeat of a long call. Raises `ClaimLost` where another process has claimed the run."""

    def release(self, run_id: str, epoch: int) -> None:
        """Release a run; does nothing where another process has claimed it."""

    def claim_next(  # noqa: PLR0913  # as many as there is to say of a claim
        self, workflow_id: str, owner: str, time: Micros, lease: Micros | None = None, most: int = 1, but: Collection[str] = ()
    ) -> list[tuple[Record, bool]]:
        """Claim up to `most` runs of a workflow that can go on at `time`, except those in `but`.

        Each comes with a flag, which is True where its owner left it, so that its owed calls are in doubt. First come those that have no
        owner: pending or running ones, unless they wait for a delay alone that is not over (`rules.until`), and paused
        ones with a decision that is stored, a deadline that is over or a cancellation that was
        requested; of these the one claimed longest ago first. Then come those whose owner is gone. A run that another process is taking at
        the same moment may be left out; no call waits for it.
        """


NO_BODY = Body()
