"""`CustomEvent`: an event of the user's own, which a stream tells among its events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

from attrs import fields

from statecore.definition.outputs import TellAsIs

from .events import RunEvent

if TYPE_CHECKING:
    from collections.abc import Mapping


class CustomEvent(RunEvent, TellAsIs):
    """An event of the user's own: a generator that is an executor yields it, and a stream tells it as it is. It is not stored.

    A subclass may be a dataclass, or any class; without an `__init__` of its own it takes attributes by name. The stream fills in whose it is.
    Example: `yield Found(customer="ada")` of `@dataclass class Found(CustomEvent): customer: str`.
    """

    event: ClassVar[str] = "CustomEvent"

    def __new__(cls, *_: Any, **_named: Any) -> Self:
        """Nothing is known yet of whose it is."""
        made = object.__new__(cls)
        for each in fields(RunEvent):
            object.__setattr__(made, each.name, None)  # also of a frozen dataclass
        return made

    def __init__(self, **attributes: Any) -> None:
        for name, value in attributes.items():
            setattr(self, name, value)

    def to_dict(self) -> dict[str, Any]:
        """Plain data: the event's name, whose it is, and its own attributes."""
        return {"event": self.event, **{each.name: getattr(self, each.name) for each in fields(RunEvent)}, **vars(self)}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> CustomEvent:
        """The event that plain data describe, with its attributes."""
        made = cls.__new__(cls)
        for name, value in plain.items():
            setattr(made, name, value)
        return made
