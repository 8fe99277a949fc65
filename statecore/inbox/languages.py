"""The languages of the pages: gettext catalogues beside this module, English where there is none (no catalogue is needed for it)."""

from __future__ import annotations

import gettext
from functools import lru_cache
from pathlib import Path

from .words import Say

CATALOGUES = Path(__file__).with_name("locale")
ENGLISH = "en"


@lru_cache(maxsize=1)
def languages() -> frozenset[str]:
    """The languages that there are."""
    return frozenset({ENGLISH, *(path.parent.parent.name for path in CATALOGUES.glob("*/LC_MESSAGES/inbox.mo"))})


@lru_cache(maxsize=8)
def sayer(language: str) -> Say:
    """Sentences in a language; one that its catalogue does not have is said in English."""
    return gettext.translation("inbox", CATALOGUES, [language], fallback=True).gettext


def chosen(accepted: str) -> str:
    """The language that an `Accept-Language` header prefers of those that there are."""
    weighed = []
    for number, part in enumerate(accepted.split(",")[:20]):
        tag, _, rest = part.strip().partition(";")
        weight = rest.strip().removeprefix("q=")
        try:
            weighed.append((-(float(weight) if weight else 1.0), number, tag.strip().lower().partition("-")[0]))
        except ValueError:
            continue
    return next((tag for weight, _, tag in sorted(weighed) if weight < 0 and tag in languages()), ENGLISH)
