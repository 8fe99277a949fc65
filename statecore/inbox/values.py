"""Values of users in their envelope: plain data for people, made of the stored text alone, so that no class and no codec is asked (API-2).

Numbers that JSON does not keep (Decimal, NaN, integers beyond 2^53 - 1), dates, UUIDs and paths are texts; tuples and sets are lists; a type of
the user is the plain data that is stored of it; bytes inside a value are named by their size, a secret field is `(hidden)`.
"""

from __future__ import annotations

from json import dumps, loads
from typing import Any

from attrs import frozen

from statecore.client.shapes import ErasureDocument, ValueDocument
from statecore.codec import decode_plain
from statecore.codec.erased import TEXT as ERASED_TEXT
from statecore.codec.erased import Gone
from statecore.definition.forms import HIDDEN
from statecore.errors import UnreadableValue

MOST = 64_000
"""The most bytes of a value that a document holds."""
SAFE = 2**53 - 1
JSON, TEXT, BYTES = "application/json", "text/plain", "application/octet-stream"
SIGNS: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)
"""The first bytes of the pictures that a page shows."""
LISTS = frozenset({"$tuple", "$set", "$frozenset"})
PAIRS = frozenset({"$dict", "$ordereddict", "$counter"})


@frozen
class Whole:
    """A value as `href` gives it: its type, its bytes, and its plain form; of bytes the plain form is None."""

    media_type: str
    body: bytes
    plain: Any


def envelope(text: str | None, href: str | None, *, typed: bool = False) -> ValueDocument | None:
    """The envelope of a stored text; None for none. `href` is where the whole value is; `typed` asks for the tagged form.

    A text that cannot be read is shown as the text `(not readable)`, and says no more.
    """
    if text is None:
        return None
    if text == ERASED_TEXT or isinstance(text, Gone):
        digest = f"sha256:{text.commitment.hex()}" if isinstance(text, Gone) else None
        return made(JSON, 0, digest=digest, erased=ErasureDocument(at=None, by=None))
    try:
        found = whole(text)
    except UnreadableValue:
        return made(JSON, 0, plain="(not readable)")
    if is_secret(text):
        return made(TEXT, 0, secret=True)
    if len(found.body) > MOST:
        return made(found.media_type, len(found.body), cut=True, href=href)
    is_bytes = found.plain is None and found.media_type not in (JSON, TEXT)
    tagged = loads(text) if typed and "$secret" not in text else None
    return made(found.media_type, len(found.body), plain=found.plain, typed=tagged, href=href if is_bytes else None)


def made(media_type: str, size: int, **more: Any) -> ValueDocument:
    """An envelope; what is not named is empty."""
    empty = {"plain": None, "typed": None, "digest": None, "cut": False, "href": None, "erased": None, "secret": False}
    return ValueDocument(media_type=media_type, bytes=size, **{**empty, **more})


def whole(text: str) -> Whole:
    """A stored text as a value for people, whole. Raises `UnreadableValue` for a text that no release wrote."""
    said = scanned(text)
    if type(said) is dict and said.keys() == {"$bytes"}:
        body = bytes(decode_plain(text))
        return Whole(media_type_of(body), body, None)
    plain = plain_of(said)
    if type(plain) is str and type(said) is str:
        return Whole(TEXT, plain.encode(), plain)
    return Whole(JSON, dumps(plain, ensure_ascii=False, separators=(",", ":")).encode(), plain)


def scanned(text: str) -> Any:
    """The JSON of a stored text. Raises `UnreadableValue`."""
    try:
        return loads(text)
    except (ValueError, RecursionError) as error:
        why = "it is no JSON"
        raise UnreadableValue(why) from error


def is_secret(text: str) -> bool:
    """Whether a stored text is a secret, and nothing besides."""
    return text.startswith('{"$secret"')


def media_type_of(body: bytes) -> str:
    """The type of bytes by their signature: a picture that pages show, or bytes."""
    if body[:4] == b"RIFF" and body[8:12] == b"WEBP":
        return "image/webp"
    return next((name for sign, name in SIGNS if body.startswith(sign)), BYTES)


def plain_of(said: Any) -> Any:
    """The plain form of a scanned value. Raises `UnreadableValue` for an unknown tag."""
    if type(said) is list:
        return [plain_of(each) for each in said]
    if type(said) is dict:
        tag = next(iter(said), "")
        if tag.startswith("$") and len(said) == 1:
            return of_tag(tag, said[tag])
        return {spelt(name): plain_of(each) for name, each in said.items()}
    if type(said) is str:
        return spelt(said)
    return said if type(said) is not int or abs(said) <= SAFE else str(said)


def of_tag(tag: str, said: Any) -> Any:  # noqa: PLR0911  # one for each kind of tag
    """The plain form of a tagged value."""
    if tag in LISTS:
        return [plain_of(each) for each in said]
    if tag in PAIRS:
        return paired(said)
    match tag:
        case "$type":
            return plain_of(said[1])
        case "$defaultdict":
            return paired(said[1])
        case "$deque":
            return [plain_of(each) for each in said[1]]
        case "$secret":
            return HIDDEN
        case "$bytes" | "$bytearray":
            return f"({len(decode_plain(dumps({tag: said}))):,} bytes)"
    value = decode_plain(dumps({tag: said}))
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def paired(said: Any) -> Any:
    """A mapping whose keys are any values: by the texts of its keys, or as a list of pairs where two keys have one text."""
    pairs = [(plain_of(name), plain_of(each)) for name, each in said]
    named = {name if type(name) is str else dumps(name, ensure_ascii=False): each for name, each in pairs}
    return named if len(named) == len(pairs) else [list(pair) for pair in pairs]


def spelt(text: str) -> str:
    """A text without a lone surrogate, which no UTF-8 has: it is spelt out."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()
