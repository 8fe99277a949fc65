"""SC6 and SC7: optional packages and drawing; commands, properties and tests."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from attrs import define, field

from .base import AS_ERROR, StatecoreError, suggest, worded


def as_list(given: Iterable[str]) -> list[str]:
    """Any iterable of texts as a list."""
    return list(given)


@define(**AS_ERROR)
class MissingExtra(StatecoreError, ImportError):
    """An optional package is needed for this."""

    code = "SC600"
    says = "{what} needs an optional package. Install it: pip install 'statecore[{extra}]'"
    what: str
    extra: str


@define(**AS_ERROR)
class DrawingFailed(StatecoreError):
    """Graphviz gave up on a picture."""

    code = "SC601"
    says = "{program} did not draw the picture: {why:no reason given}. Write Mermaid, DOT or text instead."
    program: str
    why: str


@define(**AS_ERROR)
class UnknownFormat(StatecoreError, ValueError):
    """A picture was asked for in a format that there is not."""

    code = "SC602"
    says = "{spec!r} is no format; write one of {known}.{_hint}"
    spec: str
    known: list[str] = field(converter=as_list)

    @property
    def _hint(self) -> str:
        return suggest(self.spec, self.known)


@define(**AS_ERROR)
class TargetError(StatecoreError, ValueError):
    """The command line names a workflow that cannot be found."""

    code = "SC700"
    says = "Cannot load {target!r}: {why}. Write module:attribute or file.py:attribute."
    target: str
    why: str


@define(**AS_ERROR)
class InvalidProperty(StatecoreError, ValueError):
    """A property to be checked cannot be read."""

    code = "SC701"
    says = "The property {text!r} cannot be read: {why}{_stop} Write e.g. never ran(pay) unless confirmed(approve)."
    text: str
    why: str

    @property
    def _stop(self) -> str:
        return "" if worded(self.why).endswith(("?", ".")) else "."


@define(**AS_ERROR)
class Unanswered(StatecoreError, LookupError):
    """A scripted reviewer was asked a question that its script does not answer."""

    code = "SC702"
    says = (
        "The {kind} of {step_name!r} has no answer (or no more). Answers: {answers!r:none}. Add one for {step_name!r} or {kind!r}."
    )
    kind: str
    step_name: str
    answers: list[str] = field(converter=as_list)


@define(**AS_ERROR)
class TooManyPaths(StatecoreError, ValueError):
    """A workflow has more situations than a test wants to look at."""

    code = "SC703"
    says = "Workflow {name!r} has more than {most} situations. Raise most=, or let `statecore check` look at it."
    name: str
    most: int


@define(**AS_ERROR)
class UnsafeInbox(StatecoreError, ValueError):
    """The inbox would show questions to people whom it does not know."""

    code = "SC710"
    says = "The inbox does not start: {why}. {remedy}"
    why: str
    remedy: str


@define(**AS_ERROR)
class BadRequest(StatecoreError, ValueError):
    """A request to the API, or a command that prints JSON, is not of the form that it takes.

    `status` is that of HTTP, `fields` has a pointer and a reason of each wrong part.
    """

    code = "SC711"
    says = "The request was refused, and nothing was stored: {why}."
    status: int
    why: str
    fields: tuple[tuple[str, str], ...] = ()


@define(**AS_ERROR)
class NotAllowed(StatecoreError):
    """The person or the token of a request may not do what it asks for."""

    code = "SC712"
    says = "This is not allowed, and nothing was stored: {why}."
    why: str


@define(**AS_ERROR)
class InboxRefused(StatecoreError):
    """The API of an inbox refused a request of its client. `refusal` is the code of the refusal there, `problem` the document as it came."""

    code = "SC713"
    says = "The inbox refused the request ({status} {refusal}): {detail}"
    status: int
    refusal: str
    detail: str
    problem: dict[str, Any]


@define(**AS_ERROR)
class UnsafeNotice(StatecoreError, ValueError):
    """A channel of notices would send where it must not, or is set up as it cannot be."""

    code = "SC714"
    says = "The notice is not sent: {why}. {remedy}"
    why: str
    remedy: str


@define(**AS_ERROR)
class ForgedNotice(StatecoreError, ValueError):
    """A delivery to a webhook is refused: forged, out of time, or come before. `known` says that its id was accepted: answer 2xx, do nothing."""

    code = "SC715"
    says = "The delivery is refused: {why}."
    why: str
    known: bool = False


@define(**AS_ERROR)
class NotDelivered(StatecoreError):
    """A channel of notices could not deliver one; it is tried again."""

    code = "SC716"
    says = "The notice was not delivered: {why}."
    why: str
