"""Names that would break out where they could, and readers that read Mermaid and DOT back: every line must be one that they know."""

from __future__ import annotations

import json
import re

from statecore.draw.text import BRACKETS

HOSTILE = (
    "<script>alert(1)</script>",
    "<!-- --> <br/> ]]>",
    "\"double\" 'single' `tick`",
    '%%{init: {"theme": "dark"}}%%',
    "a\nb --> c\r\nend",
    '\\N \\G \\" ]; }',
    "\x1b[31mred\x1b]8;;http://x\x07",
    "\u202egnp.exe\u2066\u200b",
    "x" * 1_000_000,
    "end",
    "constructor",
    "direction TB",
    "my_direction",
    "TB_x",
    "1. list",
    "**bold** __x__ ~~no~~",
    "fa:fa-car $$x$$",
    "#quot; #59; &lt; ﬂ°°60¶ß",
    "|pipe| [x](javascript:y)",
    "style:#x; classDef a:#b;",
    '"]:::x',
    "a/b~c",
    "@{ shape: rect } a@b www.x.y http://x.y",
    "   ",
    "run___completed",
    "G__gate",
    "日本 é 👩‍👩‍👧",
)


def read_mermaid(text):
    """The nodes, edges and frames of a flowchart: every line must be one that this reader knows."""
    head, title, fence, kind, *lines = text.splitlines()
    assert (head, fence, kind) == ("---", "---", "flowchart TB")
    nodes, edges, frames = dict[str, object](), list[object](), dict[str, object]()
    stack: list[str | None] = [None]
    shapes = "|".join(re.escape(a) + '"([^"]*)"' + re.escape(b) for a, b in sorted(set(BRACKETS.values()), key=len, reverse=True))
    for line in map(str.strip, lines):
        if found := re.fullmatch(rf"(\w+)(?:{shapes})", line):
            label = next(group for group in found.groups()[1:] if group is not None)
            nodes[found[1]] = (mermaid_lines(label), stack[-1])
        elif found := re.fullmatch(r'subgraph (\w+) \["([^"]*)"\]', line):
            frames[found[1]] = (mermaid_lines(found[2]), stack[-1])
            stack.append(found[1])
        elif line == "end":
            stack.pop()
        elif found := re.fullmatch(r'(\w+) (?:==>|-->|-\.->)(?:\|"([^"]*)"\|)? (\w+)', line):
            edges.append((found[1], found[3], mermaid_lines(found[2] or "")))
        else:
            assert re.fullmatch(r"classDef [\w-]+ [\w:#,. -]+|class [\w,]+ [\w-]+", line), line
    assert stack == [None]
    return json.loads(title.removeprefix("title: ")), nodes, edges, frames


def mermaid_lines(label):
    """A label read as Mermaid reads it; nothing that Mermaid or Markdown could take for markup stands in it."""
    rest = re.sub(r"#\d+;", "", label.replace("<br/>", ""))
    assert not re.search(r"[%<>{}`*#;&$|\\\"()@:./]|direction |^[-_]", rest), rest
    return tuple(re.sub(r"#(\d+);", lambda found: chr(int(found[1])), line) for line in label.split("<br/>") if line)


STRING = r'"((?:[^"\\]|\\.)*)"'


def read_dot(text):
    """The nodes, edges and frames of a digraph: strings are read as DOT reads them."""
    first, *lines, last = text.splitlines()
    assert re.fullmatch(rf"digraph {STRING} {{", first)
    assert last == "}"
    nodes, edges, frames = dict[str, object](), list[object](), dict[str, object]()
    stack: list[str | None] = [None]
    for line in map(str.strip, lines):
        if found := re.fullmatch(rf"{STRING} -> {STRING} (\[.*\]);", line):
            edges.append((found[1], found[2], dot_lines(found[3])))
        elif found := re.fullmatch(rf"{STRING} (\[.*\]);", line):
            nodes[found[1]] = (dot_lines(found[2]), stack[-1])
        elif found := re.fullmatch(r'subgraph "cluster_(\w+)" {', line):
            stack.append(found[1])
        elif line == "}":
            stack.pop()
        elif (frame := stack[-1]) and (found := re.fullmatch(r"graph (\[.*\]);", line)):
            frames[frame] = (dot_lines(found[1]), stack[-2])
        else:
            assert re.fullmatch(rf"(graph|node|edge) \[(\w+={STRING}(, )?)+\];", line), line
    return nodes, edges, frames


def dot_lines(attributes):
    """The lines of the label of an attribute list; the list must hold nothing but `key="string"`."""
    assert re.fullmatch(rf"\[\w+={STRING}(, \w+={STRING})*\]", attributes)
    pairs = {found[1]: found[2] for found in re.finditer(rf"(\w+)={STRING}", attributes)}
    label = re.sub(r"\\(.)", lambda found: "\n" if found[1] == "n" else found[1], pairs["label"])
    return tuple(line.replace("&amp;", "&") for line in label.split("\n") if line)


def graph_of(picture):
    """What a reader should find in a picture."""
    nodes = {node.id: (node.label, node.cluster) for node in picture.nodes}
    frames = {frame.id: (frame.label, frame.parent) for frame in picture.clusters}
    return nodes, [(edge.source, edge.target, edge.lines) for edge in picture.edges], frames
