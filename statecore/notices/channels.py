"""Channels: where a notice goes. A channel sends one notice to one recipient and returns, or raises; the notifier repeats it."""

from __future__ import annotations

import smtplib
import time
from collections.abc import Callable, Iterable, Mapping
from email.message import EmailMessage
from email.utils import parseaddr
from hashlib import sha256
from json import dumps
from ssl import create_default_context
from typing import Any, Protocol, runtime_checkable

from attrs import field, frozen

from statecore.core import Seconds
from statecore.errors import MissingExtra, NotDelivered, UnsafeNotice

from .events import ASKED, CALLS, DECIDED, ESCALATED, EXPIRED, REMINDER, RUN_ENDED, RUN_FAILED, SUPERSEDED, Notice
from .reaching import OK, TIMEOUT, checked, post
from .signing import key_of, signed

EVERYTHING = (ASKED, REMINDER, ESCALATED, DECIDED, EXPIRED, SUPERSEDED, RUN_ENDED, RUN_FAILED)
SUBJECTS = {
    ASKED: "A decision is wanted",
    REMINDER: "A decision is still wanted",
    ESCALATED: "A decision is wanted of you, too",
    DECIDED: "Decided",
    EXPIRED: "The deadline has passed",
    SUPERSEDED: "Asked again",
    RUN_ENDED: "The run ended",
    RUN_FAILED: "The run failed",
}


@runtime_checkable
class NoticeChannel(Protocol):
    """A way to tell people. `name` tells it from the others and stays the same, for deliveries are remembered under it."""

    @property
    def name(self) -> str:
        """Its name."""

    def recipients(self, notice: Notice) -> Iterable[str]:
        """To whom a notice goes; () where this channel does not tell it. What it raises is a symptom of the channel."""

    def send(self, notice: Notice, recipient: str, link: str | None) -> None:
        """Send a notice; it has arrived when this returns. Raises whatever is wrong."""


def events_of(given: Iterable[str]) -> frozenset[str]:
    """Types of notices. Raises `UnsafeNotice` for one that there is not."""
    found = frozenset(given)
    if unknown := sorted(found - set(EVERYTHING)):
        why = f"there is no event {unknown[0]!r}"
        raise UnsafeNotice(why, f"The events are {', '.join(EVERYTHING)}.")
    return found


@frozen
class Webhook:
    """A POST of JSON, signed as Standard Webhooks has it; any answer but 2xx is a failure, redirects too.

    `secret`: `whsec_` and Base64, or a text of at least 24 bytes. `private=True` allows a host in a private network.

    Example: `Webhook("https://ops.example/hook", secret=os.environ["WHSEC"])`
    """

    url: str = field()
    key: bytes = field(alias="secret", converter=key_of, repr=False)
    events: frozenset[str] = field(default=EVERYTHING, converter=events_of, kw_only=True)
    private: bool = field(default=False, kw_only=True)
    timeout: Seconds = field(default=TIMEOUT, kw_only=True)

    @url.validator
    def _is_safe(self, _: object, url: str) -> None:
        checked(url)

    @property
    def name(self) -> str:
        """Its name: a hash of the address, which may hold a token."""
        return f"webhook:{short(self.url)}"

    def recipients(self, notice: Notice) -> Iterable[str]:
        """The one address."""
        return ("",) if notice.type in self.events else ()

    def send(self, notice: Notice, recipient: str, link: str | None) -> None:  # noqa: ARG002  # there is one
        """Send a notice. Raises `NotDelivered`, `UnsafeNotice`, `OSError`."""
        body = dumps(notice.data(link), ensure_ascii=False, separators=(",", ":")).encode()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "statecore",
            **signed(self.key, notice.id, int(time.time()), body),
        }
        status = post(self.url, headers, body, private=self.private, timeout=self.timeout)
        if status not in OK:
            why = f"the receiver answered {status}"
            raise NotDelivered(why)


