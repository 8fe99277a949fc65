"""All errors, whatever they speak of: they survive pickle, copies and processes, are compared by their contents, and are bounded and clean."""

from __future__ import annotations

import copy
import enum
import inspect
import pickle
import re
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specs.tools import errors
from statecore.cli import exits
from statecore.errors import MissingExtra, NotAComponent, UnknownRun, described, parts, quoted, rebuilt, suggest
from statecore.errors.base import LIST, MESSAGE, PART, plain

KINDS = errors.classes()
ROOT = Path(errors.__file__).parents[2]
BANNED = {*map(chr, range(32)), *map(chr, range(0x7F, 0xA0)), *"\u2028\u2029\u200e\u200f\ufeff"}
BANNED |= {*map(chr, range(0x202A, 0x202F)), *map(chr, range(0x2066, 0x206A)), *map(chr, range(0xD800, 0xE000))}
"""Controls of ASCII and of Latin-1, separators, marks of direction, and halves of characters."""


def fail(*_: object) -> Any:
    """What an object answers that is asked for anything."""
    raise OSError


class Hostile:
    """An object whose own code raises, and that no process can be sent."""

    __repr__ = __str__ = __len__ = __bool__ = __eq__ = __iter__ = __reduce_ex__ = fail
    __hash__ = object.__hash__


class Colour(enum.Enum):
    RED = "red"


def looped() -> list[Any]:
    """A list that holds itself."""
    loop: list[Any] = [1]
    loop.append(loop)
    return loop


LONG = 9_000
SIGNS = st.characters(exclude_categories=()) | st.sampled_from(sorted(BANNED))
TEXTS = st.text(SIGNS, max_size=20) | SIGNS.map(lambda sign: sign * 2_100)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.binary(max_size=5) | TEXTS
PLAIN = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(SIGNS, inner, max_size=3), max_leaves=4)
ODD: dict[str, Any] = {
    "hostile": Hostile(),
    "class": Hostile,
    "enum": Colour.RED,
    "function": len,
    "lambda": lambda: 3,
    "lock": threading.Lock(),
    "set": {3, 4},
    "loop": looped(),
    "huge": 10**5_000,
}
"""What is no plain data, or has no text. They are drawn by name, because Hypothesis prints what it draws."""
GIVEN: dict[str, st.SearchStrategy[Any]] = {
    "str": TEXTS,
    "str | None": st.none() | TEXTS,
    "int": st.integers(),
    "bool": st.booleans(),
    "Iterable[str]": st.lists(TEXTS, max_size=3),
    "Iterable[int]": st.lists(st.integers(), max_size=3),
    "object": PLAIN,
    "tuple[tuple[str, str], ...]": st.lists(st.tuples(TEXTS, TEXTS), max_size=3).map(tuple),
    "dict[str, Any]": st.dictionaries(TEXTS, TEXTS, max_size=3),
}


def parameters(kind: type[Any]) -> dict[str, str]:
    """The parameters of a class's constructor, and what they are to be; a group of errors takes one text."""
    every = list(inspect.signature(kind.__init__).parameters.values())[1:]
    return (
        {"text": "str"}
        if any(each.kind is each.VAR_POSITIONAL for each in every)
        else {each.name: each.annotation for each in every}
    )


def given_errors(function: Any) -> Any:
    """A test of every class, each drawn some times: `values` are the arguments of its constructor."""

    @pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
    def test(kind):
        each = st.tuples(*(GIVEN[annotation] for annotation in parameters(kind).values()))
        settings(max_examples=12, deadline=None)(given(each)(lambda values: function(kind, values)))()

    test.__doc__, test.__name__ = function.__doc__, function.__name__
    return test


def examples(kind: type[Any]) -> Iterator[Any]:
    """Errors of a class without chance: of an easy text, of one that drives terminals, and of a long one; the objects are odd ones."""
    for text, found in (("word", ODD["hostile"]), ("\x1b[31m\n\u202e\ud800", ODD["lock"]), ("x" * LONG, ODD["loop"])):
        plainly = {"int": 7, "bool": True, "Iterable[str]": [text, text], "Iterable[int]": [1, 2], "object": found}
        plainly |= {"tuple[tuple[str, str], ...]": ((text, text),), "dict[str, Any]": {text: text}}
        yield kind(*(plainly.get(each, text) for each in parameters(kind).values()))


EVERY = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)


