"""`Notifier`: looks at a store and tells its channels, at least once, whatever fails or dies (NOTE-1, NOTE-2, NOTE-3).

Theory of operation. A look reads the open questions and keeps a notice for each thing that is to be told, with one delivery for each channel
and recipient. Each channel has a thread, so that one which hangs holds up no other, and nobody waits for any of them: it takes a delivery
that is due, sends it, and marks it done. A delivery that fails comes again after a growing delay. A question that is over is told of as such,
and what asked for it is not sent any more.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING

from attrs import evolve

from statecore.core import Micros, Seconds
from statecore.errors import DefinitionError, RunPurged, StatecoreError, StoreError, UnknownRun, UnsafeNotice
from statecore.runtime.renewals import put_since
from statecore.stores import PauseFilter
from statecore.stores.records import Symptom, after_of
from statecore.stores.rules import ENDED, STATUS
from statecore.workflow.inbox import Inbox

from .channels import NoticeChannel
from .events import DECIDED, EXPIRED, RUN_ENDED, RUN_FAILED, SUPERSEDED, Notice, calls, is_open, notice, notice_id
from .sent import GIVEN_UP, Due, Sent, Watched

if TYPE_CHECKING:
    from statecore.stores import RunReader, Waiting

SECOND = 1_000_000
LEASE, FIRST, LONGEST = 120 * SECOND, 5 * SECOND, 3_600 * SECOND
GIVES_UP = 3 * 24 * 3_600 * SECOND
"""After so long a delivery is given up."""
SYMPTOM = 5
"""A delivery that failed so often is a symptom."""
PAGE = 500
EVERY: Seconds = 2.0
QUESTION = "{question_id}"


class Notifier:
    """Tells channels what happens to the questions of a store.

    `db`: the store; `channels`: where to tell; `link`: the address of a question's page, with `{question_id}` in it. `remind`: how long after the
    asking, and again after each such time, an open question is told of once more. `sent`: the file of deliveries, beside the file of a
    `SqliteDb` without it. Raises `UnsafeNotice` for two channels of one name or a link without its place, `DefinitionError` without a file.

    Example: `Notifier(db, [Webhook("https://ops.example/hook", secret=secret)], link="https://review.example/q/{question_id}").run(stop)`
    """

    inbox: Inbox
    channels: tuple[NoticeChannel, ...]
    link: str | None
    every: Seconds
    remind: Micros | None
    sent: Sent
    clock: Callable[[], Micros]
    troubles: dict[str, str]
    _told: set[tuple[str, str]]

    def __init__(  # noqa: PLR0913  # a notifier's settings
        self,
        db: RunReader,
        channels: Sequence[NoticeChannel],
        *,
        link: str | None = None,
        remind: timedelta | None = None,
        sent: str | Path | None = None,
        every: Seconds = EVERY,
        clock: Callable[[], Micros] | None = None,
    ) -> None:
        names = [channel.name for channel in channels]
        if len(set(names)) < len(names) or not names:
            why = "a notifier has channels, each with a name of its own"
            raise UnsafeNotice(why, "Leave out the one that is given twice.")
        if link is not None and (QUESTION not in link or not link.isprintable()):
            why = f"the link has no place for {QUESTION}"
            raise UnsafeNotice(why, "Write e.g. link='https://review.example/q/{question_id}'.")
        self.inbox, self.channels, self.link, self.every = Inbox(db), tuple(channels), link, every
        self.remind = None if remind is None else max(SECOND, remind // timedelta(microseconds=1))
        self.sent, self.clock = Sent(file_of(db, sent)), clock or self.inbox.host.clock
        self.troubles = {}
        self._told = set()  # what the file has, so that a look does not ask for it again

    # -- looking -----------------------------------------------------------------------------------------------------------------

    def look(self) -> None:
        """Keep the notices that the store gives now. Raises the errors of a store."""
        now, after, found = self.clock(), None, set()
        while True:
            rows = self.inbox.db.pauses(PauseFilter(undecided_only=False, limit=PAGE, after=after))
            for row in rows:
                if is_open(row, now):
                    found |= {each.question_id for each in self._called(row, now)}
            after = after_of(rows)
            if after is None:
                break
        for watched in self.sent.watched():
            if watched.question not in found:
                self._ended(watched, now)
        for watched in self.sent.runs():
            self._run(watched, now)

    def _called(self, row: Waiting, now: Micros) -> list[Notice]:
        """Keep what asks for an open question."""
        every = list(calls(row, now, self.remind))
        for each in every:
            self._tell(each, row, now)
        return every

    def _tell(self, told: Notice, row: Waiting, now: Micros) -> bool:
        """Keep a notice for each channel that does not have it yet; False where one could not name its recipients, which is a symptom."""
        pause, fine = row.pause, True
        for channel in self.channels:
            key = (told.id, channel.name)
            if key in self._told or self.sent.is_told(*key):
                self._told.add(key)
                continue
            try:
                to = tuple(channel.recipients(told))
            except Exception as error:  # noqa: BLE001  # `to` is code of the user
                self.troubles[channel.name], fine = described(error), False
                continue
            self.troubles.pop(channel.name, None)
            self.sent.tell(told, channel.name, to, Watched(told.question_id, pause.run_id, pause.pause_id), now)
            self._told.add(key)
        return fine

    def _ended(self, watched: Watched, now: Micros) -> None:
        """Keep the end of a question."""
        db = self.inbox.db
        try:
            row = db.pause(watched.run_id, watched.pause_id)
            newer = put_since(db, watched.run_id, watched.pause_id)
        except (UnknownRun, RunPurged):
            row = newer = None
        if row is not None:
            deadline, over = row.pause.deadline, row.pause.closed or now
            late = deadline is not None and deadline <= over
            kind = SUPERSEDED if newer is not None else DECIDED if row.decided is not None else EXPIRED if late else None
            if kind is not None:
                told = notice(row, kind, row.decided.time if row.decided is not None else over)
                if not self._tell(told, row, now):
                    return  # it is looked at again
        self.sent.over(watched.question, now)

    def _run(self, watched: Watched, now: Micros) -> None:
        """Keep the end of a run whose questions are over."""
        try:
            record = self.inbox.db.load(watched.run_id)
            row = self.inbox.db.pause(watched.run_id, watched.pause_id)
        except (UnknownRun, RunPurged):
            self.sent.run_over(watched.run_id)
            return
        if record.state.run in ENDED and row is not None:
            kind = RUN_FAILED if STATUS[record.state.run] == "ERROR" else RUN_ENDED
            told = notice(row, kind, record.updated)
            if self._tell(evolve(told, id=notice_id(watched.run_id, kind, 0)), row, now):
                self.sent.run_over(watched.run_id)

    # -- sending -----------------------------------------------------------------------------------------------------------------

    def send(self, channel: NoticeChannel) -> bool:
        """Try the next delivery of a channel that is due; whether there was one. What a channel raises is kept and tried again."""
        due = self.sent.take(channel.name, self.clock(), LEASE)
        if due is None:
            return False
        link = None if self.link is None else self.link.replace(QUESTION, due.notice.question_id)
        try:
            channel.send(due.notice, due.recipient, link)
        except Exception as error:  # noqa: BLE001  # whatever a receiver or a network does
            self._failed(channel, due, described(error))
        else:
            self.sent.done(channel.name, due, self.clock())
        return True

    def _failed(self, channel: NoticeChannel, due: Due, why: str) -> None:
        """Put a delivery off, or give it up. The log has no address and no words of a receiver."""
        now = self.clock()
        if now - due.notice.at >= GIVES_UP and due.tries >= SYMPTOM:
            self.sent.done(channel.name, due, now, GIVEN_UP, why)
        else:
            self.sent.failed(channel.name, due, now + min(FIRST << min(due.tries, 20), LONGEST), why)
        logging.getLogger("statecore").warning("notice %s was not delivered by %s: %s", due.notice.id, channel.name, why)

    def run(self, stop: Event) -> None:
        """Look and send until `stop` is set; a store that does not answer is asked again."""
        threads = [Thread(target=self._sending, args=(channel, stop), name=channel.name, daemon=True) for channel in self.channels]
        for thread in threads:
            thread.start()
        while not stop.is_set():
            try:
                self.look()
            except StoreError as error:
                logging.getLogger("statecore").warning("the store does not answer the notifier: %s", error.code)
            stop.wait(self.every)
        for thread in threads:  # one that hangs ends with the process; its delivery is tried again
            thread.join(self.every)

    def _sending(self, channel: NoticeChannel, stop: Event) -> None:
        """Send what is due on one channel until `stop` is set."""
        while not stop.is_set():
            if not self.send(channel):
                stop.wait(self.every)

    # -- troubles ----------------------------------------------------------------------------------------------------------------

    def symptoms(self) -> list[Symptom]:
        """Channels that cannot name their recipients, and deliveries that failed five times or were given up."""
        found = [
            Symptom("notices", name, f"it names no recipients: {why}", "Mend `to`.") for name, why in sorted(self.troubles.items())
        ]
        for each in self.sent.failing(SYMPTOM):
            why = f"{each.type} {'was given up' if each.is_over else 'failed'} after {each.tries} tries: {each.why}"
            found.append(
                Symptom("notices", each.channel, why, "Look at the receiver; it is tried again by itself." * (not each.is_over))
            )
        return found

    def close(self) -> None:
        """Close the file of deliveries."""
        self.sent.close()


def file_of(db: RunReader, given: str | Path | None) -> Path:
    """The file of deliveries. Raises `DefinitionError` for a store without a file beside which it could lie."""
    if given is not None:
        return Path(given)
    beside = getattr(db, "path", None)
    if beside is None:
        message = "A notifier keeps its deliveries in a file. Write Notifier(..., sent='deliveries.db')."
        raise DefinitionError(message)
    return Path(f"{beside}.notices")


def described(error: Exception) -> str:
    """An error as it is kept: its type, and the sentence of one of ours; those of others may hold an address or a secret."""
    return str(error) if isinstance(error, StatecoreError) else type(error).__name__
