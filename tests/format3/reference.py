"""What specs/format-3.md says, a second time and straight from its words: struct and hashlib, and nothing of the product.

`python -m tests.format3.reference` writes the test vectors, `specs/format-3.json`. In there texts are texts, numbers are decimal texts (JSON
readers round large ones), and bytes are hexadecimal.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import struct
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tests.format3 import inputs

FILE = Path(__file__).parents[2] / "specs" / "format-3.json"

Bytes = bytes | None


def part(value: Bytes) -> bytes:
    """A part: length and bytes; nothing is the largest length."""
    return b"\xff\xff\xff\xff\xff\xff\xff\xff" if value is None else struct.pack(">Q", len(value)) + value


def many(values: Sequence[Bytes]) -> bytes:
    """A list as one part."""
    return b"".join(part(value) for value in values)


def framed(tag: str, *values: Bytes) -> bytes:
    """A frame."""
    return part(b"statecore/3/" + tag.encode("ascii")) + many(values)


def sha(value: bytes) -> bytes:
    """SHA-256."""
    return hashlib.sha256(value).digest()


def t(value: str | None) -> Bytes:
    """A text, or nothing."""
    return None if value is None else value.encode("utf-8")


def n(value: str | None) -> Bytes:
    """A number, or nothing."""
    return None if value is None else struct.pack(">q", int(value))


def h(value: str | None) -> Bytes:
    """A hash, or nothing."""
    return None if value is None else bytes.fromhex(value)


def hh(value: list[str] | None) -> Bytes:
    """Hashes, or nothing."""
    return None if value is None else b"".join(bytes.fromhex(each) for each in value)


def tt(value: list[str]) -> bytes:
    """Texts."""
    return many([t(each) for each in value])


def th(value: dict[str, str] | None) -> Bytes:
    """A hash for each of several texts, or nothing."""
    if value is None:
        return None
    return many([many([key, bytes.fromhex(each)]) for key, each in sorted((key.encode(), each) for key, each in value.items())])


def sh(value: list[list[str | None]]) -> bytes:
    """The values that a question shows."""
    return many([many([t(name), t(step), h(committed)]) for name, step, committed in value])


def asked(v: dict[str, Any]) -> tuple[Bytes, ...]:
    """The parts that three records begin with."""
    return (
        *(t(v["run_id"]), t(v["pause_id"]), t(v["kind"]), t(v["rule"])),
        *(h(v["message"]), h(v["form"]), h(v["choices"]), h(v["names"]), sh(v["shown"])),
    )


RECORDS: dict[str, Callable[[dict[str, Any]], bytes]] = {
    "run": lambda v: framed(
        "run",
        *(t(v["run_id"]), t(v["workflow_id"]), t(v["workflow_name"]), h(v["session"]), h(v["user"]), h(v["requester"])),
        *(n(v["created_us"]), h(v["input"]), h(v["additional"]), h(v["metadata"])),
        *(t(v["definition"]), n(v["workflow_version"]), n(v["rules"]), t(v["start_key"])),
    ),
    "event": lambda v: framed(
        "event",
        *(h(v["previous"]), t(v["run_id"]), n(v["number"]), n(v["boundary"]), n(v["epoch"]), h(v["moves"]), t(v["place"])),
        *(n(v["time_us"]), t(v["fact"]), h(v["by"]), h(v["note"]), h(v["value"])),
        *(hh(v["session"]), hh(v["asked"]), h(v["decided"])),
    ),
    "hot": lambda v: framed(
        "hot",
        *(t(v["run_id"]), t(v["phase"]), n(v["claim_order"]), t(v["owner"]), n(v["epoch"]), t(v["definition"])),
        *(n(v["number"]), h(v["head"]), t(v["state"]), t(v["held"]), n(v["ended_us"])),
    ),
    "cancel": lambda v: framed("cancel", t(v["run_id"]), h(v["by"]), n(v["time_us"])),
    "tombstone": lambda v: framed(
        "tombstone",
        *(t(v["run_id"]), t(v["workflow_id"]), h(v["identity"]), t(v["phase"]), n(v["number"]), h(v["head"])),
        *(n(v["created_us"]), n(v["ended_us"]), n(v["purged_us"]), h(v["by"])),
    ),
    "erasure": lambda v: framed("erasure", t(v["run_id"]), t(v["what"]), h(v["by"]), h(v["reason"]), n(v["time_us"])),
    "question": lambda v: framed("question", *asked(v), th(v["slices"])),
    "word": lambda v: framed("word", *asked(v), t(v["word"]), h(v["slice"])),
    "pause": lambda v: framed(
        "pause",
        *asked(v),
        *(n(v["put"]), t(v["at"]), t(v["turn"]), n(v["attempt"]), t(v["step_name"]), n(v["opened"]), n(v["opened_us"])),
        *(n(v["deadline_us"]), t(v["on_timeout"]), tt(v["words"]), n(v["max_bytes"]), t(v["consequences"])),
        *(h(v["seen"]), th(v["meanings"])),
    ),
    "decision": lambda v: framed(
        "decision",
        *(h(v["pause"]), t(v["word"]), n(v["decided_us"]), h(v["by"]), h(v["login"]), t(v["via"]), h(v["answer"]), h(v["comment"])),
        *(t(v["key"]), h(v["seen"]), h(v["meaning"]), h(v["last_act"])),
    ),
    "act": lambda v: framed(
        "act",
        *(h(v["previous"]), t(v["kind"]), t(v["word"]), h(v["voter"]), n(v["round"]), n(v["time_us"]), h(v["by"]), h(v["login"])),
        *(h(v["delegate"]), t(v["via"]), tt(v["roles"]), h(v["answer"]), h(v["comment"]), h(v["seen"]), h(v["meaning"])),
        *(n(v["until_us"]), t(v["detail"])),
    ),
    "leaf": lambda v: b"\0" + framed("leaf", t(v["kind"]), t(v["run_id"]), n(v["number"]), h(v["digest"])),
    "question_id": lambda v: framed("question_id", t(v["run_id"]), t(v["pause_id"])),
    "call": lambda v: framed("call", h(v["identity"]), t(v["at"]), t(v["turn"]), n(v["rejected"]), n(v["rounds"])),
}


def edges(value: list[list[str]]) -> bytes:
    """Edges of a slice."""
    return many([many([t(trigger), t(at)]) for trigger, at in value])


def sliced(v: dict[str, Any]) -> bytes:
    """A slice."""
    components = [
        many(
            [
                *(t(c["at"]), t(c["kind"]), t(c["callable"]), n(c["version"]), many(sorted(f.encode() for f in c["facts"]))),
                *(n(c["iterations"]), n(c["reviews"]), n(c["seats"]), edges(c["edges"])),
            ]
        )
        for c in sorted(v["components"], key=lambda c: c["at"].encode())
    ]
    stops = [many([at, kind]) for at, kind in sorted((at.encode(), kind.encode()) for at, kind in v["stops"])]
    return framed("slice", edges(v["entries"]), many(components), many(stops))


def salt_of(salts: bytes, slot: str, index: int) -> bytes:
    """The salt of a slot, from a row's salt."""
    return sha(framed("salt", salts, slot.encode(), struct.pack(">q", index)))[:16]