# -- what survives -----------------------------------------------------------------------------------------------------------------


def same(one: Any, other: Any) -> bool:
    """Whether an error is what another was, told by all that a user can see of it."""
    seen = [(type(each), str(each), hash(each), getattr(each, "__notes__", None), each.code) for each in (one, other)]
    return seen[0] == seen[1] and one == other and sorted(vars(one)) == sorted(vars(other))


@given_errors
def test_an_error_survives_pickle_and_copies(kind, values):
    """It equals itself after each, with its message, attributes and notes."""
    error = kind(*values)
    error.add_note("a note")
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        back = pickle.loads(pickle.dumps(error, protocol))  # noqa: S301  # what this test has just written
        assert same(back, error)
        assert same(pickle.loads(pickle.dumps(back, protocol)), error)  # noqa: S301  # the same
    assert same(copy.copy(error), error)
    assert same(copy.deepcopy(error), error)


@given_errors
def test_attributes_are_what_was_given(kind, values):
    """A text, a number and an object stay what they were, an iterable becomes a tuple or a list; in a copy texts and numbers do, too."""
    error = kind(*values)
    for (name, annotation), value in zip(parameters(kind).items(), values, strict=True):
        if name in vars(error):
            held, copied = getattr(error, name), getattr(copy.deepcopy(error), name)
            if annotation.startswith("Iterable"):
                assert type(held) in {tuple, list}
                assert sorted(held) == sorted(value)
                assert held == copied
            else:
                assert held is value
                assert copied == value or value != value or annotation == "object"  # noqa: PLR0124  # NaN


@EVERY
def test_an_iterator_is_taken_once(kind):
    """What is given as an iterator is kept, and not used up by the message."""
    names = parameters(kind).values()
    if "Iterable[str]" in names:
        error = kind(*(iter(["one", "two"]) if name == "Iterable[str]" else "word" for name in names))
        assert sorted(max(vars(error).values(), key=lambda value: isinstance(value, tuple | list))) == ["one", "two"]


def test_errors_are_compared_by_their_contents():
    """The same class and the same attributes are the same error; another class, attribute, order or message is not."""
    for kind in KINDS:
        for one, other in zip(examples(kind), examples(kind), strict=True):
            assert one == other
            assert len({one, other}) == 1
        assert len(set(examples(kind))) == 3
    assert UnknownRun("a") != UnknownRun("b")
    assert UnknownRun("a") != UnknownRun("a", "s")
    assert len({kind(*"abcdefg"[: len(vars(next(examples(kind)))) or 1]) for kind in KINDS}) == len(KINDS)
    assert UnknownRun("a") != "a"


def test_errors_cross_processes():
    """Every error, returned and raised by a process of its own, is what it was."""
    every = [error for kind in KINDS for error in examples(kind)]
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        for error, back in zip(every, pool.map(copy.copy, every), strict=True):
            assert same(back, error)
        raised = [pool.submit(raise_from_one, error) for error in every]
        for error, future in zip(every, raised, strict=True):
            assert same(future.exception(), error)


def raise_from_one(error: Exception) -> None:
    """Raise an error in a process."""
    raise error


def test_what_is_no_plain_data_becomes_its_type():
    """An object that no process can be sent is kept where it is, and told by its type and name in a copy; so is a list within itself."""
    found = Hostile()
    error = NotAComponent("Loop 'l'", found)
    assert error.found is found
    assert copy.copy(error).found == "a value of type Hostile"
    assert copy.copy(NotAComponent("", Hostile)).found == "a value of type type named 'Hostile'"
    assert copy.copy(NotAComponent("", [Colour.RED, (1, {"a": b"2"})])).found == ["a value of type Colour", (1, {"a": b"2"})]
    assert plain(looped()) == [1, "a value of type list"]
    assert NotAComponent("", [float("nan")]) == copy.deepcopy(NotAComponent("", [float("nan")]))


def test_an_error_that_a_user_derives_survives_too():
    """Its own attributes and constructor, whatever they are, take no part in the sentence and come along."""
    error = Derived(3)
    error.add_note("a note")
    back = pickle.loads(pickle.dumps(error))  # noqa: S301  # what this test has just written
    assert same(back, error)
    assert (back.number, back.run_id) == (3, "r3")
    other = Derived(3)
    other.number = 4
    assert other != error


class Derived(UnknownRun):
    def __init__(self, number):
        super().__init__(f"r{number}")
        self.number = number


