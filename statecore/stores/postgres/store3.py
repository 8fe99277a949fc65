"""`PostgresDb` keeps runs in one schema of format 3; a schema of format 2 is led to it at the first use (`migrating`).

Each transaction locks its run's row of `hot` before it reads where the journal ends (`queries.FENCE`). What is only read is read at one moment:
several statements of a run's journal belong together here, where in `store` each read is one statement.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

import psycopg
from psycopg import errors as pg

from statecore.core import Seconds
from statecore.errors import StoreCorrupt
from statecore.stores.ending.store import EndingStore
from statecore.stores.frames.questions import event_id
from statecore.stores.rules import LEASE_SECONDS, checked_bound
from statecore.stores.sql.reading import legal_moves
from statecore.stores.sql.relational import WITNESSES
from statecore.stores.sql3 import claiming, writing
from statecore.stores.sql3.older import SUFFIX
from statecore.stores.sql3.queries import AT, VERSION
from statecore.stores.sql3.relational import Relational
from statecore.stores.sql3.steps import Place, plain

from . import deciding, voting
from .channel import Channel, named
from .formats import SCRIPTS, furnish, is_older
from .opening import raise_if_defective, tables_of
from .scrubbing import BEYOND, vacuumed
from .store import NAME, PostgresDb2, PostgresSchema

if TYPE_CHECKING:
    from collections.abc import Callable

    from statecore.stores.acts import Act
    from statecore.stores.records import Boundary, Decided, Obstacle, Record
    from statecore.stores.sql.link import Link
    from statecore.stores.sql3.steps import Written

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")


def store_in(db_url: str) -> PostgresDb2 | PostgresDb:
    """The store in a schema, of the format that the schema has: it is not led to another. One that is not there yet is made. It asks the server."""
    new = PostgresDb(db_url)
    return PostgresDb2(db_url) if is_older(new.tables()) else new


class PostgresDb(PostgresSchema, EndingStore):
    """A store in one schema of a Postgres database (13 or later), which is made where there is none.

    The constructor does not connect; the first use does, so that a store made before a fork may be used in the children, as long as the
    parent has not used it. It leads a schema of an older format to this one; one of more than 256 MB is refused by `MigrationNeeded`, and
    `statecore migrate` leads it. `db_schema` keeps the tables apart from others; the URL may name it, too (`?schema=name`).

    `lease` is the number of seconds after which a lease ends that is not renewed: the wait of a run whose owner on another host has died. A
    transaction holds one of up to `max_connections` connections for as long as it lasts; where the server goes away, it is tried again
    for `patience` seconds. `max_value_bytes` bounds each stored value, 16 MiB without it. `clock` is the server's: all machines have one time,
    whatever theirs is. A login that may write no table decides by the functions `statecore_decide` and
    `statecore_vote` (P19).

    Example: `Workflow("w", steps, db=PostgresDb("postgresql://user@host/name"))`.
    """

    keeps_votes = True
    version = VERSION
    _scripts = SCRIPTS
    _beyond = BEYOND
    _writes: bool = True
    """Whether this login may write decisions itself."""

    def __init__(  # noqa: PLR0913  # as many keywords as a store has settings
        self,
        db_url: str,
        *,
        db_schema: str | None = None,
        lease: Seconds = LEASE_SECONDS,
        max_value_bytes: int | None = None,
        patience: Seconds = 30.0,
        max_connections: int = 10,
    ) -> None:
        Relational.__init__(self)
        self.max_value_bytes: int | None = checked_bound(NAME, "max_value_bytes", max_value_bytes)
        PostgresSchema.__init__(self, db_url, db_schema=db_schema, lease=lease, patience=patience, max_connections=max_connections)

    def tables(self) -> set[str]:
        """The names of the tables of the schema, whatever it is; none where there is none. Raises `StoreUnavailable`."""
        channel = Channel(self._conninfo, self.path, self.db_schema, 1, self.patience)
        try:
            with channel.lent() as connection:
                return tables_of(connection, self.db_schema)
        except psycopg.Error as error:
            raise named(error, self.path) or error from error
        finally:
            channel.close()

    def _lead(self, channel: Channel) -> None:
        """Lead a schema of an older format to this one. Raises `MigrationNeeded`, `StoreCorrupt`, `NotPermitted`, `StoreUnavailable`."""
        with channel.lent() as connection:
            tables = tables_of(connection, self.db_schema)
        if is_older(tables) or f"run{SUFFIX}" in tables:
            from .migrating import at_opening  # noqa: PLC0415  # only an older schema needs it

            at_opening(self._url, self.db_schema)

    def _furnish(self, connection: psycopg.Connection) -> None:
        """Make the schema, where there is none, and see that nothing of it is missing."""
        furnish(connection, self.path, self.db_schema)
        raise_if_defective(connection, self.path, self.db_schema, SCRIPTS)

    def _forget(self) -> None:
        """Forget what was learned of the schema."""
        Relational.__init__(self)

    def _learn(self, channel: Channel) -> None:
        """Read the numbers of the moves of the lifecycles, and what this login may do."""
        self._known.shapes.legal = channel.read(legal_moves)
        self._writes = channel.read(deciding.may_write)

    def decide(self, decision: Decided, *others: Decided) -> Decided:
        """Store the one decision of a pause; by the function `statecore_decide` where this login may write no table.

        Raises what `Relational.decide` raises; by the function also `StaleDecision`, `InvalidInput`, and `NotPermitted` for another's name.
        """
        channel = self.channel()
        if self._writes:
            return super().decide(decision, *others)
        return channel.write(deciding.decide, self.path, decision, *others)

    def act(self, new: Act) -> Act:
        """Store a vote, a withdrawal or a lapse; by the function `statecore_vote` where this login may write no table.

        Raises what `Relational.act` raises; by the function also `InvalidInput`, and `NotPermitted` for another's name.
        """
        channel = self.channel()
        return super().act(new) if self._writes else channel.write(voting.act, self.path, new)

    def _read(
        self, work: Callable[Concatenate[Link, Arguments], Answer], *args: Arguments.args, **more: Arguments.kwargs
    ) -> Answer:
        """The result of `work`, which reads at one moment."""
        return self.channel().read(at_one_moment, lambda link: work(link, *args, **more))

    def _write(
        self, work: Callable[Concatenate[Link, Arguments], Answer], *args: Arguments.args, **more: Arguments.kwargs
    ) -> Answer:
        """The result of `work`, once all that it wrote in one transaction is stored."""
        return self.channel().write(work, *args, **more)

    def _scrubbed(self, wait: Seconds) -> str | None:
        """Have the old versions of rows removed."""
        return vacuumed(self.channel(), self.db_schema, wait)

    def _step(self, boundary: Boundary, event: Written, place: Place) -> bool:  # noqa: ARG002  # what else a store may want to know
        """Store a plain step; False where the tables or the fence refuse it."""
        try:
            return self._write(plain, event, place.run, place.epoch)
        except StoreCorrupt as error:
            if isinstance(error.__cause__, pg.IntegrityConstraintViolation):
                return False
            raise


def at_one_moment(link: Any, work: Callable[[Link], Answer]) -> Answer:
    """The result of `work` in one transaction that sees one moment."""
    link.connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    try:
        return work(link)
    finally:
        link.connection.execute("ROLLBACK")


# -- what a transaction left behind whose COMMIT got no answer, where the server no longer knows -----------------------------------


def event_is_there(link: Link, event: int, chain: bytes) -> bool:
    """Whether the journal has an event with this link."""
    row = link.execute(AT, (event,)).fetchone()
    return row is not None and bytes(row[1]) == chain


def step_is_there(link: Link, stored: bool, event: Written, *_: Any) -> bool:  # noqa: FBT001  # what `plain` answered
    """Whether a plain step was stored; one that was refused left nothing."""
    return not stored or event_is_there(link, event.row[0], event.hash)


def boundary_is_there(link: Link, place: Place | Obstacle, *_: Any) -> bool:
    """Whether the run stands where the boundary left it: its last event, and the claim."""
    if not isinstance(place, Place):  # something stands against it, and nothing was stored
        return True
    row = link.execute("SELECT epoch, claim_order FROM hot WHERE run = ?", (place.run,)).fetchone()
    there = place.number == 0 or event_is_there(link, event_id(place.run, place.number), place.head)
    return there and row is not None and tuple(row) == (place.epoch, place.order)


def claims_are_there(link: Link, answer: list[tuple[Record, bool]], _workflow_id: str, owner: str, *_: Any) -> bool:
    """Whether runs were claimed, all together."""
    query = "SELECT h.owner, h.epoch FROM hot h JOIN run r ON r.id = h.run WHERE r.run_id = ?"
    return all(link.execute(query, (each.identity.run_id,)).fetchone() == (owner, each.epoch) for each, _ in answer)


WITNESSES.update({plain: step_is_there, writing.commit: boundary_is_there, claiming.claim_next: claims_are_there})
