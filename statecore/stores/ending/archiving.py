"""Runs as lines of JSON, with every row that is needed to verify them elsewhere (P30).

The first line says what the file is, in which version, and which runs it holds. A line `["table", [value, ...]]` is a row of a table of format 3,
in the order of its columns in `schema-3.sql`; bytes are `{"x": "hex"}`, enciphered ones as they lie.
The last line is the SHA-256 of all before it, so that a file that was cut
off is noticed. Rows are read at one moment. Nothing is left out, so that a later release can import the file into another store.
"""

from __future__ import annotations

from hashlib import sha256
from json import JSONEncoder, loads
from typing import IO, TYPE_CHECKING, Any

from statecore.errors import StoreCorrupt
from statecore.stores.frames.questions import LAST_NUMBER, NUMBER_BITS
from statecore.stores.sql3.ciphers import as_it_lies
from statecore.stores.sql3.reading import number_of
from statecore.stores.sql3.shapes import NO_MOVES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from statecore.core import Micros
    from statecore.stores.sql.link import Link

KIND, EDITION = "archive", 1
AT_ONCE = 500

STORE = "SELECT * FROM store"
LEGAL = "SELECT * FROM legal"
BY_ID = {
    "workflow": "SELECT * FROM workflow WHERE id = ?",
    "session": "SELECT * FROM session WHERE id = ?",
    "definition": "SELECT * FROM definition WHERE id = ?",
    "shape_move": "SELECT * FROM shape_move WHERE shape = ? ORDER BY k",
    "shape": "SELECT * FROM shape WHERE id = ?",
}
RUN = "SELECT * FROM run WHERE id = ?"
OF_RUN = {
    "hot": "SELECT * FROM hot WHERE run = ?",
    "session_value": "SELECT * FROM session_value WHERE run = ? ORDER BY id",
    "pause": "SELECT * FROM pause WHERE run = ? ORDER BY id",
    "act": "SELECT a.* FROM pause p JOIN act a ON a.pause = p.id WHERE p.run = ? ORDER BY a.id",
    "erasure": "SELECT * FROM erasure WHERE run = ? ORDER BY id",
}
KEY = "SELECT k.* FROM run r JOIN start_key k ON k.workflow = r.workflow AND k.key = r.start_key WHERE r.id = ?"
OF_EVENTS = {
    "move": "SELECT * FROM move WHERE event > ? AND event <= ? ORDER BY event, k",
    "event": "SELECT * FROM event WHERE id > ? AND id <= ? ORDER BY id",
    "value": "SELECT * FROM value WHERE event > ? AND event <= ?",
}
REFERS = "SELECT r.workflow, r.session, r.definition, h.definition FROM run r JOIN hot h ON h.run = r.id WHERE r.id = ?"
SHAPES = "SELECT shape FROM event WHERE id BETWEEN ? AND ? AND shape IS NOT NULL"
FACTS = "SELECT fact FROM event WHERE id BETWEEN ? AND ? AND fact LIKE '%\"definition\"%'"
DEFINED = "SELECT id FROM definition WHERE fingerprint = ?"
LAST = "SELECT max(id) FROM event WHERE id BETWEEN ? AND ?"

written: Callable[[Any], str] = JSONEncoder(ensure_ascii=True, separators=(",", ":"), check_circular=False).encode


class ArchiveLines:
    """Lines on their way into a file, and the hash of all of them."""

    file: IO[bytes]
    hash: Any
    rows: int

    def __init__(self, file: IO[bytes]) -> None:
        """Begin anew, whatever was written before: a read that a server broke off is made again."""
        file.seek(0)
        file.truncate()
        self.file, self.hash, self.rows = file, sha256(), 0

    def line(self, what: Any) -> None:
        """Write a line."""
        text = written(what).encode() + b"\n"
        self.hash.update(text)
        self.file.write(text)

    def row(self, table: str, values: Sequence[Any]) -> None:
        """Write a row of a table."""
        self.rows += 1
        self.line(
            [
                table,
                [
                    each if each is None or isinstance(each, int | str) else {"x": bytes(each).hex()}
                    for each in map(as_it_lies, values)
                ],
            ]
        )

    def end(self) -> None:
        """Write the last line."""
        self.line({"rows": self.rows, "sha256": self.hash.hexdigest()})


