"""Many runs of a namespace, of which one that cannot be decoded, or that no worker answers for, keeps no other from being listed (P23)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import evolve

from statecore.errors import StoreUnavailable, UnknownPause, UnreadableValue, ValuesMissing
from statecore.stores import Identity, Listing, PauseFilter, Record, RunFilter, Unread, Waiting
from statecore.stores.pages import instant, matches, paged
from statecore.temporal.wire import Plain, Start, read_head

from . import reading
from .connection import NOBODY, Connection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def with_values(identity: Identity, changed: Callable[[Any], Any]) -> Identity:
    """An identity with its values changed: moved to where large ones live, or brought from there."""
    names = ("input", "additional_data", "metadata")
    return evolve(identity, **{name: changed(getattr(identity, name)) for name in names})


def sorted_out(found: Iterable[Start | Unread], brought: Callable[[Identity], Identity]) -> tuple[list[Identity], list[Unread]]:
    """The identities of runs with their values, and the runs that cannot be decoded or whose values are missing."""
    good, bad = [], []
    for each in found:
        if isinstance(each, Unread):
            bad.append(each)
            continue
        try:
            good.append(brought(each.identity))
        except ValuesMissing as missing:
            bad.append(Unread(each.identity.run_id, str(missing)))
    return good, bad


def glanced(connection: Connection, identity: Identity) -> Record:
    """A run as a listing shows it. Raises `UnreadableValue` where its memo says nothing and no worker answers."""
    told = connection.do(reading.memo(connection, identity.run_id))
    if told["head"] is None:
        try:
            told = connection.do(reading.look(connection, identity.run_id))
        except StoreUnavailable as error:
            raise UnreadableValue(error.why) from error
    found = recorded(identity, told["head"])
    if isinstance(found, Unread):
        raise UnreadableValue(found.why)
    return found


def heard(connection: Connection, met: Listing[tuple[Identity, Plain]]) -> Listing[tuple[Identity, Plain]]:
    """Listed runs as they stand. A run with too much for a memo is asked; one for which no worker answers is named."""
    asked = [identity.run_id for identity, memo in met if memo["head"] is None]
    told = connection.do(reading.looks(connection, asked))
    known = [(identity, memo if memo["head"] is not None else told.get(identity.run_id)) for identity, memo in met]
    unheard = [Unread(identity.run_id, NOBODY) for identity, each in known if each is None]
    return Listing([(identity, each) for identity, each in known if each is not None], [*met.unread, *unheard])


def listed(connection: Connection, met: Listing[tuple[Identity, Plain]]) -> Listing[Record]:
    """The records of listed runs. Those with a session state that was too large for a memo are asked, where a worker answers."""
    short = [identity.run_id for identity, memo in met if memo["head"] is None or memo["head"]["session_state"] is None]
    told = connection.do(reading.looks(connection, short))
    found = [recorded(identity, told.get(identity.run_id, memo)["head"]) for identity, memo in met]
    unread = [each for each in found if isinstance(each, Unread)]
    return Listing([each for each in found if not isinstance(each, Unread)], [*met.unread, *unread])


def recorded(identity: Identity, head: Plain | None) -> Record | Unread:
    """The record of a listed run; a session state that was left out of its memo is "", which no session state is."""
    if head is None:
        return Unread(identity.run_id, NOBODY)
    try:
        return read_head(identity, {**head, "session_state": head["session_state"] or ""})
    except (UnreadableValue, KeyError, TypeError, ValueError) as error:
        return Unread(identity.run_id, f"its memo is none of this release: {error}")


# -- pages -------------------------------------------------------------------------------------------------------------------------


def is_in_order(wanted: RunFilter) -> bool:
    """Whether the server gives the page of a filter by itself: from the first one on, in the order of the beginnings."""
    return wanted.after is None and not wanted.prefix and wanted.user_id is None


def by_id(identity: Identity) -> str:
    """The key of listings in the order of ids."""
    return identity.run_id


def by_beginning(identity: Identity) -> tuple[int, str]:
    """The key of listings in which the run begun last comes first."""
    return -identity.created, identity.run_id


def runs_page(found: Listing[Record], wanted: RunFilter, identity: Callable[[str], Identity]) -> Listing[Record]:
    """A page of all the runs of a filter. Raises `UnknownRun` for an unknown `after`."""
    key: Callable[[Identity], Any] = by_id if wanted.prefix else by_beginning
    last = None if wanted.after is None else key(identity(wanted.after))
    fitting = (each for each in found if wanted.user_id in (None, each.identity.user_id))
    page = paged(fitting, lambda each: key(each.identity), last, wanted, lambda each: each.identity.run_id)
    page.unread = found.unread
    return page


def pauses_page(
    rows: Iterable[Waiting], unread: tuple[Unread, ...], wanted: PauseFilter, pause: Callable[[str, str], Waiting | None]
) -> Listing[Waiting]:
    """A page of all the pauses of a filter. Raises `UnknownRun`, and `UnknownPause` for an unknown `after`."""

    def place(each: Waiting) -> tuple[Any, ...]:
        return instant(each, wanted), each.pause.run_id, each.pause.pause_id

    before = None if wanted.after is None else pause(*wanted.after)
    if wanted.after is not None and before is None:
        raise UnknownPause(*wanted.after, [])
    fitting = (each for each in rows if matches(each, wanted))
    page = paged(
        fitting, place, None if before is None else place(before), wanted, lambda each: (each.pause.run_id, each.pause.pause_id)
    )
    page.unread = unread
    return page
