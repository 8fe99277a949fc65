"""T24: more deliberate faults of the engine and the store, those among them that only the simulation finds."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from functools import partial
from io import StringIO
from typing import Any

import pytest
from attrs import evolve

from statecore.core import asks
from statecore.errors import ClaimLost
from statecore.runtime import ends, ready, storing
from statecore.stores.owner import SKEW
from statecore.testing.stores.samples import claim
from tests.faults import abandoned, boundaries, clocks, forged, names, redefined, scale, signals, simulation, values
from tests.faults.mutants import Mutant, put
from tests.faults.report import Order, Tally
from tests.faults.scenarios import SCENARIOS

VERIFY = "tests/unit/stores/test_verify.py"
RULES = ("statecore.stores.memory", "statecore.stores.sql.writing", "statecore.stores.rules", "statecore.runtime.ready")


def suite(*where: str) -> Callable[[Order], Tally]:
    """Tests of the ordinary command, as a campaign: what the tables, the chain and the store's own suite have to see."""

    def tested(_: Order) -> Tally:
        tally, here = Tally(), os.path.dirname(os.path.dirname(os.path.dirname(__file__)))  # noqa: PTH120  # a text is what pytest takes
        with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
            code = pytest.main(["-q", "-x", "-n", "0", "-p", "no:cacheprovider", "-W", "ignore", f"--rootdir={here}", *where])
        tally.add("tests", [] if code == 0 else [f"{' '.join(where)} ended with {code!r}"], "T24")
        return tally

    return tested


def parallel(order: Order) -> Tally:
    """Death before statements of the scenario with branches."""
    tally = Tally()
    for at in range(boundaries.OPENED, boundaries.OPENED + 120, 10):
        wrong, _ = boundaries.point(order.folder, SCENARIOS["parallel"], "kill-before", at)
        tally.add("parallel", wrong, f"T1 parallel at {at}")
    return tally


CATCHERS: dict[str, Callable[[Order], Tally]] = {
    "T1": boundaries.dense,
    "T1 parallel": parallel,
    "T6": suite(VERIFY, "-k", "seen or sound or agrees"),
    "damage": suite("tests/unit/stores/test_sqlite.py"),
    "T7": redefined.run,
    "T8": values.run,
    "T11": signals.run,
    "T12": clocks.run,
    "T14": scale.run,
    "T16": forged.run,
    "T16-names": names.hunt,
    "T18": abandoned.run,
    "SAID": suite(
        "tests/conformance/test_claims_said.py", "-k", "memory and (take_over or beside_a_failure or busy or no_boundary_parks)"
    ),
    "GATE-9": suite("tests/conformance/test_claims_timeouts.py", "-k", "memory and reader"),
    "T22": suite("tests/conformance/test_stores.py"),
    "SIM": simulation.hunt,
}
OTHERS = ("T1", "T1 parallel", "T7", "T11", "T12", "T18")
"""The campaigns on runs, beside the simulation."""


def everywhere(name: str, made: Callable[[Any], Any]) -> Callable[[], None]:
    """A patch of a rule, wherever it is known."""

    def patch() -> None:
        from importlib import import_module

        for module in map(import_module, RULES):
            if hasattr(module, name):
                setattr(module, name, made(getattr(module, name)))

    return patch


def both(*patches: Callable[[], None]) -> Callable[[], None]:
    """Several patches."""

    def patch() -> None:
        for each in patches:
            each()

    return patch


def nothing(_: Any) -> Any:
    """A rule that lets everything pass."""
    return lambda *_args, **_more: None


def without(script: str, lost: str, instead: str = "") -> Callable[[], None]:
    """A patch of the schema: a text is lost from its script."""
    from statecore.stores.sqlite import opening as schema

    def made(text: Any) -> Any:
        def read(name: str) -> str:
            found = str(text(name))
            assert name != script or lost in found, lost
            return found.replace(lost, instead) if name == script else found

        return read

    return put(schema, "script_text", made)


def unset(setting: str) -> Callable[[], None]:
    """A patch of the connections: a setting is not made."""

    def patch() -> None:
        from statecore.stores.sqlite.channel import SETTINGS

        del SETTINGS[setting]

    return patch


# -- rules -------------------------------------------------------------------------------------------------------------------------


def seq_only(_: Any) -> Any:
    """A fence that does not look at the epoch."""

    def check(boundary: Any, epoch: int, seq: int) -> None:
        if boundary.seq != seq:
            raise ClaimLost(boundary.run_id)

    return check


def anew(boundary: Any, seq: int) -> Any:
    """A boundary as if it continued from another row."""
    return boundary._replace(seq=seq, entries=tuple(entry._replace(seq=seq + n) for n, entry in enumerate(boundary.entries, 1)))


def epoch_only(commit: Any) -> Any:
    """A store whose fence does not look where the journal ends."""

    def made(self: Any, boundary: Any) -> Any:
        begins = boundary.claim is not None and boundary.claim.identity is not None
        return commit(self, boundary if begins else anew(boundary, self.load(boundary.run_id).seq))

    return made


