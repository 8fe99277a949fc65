"""The words of an error's parts: what is a stranger's object is described, and never run more than needed."""

from __future__ import annotations

from statecore.errors.base import described, plain


class Odd:
    """An object whose attributes cannot be read."""

    def __getattribute__(self, name):  # noqa: D105  # the class says it
        raise RuntimeError(name)


class Word(str):
    __slots__ = ()


class Number(int):
    __slots__ = ()


def test_an_object_that_cannot_be_read_is_described_all_the_same():
    """An object whose own code raises when it is looked at has words that do not depend on it."""
    assert described(Odd()) == "a value of an unknown type"


def test_kinds_of_plain_data_become_plain():
    """A text and a number of classes of their own are told as what they are, without their class."""
    assert [(type(each), each) for each in map(plain, (Word("a"), Number(3)))] == [(str, "a"), (int, 3)]
