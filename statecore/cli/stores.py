"""Which store a command works on: `--db` or STATECORE_DB, else the workflow's own, else `statecore.db` in the current folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from statecore import InMemoryDb, SqliteDb, Workflow
from statecore.workflow.inbox import Inbox

from .options import Option

if TYPE_CHECKING:
    from statecore.stores import Store

DEFAULT = "statecore.db"

db_option: Option = click.option(
    "--db",
    metavar="FILE",
    envvar="STATECORE_DB",
    show_envvar=True,
    help=f"The SQLite file of the runs. Default: the workflow's own, else ./{DEFAULT}.",
)


def opened(db: str | None) -> Store:
    """The store in a file, which is created where there is none."""
    store = SqliteDb(db_file=db or DEFAULT)
    click.get_current_context().call_on_close(store.close)
    return store


def inbox(db: str | None) -> Inbox:
    """The store of a command that needs no workflow. A file that is not there is a usage error, and is not created."""
    file = Path(db or DEFAULT)
    if not file.exists():
        message = f"There is no store {str(file)!r}. Name the file that the runs are in: --db FILE, or STATECORE_DB=FILE."
        raise click.UsageError(message)
    return Inbox(opened(db))


def placed(workflow: Workflow, db: str | None) -> tuple[Workflow, str]:
    """A workflow on the store that is meant, and what to write after `--db` to find that store again ("" where it is the default)."""
    if db is None and not isinstance(workflow.db, InMemoryDb):
        file = own_file(workflow.db)
        return workflow, file
    return workflow.on(opened(db)), db or ""


def own_file(store: Any) -> str:
    """The file of a workflow's own store, as far as it has one."""
    return str(getattr(store, "path", ""))
