"""The functions of format 3 meet the test vectors, which a second implementation wrote from the words of the page."""

from __future__ import annotations

import json
import re
from hashlib import sha256
from pathlib import Path

import pytest

from statecore.stores.frames import chain, framing, questions
from statecore.stores.frames.framing import frame
from statecore.stores.frames.questions import slice_digest
from tests.format3 import inputs, reference
from tests.format3.product import RECORDS, body, slice_of, values_of

VECTORS = json.loads(reference.FILE.read_text(encoding="ascii"))
PAGE = Path(__file__).parents[2] / "specs" / "format-3.md"


def of(name):
    """A test for each vector of a name."""
    return pytest.mark.parametrize("vector", VECTORS[name], ids=lambda vector: vector.get("about", vector.get("record")))


def test_the_file_is_what_the_reference_writes():
    """Nobody mended a vector by hand: `python -m tests.format3.reference` writes this file."""
    assert reference.FILE.read_text(encoding="ascii") == reference.written()


def test_the_reference_knows_nothing_of_the_product():
    """The second implementation shares no line with the first."""
    texts = [Path(module.__file__ or "").read_text(encoding="utf-8") for module in (reference, inputs)]
    assert not any(re.search(r"(import|from) statecore", text) for text in texts)


@of("frames")
def test_frames(vector):
    """A frame has the bytes of the vector, and their hash."""
    made = frame(vector["tag"], *[None if part is None else body(part) for part in vector["parts"]])
    assert made.hex() == vector.get("bytes", made.hex())
    assert sha256(made).hexdigest() == vector["sha256"]


@of("commitments")
def test_commitments(vector):
    """A slot has its own salt and its own commitment."""
    salt = framing.slot_salt(bytes.fromhex(vector["row_salt"]), vector["slot"], int(vector["index"]))
    assert salt is not None
    assert salt.hex() == vector["salt"]
    assert framing.commitment(vector["slot"], salt, body(vector["body"])).hex() == vector["sha256"]


@of("commitments")
def test_commitments_of_a_row(vector):
    """A commitment that is written out for each step is the same."""
    found = framing.row_commitment(bytes.fromhex(vector["row_salt"]), vector["slot"], body(vector["body"]))
    assert (found.hex() == vector["sha256"]) is (int(vector["index"]) == 0)


@of("sessions")
def test_sessions(vector):
    """Each key of a session's state has a commitment, in the order of the keys."""
    found = framing.session_commitments(bytes.fromhex(vector["row_salt"]), vector["changed"])
    assert [each.hex() for each in found] == vector["commitments"]


@of("erasures")
def test_erasures(vector):
    """What stays of a row's salt is the salts of the slots that stay."""
    places = [(slot, int(index)) for slot, index in vector["staying"]]
    left = framing.salts_left(bytes.fromhex(vector["row_salt"]), reversed(places))
    assert (left.hex() if left is not None else None) == vector["left"]


@of("moves")
def test_moves(vector):
    """A list of moves has a digest, a number and a place."""
    digest = chain.moves_digest(chain.ListedMove(*move[:5]) for move in vector["moves"])
    assert digest.hex() == vector["sha256"]
    assert chain.shape_number(digest) == int(vector["shape"])
    places = [(tuple(map(int, move[5].split("."))) if move[5] else (), int(move[6])) for move in vector["moves"]]
    assert chain.placed(places) == vector["place"]
    assert chain.places(vector["place"], len(places)) == places


@of("slices")
def test_slices(vector):
    """A slice has a digest that does not depend on the order of what has none."""
    assert slice_digest(slice_of(vector["slice"])).hex() == vector["sha256"]


@of("records")
def test_records(vector):
    """Each record has the bytes of the vector, and their hash."""
    record, values = RECORDS[vector["record"]], values_of(vector["record"], vector["values"])
    if record is chain.LEAF:
        assert chain.leaf(record.framed(**values)).hex() == vector["sha256"]
    else:
        assert record.framed(**values).hex() == vector["bytes"]
        assert record.digest(**values).hex() == vector["sha256"]


@of("seals")
def test_seals(vector):
    """A seal is the digest, or its HMAC under a key."""
    key = bytes.fromhex(vector["key"]) if vector["key"] is not None else None
    assert chain.seal(bytes.fromhex(vector["digest"]), vector["kid"], key).hex() == vector["seal"]


@of("roots")
def test_roots(vector):
    """The root over n leaves is that of RFC 6962."""
    assert chain.root(bytes.fromhex(each) for each in vector["leaves"]).hex() == vector["root"]


def test_leaves():
    """A beginning and an end are leaves of their kind."""
    found = {vector["values"]["kind"]: vector["sha256"] for vector in VECTORS["records"] if vector["record"] == "leaf"}
    assert chain.begun("r-1", b"\1" * 32).hex() == found["begun"]
    assert chain.ended("r-1", 3, b"\1" * 32).hex() == found["ended"]


def test_names():
    """Questions, calls and events have the names and numbers of the vectors."""
    for vector in VECTORS["question_ids"]:
        assert questions.question_id(**vector["values"]) == vector["name"]
    for vector in VECTORS["call_keys"]:
        values = values_of("call", vector["values"])
        turn = tuple(map(int, values["turn"].split("."))) if values["turn"] else ()
        assert questions.call_key(values["identity"], values["at"], turn, values["rejected"], values["rounds"]) == vector["name"]
    for vector in VECTORS["event_ids"]:
        run, number = int(vector["run"]), int(vector["number"])
        assert questions.event_id(run, number) == int(vector["id"])
        assert questions.run_and_number(int(vector["id"])) == (run, number)
    for vector in VECTORS["put_again"]:
        assert questions.put_again(vector["pause_id"], int(vector["put"])) == vector["name"]


def test_every_slot_record_and_key_has_a_vector():
    """No slot and no record is without a vector, and each part that may be missing is once there and once not."""
    committed = {vector["slot"] for vector in VECTORS["commitments"]}
    assert committed | {"event.session"} == framing.SLOTS
    named = {"question_id": VECTORS["question_ids"], "call": VECTORS["call_keys"]}
    for name, record in RECORDS.items():
        rows = [each["values"] for each in named.get(name, VECTORS["records"]) if each.get("record", name) == name]
        for part, kind in record.parts.items():
            assert {row[part] is None for row in rows} == ({True, False} if kind.optional else {False}), f"{name}.{part}"


def test_the_page_lists_every_record_part_by_part():
    """The tables of the page are those of the code: names, kinds and their order."""
    said = {}
    for tag, parts in re.findall(r"^\| `(\w+)` \| (.+?) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE):
        said[tag] = re.findall(r"`(\w+)` ([a-z ]+\??)", parts)
    code = {
        tag: [(name, kind.name + "?" * kind.optional) for name, kind in record.parts.items()] for tag, record in RECORDS.items()
    }
    assert said == code


def test_the_page_lists_every_slot():
    """The slots of the page are those of the code."""
    said = re.findall(r"`((?:run|event|pause|decision|act|cancel|tombstone|erasure)\.\w+)`", PAGE.read_text(encoding="utf-8"))
    assert set(said) == framing.SLOTS