def epoch_only_row(commit: Any) -> Any:
    """The same in tables."""

    def made(connection: Any, boundary: Any, moves: Any) -> Any:
        row = connection.execute("SELECT seq FROM run WHERE run_id = ?", (boundary.run_id,)).fetchone()
        return commit(connection, boundary if row is None else anew(boundary, row[0]), moves)

    return made


def overtaken(_: Any) -> Any:
    """A claim of no rows that does not look who had the run in between."""

    def store_claim(execution: Any) -> bool:
        host = execution.host
        claimed = claim(host.store, execution.identity.run_id, host.owner(), host.clock(), host.lease_end())
        if claimed.seq != execution.seq:
            host.store.release(execution.identity.run_id, claimed.epoch)
            raise ClaimLost(execution.identity.run_id)
        execution.claim, execution.epoch = None, claimed.epoch
        return True

    return store_claim


def anybodys(_: Any) -> Any:
    """Giving back a claim that may be another one by now."""

    def release(self: Any, run_id: str, epoch: int) -> None:
        kept = self._kept(run_id)
        kept.owner = kept.lease = None

    return release


def anybodys_row(_: Any) -> Any:
    """The same in a file."""
    from statecore.stores.sql.writing import seal_claim

    def release(connection: Any, run_id: str, epoch: int) -> None:
        [number] = connection.execute(
            "UPDATE run SET owner = NULL, lease = NULL WHERE run_id = ? RETURNING id", (run_id,)
        ).fetchone()
        seal_claim(connection, number)

    return release


def backwards(_: Any) -> Any:
    """A lease that is compared the wrong way round."""
    return lambda owner, lease, time: lease is not None and time >= lease + SKEW


def keyless(new: Any) -> Any:
    """A start whose key is forgotten."""
    return lambda self, identity, session_state: new(self, evolve(identity, key=None), session_state)


def about_anything(look: Any) -> Any:
    """Decisions that are taken whatever run they are about."""

    def taken(self: Any) -> Any:
        self.requirements = [evolve(each, run_id=self.run_id) for each in self.requirements]
        return look(self)

    return taken


def ungated(compile_node: Any) -> Any:
    """Branches of a Parallel whose gates are not asked."""
    from statecore.lifecycles import words as w

    def node(*args: Any, **more: Any) -> Any:
        made = compile_node(*args, **more)
        gated = w.needs_confirmation in made.facts and "/" in made.at
        return evolve(made, facts=made.facts - {w.needs_confirmation} | {w.runs_at_once}) if gated else made

    return node


def listed(find: Any) -> Any:
    """Addresses that are positions in a list."""
    from statecore.core.program import below

    def addresses(steps: Any, prefix: Any, parent: Any) -> Any:
        find(steps, prefix, parent)
        return [below(prefix, str(index)) for index, _ in enumerate(steps)]

    return addresses


def told_as_text(encode: Any) -> Any:
    """What cannot be stored becomes its text."""
    from statecore.errors import UnstorableValue

    def encoded(value: Any, **more: Any) -> str:
        try:
            return str(encode(value, **more))
        except UnstorableValue:
            return str(encode(repr(value)[:100], **more))

    return encoded


def rereading(append: Any) -> Any:
    """A boundary that reads the whole journal again."""

    def appended(connection: Any, boundary: Any, number: int, *rest: Any) -> Any:
        connection.execute("SELECT sum(length(detail)) FROM journal WHERE run = ?", (number,)).fetchall()
        return append(connection, boundary, number, *rest)

    return appended


def pasted(_: Any) -> Any:
    """A name that is pasted into a statement."""
    from statecore.errors import UnknownRun

    def number_of(connection: Any, run_id: str) -> int:
        row = connection.execute(f"SELECT id FROM run WHERE run_id = '{run_id}'").fetchone()  # noqa: S608  # the fault that is planted
        if row is None:
            raise UnknownRun(run_id)
        return int(row[0])

    return number_of


def hasty(_: Any) -> Any:
    """A take-over that applies decisions together with the interruptions."""

    def events(self: Any, execution: Any, record: Any) -> Any:
        program, state = self.compiled.program, execution.state
        left = tuple(ends.interrupted(execution, call, "gone") for call in self.in_doubt(record))
        answered = ends.decision_events(program, asks(program, state), execution.answers, self.host.clock())
        return (*left, *answered)

    return events


def expiring(pending: Any) -> Any:
    """A listing that applies what has expired."""

    def listed(self: Any, wanted: Any) -> Any:
        for row in self.db.pauses(evolve(wanted, due_before=self.host.clock() + 1)):
            record = self.db.load(row.pause.run_id)
            execution = ready.claiming(self.host, self.compiled_of(record), record)
            program, state = execution.program, execution.state
            storing.store_events(execution, ends.expiries(asks(program, state), (), self.host.clock()))
        return pending(self, wanted)

    return listed


