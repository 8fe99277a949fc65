"""Media are values: made with one place, stored and read in any process, plain data and back."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statecore import DefinitionError, SqliteDb, Step, Workflow
from statecore.codec import decode, encode
from statecore.media import Audio, File, Image, Video

TEXTS = st.text(st.characters(codec="utf-8"))
MEDIA = st.sampled_from([Image, Audio, Video, File]).flatmap(
    lambda kind: st.builds(
        lambda place, more: kind(**place, **more),
        st.one_of(
            st.builds(lambda url: {"url": url}, TEXTS),
            st.builds(lambda path: {"filepath": path}, TEXTS),
            st.builds(lambda content: {"content": content}, st.binary()),
        ),
        st.fixed_dictionaries({}, optional={"id": TEXTS, "name": TEXTS, "mime_type": TEXTS, "format": TEXTS}),
    )
)


@given(MEDIA)
def test_a_medium_comes_back(medium):
    """From plain data and from a store's text a medium comes back equal and of its class."""
    for back in (type(medium).from_dict(medium.to_dict()), decode(encode(medium))):
        assert (type(back), back) == (type(medium), medium)


@pytest.mark.parametrize(
    "given_",
    [{}, {"url": "u", "content": b"c"}, {"content": "text"}, {"url": b"bytes"}, {"filepath": 3}],
)
def test_one_place_is_given(given_):
    """No place, two, or one of another type: refused by name, with what to write."""
    with pytest.raises(DefinitionError, match=r"url, filepath and content|is bytes|is a text"):
        Image(**given_)


def test_a_process_that_knows_nothing_reads_it(tmp_path):
    """A picture in the input of a parked run is read by a process that imports neither the workflow nor the media."""
    file = str(tmp_path / "r.db")
    flow = Workflow("w", [Step("see", lambda i: i.images[0], requires_confirmation=True)], SqliteDb(db_file=file))
    flow.run("x", run_id="r", images=[Image(content=b"\x00owl", alt_text="an owl")])
    code = f"from statecore import *; i = Inbox(SqliteDb(db_file={file!r})).show('r').additional_data['images'][0]; print(i.alt_text, i.content)"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (shown.stdout, shown.stderr) == ("an owl b'\\x00owl'\n", "")
