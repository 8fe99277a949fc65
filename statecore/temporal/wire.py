"""The messages that cross the network: records as rows of plain JSON and back, each checked for its size before it is sent.

Temporal refuses a payload of 2 MiB and a message of 4 MiB, and repeats some refusals for ever, so nothing near is sent. Values are
texts of the codec and stay texts. A value of at most `MOVED_FROM` bytes, or any where there is no values store, travels in the
histories. A larger one lies beside Temporal, in a store that the user gives to every client and worker, under `@` and the SHA-256 of its
text, which no text of the codec begins with; a reader checks the text against that hash. Also here: the search attributes and the memo
by which a run is listed while no worker lives, and how refusals travel.
"""

from __future__ import annotations

import os
import re
from hashlib import sha256
from json import dumps, loads
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from uuid import uuid4

from attrs import frozen
from temporalio.common import SearchAttributeKey
from temporalio.exceptions import ApplicationError

from statecore import errors
from statecore.codec.records import dump_state, load_state
from statecore.core import Call, Ref, Seconds
from statecore.core.state import RULES_VERSION
from statecore.errors import RulesUnknown, RunError, StatecoreError, ValuesMissing, ValueTooLarge
from statecore.errors.base import described
from statecore.stores import Body, Decided, Entry, Identity, Pause, Record

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_SENT = 1_572_864
"""Bytes of one start, call, result, decision or answer: three quarters of what Temporal takes, and more than the codec's largest value."""

INLINE = 4_096
"""Bytes of values that travel with a call, so that it need not ask for them; and of a session state in a memo."""

MAX_MEMO = 32_768
"""Bytes of a memo. What does not fit is asked of the run instead."""

CARRY = 262_144
"""Bytes, compressed, of the journal that a run carries into its next execution; what is more goes to the values store."""
FORMAT = 1
"""The shape of what a run is started with. A run of another one waits for a worker that reads it."""
RUN, CALL, KEEP = "statecore.run", "statecore.call", "statecore.keep"
"""The names of the workflow and of its two activities."""
OWNER = "a Temporal worker"
MEMO = "statecore"
Row = list[Any]
Plain = dict[str, Any]
T = TypeVar("T", Identity, Entry, Pause, Decided)
NAMES: dict[type, tuple[str, ...]] = {kind: kind.__match_args__ for kind in (Identity, Entry, Pause, Decided)}
HEAD = ("seq", "session_state", "owner", "epoch", "lease", "cancel_by", "cancel_requested", "updated")
STATUS = SearchAttributeKey.for_keyword("StatecoreStatus")
WORKFLOW = SearchAttributeKey.for_keyword("StatecoreWorkflow")
SESSION = SearchAttributeKey.for_keyword("StatecoreSession")
KEYS = (STATUS, WORKFLOW, SESSION)


def size_of(sent: Any) -> int:
    """The bytes of what is sent: JSON, and all texts of the codec are ASCII."""
    return len(dumps(sent, separators=(",", ":")))


def checked(what: str, sent: Any) -> Any:
    """The payload, once its size is known to be in order. Raises `ValueTooLarge`."""
    size = size_of(sent)
    if size > MAX_SENT:
        raise ValueTooLarge(what, size, MAX_SENT)
    return sent


# -- records -----------------------------------------------------------------------------------------------------------------------


def row(record: Identity | Entry | Pause | Decided) -> Row:
    """The parts of a record in the order of its class's fields."""
    return [plain(getattr(record, name)) for name in NAMES[type(record)]]


def plain(part: Any) -> Any:
    """One part of a record."""
    if type(part) is Body:
        return [part.detail, part.value]
    return list(part) if type(part) is tuple else part


def read(kind: type[T], parts: Row) -> T:
    """A record from its row; a part that an earlier release did not know has its default. Raises `ValueError`, `TypeError`."""
    if len(parts) > len(NAMES[kind]):
        message = f"{len(parts)} parts of a {kind.__name__}, which has {len(NAMES[kind])}"
        raise ValueError(message)
    made = dict(zip(NAMES[kind], parts, strict=False))
    if "turn" in made:
        made["turn"] = tuple(made["turn"])
    if "body" in made:
        made["body"] = Body(*made["body"])
    return kind(**made)


def plain_held(held: Mapping[Ref, int]) -> list[Row]:
    """Where outputs lie, in an order that does not depend on the process."""
    return [[ref.at, list(ref.turn), ref.attempt, seq] for ref, seq in sorted(held.items(), key=lambda item: item[1])]


def read_held(rows: list[Row]) -> dict[Ref, int]:
    """Where outputs lie."""
    return {Ref(at, tuple(turn), attempt): seq for at, turn, attempt, seq in rows}


def plain_call(call: Call) -> Row:
    """A call as a row."""
    return [call.kind, call.at, list(call.turn), call.attempt]


def read_call(parts: Row) -> Call:
    """A call from its row."""
    kind, at, turn, attempt = parts
    return Call(kind, at, tuple(turn), attempt)


# -- heads: a run as it stands, without what is fixed about it -------------------------------------------------------------------------


def plain_head(record: Record) -> Plain:
    """A run as it stands, without its identity."""
    found: Plain = {name: getattr(record, name) for name in HEAD}
    return found | {"state": dump_state(record.state), "held": plain_held(record.held)}


