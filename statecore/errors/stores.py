"""SC4 and SC5: a value that cannot be stored or read, and a store that cannot be used."""

from __future__ import annotations

from attrs import define

from .base import AS_ERROR, StatecoreError, is_empty, worded


@define(**AS_ERROR)
class UnstorableValue(StatecoreError, ValueError):
    """A value cannot be stored so that it comes back equal."""

    code = "SC400"
    says = "{path}: {why}. {_remedy}."
    path: str
    why: str
    remedy: str = ""

    @property
    def _remedy(self) -> str:
        return worded(self.remedy) or "Return plain data (numbers, text, bytes, dates, lists, dicts ...) or register a codec"


@define(**AS_ERROR)
class UnreadableValue(StatecoreError, ValueError):
    """Stored bytes are no value that this release can read."""

    code = "SC401"
    says = "A stored value cannot be read: {why}. Nothing was guessed. {_remedy}."
    why: str
    remedy: str = ""

    @property
    def _remedy(self) -> str:
        return worded(self.remedy) or "Check the store with `statecore verify`"


@define(**AS_ERROR)
class RefusedCodec(StatecoreError, ValueError):
    """A codec cannot be registered: its type or its tag is taken, or can have none."""

    code = "SC402"
    says = "No codec for {kind} with the tag {tag!r}: {why}. Nothing was registered; a type keeps its one tag."
    kind: str
    tag: str
    why: str


@define(**AS_ERROR)
class ValueTooLarge(StatecoreError, ValueError):
    """A value is too large for the engine that would carry it; it was not sent."""

    code = "SC403"
    says = (
        "{what} has {size:,} bytes, and at most {limit:,} are sent; nothing was. Keep large values elsewhere and hand on their "
        "name, or give every client and worker the same values store (TemporalDb(values=...))."
    )
    what: str
    size: int
    limit: int


@define(**AS_ERROR)
class ValuesMissing(StatecoreError, LookupError):
    """A value was moved to a values store that this process does not have, or that does not have it."""

    code = "SC404"
    says = (
        "The value {key!r} cannot be read: {why}. Give this process the values store of the run's clients and workers: "
        "TemporalDb(values=...), or STATECORE_VALUES=FOLDER."
    )
    key: str
    why: str


class StoreError(StatecoreError):
    """A store cannot be used."""

    code = "SC500"


@define(**AS_ERROR)
class NotAStatecoreStore(StoreError):
    """The file is something else."""

    code = "SC501"
    says = "{path!r} is not a statecore store ({why}); it was left untouched. Name another file."
    path: str
    why: str


@define(**AS_ERROR)
class StoreCorrupt(StoreError):
    """The file is a damaged store. `table`, `row` and `promise` name the place and what does not hold any more, where that is known."""

    code = "SC502"
    says = "The store {path!r} is damaged: {why}{_place}. Restore a backup; `statecore verify` names the first bad row."
    path: str
    why: str
    table: str = ""
    row: str = ""
    promise: str = ""

    @property
    def _place(self) -> str:
        """The place in words, as the end of a sentence."""
        named = {"table": self.table, "row": self.row, "promise": self.promise}
        told = [f"{name} {worded(value)}" for name, value in named.items() if not is_empty(value)]
        return f" ({', '.join(told)})" if told else ""


@define(**AS_ERROR)
class StoreTooNew(StoreError):
    """The store was written by a newer release."""

    code = "SC503"
    says = "The store {path!r} has schema {found}; this release knows up to {known}. Upgrade statecore."
    path: str
    found: int
    known: int


@define(**AS_ERROR)
class StoreForked(StoreError):
    """A forked child used its parent's connection."""

    code = "SC504"
    says = (
        "The store {path!r} was opened before a fork. Fork before its first use, or call reopen(): of a SqliteDb in the parent before the fork, "
        "of a PostgresDb in the child."
    )
    path: str


@define(**AS_ERROR)
class StoreUnavailable(StoreError):
    """The store cannot be read or written now; everything that was acknowledged before is safe."""

    code = "SC505"
    says = "The store {path!r} cannot be used: {why}. Nothing that was acknowledged is lost; mend it and try again."
    path: str
    why: str


@define(**AS_ERROR)
class ReplayFailed(StoreError, ValueError):
    """A journal is no history of its workflow."""

    code = "SC506"
    says = "Row {seq} of the journal does not follow from the rows before it: {why}. See `statecore verify`."
    seq: int
    why: str


@define(**AS_ERROR)
class NotPermitted(StoreError):
    """The database lets this role not do that."""

    code = "SC507"
    says = "The store {path!r} does not permit this: {why}. Nothing was changed; use a role that may, or grant it."
    path: str
    why: str


@define(**AS_ERROR)
class OutsideFormat(StoreError, ValueError):
    """A number, a text or a list of bytes has no place in the format of the stores."""

    code = "SC508"
    says = "{what} has no place in the format of the stores: {why}. Nothing was stored."
    what: str
    why: str


@define(**AS_ERROR)
class StoreReplaced(StoreError):
    """The file of an open store was moved, removed, replaced or migrated by another release."""

    code = "SC509"
    says = (
        "The store {path!r} is not the file that was opened: {why}. This call acknowledged nothing; put the file back, "
        "or make the store object anew for the file that has this name now."
    )
    path: str
    why: str


@define(**AS_ERROR)
class UnknownStoreError(StoreError):
    """The database answered with an error that this release does not know."""

    code = "SC510"
    says = (
        "The database of the store {path!r} answered with an error that statecore does not know: {why}. Nothing of this call was stored; "
        "look for its cause with `statecore doctor`, and report the error."
    )
    path: str
    why: str


@define(**AS_ERROR)
class WrongType(StoreError, TypeError):
    """A store was given a value of a type that it does not take."""

    code = "SC511"
    says = "The store {path!r} was given a value of a wrong type: {why}. Nothing was stored; correct the call."
    path: str
    why: str


@define(**AS_ERROR)
class TransactionTimedOut(StoreError):
    """The server's own limit ended a transaction."""

    code = "SC512"
    says = (
        "The server ended a transaction of the store {path!r} by its own limit: {why}. Nothing of it was stored; "
        "raise transaction_timeout for this role, or set it to 0."
    )
    path: str
    why: str


@define(**AS_ERROR)
class PoolerInTheWay(StoreError):
    """A connection pooler mixes the sessions of several clients."""

    code = "SC513"
    says = (
        "A pooler before the store {path!r} mixes the sessions of several clients: {why}. Nothing of this call was stored; "
        "set its pool_mode to session, or connect to the server itself."
    )
    path: str
    why: str


@define(**AS_ERROR)
class MigrationNeeded(StoreError):
    """The store is of an older format, or its migration is not done; opening does not migrate it."""

    code = "SC514"
    says = "The store {path!r} {why}. Nothing was changed; stop what uses it, and run: statecore migrate {path}"
    path: str
    why: str


@define(**AS_ERROR)
class KeyMissing(StoreError, LookupError):
    """A value is enciphered with a key that this process does not have."""

    code = "SC515"
    says = (
        "A value of this store is enciphered with the key {kid!r}, and this process does not have it. Nothing is damaged; "
        "give the key to the store, cipher=AesGcm(...), or to commands, STATECORE_KEYS=FILE."
    )
    kid: str
