"""The words and signs of the pages: kinds of questions, answers, statuses, and lengths of time. Each is translated where it is shown."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

from markupsafe import Markup

from statecore.core import Seconds
from statecore.lifecycles import ASK_KINDS, DECISION_WORDS, exhaustive

Say = Callable[[str], str]
"""A sentence in the reader's language."""


def N_(text: str) -> str:  # noqa: N802  # the name that gettext's tools look for
    """A text that is translated where it is shown."""
    return text


class KindLook(NamedTuple):
    """The label of a kind of question, and its sign."""

    label: str
    icon: str


KINDS = {
    "confirmation": KindLook(N_("Confirmation"), "confirm"),
    "user_input": KindLook(N_("Input"), "form"),
    "route": KindLook(N_("Choice"), "route"),
    "output_review": KindLook(N_("Output review"), "review"),
    "iteration_review": KindLook(N_("Iteration review"), "loop"),
    "question": KindLook(N_("Question"), "review"),
    "error": KindLook(N_("Error"), "error"),
    "interrupted": KindLook(N_("Interrupted"), "error"),
}
exhaustive("inbox.words.KINDS", KINDS, ASK_KINDS)
UNKNOWN = KindLook(N_("Question"), "review")
"""A kind that a newer release asks: its text is shown, and its answers are offered as they are."""


class Button(NamedTuple):
    """The label of an answer, its sign and its colour; the label is another one for some kinds of question."""

    label: str
    icon: str
    cls: str = ""
    labels: dict[str, str] = {}  # noqa: RUF012  # nothing writes it


BUTTONS = {
    "confirm": Button(N_("Confirm"), "yes", "yes", {"output_review": N_("Accept"), "iteration_review": N_("Accept")}),
    "input": Button(N_("Send"), "send"),
    "select": Button(N_("Send the choice"), "send"),
    "answer": Button(N_("Answer"), "send"),
    "edit": Button(N_("Go on with the changed input"), "edit", "", {"output_review": N_("Accept the edited output")}),
    "reject": Button(N_("Reject"), "no", "no"),
    "retry": Button(N_("Retry"), "retry"),
    "provide": Button(N_("Give the output"), "edit"),
    "skip": Button(N_("Skip"), "skip"),
}
exhaustive("inbox.words.BUTTONS", BUTTONS, (each.word for each in DECISION_WORDS))

DONE = {
    "confirm": N_("confirmed"),
    "input": N_("given"),
    "select": N_("chosen"),
    "answer": N_("answered"),
    "edit": N_("changed and accepted"),
    "reject": N_("rejected"),
    "retry": N_("retried"),
    "provide": N_("given by hand"),
    "skip": N_("skipped"),
}
exhaustive("inbox.words.DONE", DONE, BUTTONS)

STATUS = {
    "pending": N_("has not begun"),
    "running": N_("is running"),
    "paused": N_("waits for a decision"),
    "completed": N_("completed"),
    "cancelled": N_("cancelled"),
    "error": N_("failed"),
    "failed": N_("failed"),
}
OVER = frozenset({"completed", "cancelled", "error", "failed"})
VIAS = {
    "oidc": N_("signed in with the provider"),
    "header": N_("signed in by the proxy"),
    "link": N_("by a link"),
    "declared": N_("as declared at the command line"),
    "token": N_("with a token"),
    "application": N_("signed in by the application"),
}
OTHERWISE = {
    "cancel": N_("the run is cancelled"),
    "skip": N_("it is skipped"),
    "approve": N_("it is approved"),
}

ICONS = {
    "yes": '<path d="M5 12.5l4.5 4.5L19 7.5"/>',
    "no": '<path d="M6 6l12 12M18 6L6 18"/>',
    "retry": '<path d="M19 12a7 7 0 1 1-2.2-5.1M19 4v4h-4"/>',
    "skip": '<path d="M6 6l7 6-7 6zM17 6v12"/>',
    "edit": '<path d="M5 19l1-4L16 5l3 3L9 18zM14 7l3 3"/>',
    "send": '<path d="M5 12h13M13 6l6 6-6 6"/>',
    "clock": '<circle cx="12" cy="12" r="8.5"/><path d="M12 7.5V12l3 2"/>',
    "done": '<circle cx="12" cy="12" r="8.5"/><path d="M8 12.5l3 3 5-6"/>',
    "confirm": '<path d="M12 3l8 3v6c0 4.5-3.4 8-8 9-4.6-1-8-4.5-8-9V6zM8.5 12l2.5 2.5 4.5-5"/>',
    "form": '<rect x="4" y="4" width="16" height="16" rx="2.5"/><path d="M8 9h8M8 13h8M8 17h4"/>',
    "review": '<path d="M4 5h16v11H9l-5 4zM8 9h8M8 12h5"/>',
    "route": '<path d="M6 20V10M6 10c0-4 12 0 12-6M6 14c0 3 12 0 12 6"/>',
    "error": '<circle cx="12" cy="12" r="8.5"/><path d="M12 7.5v5M12 16v.4"/>',
    "loop": '<path d="M4 12a8 8 0 0 1 13.7-5.6M20 12A8 8 0 0 1 6.3 17.6M18 3v4h-4M6 21v-4h4"/>',
}
"""Signs of 24 by 24, drawn with strokes."""
DRAWN = {name: Markup(path) for name, path in ICONS.items()}  # noqa: S704  # these very lines
MINUTE, HOUR, DAY = 60, 3_600, 86_400


def instant(at: str) -> datetime:
    """The instant that a text of the API names."""
    return datetime.fromisoformat(at)


def seconds_between(start: str, end: datetime) -> Seconds:
    """How long after an instant another one is."""
    return (end - instant(start)).total_seconds()


def lasting(seconds: Seconds, say: Say) -> str:
    """A length of time, in its two largest parts."""
    whole = max(0, int(seconds))
    if whole < MINUTE:
        return f"{whole} {say('s')}"
    if whole < HOUR:
        return f"{whole // MINUTE} {say('min')}"
    if whole < DAY:
        hours, minutes = divmod(whole // MINUTE, 60)
        return f"{hours} {say('h')}" + (f" {minutes} {say('min')}" if minutes and hours < 10 else "")  # noqa: PLR2004  # finer is not read
    return f"{whole // DAY} {say('d')}"


def ago(at: str, now: datetime, say: Say) -> str:
    """How long ago an instant was."""
    seconds = seconds_between(at, now)
    return say("just now") if seconds < 5 else say("{time} ago").format(time=lasting(seconds, say))  # noqa: PLR2004  # a glance


def due(at: str, now: datetime, say: Say) -> str:
    """How long until a deadline, or since."""
    left = -seconds_between(at, now)
    if left < 0:
        return say("Deadline passed {time} ago").format(time=lasting(-left, say))
    return say("Due in {time}").format(time=lasting(left, say))


def clock_of(at: str, now: datetime | None = None) -> str:
    """An instant in UTC, for people: the time of day where it is today, else with its day."""
    moment = instant(at).astimezone(UTC)
    today = (now or datetime.now(UTC)).date() == moment.date()
    return f"{moment:%H:%M}" if today else f"{moment:%Y-%m-%d %H:%M}"
