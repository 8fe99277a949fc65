"""`dump_state` and `load_state`: a state of the core as a compact JSON array, and back, strictly.

`[format, run, [cursor, ...], result, [frame, ...], [ending, ...]]`; each of these is an array too, its parts in the order of its class's
fields. A new field needs one line in `PARTS`, without which this module does not import; after the first release it also needs a new
`FORMAT`, and a reader for the old one. `RULES_VERSION` is not here: it says what a state means, `FORMAT` how it is written.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from json import JSONDecoder, JSONEncoder
from operator import attrgetter
from typing import Any, NoReturn, TypeAlias

from attrs import fields

from statecore.core import Cursor, Frame, Gather, Ref, Source, State
from statecore.core.state import UNMARKED, Ending, Marks
from statecore.errors import UnreadableValue
from statecore.lifecycles import TABLES

FORMAT = 1
"""The shape of the text. Another one is refused."""

REMEMBERED = 1_024
"""How many texts of states are remembered."""
SHORT = 1_024
"""How long a text may be whose state is remembered: those of wide Parallels would hold hundreds of megabytes."""

FEW, LATE = 16, 16
"""Of states with more cursors than a few only so many are remembered, those that were written or read last."""

TEXTS: dict[State, str] = {}
LATELY: dict[str, State] = {}

PHASES = frozenset(state for table in TABLES.values() for state in table.states)
RUN_PHASES = frozenset(TABLES["run"].states)
EARLY = frozenset({"finish", "leave"})
CLASSES = (Cursor, Marks, Frame, Ending)
Reader: TypeAlias = Callable[[Any], Any]


# -- writing -----------------------------------------------------------------------------------------------------------------------


def dump_state(state: State) -> str:
    """The one text of a state; it is remembered, for the runs of one workflow pass through the same ones.

    To find a wide state costs what it costs to write it: of such a one the reading is spared, which comes next.
    """
    if len(state.cursors) > FEW:
        text = written(state)
        keep_lately(text, state)
        return text
    found = TEXTS.get(state)
    if found is None:
        if len(TEXTS) >= REMEMBERED:
            TEXTS.clear()
        found = TEXTS[state] = written(state)
    return found


def written(state: State) -> str:
    """The text of a state, written anew."""
    return write([FORMAT, state.run, state.cursors, state.result, state.frames, state.endings])


NAMES = {kind: tuple(part.name for part in fields(kind)) for kind in CLASSES}
ROWS: dict[type, Callable[[Any], tuple[Any, ...]]] = {kind: attrgetter(*names) for kind, names in NAMES.items()}


def row(part: Any) -> tuple[Any, ...]:
    """The parts of one of the state's classes; an unmarked cursor's marks are an empty array."""
    if part is UNMARKED:
        return ()
    parts: tuple[Any, ...] = ROWS[type(part)](part)
    if type(part) is not Marks:
        return parts
    return () if part == UNMARKED else lean(parts)


LATER: tuple[Any, ...] = (0, 1, 0, [])
"""The values of `deaths`, `put`, `asked` and `open`, the last marks, of a cursor of which they say nothing: then they are left out, as
earlier releases did."""
FORMER = len(NAMES[Marks]) - len(LATER)


def lean(parts: Any) -> Any:
    """Marks without the last parts that say nothing."""
    while len(parts) > FORMER and (parts[-1] or 0) == (LATER[len(parts) - FORMER - 1] or 0):
        parts = parts[:-1]
    return parts


write: Callable[[Any], str] = JSONEncoder(separators=(",", ":"), default=row, check_circular=False, allow_nan=False).encode


# -- reading -----------------------------------------------------------------------------------------------------------------------


def load_state(text: str) -> State:
    """The state that a text of `dump_state` holds. Raises `UnreadableValue`, and nothing else, for anything else.

    Short ones are remembered: the runs of one workflow pass through the same, and a few of them hold little. So are the last long ones.
    """
    if type(text) is not str:
        return read_state(text)
    return read_before(text) if len(text) <= SHORT else read_lately(text)


def read_state(text: str) -> State:
    """The state of a text, read anew."""
    try:
        plain, end = scan(text)
        if end != len(text) or type(plain) is not list or not plain:
            damaged("text")
        if type(plain[0]) is not int or plain[0] != FORMAT:
            damaged(f"format (this release reads {FORMAT})")
        if len(plain) != 6:  # noqa: PLR2004  # the parts of `dump_state`
            damaged("text")
        _, run, cursors, result, frames, endings = plain
        if type(run) is not str or run not in RUN_PHASES:
            damaged("phase of the run")
        return State(run, read_all(Cursor, cursors), read_source(result), read_all(Frame, frames), read_all(Ending, endings))
    except (TypeError, ValueError, RecursionError) as error:
        if isinstance(error, UnreadableValue):
            raise
        damaged("text", error)


@lru_cache(maxsize=REMEMBERED)
def read_before(text: str) -> State:
    """The state of a short text, read once."""
    return read_state(text)


def read_lately(text: str) -> State:
    """The state of a long text: of a run that is looked at several times in a row, as one with many questions is."""
    found = LATELY.get(text)
    if found is None:
        found = read_state(text)
        keep_lately(text, found)
    return found


def keep_lately(text: str, state: State) -> None:
    """Remember the state of a long text for a while."""
    if len(LATELY) >= LATE:
        LATELY.clear()
    LATELY[text] = state


def read_constant(_word: str) -> NoReturn:
    """NaN and Infinity are no JSON."""
    damaged("number")


scan: Callable[[str], tuple[Any, int]] = JSONDecoder(parse_constant=read_constant).raw_decode


def damaged(what: str, cause: Exception | None = None) -> NoReturn:
    """Refuse a state of which a part has not its form."""
    why = f"the {what} of a state is not of its form"
    raise UnreadableValue(why) from cause


def read_all(kind: type[Any], plain: Any) -> tuple[Any, ...]:
    """A list of one of the state's classes."""
    if type(plain) is not list:
        damaged(f"list of {kind.__name__.lower()}s")
    return tuple([read_one(kind, each) for each in plain])


