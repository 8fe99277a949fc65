"""MoveLists: lists of moves, interned. An event names its list by a number, so that an illegal move cannot be stored.

A list is interned in a transaction of its own, before the boundary that needs it: a boundary that is undone leaves it known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from attrs import define, field

from statecore.core import ROOT
from statecore.errors import UnreadableValue
from statecore.stores.frames.chain import ListedMove, moves_digest, shape_number

if TYPE_CHECKING:
    from statecore.stores.records import Entry
    from statecore.stores.sql.link import Link
    from statecore.stores.sql.reading import Move

Listed = tuple[str, str, str, str, str]
"""A move of a list: address, machine, source, trigger, dest."""

LONGEST = 32
"""The most moves of a list that is interned; longer ones (a wide Parallel that is cancelled) lie with their event."""
REMEMBERED = 16_384

SHAPE = "SELECT digest, moves FROM shape WHERE id = ?"
SHAPE_MOVES = """
SELECT m.at, l.machine, l.source, l."trigger", l.dest FROM shape_move m LEFT JOIN legal l ON l.id = m.legal WHERE m.shape = ? ORDER BY m.k"""
EVENT_MOVES = """
SELECT m.at, l.machine, l.source, l."trigger", l.dest FROM move m LEFT JOIN legal l ON l.id = m.legal WHERE m.event = ? ORDER BY m.k"""
ADD_MOVE = "INSERT INTO shape_move (shape, k, at, legal) VALUES (?, ?, ?, ?)"
ADD_SHAPE = "INSERT INTO shape (id, digest, moves, begins, ends) VALUES (?, ?, ?, ?, ?)"
ADD_EVENT_MOVE = "INSERT INTO move (event, k, at, legal) VALUES (?, ?, ?, ?)"


class MoveList(NamedTuple):
    """A list of moves, its digest, and its number; None where its moves lie with each event."""

    moves: tuple[Listed, ...]
    digest: bytes
    number: int | None


def shape_of(moves: tuple[Listed, ...]) -> MoveList:
    """The shape of a list, with the number that it has where no other list took it. Raises `OutsideFormat`, `UnstorableValue`."""
    digest = moves_digest([ListedMove(*move) for move in moves])
    return MoveList(moves, digest, shape_number(digest) if len(moves) <= LONGEST else None)


def listed(entries: Sequence[Entry]) -> tuple[Listed, ...]:
    """The moves of some rows of a journal."""
    return tuple([(e.at, e.machine, e.source, e.trigger, e.dest) for e in entries])


@define
class MoveLists:
    """The lists that a store has interned or read, as it knows them."""

    legal: Mapping[Move, int]
    by_moves: dict[tuple[Listed, ...], MoveList] = field(factory=dict)
    by_number: dict[int, MoveList] = field(factory=dict)

    def known(self, entries: Sequence[Entry]) -> MoveList | None:
        """The shape of some rows; None where it is not interned yet."""
        moves = listed(entries)
        found = self.by_moves.get(moves)
        if found is None and len(moves) > LONGEST:
            return shape_of(moves)  # each wide list is another one, so none is remembered
        return found

    def remember(self, shape: MoveList) -> MoveList:
        """Know a shape that is stored."""
        if len(self.by_moves) >= REMEMBERED:
            self.by_moves.clear()
            self.by_number.clear()
        self.by_moves[shape.moves] = shape
        if shape.number is not None:
            self.by_number[shape.number] = shape
        return shape


NO_MOVES = shape_of(())
"""The shape of an event that moves nothing; each file has it from its beginning."""


def intern(connection: Link, wanted: Iterable[tuple[Listed, ...]], shapes: MoveLists) -> list[MoveList]:
    """Store lists of moves where they are not stored, in one order, so that no two writers wait for each other; the shapes."""
    found = sorted({shape_of(moves) for moves in wanted}, key=lambda shape: shape.digest)
    return [interned(connection, shape, shapes.legal) for shape in found]


def interned(connection: Link, shape: MoveList, legal: Mapping[Move, int]) -> MoveList:
    """A shape that is stored; one whose number another list has keeps its moves with its events."""
    row = connection.execute(SHAPE, (shape.number,)).fetchone()
    if row is not None:
        return shape if bytes(row[0]) == shape.digest else shape._replace(number=None)
    rows = [(shape.number, k, at, legal_id(legal, move)) for k, (at, *move) in enumerate(shape.moves)]
    if rows:
        connection.executemany(ADD_MOVE, rows)
    own = [move for move in shape.moves if move[0] == ROOT]
    begins, ends = (own[0][2], own[-1][4]) if own else (None, None)
    connection.execute(ADD_SHAPE, (shape.number, shape.digest, len(shape.moves), begins, ends))
    return shape


def legal_id(legal: Mapping[Any, int], move: Sequence[str]) -> int:
    """The number of a move. The rules know it, so a file that does not has lost it."""
    found = legal.get(tuple(move))
    if found is None:
        why = "a move of the lifecycles is missing from its list"
        raise UnreadableValue(why)
    return found


def list_moves(connection: Link, event: int, shape: MoveList, legal: Mapping[Move, int]) -> None:
    """Store the moves of an event that has no interned shape, before the event."""
    connection.executemany(ADD_EVENT_MOVE, [(event, k, at, legal_id(legal, move)) for k, (at, *move) in enumerate(shape.moves)])


def read_shape(connection: Link, number: int | None, event: int, shapes: MoveLists) -> MoveList:
    """The moves of an event, from its shape or from beside it. Raises `UnreadableValue` where they are not those of the digest."""
    if number is None:
        return shape_of(moves_of(connection, EVENT_MOVES, event))._replace(number=None)
    known = shapes.by_number.get(number)
    if known is not None:
        return known
    found = shape_of(moves_of(connection, SHAPE_MOVES, number))
    row = connection.execute(SHAPE, (number,)).fetchone()
    if row is None or (found.number, found.digest, len(found.moves)) != (number, bytes(row[0]), row[1]):
        why = f"the list of moves {number} is not as it was interned"
        raise UnreadableValue(why)
    return shapes.remember(found)


def moves_of(connection: Link, statement: str, number: int) -> tuple[Listed, ...]:
    """A stored list of moves. Raises `UnreadableValue` where a move is of no lifecycle."""
    found = tuple([tuple(row) for row in connection.execute(statement, (number,)).fetchall()])
    if any(None in move for move in found):
        why = f"a move of the list {number} is none of the lifecycles"
        raise UnreadableValue(why)
    return found
