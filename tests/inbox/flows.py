"""The workflow that the tests of the inbox decide about, and a store with a run of it."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

from statecore import InMemoryDb, OnError, SqliteDb, Step, Workflow
from statecore.inbox.documents import Desk
from statecore.inbox.seeing import Person
from statecore.stores import PauseFilter, Waiting
from statecore.workflow.inbox import Inbox

STORES = ("memory", "sqlite")
BOB = Person("bob", via="token", roles={"finance"})
HOUR = 3_600 * 1_000_000


def store(kind: str, folder: Path) -> Any:
    """A store of a kind."""
    return InMemoryDb() if kind == "memory" else SqliteDb(db_file=folder / "runs.db")


def collect(_: Any) -> dict[str, Any]:
    """The invoice."""
    return {"amount": Decimal("4200.00"), "who": "ACME"}


def pay(step_input: Any) -> str:
    """The receipt."""
    return f"paid {step_input.input}"


def payout(db: Any, **settings: Any) -> Workflow:
    """Collect, pay behind a gate with a deadline, archive."""
    message = "Pay 4,200.00 EUR to ACME GmbH?\nInvoice PO-118"
    gate = {"requires_confirmation": True, "confirmation_message": message, "on_reject": "cancel", "timeout": 3600, **settings}
    return Workflow("payout", steps=[Step("collect", collect), Step("pay", pay, **gate), Step("archive", pay)], db=db)


def failing(_: Any) -> str:
    """Fail as a line does."""
    msg = "the line is busy"
    raise OSError(msg)


def broken(db: Any) -> Workflow:
    """A step that fails and asks a person."""
    return Workflow("broken", steps=[Step("fetch", failing, on_error=OnError.pause)], db=db)


def desk(db: Any, now: int | None = None, person: Person = BOB, **more: Any) -> Desk:
    """Bob looks at a store, now or at an instant."""
    box = Inbox(db)
    return Desk(box, person, box.host.clock() if now is None else now, **more)


def only(db: Any) -> Waiting:
    """The one open question of a store."""
    [row] = db.pauses(PauseFilter())
    found: Waiting = row
    return found
