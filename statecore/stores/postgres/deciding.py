"""A decision of a login that may write no table: the function `statecore_decide` judges, stamps and seals it (P19).

The function answers with a code. A refusal is told by the error that the rules of every store have for it. What a call stored is read back and
checked as any other row is, in the same transaction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from statecore.errors import (
    AlreadyDecided,
    InvalidInput,
    NotPaused,
    NotPermitted,
    PauseExpired,
    StaleDecision,
    StoreTooNew,
    UnknownDecision,
    UnknownPause,
    UnknownRun,
    UnknownStoreError,
    UnstorableValue,
)
from statecore.stores.rules import EXPIRY, STATUS, TEXT, check_key, check_text, clock_text, sought
from statecore.stores.sql3 import reading
from statecore.stores.sql3.queries import USED, VERSION
from statecore.stores.sql3.questions import put_of

from .opening import DLE

if TYPE_CHECKING:
    from collections.abc import Callable

    from statecore.stores.records import Decided
    from statecore.stores.sql.link import Link
    from statecore.stores.sql3.questions import Put

CALL = """
SELECT code, detail FROM statecore_decide(run_id => ?, pause_id => ?, word => ?, answer => ?, "by" => ?, comment => ?, key => ?,
  seen => ?)"""
MAY_WRITE = "SELECT has_column_privilege('pause', 'word', 'UPDATE')"
DONE = frozenset({"stored", "same"})


def may_write(link: Link) -> bool:
    """Whether the login may write decisions into the table itself: an owner or a worker may, a decider may not."""
    found: bool = link.execute(MAY_WRITE).fetchone()[0]
    return found


def decide(link: Link, path: str, decision: Decided, *others: Decided) -> Decided:
    """Have decisions of one run stored, all of them or none; the first one as it is stored, with the server's time. Raises as `Relational.decide`."""
    kept = [stored(link, path, new) for new in (decision, *others)]
    return kept[0]


def stored(link: Link, path: str, new: Decided) -> Decided:
    """Have one decision stored; it, or the same one that was stored before."""
    check_texts(new)
    answer = None if new.value is None else new.value.encode()
    values = (sought(new.run_id), sought(new.pause_id), new.word, answer, new.by, new.comment, new.key, shown(new))
    code, detail = link.execute(CALL, values).fetchone()
    found = put(link, new).waiting.decided if code in DONE else None
    if found is None:
        refuse(link, path, new, code, detail or "")
    return found


def shown(new: Decided) -> bytes | None:
    """The digest of the question that was shown. Raises `StaleDecision` for a text that is no digest."""
    try:
        return None if new.seen is None else bytes.fromhex(new.seen)
    except ValueError:
        raise StaleDecision(new.run_id, new.pause_id) from None


def check_texts(new: Decided) -> None:
    """Raise `UnstorableValue` for a text that does not reach the function as it is: a NUL, or the sign that stands for one."""
    check_text(new.value, new.by, new.comment, new.key)
    for text in (new.by, new.comment, new.key):
        if text is not None and ("\0" in text or DLE in text):
            raise UnstorableValue(
                TEXT, "it has a NUL or the control character U+0010, which the function of a decider does not take"
            )


def put(link: Link, new: Decided) -> Put:
    """The question that a decision answers. Raises `UnknownRun`, `UnknownPause`."""
    number = reading.number_of(link, new.run_id)
    found = reading.put_in(link, number, new.pause_id)
    if found is None:
        raise UnknownPause(new.run_id, new.pause_id, [each.waiting.pause.pause_id for each in reading.open_puts(link, number)])
    return found


# -- refusals, by the code of the function -----------------------------------------------------------------------------------------


def refuse(link: Link, path: str, new: Decided, code: str, detail: str) -> NoReturn:
    """Raise the error of a code."""
    if code == "unknown_run":
        raise UnknownRun(new.run_id)
    if code in OF_QUESTION:
        OF_QUESTION[code](link, new, put(link, new), detail)
    if code == "not_you":
        why = f"the login {detail!r} decides under its own name alone: by= another one needs the role statecore_gateway"
        raise NotPermitted(path, why)
    if code == "needs_votes":
        raise NotPermitted(path, "this question takes votes, and this is a decision: vote")
    if code == "replaced":
        raise StoreTooNew(path, int(detail), VERSION)
    raise UnknownStoreError(path, f"statecore_decide said {code!r} ({detail})")


def already_decided(_link: Link, new: Decided, found: Put, detail: str) -> None:
    """A question that has another decision."""
    first = found.waiting.decided
    if first is None:
        raise AlreadyDecided(new.pause_id, detail, None, "an unknown time")
    raise AlreadyDecided(new.pause_id, first.word, first.by, clock_text(first.time))


def closed(link: Link, new: Decided, _found: Put, _detail: str) -> None:
    """A question that fell away undecided, or whose run has ended."""
    _, phase = link.execute(
        "SELECT r.id, h.phase FROM run r JOIN hot h ON h.run = r.id WHERE r.run_id = ?", (new.run_id,)
    ).fetchone()
    raise NotPaused(new.run_id, STATUS[phase])


def expired(_link: Link, new: Decided, found: Put, detail: str) -> None:
    """A question whose deadline was over by the server's clock."""
    raise PauseExpired(new.pause_id, clock_text(int(detail)), EXPIRY[found.waiting.pause.on_timeout])


def stale(_link: Link, new: Decided, _found: Put, _detail: str) -> None:
    """A question that is not the one that was shown."""
    raise StaleDecision(new.run_id, new.pause_id)


def unknown_word(_link: Link, new: Decided, found: Put, detail: str) -> None:
    """A word that this question does not have."""
    raise UnknownDecision(new.pause_id, found.waiting.pause.kind, new.word, tuple(detail.split("\n")))


def unfit(_link: Link, _new: Decided, found: Put, detail: str) -> None:
    """An answer that does not fit, or is too large."""
    raise InvalidInput(found.waiting.pause.step_name, (detail,))


def too_large(link: Link, new: Decided, found: Put, detail: str) -> None:
    """A part that is larger than the store takes."""
    unfit(link, new, found, f"{detail} is larger than the store takes")


def key_reused(link: Link, new: Decided, _found: Put, _detail: str) -> None:
    """A key that another decision of the run has."""
    used = link.execute(USED, (reading.number_of(link, new.run_id), new.key)).fetchone()
    check_key(put_of(used).waiting.decided if used is not None else None, new)


def unknown_pause(_link: Link, _new: Decided, _found: Put, _detail: str) -> None:
    """A question that the run never had: `put` has raised."""


OF_QUESTION: dict[str, Callable[[Link, Decided, Put, str], None]] = {
    "unknown_pause": unknown_pause,
    "already_decided": already_decided,
    "closed": closed,
    "expired": expired,
    "stale": stale,
    "unknown_word": unknown_word,
    "unfit": unfit,
    "too_large": too_large,
    "key_reused": key_reused,
}