def archive(connection: Link, run_ids: Sequence[str], time: Micros, file: IO[bytes]) -> int:
    """Write runs into a file; how many rows. Raises `UnknownRun`."""
    numbers = [number_of(connection, run_id) for run_id in run_ids]
    writer = ArchiveLines(file)
    writer.line({"statecore": KIND, "version": EDITION, "format": 3, "made_us": time, "runs": list(run_ids)})
    for row in connection.execute(STORE).fetchall():
        writer.row("store", row)
    for row in connection.execute(LEGAL).fetchall():
        writer.row("legal", row)
    for table, key in referred(connection, numbers):
        for row in connection.execute(BY_ID[table], (key,)).fetchall():
            writer.row(table, row)
    for number in numbers:
        for row in run_rows(connection, number):
            writer.row(*row)
    writer.end()
    return writer.rows


def referred(connection: Link, numbers: Iterable[int]) -> Iterator[tuple[str, int]]:
    """The rows that runs refer to by number, each once: names, definitions, and lists of moves."""
    found: dict[tuple[str, int], None] = {}
    shapes: dict[int, None] = {NO_MOVES.number or 0: None}
    for number in numbers:
        first, last = number << NUMBER_BITS, number << NUMBER_BITS | LAST_NUMBER
        workflow, session, began, follows = connection.execute(REFERS, (number,)).fetchone()
        found |= dict.fromkeys([("workflow", workflow), ("definition", began), ("definition", follows)])
        if session is not None:
            found["session", session] = None
        for (fact,) in connection.execute(FACTS, (first, last)).fetchall():
            for said in loads(fact).values():
                if isinstance(said, dict) and "definition" in said:
                    row = connection.execute(DEFINED, (said["definition"],)).fetchone()
                    found |= {("definition", row[0]): None} if row is not None else {}
        shapes |= dict.fromkeys(shape for (shape,) in connection.execute(SHAPES, (first, last)).fetchall())
    yield from found
    for shape in shapes:
        yield "shape_move", shape
        yield "shape", shape


def run_rows(connection: Link, number: int) -> Iterator[tuple[str, Sequence[Any]]]:
    """The rows of one run, each before those that refer to it."""
    for table, statement in (("run", RUN), ("start_key", KEY), *OF_RUN.items()):
        for row in connection.execute(statement, (number,)).fetchall():
            yield table, row
    first = number << NUMBER_BITS
    last = connection.execute(LAST, (first, first | LAST_NUMBER)).fetchone()[0] or first
    for at in range(first, last, AT_ONCE):
        for table, statement in OF_EVENTS.items():
            for row in connection.execute(statement, (at, min(at + AT_ONCE, last))).fetchall():
                yield table, row


# -- reading -----------------------------------------------------------------------------------------------------------------------


def rows_in(path: str, file: IO[bytes]) -> Iterator[tuple[str, list[Any]]]:
    """The rows of an archive. Raises `StoreCorrupt` where a line is none, or where the file is not as it was written."""
    head = line_of(path, file.readline())
    if not isinstance(head, dict) or (head.get("statecore"), head.get("format")) != (KIND, 3) or head.get("version") != EDITION:
        raise StoreCorrupt(path, "it is no archive of this edition")
    whole, count, file_ends = sha256(written(head).encode() + b"\n"), 0, None
    for line in file:
        found = line_of(path, line)
        if isinstance(found, dict):
            file_ends = (found.get("rows"), found.get("sha256"))
            break
        whole.update(line)
        count += 1
        table, values = found
        yield table, [bytes.fromhex(each["x"]) if isinstance(each, dict) else each for each in values]
    if file_ends != (count, whole.hexdigest()) or file.read(1):
        raise StoreCorrupt(path, "it is cut off, or not as it was written: the hash in its last line is another one")


def line_of(path: str, line: bytes) -> Any:
    """The content of a line. Raises `StoreCorrupt`."""
    try:
        found = loads(line)
        if isinstance(found, dict):
            return found
        [table, values] = found
        if isinstance(table, str) and isinstance(values, list):
            return found
    except (ValueError, TypeError, RecursionError):
        pass
    raise StoreCorrupt(path, "a line of it is none of an archive")
