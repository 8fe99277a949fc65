"""`dump_state` and `load_state`: a state of the core as a compact JSON array, and back, strictly.

`[format, run, [cursor, ...], result]`; a cursor and a reference are arrays too, their parts in the order of the classes' fields. A new
field of `Cursor` needs one line in `PARTS`, without which this module does not import; after the first release it also needs a new
`FORMAT`, and a reader for the old one. `RULES_VERSION` is not here: it says what a state means, `FORMAT` how it is written.
"""

from __future__ import annotations

from collections.abc import Callable
from json import JSONDecoder, JSONEncoder
from operator import attrgetter
from typing import Any, NoReturn

from attrs import fields

from statecore.core import Cursor, Ref, State
from statecore.errors import UnreadableValue
from statecore.lifecycles import TABLES

FORMAT = 1
"""The shape of the text. Another one is refused."""

PHASES = frozenset(state for table in TABLES.values() for state in table.states)
RUN_PHASES = frozenset(TABLES["run"].states)


# -- writing -----------------------------------------------------------------------------------------------------------------------


def dump_state(state: State) -> str:
    """The one text of a state."""
    return write([FORMAT, state.run, state.cursors, state.result])


CURSOR_NAMES = tuple(part.name for part in fields(Cursor))
row: Callable[[Any], tuple[Any, ...]] = attrgetter(*CURSOR_NAMES)
write: Callable[[Any], str] = JSONEncoder(separators=(",", ":"), default=row, check_circular=False, allow_nan=False).encode


# -- reading -----------------------------------------------------------------------------------------------------------------------


def load_state(text: str) -> State:
    """The state that a text of `dump_state` holds. Raises `UnreadableValue`, and nothing else, for any other text."""
    try:
        plain, end = scan(text)
    except (TypeError, ValueError, RecursionError) as error:
        damaged("text", error)
    if end != len(text) or type(plain) is not list or not plain:
        damaged("text")
    if type(plain[0]) is not int or plain[0] != FORMAT:
        damaged(f"format (this release reads {FORMAT})")
    if len(plain) != 4:  # noqa: PLR2004  # the parts of `dump_state`
        damaged("text")
    _, run, cursors, result = plain
    if type(run) is not str or run not in RUN_PHASES:
        damaged("phase of the run")
    if type(cursors) is not list:
        damaged("list of cursors")
    return State(run, tuple([read_cursor(cursor) for cursor in cursors]), read_ref(result))


def read_constant(_word: str) -> NoReturn:
    """NaN and Infinity are no JSON."""
    damaged("number")


scan = JSONDecoder(parse_constant=read_constant).raw_decode


def damaged(what: str, cause: Exception | None = None) -> NoReturn:
    """Refuse a state of which a part has not its form."""
    why = f"the {what} of a state is not of its form"
    raise UnreadableValue(why) from cause


def read_cursor(plain: Any) -> Cursor:
    """A cursor from its parts."""
    if type(plain) is not list or len(plain) != len(CURSOR_READERS):
        damaged("cursor")
    return Cursor(*[read(part) for read, part in zip(CURSOR_READERS, plain, strict=True)])


def read_text(plain: Any) -> str:
    """An address, or a name."""
    if type(plain) is not str:
        damaged("text")
    return plain


def read_phase(plain: Any) -> str:
    """A state that some lifecycle has."""
    if type(plain) is not str or plain not in PHASES:
        damaged("phase")
    return plain


def read_count(plain: Any) -> int:
    """How often: no bool, no float, not below zero."""
    if type(plain) is not int or plain < 0:
        damaged("count")
    return plain


def read_turn(plain: Any) -> tuple[int, ...]:
    """The turns of the loops around."""
    if type(plain) is not list:
        damaged("turn")
    for count in plain:
        if type(count) is not int or count < 0:
            damaged("turn")
    return tuple(plain)


def read_ref(plain: Any) -> Ref | None:
    """A reference to an output, or none."""
    if plain is None:
        return None
    if type(plain) is not list or len(plain) != 3:  # noqa: PLR2004  # address, turn, attempt
        damaged("reference")
    at, turn, attempt = plain
    if type(at) is not str or type(attempt) is not int or attempt < 0:
        damaged("reference")
    return Ref(at, read_turn(turn), attempt)


PARTS: dict[str, Callable[[Any], Any]] = {
    "at": read_text,
    "phase": read_phase,
    "turn": read_turn,
    "attempt": read_count,
    "prev": read_ref,
    "last": read_ref,
    "interrupts": read_count,
}
CURSOR_READERS = tuple(PARTS[name] for name in CURSOR_NAMES)