def test_a_missing_package_is_an_import_error_still():
    """Its `msg` is the sentence, as that of an ImportError of Python, and survives."""
    error = MissingExtra("a picture", "diagrams")
    assert (copy.copy(error).msg, error.msg) == (error.args[0], error.args[0])


@given_errors
def test_an_error_is_rebuilt_from_its_parts(kind, values):
    """What `parts` takes apart, `rebuilt` puts together."""
    error = kind(*values)
    assert rebuilt(kind, error.args[0], parts(error)) == error


# -- what is said ------------------------------------------------------------------------------------------------------------------


@given_errors
def test_a_message_is_bounded_and_clean(kind, values):
    """One line of at most `MESSAGE` signs, all visible, which begins with the code; it is the same each time, and so is the repr."""
    error = kind(*values)
    said = str(error)
    assert len(said) <= MESSAGE
    assert said.startswith(f"{kind.code} ")
    assert not BANNED & set(said)
    assert said.isprintable()
    assert (str(error), repr(error)) == (said, repr(error))


@EVERY
def test_a_long_part_is_seen_to_be_cut(kind):
    """An ellipsis stands where something is missing, and the end of the sentence, which says what to do, is kept."""
    for error, short in zip(examples(kind), examples(kind), strict=True):
        if any(type(each) is str and len(each) == LONG for each in (*vars(error).values(), *error.args)):
            assert "x" * (MESSAGE - 100) not in str(error)
            assert " ... " in str(error)
            assert str(error)[-5:] == str(short)[-5:]


def test_parts_are_bounded():
    """A part has at most `PART` signs, a list `LIST` and the number of the rest; what fits is not touched."""
    said = str(UnknownRun("\x1b" * 500))
    assert len(said) < PART + 150
    assert "\\x1b" in said
    assert quoted("a'b") == repr("a'b")
    assert len(quoted("\U000e0001" * 500)) <= PART
    assert suggest("q", ["a", "b"]) == " Known: 'a', 'b'."
    assert re.fullmatch(r" Known: '000', .* \.\.\. \(\d+ more\)\.", suggest("q", [f"{each:03}" for each in range(500)]))
    assert len(suggest("q", [f"{each:03}" for each in range(500)])) < LIST + 50
    assert suggest("fech", ["fetch"]) == " Did you mean 'fetch'?"
    assert suggest(3, ["fetch", Hostile()]) == " Known: 'fetch'."


@pytest.mark.parametrize("name", ODD)
def test_a_description_never_tells_contents(name):
    """Of a value its type is told, and the name of what has one; an error of it is worded, whatever it does when it is asked."""
    said = described(ODD[name])
    for kind in KINDS:
        names = parameters(kind).values()
        error = kind(*([] if each.startswith("Iterable") else ODD[name] for each in names))
        assert same(pickle.loads(pickle.dumps(error)), error)  # noqa: S301  # what this test has just written
    assert re.fullmatch(r"a value of type [\w]+( named '[\w<>]+')?", said)


def test_messages_are_plain_english():
    """No sentence of a message, or of an error's docstring, has an unnamed person or a what-clause as its subject."""
    banned = re.compile(r"\b(who|whoever|nobody|somebody)\b|(?:^|[.:;] |\"\"\"|: )(What|what|Whatever|whatever) ", re.IGNORECASE)
    for kind in KINDS:
        assert not banned.search(kind.says), kind
        assert not banned.search(kind.__doc__ or ""), kind


# -- how they stand ----------------------------------------------------------------------------------------------------------------


def test_classes_stand_in_the_order_of_their_codes():
    """A file has the codes of its digits in order, and the files have them one after the other."""
    code = re.compile(r'^    code(?:: ClassVar\[str\])? = "(SC\d+)"', re.MULTILINE)
    paths = sorted((ROOT / "statecore" / "errors").glob("*.py"))
    found = [each for path in paths for each in code.findall(path.read_text(encoding="utf-8"))]
    assert found == sorted(found)
    assert found == [kind.code for kind in KINDS]


def test_an_error_is_known_by_its_public_path():
    """Tracebacks and pickles name `statecore.errors`, and not the file that a class is in today."""
    assert {kind.__module__ for kind in KINDS} == {"statecore.errors"}


def test_exit_codes_are_of_errors():
    """The command line's table names classes that there are."""
    assert set(exits.BY_ERROR) <= {kind.__name__ for kind in KINDS}
