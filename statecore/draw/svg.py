"""SVG, laid out by Graphviz: the `diagrams` extra (graphviz-pure, the same bytes on every platform) or a `dot` that is there already.

The style is ours and lives in the file: light, and dark where the reader prefers it. Ids and classes of the picture are in the SVG,
prefixed by the picture's name, so that a page can hold several and light what it likes.
"""

from __future__ import annotations

import re

from statecore.errors import DrawingFailed, MissingExtra

from .dot import to_dot
from .look import stylesheet
from .picture import Picture

WORDED = re.compile(r'<g id="(?P<id>[^"]*)" class="(?P<what>edge|cluster) (?P<classes>[^"]*)">\n.*?</g>\n', re.DOTALL)
TEXT = re.compile(r"<text .*?</text>\n")
LEFT = re.compile(r' d="M([-0-9.]+),')
PORTABLE, SYSTEM = "graphviz-pure", "dot"


def to_svg(picture: Picture, *, portable: bool = False) -> str:
    """A picture as SVG. With `portable` only graphviz-pure will do, whose bytes are the same everywhere.

    Raises `MissingExtra` where no Graphviz is found, `DrawingFailed` where it gives up.
    """
    drawn = graphviz(to_dot(picture), tool(portable=portable))
    body = re.sub(r"<!--.*?-->\n?", "", drawn[drawn.index("<svg") :], flags=re.DOTALL).replace("&#45;", "-")
    opening, rest = body.split(">", 1)
    opening = opening.replace("<svg ", '<svg class="statecore" role="img" ', 1)
    return f"{opening}>\n{stylesheet()}{words_on_top(rest)}"


def words_on_top(body: str) -> str:
    """The words on arrows and frames are drawn after all lines, so that no line runs through them; headings begin at the left."""
    lifted: list[str] = []

    def lift(found: re.Match[str]) -> str:
        words = "".join(TEXT.findall(found[0]))
        if found["what"] == "cluster" and (left := LEFT.search(found[0])):
            words = re.sub(r'text-anchor="middle" x="[^"]*"', f'text-anchor="start" x="{left[1]}"', words)
        if words:
            lifted.append(f'<g id="{found["id"]}-words" class="words {found["classes"]}">\n{words}</g>\n')
        return TEXT.sub("", found[0])

    lines = WORDED.sub(lift, body)
    end = lines.rindex("</g>\n</svg>")
    return lines[:end] + "".join(lifted) + lines[end:]


def tool(*, portable: bool) -> str:
    """The path of the Graphviz to use: beside this Python first, then on the PATH."""
    import sysconfig  # noqa: PLC0415  # only who draws SVG pays for it
    from shutil import which  # noqa: PLC0415  # as above

    found = which(PORTABLE, path=sysconfig.get_path("scripts")) or which(PORTABLE) or (None if portable else which(SYSTEM))
    if found is None:
        what = "Drawing the same SVG on every machine" if portable else "Drawing SVG"
        raise MissingExtra(what, "diagrams")
    return found


def graphviz(source: str, program: str) -> str:
    """What Graphviz makes of a DOT source. Raises `DrawingFailed`."""
    import subprocess  # noqa: PLC0415  # as above

    done = subprocess.run([program, "-Tsvg"], input=source.encode(), capture_output=True, check=False)  # noqa: S603  # found by `which`
    if done.returncode:
        raise DrawingFailed(program, done.stderr.decode(errors="replace").strip())
    return done.stdout.decode()
