"""A request of the API after it was checked, and the API that it is sent to: all that an answer is made from."""

from __future__ import annotations

from typing import Any

from attrs import field, frozen

from statecore.workflow.inbox import Inbox

from .api_listing import Cursors, cursors_of
from .documents import Desk
from .seeing import NO_READERS, Person, Readers
from .stream import Lookout


@frozen
class Api:
    """The API of one store."""

    inbox: Inbox
    readers: Readers = NO_READERS
    cursors: Cursors = field(init=False)
    watch: Lookout = field(init=False)

    @cursors.default
    def _cursors(self) -> Cursors:
        return cursors_of(self.inbox.db)

    @watch.default
    def _watch(self) -> Lookout:
        return Lookout(self.inbox)

    def desk(self, person: Person, *, typed: bool = False) -> Desk:
        """All that the documents of a request are made from."""
        return Desk(self.inbox, person, self.inbox.host.clock(), typed, self.readers)


@frozen
class ApiCall:
    """A request as a handler needs it: the API, the person, the parts of its path, its parameters, its body, its key and its ETag."""

    api: Api
    person: Person
    path: dict[str, str]
    query: dict[str, str]
    body: Any
    key: str | None
    known: str | None

    @property
    def desk(self) -> Desk:
        """All that the documents of this request are made from; `typed=1` asks for tagged forms."""
        return self.api.desk(self.person, typed=self.query.get("typed") == "1")
