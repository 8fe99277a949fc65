"""A disk that forgets: what is on it after a power cut, given what a process wrote and when it waited for the disk.

The model is as strict as POSIX lets a file system be. What a file was given since its last sync is there or not, write by write, and a write
may be torn between sectors of 512 bytes. Names that were made, linked or removed since their folder was synced are there up to some
moment: file systems keep these in order, in a journal of their own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from random import Random
from typing import Literal

from attrs import define, field, frozen

CALLS = "openat,pwrite64,write,fdatasync,fsync,ftruncate,unlink,unlinkat,link,linkat,rename,renameat,renameat2"
OPTIONS = ["--seccomp-bpf", "-y", "-xx", "-s", "1000000", "-e", f"trace={CALLS}"]
SECTOR = 512
KINDS = ("nothing", "everything", "some", "torn")
"""What became of writes that were not synced."""

Kind = Literal["write", "size", "sync", "make", "link", "remove"]
LINE = re.compile(r"(\d+) +(\w+)\((.*)")
RESUMED = re.compile(r"(\d+) +<\.\.\. \w+ resumed>.*\) = (-?\d+)")
STRING = re.compile(r'(?:<|")((?:\\x[0-9a-f]{2})*)(?:>|")')
FAILED = re.compile(r"\) += -1 E")
APPENDS = -1


@frozen
class Op:
    """Something that was done to a file: `at` is an offset or a size; a link has the other name as its bytes."""

    kind: Kind
    name: str
    at: int = 0
    content: bytes = b""


def recorded(trace: Iterable[str], folder: Path) -> Iterator[Op]:
    """What a trace says was done in a folder. A sync counts when it is over, anything else when it begins."""
    waiting: dict[str, Op] = {}
    for line in trace:
        resumed = RESUMED.match(line)
        if resumed:
            sync = waiting.pop(resumed[1], None)
            if sync is not None and resumed[2] == "0":
                yield sync
            continue
        match = LINE.match(line)
        if match is None or FAILED.search(line):
            continue
        op = op_of(match[2], match[3], folder)
        if op is not None and op.kind == "sync" and "<unfinished" in line:
            waiting[match[1]] = op
        elif op is not None:
            yield op


def op_of(call: str, args: str, folder: Path) -> Op | None:
    """What one call did; None where it did nothing in the folder. Raises where a call is not known here."""
    strings = [bytes.fromhex(each.replace("\\x", "")) for each in STRING.findall(args)]
    paths = [Path(each.decode(errors="replace")) for each in strings]
    match call:
        case "write" | "pwrite64" | "fdatasync" | "fsync" | "ftruncate" if paths and folder in (paths[0], paths[0].parent):
            return on_file(call, "" if paths[0] == folder else paths[0].name, strings, args)
        case "openat" if "O_CREAT" in args and paths[1].parent == folder:
            return Op("make", paths[1].name)
        case "unlink" if paths[0].parent == folder:
            return Op("remove", paths[0].name)
        case "link" if paths[1].parent == folder:
            return Op("link", paths[0].name, content=paths[1].name.encode())
        case "unlinkat" | "linkat" | "rename" | "renameat" | "renameat2" if folder in {each.parent for each in paths}:
            message = f"{call} is not modelled"
            raise NotImplementedError(message)
    return None


def on_file(call: str, name: str, strings: list[bytes], args: str) -> Op:
    """What a call did to an open file, or to the folder, whose name is ""."""
    numbers = re.findall(r", (\d+)(?=[,) ])", args)
    match call:
        case "pwrite64":
            return Op("write", name, int(numbers[1]), strings[1])
        case "write":
            return Op("write", name, APPENDS, strings[1])
        case "ftruncate":
            return Op("size", name, int(numbers[0]))
        case _:
            return Op("sync", name)


@define
class File:
    """What of a file is on the disk, and what is not there yet."""

    kept: bytearray = field(factory=bytearray)
    coming: list[Op] = field(factory=list)

    def sync(self) -> None:
        """Keep everything."""
        for op in self.coming:
            put(self.kept, op)
        self.coming = []

    def after_cut(self, random: Random, kind: str) -> bytes:
        """What is there when the power comes back."""
        left = bytearray(self.kept)
        for op in self.coming:
            for part in parts(op) if kind == "torn" else [op]:
                if kind == "everything" or (kind != "nothing" and random.random() < 0.5):
                    put(left, part)
        return bytes(left)


def put(content: bytearray, op: Op) -> None:
    """Do to some bytes what was done to a file."""
    if op.kind == "size":
        content[op.at :] = bytes(max(op.at - len(content), 0))
        return
    at = len(content) if op.at == APPENDS else op.at
    content.extend(bytes(max(at - len(content), 0)))
    content[at : at + len(op.content)] = op.content


def parts(op: Op) -> Iterator[Op]:
    """A write, sector by sector."""
    if op.kind != "write" or op.at == APPENDS:
        yield op
        return
    start, end = op.at, op.at + len(op.content)
    while start < end:
        stop = min(end, (start // SECTOR + 1) * SECTOR)
        yield Op("write", op.name, start, op.content[start - op.at : stop - op.at])
        start = stop


@define
class Disk:
    """Files by number, the names that a process sees, and those that are on the disk."""

    files: list[File] = field(factory=list)
    names: dict[str, int] = field(factory=dict)
    kept: dict[str, int] = field(factory=dict)
    coming: list[tuple[str, int | None]] = field(factory=list)

    def do(self, op: Op) -> None:
        """Whatever was done next."""
        match op.kind:
            case "make" if op.name not in self.names:
                self.files.append(File())
                self.name(op.name, len(self.files) - 1)
            case "link":
                self.name(op.content.decode(), self.names[op.name])
            case "remove":
                self.name(op.name, None)
            case "sync" if not op.name:
                named(self.kept, self.coming)
                self.coming = []
            case "sync" if op.name in self.names:
                self.files[self.names[op.name]].sync()
            case "write" | "size" if op.name in self.names:
                self.files[self.names[op.name]].coming.append(op)

    def name(self, name: str, number: int | None) -> None:
        """Give a file a name, or take it away."""
        self.coming.append((name, number))
        named(self.names, [(name, number)])

    def after_cut(self, random: Random, kind: str) -> dict[str, bytes]:
        """Each file that is there when the power comes back."""
        far = {"nothing": 0, "everything": len(self.coming)}.get(kind, random.randint(0, len(self.coming)))
        left = dict(self.kept)
        named(left, self.coming[:far])
        return {name: self.files[number].after_cut(random, kind) for name, number in sorted(left.items())}


def named(names: dict[str, int], changes: Iterable[tuple[str, int | None]]) -> None:
    """Change names."""
    for name, number in changes:
        if number is None:
            names.pop(name, None)
        else:
            names[name] = number