def planted() -> list[Mutant]:
    """All of them."""
    from statecore.cli import screen
    from statecore.codec import values as codec
    from statecore.core import compile as compiling
    from statecore.core import facts
    from statecore.runtime import execution
    from statecore.stores import rules
    from statecore.stores.audit import verify
    from statecore.stores.memory import InMemoryDb
    from statecore.stores.sql import reading, rows, writing
    from statecore.stores.sqlite.store3 import SqliteDb
    from statecore.workflow.inbox import Inbox

    unheeded = partial(
        put, name="commit", made=lambda commit: lambda self, boundary: commit(self, boundary._replace(heeds_cancel=False))
    )
    return [
        Mutant("the fence forgets the epoch", "SIM", everywhere("check_fence", seq_only), only=True, quick=True),
        Mutant(
            "the fence forgets where the journal ends",
            "SIM",
            both(put(InMemoryDb, "commit", epoch_only), put(writing, "commit", epoch_only_row)),
            only=True,
            quick=True,
        ),
        Mutant("who claimed in between goes unheard", "SIM", put(ready, "store_claim", overtaken), only=True, quick=True),
        Mutant(
            "anybody gives a claim back",
            "SIM",
            both(put(InMemoryDb, "release", anybodys), put(writing, "release", anybodys_row)),
            only=True,
        ),
        Mutant("what was decided meanwhile expires", "SIM", put(rules, "check_expiries", nothing), only=True, quick=True),
        Mutant("a yes is applied in a boundary that fails", "SAID", put(ready.Continuation, "events", hasty), quick=True),
        Mutant("a yes is applied beside a failure", "SAID", put(storing, "answerable", lambda _: asks)),
        Mutant("a busy run is not told of answers", "SAID", put(ready.Continuation, "keep", lambda _: lambda _self: ())),
        Mutant("a run is parked though it is decided", "SAID", everywhere("parks_paused", lambda _: lambda _b: False), quick=True),
        Mutant("a listing applies expiry", "GATE-9", put(Inbox, "pending", expiring), quick=True),
        Mutant("a decision is accepted after its deadline", "SIM", everywhere("check_deadline", nothing), quick=True),
        Mutant("a lease is compared the wrong way round", "SIM", put(rules, "alive", backwards), quick=True),
        Mutant("the key of a start is ignored", "SIM", put(InMemoryDb, "_new", keyless), quick=True),
        Mutant("a late result wins over a cancellation", "SIM", unheeded(InMemoryDb), quick=True),
        Mutant("a step in which everybody dies is called for ever", "SIM", put(facts, "MAX_INTERRUPTS", lambda _: 99), quick=True),
        Mutant(
            "a second decision is taken for the first",
            "SIM",
            everywhere("judge", lambda _: lambda _pause, stored, *_: stored),
            quick=True,
        ),
        Mutant("a file takes a late result over a cancellation", "T11", unheeded(SqliteDb)),
        Mutant("positions are addresses", "T7", put(compiling, "addresses_of", listed), quick=True),
        Mutant("branches pass their gates", "T1 parallel", put(compiling, "Node", ungated)),
        Mutant(
            "a tuple comes back as a list",
            "T8",
            put(codec, "READERS", lambda readers: {**readers, "$tuple": lambda body, *_: body}),
        ),
        Mutant("what cannot be stored becomes text", "T8", put(execution, "encode", told_as_text)),
        Mutant("decisions about another run count", "T16", put(ready.Continuation, "look", about_anything)),
        Mutant("escapes are printed", "T16-names", put(screen, "spell", lambda _: lambda sign: sign)),
        Mutant("a name is pasted into SQL", "T16-names", put(reading, "number_of", pasted)),
        Mutant(
            "the inbox has no index",
            "T14",
            without("schema.sql", "CREATE INDEX pause_inbox ON pause (opened, run) WHERE closed IS NULL;"),
        ),
        Mutant("the log is not written ahead", "T14", unset("journal_mode")),
        Mutant("a boundary reads all that was before", "T14", put(writing, "append", rereading)),
        Mutant("a seal is not checked", "T6", put(verify, "SEALED", lambda _: ())),
        Mutant(
            "a value is read that is not what its address says",
            "damage",
            put(rows, "read_kept", lambda _: lambda _address, text: text),
        ),
        Mutant(
            "two questions may be open at one place",
            "T22",
            both(
                put(writing, "PAUSE_OPEN", lambda made: made.replace("UNIQUE ", "")),
                everywhere("check_pauses", nothing),
            ),
        ),
        Mutant(
            "a heartbeat renews anybody's lease",
            "T22",
            put(InMemoryDb, "renew", lambda _: lambda self, run_id, _epoch, lease: setattr(self._kept(run_id), "lease", lease)),
        ),
        Mutant("a decision under a used key is stored", "T22", everywhere("check_key", nothing)),
    ]
