"""`Act`: what a person did about a question with a rule of who may decide, as a store keeps it."""

from __future__ import annotations

from attrs import frozen

from statecore.core import Micros


@frozen
class Act:
    """One thing that a person did about a question with a rule, or that happened to a vote: a row that is appended and never changed.

    `kind`: vote, withdrawal, lapse, or refusal. `by` is the person, `via` how they are known, `roles` those of that moment. `seen` is the digest that
    the person was shown, `round` counts the votes of the person about this question before. `detail` is the reason of a refusal or a lapse, and
    `times` how many refusals a row stands for.
    """

    run_id: str
    pause_id: str
    kind: str
    time: Micros
    word: str | None = None
    by: str | None = None
    via: str | None = None
    roles: tuple[str, ...] = ()
    value: str | None = None
    comment: str | None = None
    seen: str | None = None
    round: int = 0
    detail: str | None = None
    times: int = 1
