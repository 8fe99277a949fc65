"""Which store a command works on: `--db` or STATECORE_DB, else the workflow's own, else `statecore.db` in the current folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from statecore.lazy import POSTGRES, load
from statecore.stores import InMemoryDb

from . import exits
from .screen import Option

if TYPE_CHECKING:
    from statecore import Workflow
    from statecore.stores import RunReader
    from statecore.stores.postgres.store import PostgresDb2
    from statecore.stores.postgres.store3 import PostgresDb
    from statecore.temporal import TemporalDb
    from statecore.workflow.inbox import Inbox

DEFAULT = "statecore.db"
URLS = ("postgresql://", "postgres://", "postgresql+psycopg://")

db_option: Option = click.option(
    "--db",
    metavar="STORE",
    envvar="STATECORE_DB",
    show_envvar=True,
    help=f"The store: an SQLite file, postgresql://user@host/database, or temporal://HOST:PORT/NAMESPACE. "
    f"Default: the workflow's own, else ./{DEFAULT}.",
)


def is_url(db: str | None) -> bool:
    """Whether a store is named by a URL."""
    return db is not None and db.startswith(URLS)


def existing(ctx: click.Context, param: click.Parameter, value: str | None) -> Path | str | None:
    """A store that is there, as it was written on the command line: a file as a path, the URL of a database as it is."""
    if value is None or is_url(value):
        return value
    refuse_strange(value)
    file: Path = click.Path(exists=True, dir_okay=False, path_type=Path).convert(value, param, ctx)
    return file


def refuse_strange(db: str) -> None:
    """Raise `click.UsageError` for a URL of another kind, without its text: it may hold a password."""
    if "://" in db and not is_url(db) and not is_served(db):
        message = (
            f"This URL names no store. Write {URLS[0]}user@host/database, temporal://HOST:PORT/NAMESPACE or the path of a file."
        )
        raise click.UsageError(message)


def database(url: str) -> PostgresDb2 | PostgresDb:
    """The store in a database, of the format that its schema has; it is made where there is none."""
    store: PostgresDb2 | PostgresDb = load("statecore.db.postgres", "statecore.stores.postgres.store3", "store_in", POSTGRES)(url)
    click.get_current_context().call_on_close(store.close)
    return store


def opened(db: str | None) -> RunReader:
    """The store in a file or a database, which is made where there is none; or the one on a Temporal server."""
    if db is not None and is_url(db):
        return database(db)
    store: RunReader = served(db) if is_served(db) else filed(db or DEFAULT)
    click.get_current_context().call_on_close(store.close)
    return store


def filed(file: str) -> RunReader:
    """The store in a file, of the format that the file has."""
    from statecore.stores.ending.files import is_archive  # noqa: PLC0415  # a database or a server needs no SQLite

    if is_archive(file):
        from statecore.stores.sqlite.archived import ArchiveDb  # noqa: PLC0415  # the same

        from .keys import given_keys  # noqa: PLC0415  # the same

        return ArchiveDb(file, cipher=given_keys().cipher)
    from statecore.stores.sqlite.store3 import store_in  # noqa: PLC0415  # the same

    from .keys import given_keys  # noqa: PLC0415  # the same

    return store_in(file, given_keys())


def is_served(db: str | None) -> bool:
    """Whether a store is a server whose own workers execute runs."""
    return (db or "").startswith("temporal://")


def served(db: str | None) -> TemporalDb:
    """The store on a Temporal server. Raises `MissingExtra`."""
    from statecore.temporal import TemporalDb  # noqa: PLC0415  # an extra

    exits.leave_at_once()
    return TemporalDb.at(db or "")


def inbox(db: str | None) -> Inbox:
    """The store of a command that needs no workflow. A file that is not there is a usage error, and is not created."""
    file = Path(db or DEFAULT)
    refuse_strange(db or DEFAULT)
    if not is_url(db) and not is_served(db) and not file.exists():
        message = f"There is no store {str(file)!r}. Name the file that the runs are in: --db FILE, or STATECORE_DB=FILE."
        raise click.UsageError(message)
    from statecore.workflow.inbox import Inbox  # noqa: PLC0415  # `verify` and `backup` take a store as it is

    return Inbox(opened(db))


def placed(workflow: Workflow, db: str | None) -> tuple[Workflow, str]:
    """A workflow on the store that is meant, and what to write after `--db` to find that store again ("" where it is the default)."""
    if db is None and not isinstance(workflow.db, InMemoryDb):
        file = place_of(workflow.db)
        return workflow, file
    store = opened(db)
    if is_served(db):
        cast("TemporalDb", store).learn(workflow)
    return workflow.on(store), place_of(store) if is_url(db) else db or ""


def place_of(store: Any) -> str:
    """The place of a store, as far as it has one; of a database, without the password."""
    return str(getattr(store, "path", ""))