def read_one(kind: type[Any], plain: Any) -> Any:
    """One of the state's classes from its parts."""
    readers = READERS[kind]
    if type(plain) is not list or len(plain) != len(readers):
        damaged(kind.__name__.lower())
    return kind(*[read(part) for read, part in zip(readers, plain, strict=True)])


def read_marks(plain: Any) -> Marks:
    """The carried values of a cursor; an empty array where there are none."""
    if plain == [] and type(plain) is list:
        return UNMARKED
    if type(plain) is list and len(plain) >= FORMER:
        if lean(plain) != plain:
            damaged("marks")
        plain = [*plain, *LATER[len(plain) - FORMER :]]
    marks: Marks = read_one(Marks, plain)
    if marks == UNMARKED or marks.put < 1 or any(number >= marks.asked for number in marks.open):
        damaged("marks")
    return marks


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


def read_early(plain: Any) -> str:
    """How a component ends before its last child."""
    if type(plain) is not str or plain not in EARLY:
        damaged("ending")
    return plain


def read_count(plain: Any) -> int:
    """How often: no bool, no float, not below zero."""
    if type(plain) is not int or plain < 0:
        damaged("count")
    return plain


def read_flag(plain: Any) -> bool:
    """True or false, and no number."""
    if type(plain) is not bool:
        damaged("flag")
    return plain


def read_due(plain: Any) -> int | None:
    """An instant, or none."""
    return None if plain is None else read_count(plain)


def read_turn(plain: Any) -> tuple[int, ...]:
    """The turns of the loops around."""
    if type(plain) is not list:
        damaged("turn")
    for count in plain:
        if type(count) is not int or count < 0:
            damaged("turn")
    return tuple(plain)


def read_source(plain: Any) -> Source | None:
    """A reference to an output, or to those of the branches of a Parallel; or none."""
    if plain is None:
        return None
    if type(plain) is list and len(plain) == 1:
        return Gather(tuple((name, source) for name, source in read_pairs(plain[0])))
    if type(plain) is not list or len(plain) != 3:  # noqa: PLR2004  # address, turn, attempt
        damaged("reference")
    at, turn, attempt = plain
    if type(at) is not str or type(attempt) is not int or attempt < 0:
        damaged("reference")
    return Ref(at, read_turn(turn), attempt)


def read_pairs(plain: Any) -> tuple[tuple[str, Source | None], ...]:
    """Branches, each with what it handed on."""
    if type(plain) is not list:
        damaged("list of branches")
    pairs = []
    for each in plain:
        if type(each) is not list or len(each) != 2:  # noqa: PLR2004  # a name and a reference
            damaged("branch")
        pairs.append((read_text(each[0]), read_source(each[1])))
    return tuple(pairs)


def read_addresses(plain: Any) -> tuple[str, ...]:
    """Choices still to run."""
    if type(plain) is not list:
        damaged("list of choices")
    return tuple([read_text(each) for each in plain])


PARTS: dict[str, Reader] = {
    "at": read_text,
    "unit": read_text,
    "phase": read_phase,
    "how": read_early,
    "turn": read_turn,
    "attempt": read_count,
    "prev": read_source,
    "last": read_source,
    "marks": read_marks,
    "rest": read_addresses,
    "done": read_pairs,
    "interrupts": read_count,
    "retries": read_count,
    "reruns": read_count,
    "reviews": read_count,
    "output": read_source,
    "rejected": read_source,
    "stopping": read_flag,
    "due": read_due,
    "deaths": read_count,
    "put": read_count,
    "asked": read_count,
    "open": read_turn,
}
READERS: dict[type, tuple[Reader, ...]] = {kind: tuple(PARTS[name] for name in names) for kind, names in NAMES.items()}
