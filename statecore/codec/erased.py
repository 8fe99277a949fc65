"""`ERASED` stands for a value that was erased: it reads so, and no store knows what it was."""

from __future__ import annotations

from typing import Self

TEXT = '{"$erased":""}'
"""The stored form of `ERASED`, of which no other value has the text."""


class Erased:
    """The value `ERASED`, the only one of its class, stands where an erasure has taken a value of a run (P28).

    Example: `Inbox(db).show("run-1").content is ERASED`
    """

    __slots__ = ()

    def __repr__(self) -> str:
        """The name of the value."""
        return "ERASED"

    def __str__(self) -> str:
        """The word that people see."""
        return "(erased)"

    def __reduce__(self) -> str:
        """A copy, also one from another process, is the same value."""
        return "ERASED"


ERASED = Erased()


def spell(_value: Erased) -> str:
    """The plain JSON of `ERASED`."""
    return ""


def parse(_plain: str) -> Erased:
    """`ERASED`."""
    return ERASED


class Gone(str):
    """A text that stands in place of an erased one, and the commitment to that one."""

    __slots__ = ("commitment",)
    commitment: bytes

    def __new__(cls, text: str, commitment: bytes) -> Self:
        """A text and a commitment."""
        gone = super().__new__(cls, text)
        gone.commitment = bytes(commitment)
        return gone

    def __reduce__(self) -> tuple[type[Gone], tuple[str, bytes]]:
        """The same in another process."""
        return Gone, (str(self), self.commitment)
