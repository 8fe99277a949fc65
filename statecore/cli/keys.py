"""The keys of a store for commands: a file that STATECORE_KEYS names."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import click

from statecore.lazy import CRYPTO, load
from statecore.stores.sql3.ciphers import NO_KEYS, Keys, checked_keys

VARIABLE = "STATECORE_KEYS"
USES = ("cipher", "seal")
OPEN = "others may read it; chmod 600"
FORM = "a line is not: cipher or seal, an id, 64 hex digits"


def given_keys() -> Keys:
    """The keys of the file that the environment names; none without it. Raises `click.UsageError`, `MissingExtra`."""
    named = os.environ.get(VARIABLE)
    return keys_in(Path(named)) if named else NO_KEYS


def keys_in(file: Path) -> Keys:
    """The keys in a file: lines of use (cipher or seal), id, and 64 hex digits; the last one of each use writes. Raises `click.UsageError`."""
    found: dict[str, dict[str, bytes]] = {use: {} for use in USES}
    try:
        if file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise refusal(OPEN)
        lines = file.read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise refusal(type(error).__name__) from error
    for line in lines:
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        try:
            use, kid, text = words
            found[use][kid] = bytes.fromhex(text)
        except (ValueError, KeyError):
            raise refusal(FORM) from None
    try:
        cipher = load("statecore.AesGcm", "statecore.stores.aesgcm", "AesGcm", CRYPTO)(found["cipher"]) if found["cipher"] else None
        return checked_keys(cipher, found["seal"])
    except ValueError as error:
        raise refusal(str(error)) from error


def refusal(why: str) -> click.UsageError:
    """The refusal of a file of keys; it repeats no key."""
    return click.UsageError(f"The file of keys that {VARIABLE} names cannot be used: {why}.")
