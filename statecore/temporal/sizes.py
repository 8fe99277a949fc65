"""How much is sent at once. Temporal refuses a payload of 2 MiB and a message of 4 MiB, and repeats some refusals for ever: so nothing near is sent."""

from __future__ import annotations

from json import dumps
from typing import Any

from statecore.errors import ValueTooLarge

MAX_SENT = 1_572_864
"""Bytes of one start, call, result, decision or answer: three quarters of what Temporal takes, and more than the codec's largest value."""

INLINE = 4_096
"""Bytes of values that travel with a call, so that it need not ask for them; and of a session state in a memo."""

MAX_MEMO = 32_768
"""Bytes of a memo. What does not fit is asked of the run instead."""

CARRY = 262_144
"""Bytes, compressed, of the journal that a run carries into its next execution; what is more goes to the values store."""


def size_of(sent: Any) -> int:
    """The bytes of what is sent: JSON, and all texts of the codec are ASCII."""
    return len(dumps(sent, separators=(",", ":")))


def checked(what: str, sent: Any) -> Any:
    """What is sent, once its size is known to be in order. Raises `ValueTooLarge`."""
    size = size_of(sent)
    if size > MAX_SENT:
        raise ValueTooLarge(what, size, MAX_SENT)
    return sent
