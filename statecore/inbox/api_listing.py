"""Lists of the API: which questions are wanted, a page of them, how many there are, and a signed cursor to go on.

A page is read by keys: a row that is there all the time comes exactly once, whatever is asked or decided meanwhile. A page reads at most 1,000
rows, so it may hold fewer than its limit and still name the next one (P26).
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from json import dumps, loads
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import evolve, frozen

from statecore.client.shapes import CountDocument
from statecore.errors import BadRequest, UnknownPause, UnknownRun
from statecore.stores import PauseFilter
from statecore.stores.records import after_of
from statecore.stores.rules import MANY

if TYPE_CHECKING:
    from statecore.core import Micros
    from statecore.stores import RunReader, Waiting

Row = TypeVar("Row")
READ = 1_000
"""The most rows that a page, or a count, looks at."""
Place = tuple[int, Any]
"""Where a page ends: the part of the list, and the key of the last row in it."""
OPEN, PAST = ("open", "expired"), ("decided", "superseded", "withdrawn")


@frozen
class WantedQuestions:
    """The questions that a request asks for, besides what a filter of a store says."""

    state: str
    order: str
    filter: PauseFilter
    mine: bool = False
    requester: str | None = None
    asked_before: Micros | None = None

    @property
    def narrows(self) -> bool:
        """Whether rows of the store are left out afterwards."""
        return self.mine or self.requester is not None or self.asked_before is not None

    def fits(self, row: Waiting) -> bool:
        """Whether a row is wanted, as far as no filter of a store has seen to it."""
        asked = self.filter
        return (
            self.requester in (None, row.requester or row.user_id)
            and (self.asked_before is None or row.pause.opened < self.asked_before)
            and asked.workflow_id in (None, row.workflow_id)
            and asked.step_name in (None, row.pause.step_name)
            and asked.kind in (None, row.pause.kind)
            and asked.run_id in (None, row.pause.run_id)
        )

    def parts(self, now: Micros) -> list[PauseFilter]:
        """The parts of a list of open questions, in their order: by deadline, those with one and then those without; or by age."""
        if self.state == "expired":
            late = now + 1 if self.filter.due_before is None else min(self.filter.due_before, now + 1)
            return [evolve(self.filter, due_before=late)]
        if self.order == "asked":
            return [evolve(self.filter, due_after=now)]
        soon = evolve(self.filter, due_after=now, due_before=self.filter.due_before or MANY)
        return [soon] if self.filter.due_before is not None else [soon, evolve(self.filter, due_after=MANY)]


def page_of(
    read: Callable[[int, Any, int], list[Row]], parts: int, start: Place | None, limit: int, fits: Callable[[Row], bool]
) -> tuple[list[Row], Place | None]:
    """The next fitting rows, and where to go on; None at the end. `read` gives rows of a part behind a key, at most so many."""
    part, key = start or (0, None)
    found: list[Row] = []
    looked = 0
    while part < parts:
        rows = read(part, key, limit - len(found))
        looked += len(rows)
        found += [row for row in rows if fits(row)]
        key = after_of(rows)
        if key is None:
            part += 1
        if len(found) >= limit or looked >= READ:
            return found, (part, key) if part < parts else None
    return found, None


def counted(numbers: Iterable[tuple[int, bool]]) -> CountDocument:
    """A count from those of the parts, each with whether there may be more; exact up to 1,000."""
    every = list(numbers)
    total = sum(number for number, _ in every)
    if total > READ or any(more for _, more in every):
        return CountDocument(exact=None, at_least=min(total, READ))
    return CountDocument(exact=total, at_least=None)


# -- cursors -----------------------------------------------------------------------------------------------------------------------


@frozen
class Cursors:
    """Cursors of one store: where a list goes on, with its filters, signed under a key that every process of the store has."""

    key: bytes

    def write(self, of: Mapping[str, str], place: Place) -> str:
        """A cursor of a list with these filters."""
        body = dumps([sorted(of.items()), place], separators=(",", ":")).encode()
        return urlsafe_b64encode(self.sign(body) + body).decode().rstrip("=")

    def read(self, text: str, of: Mapping[str, str]) -> Place:
        """The place that a cursor names. Raises `BadRequest` for one that this API did not write, or that is of another list."""
        try:
            whole = urlsafe_b64decode(text + "=" * (-len(text) % 4))
        except ValueError:
            whole = b""
        signed, body = whole[:16], whole[16:]
        if not hmac.compare_digest(signed, self.sign(body)):
            raise BadRequest(400, "the cursor is none of this API; begin without one")
        filters, (part, key) = loads(body)
        if [list(each) for each in sorted(of.items())] != filters:
            raise BadRequest(400, "the cursor is of a list with other filters; begin without one")
        return part, tuple(key) if isinstance(key, list) else key

    def sign(self, body: bytes) -> bytes:
        """The first 128 bits of the signature."""
        return hmac.new(self.key, body, sha256).digest()[:16]


def cursors_of(db: RunReader) -> Cursors:
    """The cursors of a store: processes that name it alike have one key. A forged cursor shows nothing that a filter does not."""
    return Cursors(sha256(f"statecore/cursor/1 {db!r}".encode()).digest())


def open_page(  # noqa: PLR0913  # a page is of a store, a list, a moment, a place, a size and a person
    db: RunReader, wanted: WantedQuestions, now: Micros, start: Place | None, limit: int, may: Callable[[Waiting], bool]
) -> tuple[list[Waiting], Place | None]:
    """A page of open or expired questions. Raises `BadRequest` where the row at which it goes on was purged."""
    parts = wanted.parts(now)

    def read(part: int, key: Any, most: int) -> list[Waiting]:
        return db.pauses(evolve(parts[part], after=key, limit=most))

    try:
        return page_of(read, len(parts), start, limit, lambda row: wanted.fits(row) and may(row))
    except (UnknownPause, UnknownRun):
        if start is None:
            return [], None
        raise BadRequest(400, "the row at which the cursor goes on was purged; begin without one") from None
