"""The texts that a browser sent of a question's form, and the body of the decision that they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import UploadFile
from starlette.requests import Request

from statecore.asking.text import loosely
from statecore.lifecycles import BY_WORD

from . import question_view as questions
from .fields import file_text, value_of

Said: TypeAlias = dict[str, list[str]]
"""The form as a browser sent it: each name with its texts."""
MOST_FIELDS, MOST_FILE = 2_000, 8 << 20


async def sent(request: Request) -> Said:
    """The texts of a form; a file as Base64. Line ends are those of the store."""
    found: Said = {}
    async with request.form(max_files=20, max_fields=MOST_FIELDS, max_part_size=MOST_FILE) as form:
        for name, value in form.multi_items():
            text = file_text(await value.read()) if isinstance(value, UploadFile) else value.replace("\r\n", "\n")
            found.setdefault(name, []).append(text)
    return found


def first(said: Said, name: str) -> str:
    """The first text under a name; "" where there is none."""
    return next(iter(said.get(name, [])), "")


def body_of(doc: Mapping[str, Any], said: Said) -> dict[str, Any]:
    """The body of the decision that a form is, as the API takes it."""
    word, comment = first(said, "word"), first(said, "comment").strip() or None
    carries = BY_WORD[word].carries if word in BY_WORD else "nothing"
    takes = next((answer.get("takes") or {} for answer in doc.get("answers") or () if answer["word"] == word), {})
    value: Any = None
    if carries == "value":
        text = first(said, word)
        begun = questions.editable(doc, word)
        value = text if isinstance(begun, str) else loosely(text)
    elif carries == "feedback":
        value = comment if takes.get("value") == "feedback" else None
    elif carries != "nothing":
        value = value_of(questions.schema_of(doc), said)
    return {"word": word, "seen": first(said, "seen") or None, "comment": comment, "value": value}


def cursor_of(address: str | None) -> str | None:
    """The cursor in the address of the next page."""
    return next(iter(parse_qs(urlsplit(address).query).get("cursor", [])), None) if address else None
