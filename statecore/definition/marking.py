"""`@pause` puts a step's settings on its function, where they are read when the step is constructed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import frozen

from .review import HumanReview, renamed

if TYPE_CHECKING:
    from typing import Unpack

    from .review import ReviewSettings

F = TypeVar("F", bound=Callable[..., Any])
MARK = "__statecore_pause__"


@frozen
class Mark:
    """What `@pause` says of a function: the settings of its step, and the step's name."""

    review: HumanReview
    name: str | None = None


def pause(
    name: str | None = None, *, human_review: HumanReview | None = None, **settings: Unpack[ReviewSettings]
) -> Callable[[F], F]:
    """A decorator: the step of this function has these settings. The function itself is unchanged.

    An explicit `human_review` or keyword of the Step may add to them; the contrary of one is refused.

    Example: `@pause(requires_confirmation=True)` above `def pay(step_input): ...`.
    """
    review = HumanReview(**renamed("@pause", settings)) if human_review is None else human_review

    def mark(function: F) -> F:
        setattr(function, MARK, Mark(review, name))
        return function

    return mark


def mark_of(function: Any) -> Mark | None:
    """What `@pause` put on a function; None where it is not marked."""
    while function is not None:
        mark = getattr(function, MARK, None)
        if isinstance(mark, Mark):
            return mark
        function = getattr(function, "func", None)
    return None
