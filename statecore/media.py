"""Names handed on: `from statecore.media import Image, Audio, Video, File`."""

from statecore.definition.media import Audio, File, Image, Video

__all__ = ["Audio", "File", "Image", "Video"]
