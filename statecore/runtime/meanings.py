"""The hashes of what each word of a question leads to, of a program (GATE-5): part of the digest that a store keeps with the question."""

from __future__ import annotations

import sys
from pathlib import PurePath
from typing import TYPE_CHECKING

from statecore.core.evidence import slices, without_callables
from statecore.stores.evidence import other_words
from statecore.stores.frames.questions import Component, Slice, slice_digest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from statecore.core import Address, Program
    from statecore.core.evidence import WordSlice
    from statecore.lifecycles import AskKind
    from statecore.stores import Pause


def slices_of(program: Program, at: Address, kind: AskKind, *, named: bool = True) -> Mapping[str, bytes]:
    """The hash of the slice of each word of a question, expiry included. They are made when first asked for, and kept with the program.

    With `named=False` they are those of a program that was read from a store, which has no names of callables.
    """
    known: Mapping[str, bytes] | None = program.slices.get(("hashed", at, kind, named))
    if known is None:
        found = slices(program, at, kind)
        known = {word: slice_digest(plain_slice(each if named else without_callables(each))) for word, each in found.items()}
        program.slices["hashed", at, kind, named] = known
    return known


def other_meanings(program: Program, question: Pause) -> frozenset[str]:
    """The words of a stored question that led to something else when it was put, names of callables included (GATE-7).

    A process without the callables puts a question, too: it stores the interruption of a run that it gives back.
    """
    other = other_words(question, slices_of(program, question.at, question.kind))
    return other and other & other_words(question, slices_of(program, question.at, question.kind, named=False))


def plain_slice(each: WordSlice) -> Slice:
    """A slice as its digest takes it."""
    parts = [Component(*part._replace(callable=code_named(part.callable))) for part in each.components]
    return Slice(each.entries, tuple(parts), each.stops)


def same_code(one: str, other: str) -> bool:
    """Whether two names may be of the same code: of one function, in a module of which one process knows more of the path than the other."""
    (module, colon, rest), (second, _, more) = one.partition(":"), other.partition(":")
    if one == other or not colon or rest != more or not module.replace(".", "_").isidentifier():
        return one == other
    return f".{module}".endswith(f".{second}") or f".{second}".endswith(f".{module}")


MAIN = ("__main__", "__mp_main__")


def code_named(name: str | None) -> str | None:
    """The name of user code, `module:qualname`; of the program that runs, as another process has it that imports it or loads its file."""
    module, colon, rest = (name or "").partition(":")
    if module in MAIN and colon:
        main = sys.modules.get(module)
        spec, path = getattr(main, "__spec__", None), getattr(main, "__file__", None)
        if spec is not None and spec.name not in MAIN:
            module = str(spec.name).removesuffix(".__main__")
        elif path is not None:
            module = PurePath(path).stem
    return f"{module.removeprefix('target_')}:{rest}" if colon else name
