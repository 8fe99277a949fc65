"""`TemporalDb`: the runs on a Temporal server, as a store that is read and decided on. The facade and the commands work on it as on any other.

It is a `RunReader` and no `RunStore`: it takes no boundary, because a run's own workflow makes its boundaries. A run that rests is read from
its memo, with no worker; a run that is in the middle, and any journal, is asked of the run, which takes a worker.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit
from uuid import NAMESPACE_URL, uuid5

from attrs import evolve

from statecore.core import Micros, Seconds
from statecore.errors import (
    DuplicateRun,
    DuplicateStart,
    RunsElsewhere,
    StoreUnavailable,
    UnknownPause,
    UnreadableValue,
    suggest,
)
from statecore.stores import Decided, Entry, Identity, Listing, Pause, PauseFilter, Record, RunFilter, Unread, Waiting
from statecore.stores.links import GENESIS, link
from statecore.stores.owner import wall_clock
from statecore.stores.rules import ENDED, bounded, check_beginning, judge, slice_of
from statecore.temporal.orders import sayings
from statecore.temporal.wire import (
    CARRY,
    FolderValues,
    Plain,
    Start,
    Values,
    brought,
    checked,
    moved,
    plain_start,
    read,
    read_head,
    row,
)
from statecore.temporal.workflow.ledger import Page, read_waiting

from . import reading, starting
from .connection import Connection
from .listing import glanced, heard, is_in_order, listed, pauses_page, runs_page, sorted_out, with_values

if TYPE_CHECKING:
    from statecore.runtime.host import Runnable

OPTIONS, PORT = ("tls", "values", "wait"), 7233
LEASE = 3.0
"""Seconds of silence after which a worker counts as dead; it gives a sign of life each second."""
UNKNOWN = "Workflow.submit without TemporalWorkflows having named the workflow"
REMEMBERED = 10_000
"""How many identities a process remembers; they never change."""


class TemporalDb:
    """The runs of one namespace of a Temporal server, `target` is HOST:PORT.

    `values` is the store of large values, the same for every process. With `wait=False` a decision or cancellation is
    left for the next worker of the run; by default a worker takes or refuses it now. `patience` is the most seconds
    of an answer.

    Of runs that are started here, `lease` is the number of seconds of silence after which the call of a worker counts
    as interrupted: raise it for steps that hold the interpreter for long. `carry` bounds, in bytes, the compressed
    journal that a run carries into a new history. Further options are those of `temporalio.client.Client.connect`,
    e.g. `tls`, `api_key`, `data_converter`.
    """

    blocking = True
    connection: Connection
    values: Values | None
    wait: bool
    lease: Seconds
    carry: int

    def __init__(  # noqa: PLR0913  # as many keywords as there are settings
        self,
        target: str = "127.0.0.1:7233",
        namespace: str = "default",
        *,
        values: Values | None = None,
        wait: bool = True,
        patience: Seconds = 10.0,
        lease: Seconds = LEASE,
        carry: int = CARRY,
        **options: Any,
    ) -> None:
        self.connection = Connection(target, namespace, patience, options)
        self.values, self.wait, self.lease, self.carry = values, wait, lease, carry
        self._said: dict[str, str] = {}
        self._identities: dict[str, Identity] = {}
        self._lists: bool | None = None

    @classmethod
    def at(cls, url: str) -> TemporalDb:
        """The store of `temporal://HOST:PORT/NAMESPACE`, with `?values=FOLDER`, `wait=no` and `tls=yes` where wanted, joined by `&`.

        A key is taken from the environment, TEMPORAL_API_KEY. Raises `StoreUnavailable` for an option that there is not.
        """
        parts = urlsplit(url)
        shown = f"temporal://{parts.netloc.rpartition('@')[2]}{parts.path}"
        if "@" in parts.netloc:
            raise StoreUnavailable(shown, "its URL names a user, which it has no use for; a key is taken from TEMPORAL_API_KEY")
        asked = {name: given[-1] for name, given in parse_qs(parts.query, keep_blank_values=True).items()}
        unknown = sorted(set(asked) - set(OPTIONS))
        if unknown:
            raise StoreUnavailable(shown, f"it has no option {unknown[0]!r}.{suggest(unknown[0], OPTIONS)}")
        values = FolderValues(asked["values"]) if asked.get("values") else None
        safe: dict[str, Any] = {"tls": True, "api_key": os.environ.get("TEMPORAL_API_KEY")} if asked.get("tls") == "yes" else {}
        place = parts.netloc if ":" in parts.netloc else f"{parts.netloc}:{PORT}"
        return cls(place, parts.path.strip("/") or "default", values=values, wait=asked.get("wait") != "no", **safe)

    @property
    def path(self) -> str:
        """The address, as it is written after `--db`."""
        return self.connection.where

    def learn(self, workflow: Runnable) -> None:
        """Know what people are shown of a workflow, so that its runs can be started from here."""
        self._said[workflow.compiled.program.fingerprint] = sayings(workflow.compiled.program)

    # -- one run ---------------------------------------------------------------------------------------------------------------------

    def identity(self, run_id: str) -> Identity:
        """The immutable data of a run; read once from the first event of its history. Raises `UnknownRun`."""
        if run_id not in self._identities:
            self._remember([self._brought(self.connection.do(reading.start(self.connection, run_id)).identity)])
        return self._identities[run_id]

    def _remember(self, found: list[Identity]) -> None:
        """Keep what never changes."""
        if len(self._identities) + len(found) > REMEMBERED:
            self._identities.clear()
        self._identities.update({each.run_id: each for each in found})

    def _met(self, memos: list[tuple[str, Plain | Unread]]) -> Listing[tuple[Identity, Plain]]:
        """Listed runs with their identities, which are read many at a time; without those that are gone meanwhile."""
        told = {run_id: memo for run_id, memo in memos if not isinstance(memo, Unread)}
        known = {run_id: self._identities[run_id] for run_id in told if run_id in self._identities}
        found = self.connection.do(reading.starts(self.connection, [run_id for run_id in told if run_id not in known]))
        new, bad = sorted_out(found, self._brought)
        self._remember(new)
        known |= {each.run_id: each for each in new}
        bad += [memo for _, memo in memos if isinstance(memo, Unread)]
        return Listing(((known[run_id], memo) for run_id, memo in told.items() if run_id in known), bad)

    def _brought(self, identity: Identity) -> Identity:
        """An identity whose large values are read from where they live."""
        return with_values(identity, lambda text: brought(self.values, text))

    def load(self, run_id: str) -> Record:
        """The run as it stands; one that is in the middle as it last told, where no worker answers. Raises `UnknownRun`."""
        return read_head(self.identity(run_id), self._whole(run_id, self._told(run_id))["head"])

    def glance(self, run_id: str) -> Record:
        """The run as a listing shows it, from its memo: a session state that was too large for it is left out, and no worker is asked for it.

        Raises `UnknownRun`, and `UnreadableValue` where the memo says nothing and no worker answers.
        """
        return glanced(self.connection, self.identity(run_id))

    def rests(self, run_id: str) -> bool:
        """Whether a run is over, or waits for people and no decision waits for it. Raises `UnknownRun`.

        A run writes that into its memo in the same moment, so that only one with too much for a memo is asked.
        """
        memo = self.connection.do(reading.memo(self.connection, run_id))
        told = self._known(run_id, memo)
        phase = reading.phase(told["head"])
        return phase in ENDED or (phase == "paused" and all(decided is None for _, decided in told["pauses"]))

    def _told(self, run_id: str) -> Plain:
        """How a run stands and what people owe it: from its memo where it rests, perhaps without its session state, else from itself."""
        memo = self.connection.do(reading.memo(self.connection, run_id))
        head = memo["head"]
        if head is not None and (reading.rests(head) or not memo["begun"]):
            return memo
        try:
            return self.connection.do(reading.look(self.connection, run_id))
        except StoreUnavailable:
            if head is None:
                raise
            return memo

    def _whole(self, run_id: str, told: Plain) -> Plain:
        """How a run stands, with a session state that was too large for its memo."""
        is_whole = told["head"]["session_state"] is not None
        return told if is_whole else self.connection.do(reading.look(self.connection, run_id))

    def journal(self, run_id: str, after: int = 0, upto: int | None = None) -> list[Entry]:
        """The rows of a run with seq in (after, upto], in order. It takes a worker. Raises `UnknownRun`."""
        first, last = slice_of(after, upto)
        found: list[Entry] = []
        while True:
            told = self.connection.do(reading.rows(self.connection, run_id, first + len(found), last))
            if not found:
                found = [entry for entry in self._paged(told["moved"], first, last) if entry.seq <= last]
                if found:
                    continue
            found += [self._valued(read(Entry, each)) for each in told["rows"]]
            if not told["rows"] or found[-1].seq >= last:
                return found

    def _paged(self, names: list[list[Any]], first: int, last: int) -> list[Entry]:
        """The rows that lie in pages of the values store."""
        found: list[Entry] = []
        before = 0
        for upto, name in names:
            if upto > first and before < last:
                found += [self._valued(entry) for entry in self._page(name).rows if entry.seq > first]
            before = upto
        return found

    def _page(self, name: str) -> Page:
        """A page of a run's past: one name, or several for one that came in pieces."""
        return Page.of("".join(brought(self.values, piece) for piece in name.split(" ")))

    def _valued(self, entry: Entry) -> Entry:
        """A row whose large value is read from where it lives."""
        value = entry.body.value
        return (
            entry
            if value is None or not value.startswith("@")
            else entry._replace(body=entry.body._replace(value=brought(self.values, value)))
        )

    def head(self, run_id: str) -> str:
        """The chain's last link, computed when asked for."""
        chain = GENESIS
        for entry in self.journal(run_id):
            chain = link(chain, run_id, entry)
        return chain.hex()

    # -- what people owe -------------------------------------------------------------------------------------------------------------

    def pauses(self, wanted: PauseFilter) -> Listing[Waiting]:
        """The inbox: open pauses of runs that have not ended, oldest first. Without a run's id they are as new as Temporal's visibility."""
        if wanted.run_id is not None:
            found = Listing([(self.identity(wanted.run_id), self._told(wanted.run_id))])
        else:
            if wanted.due_before is not None and wanted.due_before <= wall_clock() + 1:
                return Listing()  # the run's own timer takes what is late
            memos = self.connection.do(reading.memos(self.connection, reading.waiting(wanted), None))
            found = heard(self.connection, self._met(memos))
        rows = [
            self._waiting(identity, pause, decided)
            for identity, told in found
            if reading.phase(told["head"]) not in ENDED
            for pause, decided in map(read_waiting, told["pauses"])
        ]
        return pauses_page(rows, found.unread, wanted, self.pause)

    def _known(self, run_id: str, memo: Plain) -> Plain:
        """The content of a memo; asked of the run where it was too much for one."""
        return memo if memo["head"] is not None else self._told(run_id)

    def pause(self, run_id: str, pause_id: str) -> Waiting | None:
        """One pause, open or closed; None where the run never had it. A closed one takes a worker."""
        return self._found(run_id, pause_id, self._told(run_id))

    def _found(self, run_id: str, pause_id: str, told: Plain) -> Waiting | None:
        """One pause: as it was told, where it was open then, else as it is now."""
        identity = self.identity(run_id)
        opened = [read_waiting(each) for each in told["pauses"]]
        known = next((each for each in opened if each[0].pause_id == pause_id), None)
        if known is None:
            known = next((each for each in self._all_pauses(run_id) if each[0].pause_id == pause_id), None)
        return None if known is None else self._waiting(identity, *known)

    def _all_pauses(self, run_id: str) -> list[tuple[Pause, Decided | None]]:
        """Every pause that a run ever had, in the order of their opening."""
        told = self.connection.do(reading.pauses(self.connection, run_id))
        past = [each for _, name in told["moved"] for each in self._page(name).pauses]
        return [*past, *map(read_waiting, told["pauses"])]

    def _waiting(self, identity: Identity, pause: Pause, decided: Decided | None) -> Waiting:

        if decided is not None:
            decided = evolve(decided, value=brought(self.values, decided.value))
        return Waiting(pause, decided, identity.workflow_id, identity.workflow_name, identity.session_id, user_id=identity.user_id)

    def decisions(self, run_id: str) -> list[Decided]:
        """All decisions of a run, in the order of their pauses. It takes a worker."""
        return [decided for _, decided in self._all_pauses(run_id) if decided is not None]

    def decide(self, decision: Decided, *others: Decided) -> Decided:
        """Have the run take the one decision of a pause. With `wait=False` it is judged by what is known here, and left for the next worker.

        Several are judged together before the first is sent; each is a message of its own.
        """
        if others:
            for each in (decision, *others):
                self._judged(each)
        stored = self._send(decision)
        for each in others:
            self._send(each)
        return stored

    def _send(self, decision: Decided) -> Decided:
        """Have the run take one decision."""
        run_id = decision.run_id
        sent = evolve(decision, value=moved(self.values, decision.value))
        plain = checked(f"the decision {decision.word!r}", row(sent))
        stored = self._judged(decision)
        if stored is not None:
            return stored
        if not self.wait:
            self.connection.do(reading.decide_later(self.connection, run_id, plain))
            return decision
        found = self.connection.do(reading.decide(self.connection, run_id, plain))
        if found is None:  # it has ended meanwhile, and what is known of it now says why
            return self._judged(decision) or decision
        taken = read(Decided, found)
        return evolve(taken, value=brought(self.values, taken.value))

    def _judged(self, decision: Decided) -> Decided | None:
        """The knowledge here of a decision: refused by its name, or taken before; None where the run is to say."""
        run_id = decision.run_id
        told = self._told(run_id)
        waiting, phase = self._found(run_id, decision.pause_id, told), reading.phase(told["head"])
        if waiting is None:
            raise UnknownPause(run_id, decision.pause_id, [pause.pause_id for pause, _ in map(read_waiting, told["pauses"])])
        if self.wait and phase not in ENDED and waiting.pause.closed is None:
            return None
        return judge(waiting.pause, waiting.decided, decision, phase)

    def request_cancel(self, run_id: str, by: str | None, _time: Micros) -> Record:
        """Ask a run to be cancelled at its next boundary; how it stood. Raises `UnknownRun`."""
        record = self.load(run_id)
        if record.state.run in ENDED:
            return record
        if not self.wait:
            self.connection.do(reading.cancel_later(self.connection, run_id, by))
            return record
        told = self.connection.do(reading.cancel(self.connection, run_id, by))
        return self.load(run_id) if told is None else read_head(record.identity, told["head"])

    # -- many runs -------------------------------------------------------------------------------------------------------------------

    def runs(self, wanted: RunFilter) -> Listing[Record]:
        """Runs, most recently started first, as new as Temporal's visibility; one that is in the middle as it last told.

        A session state that was too large for a memo is "" where no worker answers for the run.
        """
        most = bounded(wanted.limit) if is_in_order(wanted) else None
        found = listed(self.connection, self._met(self.connection.do(reading.memos(self.connection, reading.runs(wanted), most))))
        return found if most is not None else runs_page(found, wanted, self.identity)

    def session_state(self, session_id: str, workflow_id: str) -> str | None:
        """The session state as the run of a session left it that was started last; none on the test server, which lists nothing."""
        if self._lists is None:
            self._lists = self.connection.do(reading.can_list(self.connection))
        found = self.runs(RunFilter(session_id, workflow_id, limit=1)) if self._lists else Listing[Record]()
        for bad in found.unread:
            raise UnreadableValue(bad.why)
        return self.load(found[0].identity.run_id).session_state if found else None

    def definition(self, fingerprint: str) -> str | None:
        """The canonical form of a workflow, of those whose runs this process has read."""
        return next((each.canonical for each in self._identities.values() if each.fingerprint == fingerprint), None)

    def close(self) -> None:
        """Give the connection back."""
        self.connection.close()

    # -- starting a run --------------------------------------------------------------------------------------------------------------

    def start(self, new: Identity, session_state: str) -> None:
        """Start a run that is submitted: its workflow executes it, in a worker.

        With an idempotency key the run's id is derived from it, and the start is always a repeated one. Raises `DuplicateStart`, `DuplicateRun`;
        `RunsElsewhere` where `learn` was not told of the workflow.
        """
        if new.fingerprint not in self._said:
            raise RunsElsewhere(UNKNOWN)
        check_beginning(new, session_state)
        key = new.key
        if key is not None:
            new = evolve(new, run_id=str(uuid5(NAMESPACE_URL, f"statecore:{new.workflow_id}:{key}")))
        start = Start(self._sent(new), session_state, self._said[new.fingerprint], self.lease, self.carry)
        checked("what the run starts with", plain_start(start))
        try:
            self.connection.do(starting.start(self.connection, start))
        except starting.Existing:
            if key is None:
                raise DuplicateRun(new.run_id) from None
        if key is not None:
            raise DuplicateStart(key, new.run_id)

    def _sent(self, identity: Identity) -> Identity:
        """An identity as it travels, large values moved."""
        return with_values(identity, lambda text: moved(self.values, text))
