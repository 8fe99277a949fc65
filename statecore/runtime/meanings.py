"""The hashes of what each word of a question leads to, of a program (GATE-5): part of the digest that a store keeps with the question."""

from __future__ import annotations

from typing import TYPE_CHECKING

from statecore.core.evidence import slices
from statecore.stores.frames.questions import Component, Slice, slice_digest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from statecore.core import Address, Program
    from statecore.core.evidence import WordSlice
    from statecore.lifecycles import AskKind


def slices_of(program: Program, at: Address, kind: AskKind) -> Mapping[str, bytes]:
    """The hash of the slice of each word of a question, expiry included. They are made when first asked for, and kept with the program."""
    known: Mapping[str, bytes] | None = program.slices.get(("hashed", at, kind))
    if known is None:
        known = {word: slice_digest(plain_slice(each)) for word, each in slices(program, at, kind).items()}
        program.slices["hashed", at, kind] = known
    return known


def plain_slice(each: WordSlice) -> Slice:
    """A slice as its digest takes it."""
    return Slice(each.entries, tuple([Component(*part) for part in each.components]), each.stops)
