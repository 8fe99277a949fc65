"""The inputs of the test vectors of format 3. Texts that are hashes are hexadecimal; numbers are decimal texts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

SALT = bytes(range(16))
MOST, LEAST = str(2**63 - 1), str(-(2**63))


def h(byte: int) -> str:
    """A hash that is easy to recognise."""
    return f"{byte:02x}" * 32


FRAMES: list[tuple[str, str, tuple[bytes | None, ...]]] = [
    ("the tag alone", "event", ()),
    ("a part that is not there", "event", (None,)),
    ("an empty part", "event", (b"",)),
    ("an empty part, and one that is not there", "event", (b"", None)),
    ("one that is not there, and an empty part", "event", (None, b"")),
    ("two parts", "event", (b"a", b"b")),
    ("the same bytes as one part", "event", (b"ab",)),
    ("a part that looks like a length and a part", "event", (b"a", b"\0\0\0\0\0\0\0\1b")),
    ("a part that looks like two parts", "event", (b"a\0\0\0\0\0\0\0\1b",)),
    ("a part that looks like one that is not there", "event", (b"\xff" * 8,)),
    ("a part that looks like the tag", "event", (b"statecore/3/event",)),
    ("the number 1", "event", ((1).to_bytes(8, "big"),)),
    ("the text 1", "event", (b"1",)),
    ("the largest number", "event", ((2**63 - 1).to_bytes(8, "big"),)),
    ("the smallest number, -2^63", "event", (b"\x80" + bytes(7),)),
    ("the number -1: its bytes, and a length before them", "event", (b"\xff" * 8, b"")),
    ("NUL characters", "event", (b"\0", b"\0\0", b"a\0b")),
    ("a letter outside of the basic plane", "event", ("\U0001f40d".encode(),)),
    ("a letter with its accent, in one character and in two: not the same", "event", ("\xe9".encode(), "e\u0301".encode())),
    ("a tag of a slot", "event.by", (b"x",)),
    ("255 bytes", "event", (b"x" * 255,)),
    ("256 bytes", "event", (b"x" * 256,)),
    ("65,536 bytes", "event", (b"x" * 65_536,)),
]

_SLOTS = (
    *("run.session", "run.user", "run.requester", "run.input", "run.additional", "run.metadata"),
    *("event.by", "event.note", "event.value"),
    *("pause.message", "pause.form", "pause.choices", "pause.names", "pause.shown", "pause.voter"),
    *("decision.by", "decision.login", "decision.answer", "decision.comment"),
    *("act.by", "act.login", "act.delegate", "act.answer", "act.comment"),
    *("cancel.by", "tombstone.by", "erasure.by", "erasure.reason"),
)
COMMITMENTS: list[tuple[str, int, dict[str, Any]]] = [
    *((slot, 0, {"text": "ada"}) for slot in _SLOTS),
    ("pause.shown", 1, {"text": "ada"}),
    ("pause.shown", 256, {"text": "ada"}),
    ("event.value", 0, {"text": ""}),
    ("event.value", 0, {"hex": "00"}),
    ("event.value", 0, {"hex": "00ff0a"}),
    ("event.note", 0, {"text": "\U0001f40d e\u0301 \xe9"}),
    ("event.value", 0, {"text": "DE89370400440532013000"}),
    ("event.value", 0, {"repeat": "ab", "times": "524288"}),
]

SESSIONS: list[dict[str, str | None]] = [
    {"total": "1"},
    {"b": "2", "a": "1", "\uffff": "3", "\U0001f40d": "4", "A": None},
    {"": "", "a\0b": "\0"},
]

ERASURES: list[list[tuple[str, int]]] = [
    [],
    [("event.by", 0)],
    [("event.note", 0)],
    [("event.value", 0)],
    [("event.by", 0), ("event.note", 0)],
    [("event.by", 0), ("event.note", 0), ("event.value", 0)],
    [("event.by", 0), ("event.session", 0), ("event.session", 2), ("event.session", 256)],
]

_START = ("", "run", "pending", "start", "running", "", 0)
MOVES: list[list[tuple[str, str, str, str, str, str, int]]] = [
    [],
    [_START],
    [_START, ("a", "step", "pending", "enter", "awaiting_confirmation", "", 0), ("", "run", "running", "pause", "paused", "", 0)],
    [("", "run", "running", "pause", "paused", "", 0), _START],
    [("l/a", "step", "running", "succeed", "completed", "2.1", 0), ("l", "loop", "running", "repeat", "running", "2", 0)],
    [("x", "step", "running", "fail", "running", "", 1)],
    [("a~1b/\xe4\U0001f40d", "step", "running", "succeed", "completed", "0", 0)],
    [("p", "parallel", "running", "cancel", "cancelled", "", 0)] * 33,
    [("x", "step", "running", "fail", "running", str(2**63 - 1), 2**63 - 1)],
]


def component(at: str, kind: str, **others: Any) -> dict[str, Any]:
    """A component of a slice."""
    plain: dict[str, Any] = {
        "callable": None,
        "version": None,
        "facts": [],
        "iterations": None,
        "reviews": None,
        "seats": None,
        "edges": [],
    }
    return {"at": at, "kind": kind, **plain, **others}


_PAY: dict[str, Any] = component(
    "pay", "step", callable="shop:pay", version="3", facts=["needs_confirmation", "error_asks"], edges=[["succeed", "ship"]]
)
SLICES: list[dict[str, Any]] = [
    {"entries": [], "components": [], "stops": []},
    {"entries": [["confirm", "pay"]], "components": [_PAY], "stops": [["ship", "confirmation"]]},
    {"entries": [["reject", ""]], "components": [], "stops": []},
    {
        "entries": [["confirm", "loop"], ["confirm", "b"]],
        "components": [
            component("\U0001f40d", "router", edges=[["x", "\uffff"], ["a", ""]], seats=MOST),
            component("\uffff", "step", reviews="0"),
            component("loop", "loop", iterations="3", reviews=LEAST, edges=[["repeat", "loop"], ["end", ""]]),
        ],
        "stops": [["z", "route"], ["z", "confirmation"], ["a", "error"]],
    },
]

_ASKED: dict[str, Any] = {
    "run_id": "r-1", "pause_id": "pay:confirmation:0", "kind": "confirmation", "rule": None, "message": h(0x11), "form": None,
    "choices": None, "names": None, "shown": [],
}  # fmt: skip
_ASKED_FULL: dict[str, Any] = {
    **_ASKED, "kind": "output_review", "rule": '{"k":2}', "form": h(0x12), "choices": h(0x13), "names": h(0x14),
    "shown": [["input", None, h(0x15)], ["output_of", "match \U0001f40d", h(0x16)], ["output_of", "match", h(0x16)]],
}  # fmt: skip
_PUT: dict[str, Any] = {
    "put": "1", "at": "pay", "turn": "", "attempt": "0", "step_name": "pay", "opened": "2", "opened_us": "1764500000000000",
    "deadline_us": None, "on_timeout": "cancel", "words": ["confirm", "reject"], "max_bytes": "1048576", "consequences": None,
    "seen": None, "meanings": None,
}  # fmt: skip
_DECISION: dict[str, Any] = {
    "pause": h(0x21), "word": "confirm", "decided_us": "1764500000000001", "by": None, "login": None, "via": None, "answer": None,
    "comment": None, "key": None, "seen": None, "meaning": None, "last_act": None,
}  # fmt: skip
_ACT: dict[str, Any] = {
    "previous": h(0x31), "kind": "vote", "word": "confirm", "voter": h(0x32), "round": "0", "time_us": "1764500000000002", "by": h(0x33),
    "login": None, "delegate": None, "via": None, "roles": [], "answer": None, "comment": None, "seen": h(0x34), "meaning": h(0x35),
    "until_us": None, "detail": None,
}  # fmt: skip
_RUN: dict[str, Any] = {
    "run_id": "r-1", "workflow_id": "payout", "workflow_name": "payout", "session": h(0x01), "user": None, "requester": None,
    "created_us": "1764500000000000", "input": h(0x02), "additional": h(0x03), "metadata": h(0x04), "definition": "f" * 64,
    "workflow_version": None, "rules": "1", "start_key": None,
}  # fmt: skip
_EVENT: dict[str, Any] = {
    "previous": h(0x41), "run_id": "r-1", "number": "1", "boundary": "1", "epoch": "1", "moves": h(0x42), "place": None,
    "time_us": "1764500000000000", "fact": None, "by": None, "note": None, "value": None, "session": None, "asked": None, "decided": None,
}  # fmt: skip
_HOT: dict[str, Any] = {
    "run_id": "r-1", "phase": "paused", "claim_order": "7", "owner": None, "epoch": "1", "definition": "f" * 64, "number": "2",
    "head": h(0x51), "state": "[]", "held": "{}", "ended_us": None,
}  # fmt: skip
_TOMBSTONE: dict[str, Any] = {
    "run_id": "r-1", "workflow_id": "payout", "identity": h(0x61), "phase": "completed", "number": "3", "head": h(0x62),
    "created_us": "1764500000000000", "ended_us": "1764500000000009", "purged_us": "1772500000000000", "by": None,
}  # fmt: skip

PLAIN: list[tuple[str, dict[str, Any]]] = [
    ("run", _RUN),
    (
        "run",
        {**_RUN, "user": h(5), "requester": h(6), "workflow_version": "0", "start_key": "order-\U0001f40d", "created_us": LEAST},
    ),
    ("run", {**_RUN, "workflow_name": "", "start_key": "", "rules": MOST}),
    ("event", _EVENT),
    ("event", {**_EVENT, "number": "16777215", "boundary": "16777000", "epoch": MOST, "place": "2.1:0;:1", "fact": "adopt\n"}),
    ("event", {**_EVENT, "by": h(7), "note": h(8), "value": h(9), "session": [h(1), h(2)], "asked": [h(3)], "decided": h(4)}),
    ("event", {**_EVENT, "session": [h(1)], "asked": [h(2), h(3)]}),
    ("event", {**_EVENT, "by": h(7)}),
    ("event", {**_EVENT, "note": h(7)}),
    ("event", {**_EVENT, "value": h(7)}),
    ("hot", _HOT),
    ("hot", {**_HOT, "owner": "host/boot/12/34", "ended_us": "-1"}),
    ("cancel", {"run_id": "r-1", "by": None, "time_us": "0"}),
    ("cancel", {"run_id": "r-1", "by": h(9), "time_us": "1764500000000000"}),
    ("tombstone", _TOMBSTONE),
    ("tombstone", {**_TOMBSTONE, "by": h(9)}),
    ("erasure", {"run_id": "r-1", "what": "event.value", "by": None, "reason": None, "time_us": "1764500000000000"}),
    ("erasure", {"run_id": "r-1", "what": "event.value", "by": h(1), "reason": h(2), "time_us": "1764500000000000"}),
    ("question", {**_ASKED, "message": None, "slices": {}}),
    ("question", {**_ASKED, "slices": {"confirm": h(1), "reject": h(2), "expire": h(3)}}),
    ("question", {**_ASKED_FULL, "slices": {"\uffff": h(1), "\U0001f40d": h(2), "Z": h(3), "a": h(4)}}),
    ("word", {**_ASKED, "message": None, "word": "confirm", "slice": h(1)}),
    ("word", {**_ASKED_FULL, "word": "reject", "slice": h(2)}),
    ("pause", {**_ASKED, **_PUT, "message": None}),
    ("pause", {**_ASKED_FULL, **_PUT, "put": "2", "turn": "2.1", "deadline_us": "1764500000000009", "words": [], "seen": h(1)}),
    ("pause", {**_ASKED_FULL, **_PUT, "seen": h(1), "meanings": {"reject": h(2), "confirm": h(3)}, "consequences": "{}"}),
    ("decision", _DECISION),
    ("decision", {**_DECISION, "by": h(1), "login": h(2), "via": "oidc", "answer": h(3), "comment": h(4), "key": "k"}),
    ("decision", {**_DECISION, "seen": h(5), "meaning": h(6), "last_act": h(7)}),
    ("act", _ACT),
    ("act", {**_ACT, "login": h(1), "delegate": h(2), "via": "link", "roles": ["finance", ""], "answer": h(3), "comment": h(4)}),
    ("act", {**_ACT, "kind": "void", "by": None, "seen": None, "meaning": None}),
    ("act", {**_ACT, "kind": "lapse", "word": None, "voter": None, "until_us": MOST, "detail": "role lost", "round": "3"}),
    ("leaf", {"kind": "begun", "run_id": "r-1", "number": "0", "digest": h(1)}),
    ("leaf", {"kind": "ended", "run_id": "r-1", "number": "3", "digest": h(1)}),
]


def records(
    framed: dict[str, Callable[[dict[str, Any]], bytes]], sha: Callable[[bytes], bytes]
) -> list[tuple[str, dict[str, Any]]]:
    """All records: those above, and one run from its identity to its tombstone, each over the one before."""

    def digest(name: str, values: dict[str, Any]) -> str:
        return sha(framed[name](values)).hex()

    run = {**_RUN, "run_id": "chained"}
    pause = {**_ASKED, **_PUT, "run_id": "chained", "opened": "1"}
    vote = {**_ACT, "previous": digest("pause", pause)}
    decision = {**_DECISION, "pause": digest("pause", pause), "last_act": digest("act", vote)}
    first = {**_EVENT, "run_id": "chained", "previous": digest("run", run), "asked": [digest("pause", pause)]}
    second = {
        **first,
        "previous": digest("event", first),
        "number": "2",
        "boundary": "2",
        "asked": None,
        "decided": digest("decision", decision),
    }
    third = {**second, "previous": digest("event", second), "number": "3", "boundary": "2", "decided": None, "value": h(9)}
    gone = {**_TOMBSTONE, "run_id": "chained", "identity": digest("run", run), "head": digest("event", third)}
    chained: list[tuple[str, dict[str, Any]]] = [
        ("run", run),
        ("pause", pause),
        ("act", vote),
        ("decision", decision),
        ("event", first),
        ("event", second),
        ("event", third),
    ]
    return [*PLAIN, *chained, ("tombstone", gone)]


SEALS: list[tuple[bytes, str | None, bytes | None]] = [
    (bytes.fromhex(h(0x71)), None, None),
    (bytes.fromhex(h(0x71)), "k1", bytes(range(32))),
    (bytes.fromhex(h(0x71)), "k2", bytes(range(32))),
    (bytes.fromhex(h(0x71)), "k1", bytes(range(1, 33))),
    (bytes.fromhex(h(0x72)), "2026-\U0001f40d", b"\xff" * 32),
]

LEAVES = [
    {"kind": "begun" if i % 2 == 0 else "ended", "run_id": f"r-{i // 2}", "number": str(i % 2 * 3), "digest": h(i)}
    for i in range(17)
]
COUNTS = (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 17)

QUESTION_NAMES = [
    {"run_id": "r-1", "pause_id": "pay:confirmation:0"},
    {"run_id": "r-1", "pause_id": "pay:confirmation:0@2"},
    {"run_id": "r-1p", "pause_id": "ay:confirmation:0"},
    {"run_id": "4f7eede9-76f1-4a0c-8d2a-0d7e0d9d2c11", "pause_id": "par~1\xe4/rev:1/x y:output_review.0:0"},
]
CALLS = [
    {"identity": h(1), "at": "pay", "turn": "", "rejected": "0", "rounds": "0"},
    {"identity": h(1), "at": "pay", "turn": "0", "rejected": "0", "rounds": "0"},
    {"identity": h(1), "at": "pay", "turn": "2.1", "rejected": "1", "rounds": "0"},
    {"identity": h(2), "at": "pay", "turn": "", "rejected": "0", "rounds": "1"},
]
EVENT_IDS = [(1, 1), (1, 2**24 - 1), (2, 1), (2**39 - 1, 2**24 - 1)]
PUT_AGAIN = [
    ("pay:confirmation:0", 1, "pay:confirmation:0"),
    ("pay:confirmation:0", 2, "pay:confirmation:0@2"),
    ("a@2:error.1:0", 10, "a@2:error.1:0@10"),
]
