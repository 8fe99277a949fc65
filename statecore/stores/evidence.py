"""The evidence of a question: the digest that a person is shown, and the digest of each of its words, made when it is put (GATE-5).

Message and details enter as commitments under the salt of the question, and the part of the program that each word leads to as the hash
that the driver gives (`Pause.slices`). A question of a driver that gives none has no evidence.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from attrs import evolve

from statecore.codec.erased import Gone
from statecore.errors import UnreadableValue

from .frames.framing import HASH_BY_TEXT, HASH_BYTES, SALT_BYTES, commitment, hashes_of, row_commitment, slot_salt, split
from .frames.questions import asked_parts, question_hash, word_hash
from .naming import parted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .records import Pause


NO_SALT = bytes(SALT_BYTES)


class Evidence(NamedTuple):
    """The digest of a question as it stands, and of each of its words, expiry included where it has a deadline; `framed` has these as stored."""

    seen: bytes
    meanings: Mapping[str, bytes]
    framed: bytes


def parts_of(pause: Pause, salt: bytes) -> bytes:
    """The parts of a question without its consequences, as they are hashed: texts and names by their commitments under its salt."""
    message = None if pause.message is None else under(salt, "pause.message", pause.message)
    form = under(salt, "pause.form", pause.detail) if pause.detail else None
    rule, names = (None, None) if pause.rule is None else parted(pause)
    ruled = (rule, None if names is None else under(salt, "pause.names", names))
    return asked_parts(pause.run_id, pause.pause_id, pause.kind, (message, form), ruled)


def evidence(pause: Pause, salt: bytes) -> Evidence | None:
    """The evidence of a question that is put under a salt; None where its driver gave no slices."""
    if pause.slices is None:
        return None
    parts = parts_of(pause, salt)
    meanings = {word: word_hash(parts, word, found) for word, found in pause.slices.items()}
    return Evidence(question_hash(parts, pause.slices), meanings, hashes_of(meanings))


def under(salts: bytes, slot: str, text: str) -> bytes:
    """The commitment to a text under the salts of its row: one of 16 bytes, or one for each slot."""
    if len(salts) == SALT_BYTES:
        return row_commitment(salts, slot, text.encode())
    return commitment(slot, slot_salt(salts, slot) or b"", text)


def holds_all(salts: bytes, pause: Pause) -> bool:
    """Whether salts are those of all bodies of a question: an erasure takes some along."""
    if len(salts) == SALT_BYTES:
        return True
    bodies = {
        "pause.message": pause.message,
        "pause.form": pause.detail or None,
        "pause.names": None if pause.rule is None else parted(pause)[1],
    }
    return not any(isinstance(body, Gone) for body in bodies.values()) and all(
        body is None or slot_salt(salts, slot) is not None for slot, body in bodies.items()
    )


def stored_evidence(seen: bytes | None, meanings: bytes | None) -> Evidence | None:
    """The evidence that a row keeps; None where it keeps none. Raises `UnreadableValue` where it is not what was stored."""
    if seen is None and meanings is None:
        return None
    if seen is None or meanings is None:
        why = "a question has a digest for itself and for its words, or neither"
        raise UnreadableValue(why)
    return read_evidence(bytes(seen), bytes(meanings))


@lru_cache(maxsize=256)
def read_evidence(seen: bytes, meanings: bytes) -> Evidence:
    """The evidence of two columns; a review reads a row more than once. Raises `UnreadableValue` where they are not what was stored."""
    pairs = [split(each) for each in split(meanings)]
    found = {pair[0].decode("utf-8", "replace"): pair[-1] for pair in pairs if pair}
    if any(len(each) != HASH_BYTES for each in found.values()) or HASH_BY_TEXT.encode("meanings", found) != meanings:
        why = "the digests of a question's words are no list of digests"
        raise UnreadableValue(why)
    return Evidence(seen, found, meanings)


def other_words(pause: Pause, slices: Mapping[str, bytes]) -> frozenset[str]:
    """The words of a stored question that led to something else when it was put, by the hashes of what they lead to now.

    Where its store keeps no digests, or the row has lost its salt, there is nothing to compare.
    """
    if pause.slices is slices:
        return frozenset()
    if pause.slices is not None:
        was, now = pause.slices, slices
    elif pause.meant is not None and holds_all(pause.meant.salt, pause):
        parts = parts_of(pause, pause.meant.salt)
        if pause.seen == question_hash(parts, slices).hex():  # it covers all of its words
            return frozenset()
        was, now = pause.meant.words, {word: word_hash(parts, word, found) for word, found in slices.items()}
    else:
        return frozenset()
    return frozenset(word for word in {*was, *now} if was.get(word) != now.get(word))


def with_evidence(pause: Pause) -> Pause:
    """A question with the digest that a person is shown, for a store in memory: what a salt would hide lies beside it there."""
    return pause if pause.slices is None else evolve(pause, seen=question_hash(parts_of(pause, NO_SALT), pause.slices).hex())
