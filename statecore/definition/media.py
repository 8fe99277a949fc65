"""Media as values: where a picture, a recording, a video or a file is, or its bytes. They are stored like any other value."""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, Any, Self

from attrs import asdict, frozen

from statecore.errors import DefinitionError

if TYPE_CHECKING:
    from collections.abc import Mapping

PLACES = ("url", "filepath", "content")


@frozen(kw_only=True)
class Medium:
    """One medium: exactly one of `url`, `filepath` and `content` (its bytes) says what it is. Raises `DefinitionError`.

    Example: `workflow.run("what is this?", images=[Image(url="https://example.com/owl.png")])`.
    """

    url: str | None = None
    filepath: str | None = None
    content: bytes | None = None
    id: str | None = None
    name: str | None = None
    format: str | None = None
    mime_type: str | None = None

    def __attrs_post_init__(self) -> None:
        """One place is given, and bytes are bytes."""
        given = [name for name in PLACES if getattr(self, name) is not None]
        if len(given) != 1:
            message = f"{type(self).__name__} takes exactly one of url, filepath and content, and got {', '.join(given) or 'none'}."
            raise DefinitionError(message)
        wanted = bytes if given == ["content"] else str
        if not isinstance(getattr(self, given[0]), wanted):
            message = f"The {given[0]} of {type(self).__name__} is {'bytes' if wanted is bytes else 'a text'}. Write {given[0]}=str(path) for a path."
            raise DefinitionError(message)

    def to_dict(self) -> dict[str, Any]:
        """Plain data of what is set; bytes as base64. `from_dict` reads it."""
        plain = asdict(self, filter=lambda _, value: value is not None)
        return {**plain, "content": b64encode(self.content).decode()} if self.content is not None else plain

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """The medium that plain data describe. Raises `TypeError` for a key that it does not have."""
        content = plain.get("content")
        return cls(**{**plain, "content": b64decode(content) if isinstance(content, str) else content})


@frozen(kw_only=True)
class Image(Medium):
    """A picture. `alt_text` says what is on it, `detail` how closely a model is to look."""

    alt_text: str | None = None
    detail: str | None = None


@frozen(kw_only=True)
class Audio(Medium):
    """A recording. `duration` is in seconds; `transcript` is what is said."""

    duration: float | None = None
    transcript: str | None = None


@frozen(kw_only=True)
class Video(Medium):
    """A video. `duration` is in seconds; `width` and `height` are in pixels."""

    duration: float | None = None
    width: int | None = None
    height: int | None = None


@frozen(kw_only=True)
class File(Medium):
    """A file. `size` is in bytes."""

    filename: str | None = None
    size: int | None = None


MEDIA: tuple[type[Medium], ...] = (Image, Audio, Video, File)