def left(salts: bytes, staying: list[tuple[str, int]]) -> bytes | None:
    """What an erasure leaves of a row's salt."""
    triples = [(slot.encode(), struct.pack(">q", index), salt_of(salts, slot, index)) for slot, index in sorted(staying)]
    return many([each for triple in triples for each in triple]) if triples else None


def body(value: dict[str, Any]) -> bytes:
    """The body of a commitment: a text, bytes, or something repeated."""
    if "times" in value:
        return value["repeat"].encode() * int(value["times"])
    return bytes.fromhex(value["hex"]) if "hex" in value else value["text"].encode()


def root(leaves: list[bytes]) -> bytes:
    """RFC 6962, 2.1, as it is written there."""
    if not leaves:
        return sha(b"")
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha(b"\1" + root(leaves[:k]) + root(leaves[k:]))


def named(letter: str, value: bytes) -> str:
    """A short name: a letter and 26 characters."""
    return letter + "_" + base64.b32encode(sha(value)[:16]).decode().lower().rstrip("=")


# -- the vectors -------------------------------------------------------------------------------------------------------------------


def hashed(value: bytes) -> dict[str, str]:
    """The bytes of a vector, where they are not too many to show, and their hash."""
    return ({"bytes": value.hex()} if len(value) <= 4_096 else {"length": str(len(value))}) | {"sha256": sha(value).hex()}


def frames() -> list[dict[str, Any]]:
    """Frames of any parts."""
    return [
        {"about": about, "tag": tag, "parts": [shown(each) for each in parts], **hashed(framed(tag, *parts))}
        for about, tag, parts in inputs.FRAMES
    ]


def shown(value: Bytes) -> dict[str, str] | None:
    """A part in the file: its bytes, or what is repeated in a large one."""
    if value is None:
        return None
    return {"hex": value.hex()} if len(value) <= 512 else {"repeat": chr(value[0]), "times": str(len(value))}


