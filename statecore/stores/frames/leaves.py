"""Leaves and their root: the RFC 6962 tree over the beginnings and ends of runs, which an outsider can keep a note of.

A leaf never changes and none is taken out, also when its run is purged; so the root over the first n leaves never changes either.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

from .framing import HASH, NUMBER, TEXT, hashed, record

LEAF = record("leaf", kind=TEXT, run_id=TEXT, number=NUMBER, digest=HASH)


def begun(run_id: str, identity: bytes) -> bytes:
    """The leaf of a run's beginning: its id and the digest of its identity, at the number 0. Raises `OutsideFormat`."""
    return leaf(LEAF.framed(kind="begun", run_id=run_id, number=0, digest=identity))


def ended(run_id: str, last: int, head: bytes) -> bytes:
    """The leaf of a run's end: the number and the hash of its last event. A run that is reopened may end again: another leaf."""
    return leaf(LEAF.framed(kind="ended", run_id=run_id, number=last, digest=head))


def leaf(content: bytes) -> bytes:
    """The hash of a leaf as RFC 6962 has it."""
    return sha256(b"\0" + content).digest()


def root(leaves: Iterable[bytes]) -> bytes:
    """The root over leaves in their order, 32 bytes, in time linear in their number; of none it is the SHA-256 of nothing.

    Complete trees of two powers stand on a stack, the largest at the bottom, until the next leaf makes two of one size. Raises
    `OutsideFormat` for what is no hash.
    """
    trees: list[bytes] = []
    for count, each in enumerate(leaves, 1):
        trees.append(hashed("A leaf", each))
        size = count
        while size % 2 == 0:
            right = trees.pop()
            trees.append(joined(trees.pop(), right))
            size //= 2
    if not trees:
        return sha256().digest()
    found = trees.pop()
    while trees:
        found = joined(trees.pop(), found)
    return found


def joined(left: bytes, right: bytes) -> bytes:
    """The hash of two trees as RFC 6962 has it."""
    return sha256(b"\1" + left + right).digest()