@frozen
class Mail:
    """A mail to each address that `to` gives for a notice: a callable, or a mapping from seats (`role:finance`, `person:ada`) to addresses.

    `host` and `port` are those of an SMTP server; with `starttls` the connection is encrypted, and the server's certificate verified, before
    anything is sent; `login` is a user and a password. Raises `UnsafeNotice` for a login without encryption.

    Example: `Mail("smtp.acme.example", sender="review@acme.example", to={"role:finance": ["fin@acme.example"]})`
    """

    host: str
    port: int = 25
    sender: str = field(kw_only=True)
    to: Callable[[Notice], Iterable[str]] | Mapping[str, Iterable[str]] = field(kw_only=True)
    starttls: bool = field(default=False, kw_only=True)
    login: tuple[str, str] | None = field(default=None, kw_only=True, repr=False)
    events: frozenset[str] = field(default=tuple(sorted(CALLS)), converter=events_of, kw_only=True)
    timeout: Seconds = field(default=TIMEOUT, kw_only=True)

    @sender.validator
    def _is_address(self, _: object, sender: str) -> None:
        address(sender)

    @login.validator
    def _is_enciphered(self, _: object, login: object) -> None:
        if login is not None and not self.starttls:
            why = "a password would be sent without encryption"
            raise UnsafeNotice(why, "Give starttls=True.")

    @property
    def name(self) -> str:
        """Its name."""
        return f"mail:{short(f'{self.host}:{self.port} {self.sender}')}"

    def recipients(self, notice: Notice) -> Iterable[str]:
        """The addresses that a notice goes to. Raises `NotDelivered` for nobody, and what `to` raises."""
        if notice.type not in self.events:
            return ()
        given = self.to(notice) if callable(self.to) else [each for seat in notice.seats for each in self.to.get(seat, ())]
        found = tuple(dict.fromkeys([given] if isinstance(given, str) else given))
        if not found:
            why = "`to` names no address for it"
            raise NotDelivered(why)
        return tuple(map(address, found))

    def send(self, notice: Notice, recipient: str, link: str | None) -> None:
        """Send a mail. Raises `OSError`, of which those of `smtplib` are."""
        message = mail(notice, self.sender, recipient, link)
        with smtplib.SMTP(self.host, self.port, timeout=self.timeout) as server:
            if self.starttls:
                server.starttls(context=create_default_context())  # without one smtplib looks at no certificate
            if self.login is not None:
                server.login(*self.login)
            server.send_message(message)


def mail(notice: Notice, sender: str, recipient: str, link: str | None) -> EmailMessage:
    """A notice as a mail; the same notice to the same person has the same Message-ID."""
    message = EmailMessage()
    message["From"], message["To"] = sender, recipient
    message["Subject"] = f"{SUBJECTS[notice.type]}: {notice.title}"
    message["Message-ID"] = f"<{notice.id}.{short(recipient)}@statecore.invalid>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text_of(notice, link))
    return message


def text_of(notice: Notice, link: str | None) -> str:
    """The words of a notice."""
    lines = [f"{SUBJECTS[notice.type]}: {notice.title}", "", f"Workflow {notice.workflow}, step {notice.step}."]
    if notice.due is not None and notice.type in CALLS:
        lines.append(f"It is closed at {notice.data(None)['data']['due_at']}.")
    if notice.why is not None:
        lines.append(f"Who may decide: {notice.why}.")
    return "\n".join([*lines, *(["", link] if link else []), ""])


def address(given: object) -> str:
    """A mail address. Raises `UnsafeNotice` for one that would write headers of its own, or that is none."""
    text = given if isinstance(given, str) else ""
    if not text.isprintable() or "@" not in parseaddr(text)[1] or "," in text:
        why = "an address is none of a person's mail"
        raise UnsafeNotice(why, "Write e.g. ada@acme.example.")
    return text


@frozen
class Apprise:
    """A chat or another service that the package `apprise` knows, by its URL, which usually is a secret. Raises `MissingExtra`."""

    url: str = field(repr=False)
    events: frozenset[str] = field(default=tuple(sorted(CALLS)), converter=events_of, kw_only=True)
    _sender: Any = field(init=False, repr=False)

    @_sender.default
    def _made(self) -> Any:
        try:
            from apprise import Apprise as Sender  # noqa: PLC0415  # an extra
        except ImportError:
            what = "A channel of apprise"
            raise MissingExtra(what, "apprise") from None
        made = Sender()
        if not made.add(self.url):
            why = "the URL is none that apprise knows"
            raise UnsafeNotice(why, "Its documentation lists them.")
        return made

    @property
    def name(self) -> str:
        """Its name: a hash of the URL."""
        return f"apprise:{short(self.url)}"

    def recipients(self, notice: Notice) -> Iterable[str]:
        """The one service."""
        return ("",) if notice.type in self.events else ()

    def send(self, notice: Notice, recipient: str, link: str | None) -> None:  # noqa: ARG002  # there is one
        """Send a notice. Raises `NotDelivered`."""
        if not self._sender.notify(title=SUBJECTS[notice.type], body=text_of(notice, link)):
            why = "the service did not take it"
            raise NotDelivered(why)


def short(text: str) -> str:
    """A short name for a text that is not shown."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]
