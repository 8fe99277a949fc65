"""A client of the API over HTTP, with the documents as classes: the reviewer's side of an inbox.

    with InboxClient("https://review.example/api/v1", token=os.environ["INBOX_TOKEN"]) as inbox:
        for line in inbox.questions(workflow="payout"):
            question = inbox.question(line.question_id)
            inbox.decide(question, "confirm", comment="checked against PO-118")

A field, a word or a kind that this release does not know is ignored (API-3).
"""

from __future__ import annotations

from secrets import token_urlsafe
from typing import TYPE_CHECKING, Any, Self, TypeVar
from urllib.parse import quote

import httpx

from statecore.errors import InboxRefused

from .reading import read
from .shapes import (
    CancelledDocument,
    ItemDocument,
    QuestionDocument,
    QuestionsDocument,
    RunDocument,
    RunItemDocument,
    RunsDocument,
    StoredDocument,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from statecore.core import Seconds

Document = TypeVar("Document")
TRIES = 3
"""How often a request is sent whose answer did not come; a decision has one key for all of them."""


class InboxClient:
    """The API of an inbox at a URL, which ends with `/api/v1`. `token` is a bearer token; `transport` is httpx's own, another one for tests.

    Every method raises `InboxRefused` for a problem document, and httpx's own errors where no answer comes.
    """

    def __init__(self, url: str, token: str, *, timeout: Seconds = 10.0, transport: httpx.BaseTransport | None = None) -> None:
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        self._http = httpx.Client(base_url=url.rstrip("/") + "/", headers=headers, timeout=timeout, transport=transport)

    def __enter__(self) -> Self:
        """Use the client in a block, which closes it."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close the connections."""
        self.close()

    def close(self) -> None:
        """Close the connections; the client is not used afterwards."""
        self._http.close()

    def questions(self, **filters: str) -> Iterator[ItemDocument]:
        """Yield the questions that fit the filters of the API (`state`, `workflow`, `step`, `kind`, `run`, `requester`), page by page."""
        address: str | None = "questions"
        while address is not None:
            page = read(QuestionsDocument, self._get(address, filters))
            yield from page.items
            address, filters = page.next, {}

    def question(self, question_id: str) -> QuestionDocument:
        """Return one question, open or not."""
        return read(QuestionDocument, self._get(f"questions/{quote(question_id, safe='')}"))

    def decide(
        self, question: QuestionDocument, word: str, *, value: Any = None, comment: str | None = None, key: str | None = None
    ) -> StoredDocument:
        """Store a decision about a question as it was read, and return what is stored.

        `key` makes a repetition safe, also from another process; each call has one of its own without it. A request whose answer does not come is
        sent again with the same key.
        """
        body = {"word": word, "seen": question.seen, "comment": comment, "value": value}
        headers = {"Idempotency-Key": key if key is not None else token_urlsafe(16)}
        address = f"questions/{quote(question.question_id, safe='')}/decision"
        for left in reversed(range(TRIES)):
            try:
                return read(StoredDocument, told(self._http.post(address, json=body, headers=headers)))
            except httpx.TransportError:
                if not left:
                    raise
        raise AssertionError  # pragma: no cover  # the last try returns or raises

    def runs(self, **filters: str) -> Iterator[RunItemDocument]:
        """Yield the runs that fit the filters of the API (`workflow`, `status`, `requester`, `session`), page by page."""
        address: str | None = "runs"
        while address is not None:
            page = read(RunsDocument, self._get(address, filters))
            yield from page.items
            address, filters = page.next, {}

    def run(self, run_id: str) -> RunDocument:
        """Return a run as it stands."""
        return read(RunDocument, self._get(f"runs/{quote(run_id, safe='')}"))

    def cancel(self, run_id: str) -> CancelledDocument:
        """Cancel a run: at once, or at its next boundary."""
        return read(CancelledDocument, told(self._http.post(f"runs/{quote(run_id, safe='')}/cancellation")))

    def _get(self, address: str, filters: dict[str, str] | None = None) -> Any:
        """The JSON at an address."""
        return told(self._http.get(address, params=filters or None))


def told(answer: httpx.Response) -> Any:
    """The JSON of an answer. Raises `InboxRefused` for a problem, and for an answer that is none of the API."""
    try:
        found = answer.json()
    except ValueError:
        found = None
    if answer.is_success and isinstance(found, dict):
        return found
    problem = found if isinstance(found, dict) else {}
    detail = str(problem.get("detail") or "the answer is none of the API; check the URL, which ends with /api/v1")
    raise InboxRefused(answer.status_code, str(problem.get("code") or ""), detail, problem)
