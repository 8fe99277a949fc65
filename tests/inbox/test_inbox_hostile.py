"""Names, messages and values that were chosen to break a page, or to deceive its reader."""

from random import Random

import pytest

from statecore import Step, Workflow
from tests.inbox.desk import Form, Reader
from tests.sizes import examples

PIECES = (
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "' onfocus=alert(1) autofocus='", "{{ 7*7 }}", "{% raw %}", "</textarea>",
    "</title>", "javascript:alert(1)", "&lt;b&gt;", "\u202egnp.exe", "\u2066pay\u2069", "\u200b", "\x1b[31m", "%2e%2e%2f", "../../etc", "🏴\U000e0067",
    "\u017f", "İ", "a" * 300, "null", "-->", "<!--", "]]>", "\ufeff", "¨", "#", "?x=1", "/", "~1", " ",
)  # fmt: skip
ROUNDS = examples(9)
"""Of ten seeds, each with six texts a round: about 500 in the ordinary run."""


def hostile(random):
    """A name of some pieces, as a workflow's author, or its data, may give it."""
    name = "".join(random.choice(PIECES) for _ in range(random.randint(1, 4)))
    return name if name.strip() else f"x{name}"


@pytest.mark.spec("INBOX-8")
@pytest.mark.parametrize("seed", range(10))
def test_hostile_names_are_text(seed):
    """Of 500 hostile names, messages, inputs and comments none makes an element, an attribute or an invisible sign; each question is decided."""
    random = Random(seed)  # noqa: S311  # to be repeatable, not secret
    for _ in range(ROUNDS):
        step, message, given, who = (hostile(random) for _ in range(4))
        reader = Reader(name="ann", title=hostile(random))
        flow = Workflow(
            hostile(random), [Step(step, lambda i: "done", requires_confirmation=True, confirmation_message=message)], db=reader.db
        )
        run = flow.run({given: given}, user_id=who)
        address = reader.only()
        for path in ("/", address, f"/run/{run.run_id}", f"/run/{run.run_id}/picture"):
            answer = reader.client.get(path)
            assert answer.status_code == 200
            harmless(answer.text)
        assert reader.decide(address, "confirm", comment=message).status_code == 303
        harmless(reader.client.get(address).text)


def harmless(page):
    """No sign that deceives, and no element or handler but those of the templates."""
    deceiving = [sign for sign in page if sign in "\u202e\u2066\u2069\u200b\x1b\x00\ufeff\U000e0067"]
    assert deceiving == []
    assert Tags(page).strange == []


class Tags(Form):
    """The elements and attributes of a page that no template has."""

    KNOWN = frozenset([
        "html", "head", "meta", "title", "link", "script", "body", "a", "header", "div", "b", "bdi", "span", "main", "nav",
        "footer", "kbd", "button", "form", "h1", "h2", "p", "ul", "ol", "li", "svg", "path", "circle", "rect", "details",
        "summary", "label", "select", "option", "input", "section", "dl", "dt", "dd", "pre", "small", "q", "i", "textarea",
        "time", "fieldset", "legend", "figure", "img", "ins", "del", "mark",
    ])  # fmt: skip

    def __init__(self, page):
        self.strange = []
        super().__init__(page)

    def handle_starttag(self, tag, attrs):
        said = dict(attrs)
        if tag not in self.KNOWN or any(name.startswith("on") or name == "style" for name in said) or "autofocus" in said:
            self.strange.append((tag, attrs))
        if tag in ("script", "img") and not (said.get("src") or "").startswith(("/static/", "/run/", "/api/")):
            self.strange.append((tag, attrs))
        if tag == "a" and not (said.get("href") or "").startswith(("/", "#", "?")):
            self.strange.append((tag, attrs))
        super().handle_starttag(tag, attrs)
