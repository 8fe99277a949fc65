"""An inbox over a store in memory, and a browser without script that reads its pages: shared by the tests of this folder."""

from __future__ import annotations

from html.parser import HTMLParser

from starlette.testclient import TestClient

from statecore import InMemoryDb
from statecore.inbox.app import app
from statecore.inbox.auth import TrustedHeader

OWN = {"Sec-Fetch-Site": "same-origin"}
"""What a browser says of a form of our own page."""


class Form(HTMLParser):
    """The form of a page: the values that its controls have, the words of its buttons, and the text of the whole page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.values: dict[str, list[str]] = {}
        self.words: list[str] = []
        self.texts: list[str] = []
        self.links: list[str] = []
        self.area: str | None = None
        self.inside = False
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        said = dict(attrs)
        if tag == "form" and said.get("id") == "decide":
            self.inside = True
        if tag == "a" and said.get("href"):
            self.links.append(said["href"])
        name = said.get("name")
        if not self.inside or name is None:
            return
        kind = said.get("type")
        if tag == "button":
            if "disabled" not in said:
                self.words.append(said["value"])
        elif tag == "textarea":
            self.area = name
            self.values[name] = [""]
        elif kind in ("radio", "checkbox"):
            self.values.setdefault(name, [])
            if "checked" in said:
                self.values[name].append(said["value"])
        else:
            self.values[name] = [said.get("value") or ""]

    def handle_endtag(self, tag):
        if tag == "form":
            self.inside = False
        if tag == "textarea":
            if self.area is not None:
                self.values[self.area] = [self.values[self.area][0].removeprefix("\n")]
            self.area = None

    def handle_data(self, data):
        self.texts.append(data)
        if self.area is not None:
            self.values[self.area][0] += data

    @property
    def text(self) -> str:
        """The text of the page, in one line."""
        return " ".join(" ".join(self.texts).split())


class Reader:
    """A person at a browser without script."""

    def __init__(self, db=None, name="bob", roles="support", title="Payments", **settings):
        self.db = db if db is not None else InMemoryDb()
        auth = TrustedHeader("X-User", roles="X-Roles", proxies=("127.0.0.1",))
        inner = app(self.db, auth=auth, title=title, **settings)
        self.client = TestClient(
            inner, headers={"X-User": name, "X-Roles": roles}, client=("127.0.0.1", 50_000), follow_redirects=False
        )

    def page(self, address="/", **options):
        """A page, which is there."""
        answer = self.client.get(address, **options)
        assert answer.status_code == 200, answer.text
        return Form(answer.text)

    def questions(self, **asked):
        """The addresses of the open questions."""
        return [link for link in self.page("/", params=asked).links if link.startswith("/q/")]

    def only(self):
        """The address of the one open question."""
        [address] = self.questions()
        return address

    def decide(self, address, word, **values):
        """Fill in the form of a question and press the button of a word; the answer."""
        form = self.page(address)
        assert word in form.words, (word, form.words)
        said = {
            **form.values,
            **{name: value if isinstance(value, list) else [value] for name, value in values.items()},
            "word": [word],
        }
        return self.client.post(address, data=said, headers=OWN)