def commitments() -> list[dict[str, Any]]:
    """A commitment in each slot."""
    found = []
    for slot, index, what in inputs.COMMITMENTS:
        salt = salt_of(inputs.SALT, slot, index)
        whole = hashed(framed(slot, salt, body(what)))
        found.append({"slot": slot, "index": str(index), "row_salt": inputs.SALT.hex(), "salt": salt.hex(), "body": what, **whole})
    return found


def sessions() -> list[dict[str, Any]]:
    """The commitments of changed keys of a session's state."""
    found = []
    for changed in inputs.SESSIONS:
        salts = [salt_of(inputs.SALT, "event.session", index) for index in range(len(changed))]
        pairs = sorted(changed.items(), key=lambda pair: pair[0].encode())
        wholes = [framed("event.session", salt, t(key), t(value)) for salt, (key, value) in zip(salts, pairs, strict=True)]
        found.append({"row_salt": inputs.SALT.hex(), "changed": changed, "commitments": [sha(each).hex() for each in wholes]})
    return found


def erasures() -> list[dict[str, Any]]:
    """What erasures leave of a row's salt."""
    found = []
    for staying in inputs.ERASURES:
        rest = left(inputs.SALT, staying)
        places = [[slot, str(index)] for slot, index in staying]
        found.append({"row_salt": inputs.SALT.hex(), "staying": places, "left": rest.hex() if rest is not None else None})
    return found


def moves() -> list[dict[str, Any]]:
    """Lists of moves, with turns and attempts."""
    found = []
    for listed in inputs.MOVES:
        whole = framed("moves", *[many([t(word) for word in move[:5]]) for move in listed])
        first = all(not turn and not attempt for *_, turn, attempt in listed)
        place = None if first else ";".join(f"{turn}:{attempt}" for *_, turn, attempt in listed)
        shape = int(sha(whole).hex()[:16], 16) // 2
        shown = [[*move[:6], str(move[6])] for move in listed]
        found.append({"moves": shown, "place": place, **hashed(whole), "shape": str(shape)})
    return found


def records() -> list[dict[str, Any]]:
    """Records, the events of one run among them."""
    return [{"record": name, "values": values, **hashed(RECORDS[name](values))} for name, values in inputs.records(RECORDS, sha)]


def slices() -> list[dict[str, Any]]:
    """Slices."""
    return [{"slice": each, **hashed(sliced(each))} for each in inputs.SLICES]


def seals() -> list[dict[str, Any]]:
    """Seals with a key and without."""
    found = []
    for digest, kid, key in inputs.SEALS:
        seal = digest if kid is None or key is None else hmac.new(key, framed("seal", kid.encode(), digest), "sha256").digest()
        found.append({"digest": digest.hex(), "kid": kid, "key": key.hex() if key is not None else None, "seal": seal.hex()})
    return found


def names() -> dict[str, Any]:
    """Short names, and numbers of events."""
    return {
        "question_ids": [{"values": v, "name": named("q", RECORDS["question_id"](v))} for v in inputs.QUESTION_NAMES],
        "call_keys": [{"values": v, "name": named("c", RECORDS["call"](v))} for v in inputs.CALLS],
        "event_ids": [
            {"run": str(run), "number": str(number), "id": str(run * 2**24 + number)} for run, number in inputs.EVENT_IDS
        ],
        "put_again": [{"pause_id": first, "put": str(put), "name": name} for first, put, name in inputs.PUT_AGAIN],
    }


def roots() -> list[dict[str, Any]]:
    """The roots over the first n of some leaves."""
    leaves = [sha(RECORDS["leaf"](each)) for each in inputs.LEAVES]
    return [{"leaves": [each.hex() for each in leaves[:count]], "root": root(leaves[:count]).hex()} for count in inputs.COUNTS]


def vectors() -> dict[str, Any]:
    """All vectors."""
    made = (frames, commitments, sessions, erasures, moves, slices, records, seals, roots)
    return {"format": "statecore/3"} | {each.__name__: each() for each in made} | names()


def written() -> str:
    """The file: one vector a line."""
    lines = []
    for name, value in vectors().items():
        if isinstance(value, str):
            lines.append(f"{json.dumps(name)}: {json.dumps(value)}")
        else:
            rows = ",\n".join(json.dumps(each) for each in value)
            lines.append(f"{json.dumps(name)}: [\n{rows}\n]")
    return "{\n" + ",\n".join(lines) + "\n}\n"


if __name__ == "__main__":
    FILE.write_text(written(), encoding="ascii")
