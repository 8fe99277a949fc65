"""The first rows of a run: who it is, and where it stands before its first event."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from statecore.codec.records import dump_state
from statecore.core import BEGINNING
from statecore.errors import DuplicateRun, DuplicateStart
from statecore.stores.rules import check_beginning

from .covering import Covered, covered_run
from .events import check_key_text, check_names
from .queries import (
    ADD_SESSION,
    ADD_WORKFLOW,
    BEGIN,
    BEGIN_HOT,
    DEFINE,
    DEFINED,
    SESSION,
    START_KEY,
    STARTED,
    TAKEN,
    WORKFLOW,
)
from .questions import body_of
from .rows import identity_digest

if TYPE_CHECKING:
    from statecore.stores.records import Identity
    from statecore.stores.sql.link import Link

    from .events import Salted

BEGUN = dump_state(BEGINNING)


class New(NamedTuple):
    """A run that was inserted: its number, the count of its claim, and the numbers of what it refers to."""

    run: int
    order: int
    definition: int
    fingerprint: str
    digest: bytes
    session: int
    workflow: int


def insert(connection: Link, salted: Salted, order: int) -> New:
    """Store a new run, claimed. Raises `DuplicateStart`, `DuplicateRun`, `UnstorableValue`."""
    claim = salted.boundary.claim
    if claim is None or claim.identity is None:
        message = "only a claim with an identity begins a run"
        raise TypeError(message)
    identity = claim.identity
    check(identity, claim.session_state)
    if identity.key is not None:
        first = connection.execute(STARTED, (identity.workflow_id, identity.key)).fetchone()
        if first is not None:
            raise DuplicateStart(identity.key, first[0])
    if connection.execute(TAKEN, (identity.run_id, identity.run_id)).fetchone() is not None:
        raise DuplicateRun(identity.run_id)
    workflow = named(connection, WORKFLOW, ADD_WORKFLOW, identity.workflow_id)
    session = named(connection, SESSION, ADD_SESSION, identity.session_id)
    definition = named(connection, DEFINED, DEFINE, identity.fingerprint, identity.canonical)
    salt = salted.salt("run")
    digest = identity_digest(identity, salt, identity.fingerprint)
    who = (identity.run_id, workflow, identity.workflow_name, session, identity.user_id, identity.created)
    texts = (identity.requester, identity.input, identity.additional_data, identity.metadata)
    row = Covered(tuple(map(body_of, texts)), (None,) * 6, salt)
    if hasattr(connection, "keys"):
        row = covered_run(connection, salt, row.bodies, (identity.session_id, identity.user_id))
    requester, *bodies = row.bodies
    columns = (*who, *bodies, row.salt, definition, identity.rules, identity.key, digest, requester, *row.kept)
    [(run,)] = connection.execute(BEGIN, columns).fetchall()
    if identity.key is not None:
        connection.execute(START_KEY, (workflow, identity.key, identity.run_id))
    connection.execute(
        BEGIN_HOT, (run, workflow, order, claim.owner, definition, digest, BEGUN, identity.created, digest, session)
    )  # sealed at the end of its first transaction
    return New(run, order, definition, identity.fingerprint, digest, session, workflow)


def check(identity: Identity, session_state: str) -> None:
    """Raise `UnstorableValue` where a text of a new run cannot be stored."""
    check_beginning(identity, session_state)
    names = (identity.run_id, identity.workflow_id, identity.workflow_name, identity.session_id, identity.user_id)
    check_names(*names, identity.fingerprint, identity.canonical)
    check_key_text(identity.key)


def named(connection: Link, find: str, add: str, name: str, *more: str) -> int:
    """The number of a name, which is stored where it is not."""
    row = connection.execute(find, (name,)).fetchone()
    if row is None:
        connection.execute(add, (name, *more))
        row = connection.execute(find, (name,)).fetchone()
    number: int = row[0]
    return number