def read_head(identity: Identity, head: Plain) -> Record:
    """A run as it stands."""
    parts = {name: head[name] for name in HEAD}
    return Record(identity=identity, state=load_state(head["state"]), held=read_held(head["held"]), **parts)


# -- starts: what a run's workflow is started with -------------------------------------------------------------------------------------


@frozen
class Start:
    """The input of a run's workflow: all that it will ever know, but for results and decisions.

    `said` is what people are shown, by address (`sayings`); `lease` is in seconds; `carried` is where an earlier execution of the same run
    got to, None for a new one; `reopens` says that a person has a failed run go on.
    """

    identity: Identity
    session_state: str
    said: str
    lease: Seconds
    carry: int
    carried: Plain | None = None
    reopens: bool = False


def plain_start(start: Start) -> Plain:
    """A start as JSON."""
    return {
        "format": FORMAT,
        "identity": row(start.identity),
        "session_state": start.session_state,
        "said": start.said,
        "lease": start.lease,
        "carry": start.carry,
        "carried": start.carried,
        "reopens": start.reopens,
    }


def read_start(given: Plain) -> Start:
    """A start from JSON. Raises `RulesUnknown` for a form, or rules, of another release."""
    if given["format"] != FORMAT:
        raise RulesUnknown(given["identity"][0], given["format"], FORMAT)
    identity = read(Identity, given["identity"])
    if identity.rules != RULES_VERSION:
        raise RulesUnknown(identity.run_id, identity.rules, RULES_VERSION)
    parts = {name: given[name] for name in ("session_state", "said", "lease", "carry", "carried", "reopens")}
    return Start(identity, **parts)


# -- the memo of a run, and refusals -----------------------------------------------------------------------------------------------


def queue_of(workflow_id: str) -> str:
    """The task queue of a workflow: its workers serve it, and no others do."""
    return f"statecore:{workflow_id}"


def memo(told: Plain) -> Plain:
    """The memo of a run: its status and its open questions; the status alone where all would be too large."""
    head = told["head"]
    if len(head["session_state"]) > INLINE:
        head = {**head, "session_state": None}
    said = {"head": head, "pauses": told["pauses"]}
    return said if size_of(said) <= MAX_MEMO else {"head": None, "pauses": None}


def refusal(error: StatecoreError, *, for_now: bool = False) -> ApplicationError:
    """A named refusal as it travels: its class, its sentence, and its parts; one `for_now` is tried again, perhaps by another worker."""
    parts = dumps(errors.parts(error), default=described, skipkeys=True)
    sentence = str(error).removeprefix(f"{error.code} ")
    return ApplicationError(sentence, parts, type=type(error).__name__, non_retryable=not for_now)


def refused(failure: BaseException | None) -> StatecoreError:
    """The named refusal that travelled."""
    if not isinstance(failure, ApplicationError):
        return RunError(str(failure))
    kind: Any = getattr(errors, failure.type or "", None)
    if not (isinstance(kind, type) and issubclass(kind, StatecoreError)):
        return RunError(failure.message)
    return errors.rebuilt(kind, failure.message, parts_of(failure))


def parts_of(failure: ApplicationError) -> dict[str, Any]:
    """The attributes of a refusal as they travelled. An error of another origin has none."""
    try:
        plain = loads(failure.details[0]) if failure.details else {}
    except (TypeError, ValueError):
        return {}
    return plain if isinstance(plain, dict) else {}


MOVED_FROM = 16_384
MARK = "@"
NAME = re.compile("[0-9a-f]{64}")


class Values(Protocol):
    """A store of large texts under given names. A text must be durable when `put` returns, and every process must see the same store."""

    def put(self, key: str, text: str) -> None:
        """Keep a text; the same key always comes with the same text."""

    def get(self, key: str) -> str | None:
        """The text of that name; None where there is none."""


class FolderValues:
    """Large values as files of one folder that every client and worker sees: a shared disk, or one machine."""

    folder: Path

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)

    def put(self, key: str, text: str) -> None:
        """Write a file that appears at once and whole."""
        path = self.folder / key
        if path.exists():
            return
        draft = self.folder / f".{key}.{uuid4().hex}"
        with draft.open("x", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)

    def get(self, key: str) -> str | None:
        """Read a file; None where there is none."""
        try:
            return (self.folder / key).read_text(encoding="ascii")
        except FileNotFoundError:
            return None


def moved(values: Values | None, text: Any) -> Any:
    """A text as it travels: itself where it is small or there is no store for it, else its name, once it is kept."""
    if values is None or text is None or len(text) <= MOVED_FROM:
        return text
    return keep(values, text)


def keep(values: Values, text: str) -> str:
    """Keep a text; its name."""
    key = sha256(text.encode()).hexdigest()
    values.put(key, text)
    return MARK + key


def brought(values: Values | None, text: Any) -> Any:
    """The text that travelled under its name, or itself. Raises `ValuesMissing`."""
    if text is None or not text.startswith(MARK):
        return text
    key = text.removeprefix(MARK)
    if not NAME.fullmatch(key):
        raise ValuesMissing(key, "it is no name of a value")
    if values is None:
        raise ValuesMissing(key, "this process has no values store")
    found = values.get(key)
    if found is None:
        raise ValuesMissing(key, "the values store does not have it")
    if sha256(found.encode()).hexdigest() != key:
        raise ValuesMissing(key, "the values store has another text under that name")
    return found
