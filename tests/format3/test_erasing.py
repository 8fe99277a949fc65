"""An erased value cannot be found again, and what stays is what it was: salts and commitments of format 3."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statecore.errors import OutsideFormat, UnstorableValue
from statecore.stores.frames import chain, framing

EVENT_SLOTS = ("event.by", "event.note", "event.value")


def event_row(salts, texts):
    """An event's row with texts in its three slots: its commitments, and its link."""
    found = {slot: framing.commitment(slot, framing.slot_salt(salts, slot) or b"", text) for slot, text in texts.items()}
    return found, linked(found)


def linked(found):
    """The link of an event with these commitments."""
    values = dict.fromkeys(chain.EVENT.parts, None) | {"run_id": "r", "previous": bytes(32), "moves": bytes(32)}
    values |= dict.fromkeys(("number", "boundary", "epoch", "time_us"), 1)
    return chain.EVENT.digest(**values | {slot.removeprefix("event."): found[slot] for slot in EVENT_SLOTS})


@given(
    st.binary(min_size=16, max_size=16),
    st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=3, max_size=3),
    st.sampled_from(EVENT_SLOTS),
)
def test_erasing_one_slot_keeps_the_link_and_the_other_commitments(salt, texts, erased):
    """From what is left after an erasure each other commitment is computed again, and with the kept one the same link; again after a second one."""
    row = dict(zip(EVENT_SLOTS, texts, strict=True))
    before, link = event_row(salt, row)
    staying = [slot for slot in EVENT_SLOTS if slot != erased]
    left = framing.salts_left(salt, [(slot, 0) for slot in staying])
    assert framing.slot_salt(left, erased) is None
    again = {slot: framing.commitment(slot, framing.slot_salt(left, slot) or b"", row[slot]) for slot in staying}
    assert linked({**again, erased: before[erased]}) == link
    last = framing.salts_left(left, [(staying[0], 0)])
    assert framing.slot_salt(last, staying[0]) == framing.slot_salt(salt, staying[0])
    assert framing.slot_salt(last, staying[1]) is None
    with pytest.raises(OutsideFormat, match="was erased"):
        framing.salts_left(last, [(erased, 0)])


def test_every_slot_has_a_salt_of_its_own():
    """No two slots of a row share a salt, and none has the row's."""
    places = [(slot, index) for slot in framing.SLOTS for index in ((0, 1, 2) if slot in framing.SEVERAL else (0,))]
    found = {framing.slot_salt(bytes(16), *place) for place in places}
    assert len(found | {bytes(16)}) == len(places) + 1


IBANS = [f"DE{number:02d}370400440532013000" for number in range(100)]
"""All that the erased value may have been."""


def windows(stored: list[bytes | None]) -> set[bytes]:
    """Each 16 bytes in a row that are stored: whatever salt is left is one of them."""
    return {part[i : i + 16] for part in stored if part is not None for i in range(len(part) - 15)}


def guesses(slot: str, text: str, salts: set[bytes]) -> Iterator[bytes]:
    """The hashes that tell whether a text was the erased one: under each salt, as the row's and as the slot's own, and plain."""
    yield sha256(text.encode()).digest()
    for salt in salts:
        yield framing.commitment(slot, salt, text)
        yield framing.commitment(slot, framing.slot_salt(salt, slot) or b"", text)
        yield sha256(salt + text.encode()).digest()


def found_again(slot: str, stored: list[bytes | None]) -> list[str]:
    """The texts that fit what is stored."""
    hashes = {part[i : i + 32] for part in stored if part is not None for i in range(len(part) - 31)}
    return [text for text in IBANS if hashes & set(guesses(slot, text, windows(stored)))]


@pytest.mark.parametrize("slot", EVENT_SLOTS)
def test_an_erased_value_cannot_be_guessed(slot):
    """Before an erasure an IBAN is found among a hundred by what the row holds; after it nothing that is stored tells which it was."""
    salt = sha256(b"a salt from chance").digest()[:16]
    row = dict.fromkeys(EVENT_SLOTS, "ada") | {slot: IBANS[42]}
    commitments, link = event_row(salt, row)
    assert found_again(slot, [salt, link, commitments[slot]]) == [IBANS[42]]
    staying = [each for each in EVENT_SLOTS if each != slot]
    left = framing.salts_left(salt, [(each, 0) for each in staying])
    stored = [left, link, *commitments.values(), *[row[each].encode() for each in staying]]
    assert found_again(slot, stored) == []


def test_the_salt_of_the_row_must_go():
    """The guess is a fair one: where an erasure left the row's salt, the value is found again."""
    salt = sha256(b"a salt from chance").digest()[:16]
    commitments, link = event_row(salt, {"event.by": "ada", "event.note": "ada", "event.value": IBANS[7]})
    assert found_again("event.value", [salt, link, *commitments.values()]) == [IBANS[7]]


def test_what_a_cipher_gets_has_the_salt_in_it():
    """The salt lies with the text inside of the cipher, and beside the commitment lies none: without the key there is nothing to guess with."""
    salt = framing.slot_salt(bytes(16), "event.value") or b""
    plain = framing.enclosed(salt, IBANS[3])
    assert framing.disclosed(plain) == (salt, IBANS[3].encode())
    enciphered = bytes(byte ^ 0x5A for byte in sha256(plain).digest() * 2)
    assert found_again("event.value", [enciphered, framing.commitment("event.value", salt, IBANS[3])]) == []
    with pytest.raises(OutsideFormat):
        framing.disclosed(plain[:15])


def test_a_session_tells_neither_keys_nor_values():
    """A key is committed to with its value; a removed one differs from an empty one, and each key has a salt of its own."""
    salt = bytes(16)
    [removed], [empty] = framing.session_commitments(salt, {"a": None}), framing.session_commitments(salt, {"a": ""})
    assert removed != empty
    both = framing.session_commitments(salt, {"b": "1", "a": "1"})
    assert both == framing.session_commitments(salt, {"a": "1", "b": "1"})
    left = framing.salts_left(salt, [("event.session", 1)])
    assert framing.slot_salt(left, "event.session", 0) is None
    assert framing.session_commitment(framing.slot_salt(left, "event.session", 1) or b"", "b", "1") == both[1]
    with pytest.raises(OutsideFormat, match="no longer"):
        framing.session_commitments(left or b"", {"a": "1"})
    with pytest.raises(OutsideFormat, match="session_commitment"):
        framing.commitment("event.session", salt, "1")
    with pytest.raises(UnstorableValue):
        framing.session_commitments(salt, {"\ud800": "1"})


@pytest.mark.parametrize(
    ("slot", "index"), [("event.none", 0), ("", 0), ("event.value", 1), ("event.session", -1), ("pause.shown", 2**63)]
)
def test_unknown_slots_are_refused(slot, index):
    """A slot has to be one of the table, and only two are several."""
    with pytest.raises(OutsideFormat):
        framing.slot_salt(bytes(16), slot, index)


@given(st.binary(max_size=80).filter(lambda salts: len(salts) != 16))
def test_other_bytes_are_no_salts(salts):
    """Bytes that no row keeps are refused, never taken for salts."""
    with pytest.raises(OutsideFormat):
        framing.slot_salt(salts, "event.value")


def test_salts_in_another_order_are_refused():
    """What an erasure leaves is written in one way only."""
    one, other = (framing.salts_left(bytes(16), [(slot, 0)]) or b"" for slot in ("event.by", "event.note"))
    assert framing.slot_salt(one + other, "event.by") is not None
    for wrong in (other + one, one + one, one[:-1], one + b"\0"):
        with pytest.raises(OutsideFormat):
            framing.slot_salt(wrong, "event.by")


def test_a_salt_has_16_bytes():
    """Another salt is refused, also one that is missing."""
    for wrong in (b"", bytes(15), bytes(17)):
        with pytest.raises(OutsideFormat):
            framing.commitment("event.value", wrong, "x")
