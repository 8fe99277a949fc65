"""Actors that take turns at their store calls: who goes next, and what goes wrong, is a list of moves, so that every order can be made again.

Each actor has a thread, and only the one that holds the baton runs. Before each store call, and in the middle of each step, it stops, and
the next move is picked: an actor goes on, or meets a fault, or the clock jumps. `every_order` picks each move in turn, depth first, from
a state that nobody has seen before; `sampled` picks at random; `told` picks what a text says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from random import Random
from threading import Lock, local
from typing import Any, TypeAlias

from attrs import define, field

from statecore.errors import StoreUnavailable

FAULTS = {"read": ("killed", "fails"), "write": ("killed", "killed-after", "fails", "fails-after"), "work": ("killed",)}
"""What may go wrong at a call: the process is gone, or the store reports a failure, before it was done or after it."""

CLOCK = "clock"
STAGE_HANDS = ThreadPoolExecutor(16, "actor")
PATIENCE = 100
LONGEST = 600
"""More moves than any actor of a scope needs: whoever is not done by then goes round in circles."""

Pick: TypeAlias = "Callable[[World, Sequence[str]], str | None]"


class Gone(BaseException):  # the process is no more
    pass


@define(eq=False)
class Actor:
    """Somebody with a thread: the call before which it stands, what it has seen so far (as a hash), and what it was told."""

    name: str
    act: Callable[[Callable[..., None]], None]
    gate: Lock = field(factory=Lock)
    call: str = "begins"
    kind: str = "read"
    seen: int = 0
    told: list[tuple[Any, ...]] = field(factory=list)
    wrong: list[str] = field(factory=list)
    fault: str = ""
    dead: bool = False
    done: bool = False

    def key(self) -> tuple[Any, ...]:
        """All that its future depends on, and what it leaves behind: user code and engine are the same function of what they see."""
        left = (tuple(self.told), tuple(self.wrong))
        return left if self.done else (self.call, self.seen, self.dead, *left)


@define(eq=False)
class World:
    """One order of everything. `faults` and `jumps` are how many are left; `now` is the clock; `stored` is a hash of all that is stored."""

    actors: list[Actor]
    pick: Pick
    stored: Callable[[], Any]
    now: int
    jump: int
    faults: int = 1
    jumps: int = 1
    moves: list[str] = field(factory=list)
    crashes: int = 0
    pruned: bool = False
    stuck: bool = False
    _over: bool = False
    _end: Lock = field(factory=Lock)
    _mine: local = field(factory=local)

    def play(self) -> None:
        """Let all actors act until each is done or dead."""
        self._end.acquire()  # given back by whoever is the last
        for actor in self.actors:
            actor.gate.acquire()  # given back by whoever hands it the baton
        lives = [STAGE_HANDS.submit(self.live, actor) for actor in self.actors]
        self.hand_on()
        self._end.acquire()  # waits
        for life in lives:
            life.result()

    def live(self, actor: Actor) -> None:
        """The life of an actor's thread."""
        self._mine.actor = actor
        actor.gate.acquire()
        try:
            if not self._over:
                self.meet(actor)
                actor.seen = self.now
                actor.act(partial(self.tell, actor))
        except Gone:
            pass
        except BaseException as error:  # noqa: BLE001  # I11 is about these
            actor.wrong.append(f"I11 {actor.name}: {type(error).__name__}: {error}")
        actor.done = True
        try:
            self.hand_on()
        except BaseException:  # e.g. another order than the one that is followed: the thread that waits is told
            self._end.release()
            raise

    def tell(self, actor: Actor, *words: Any) -> None:
        """An actor was given an answer: what it saw before counts no more, but for what its clock says."""
        actor.told.append(words)
        actor.seen = self.now

    def key(self) -> int:
        """What the rest of the world depends on."""
        return hash((self.stored(), tuple(actor.key() for actor in self.actors), self.now, self.faults, self.jumps))

    # -- the baton ---------------------------------------------------------------------------------------------------------------

    def options(self) -> list[str]:
        """All that may happen next."""
        living = [actor for actor in self.actors if not actor.done]
        found = [actor.name for actor in living]
        if self.faults:
            found += [f"{actor.name}!{fault}" for actor in living if actor.call != "begins" for fault in FAULTS[actor.kind]]
        return [*found, CLOCK] if self.jumps and living else found

    def hand_on(self) -> None:
        """Pick what happens next, and wake who does it; the last one wakes the one that waits for all."""
        while not self._over and not all(actor.done for actor in self.actors):
            self.stuck = len(self.moves) > LONGEST
            move = None if self.stuck else self.pick(self, self.options())
            if move is None:
                self._over = self.pruned = True
                break
            self.moves.append(move)
            if move == CLOCK:
                self.now, self.jumps, self.crashes = self.now + self.jump, self.jumps - 1, self.crashes + 1
                continue
            name, _, fault = move.partition("!")
            actor = next(each for each in self.actors if each.name == name)
            actor.fault = fault
            if fault:
                self.faults, self.crashes = self.faults - 1, self.crashes + 1
            actor.gate.release()
            return
        left = next((actor for actor in self.actors if not actor.done), None)
        (left.gate if left is not None else self._end).release()

    def meet(self, actor: Actor) -> str:
        """What the actor that has got the baton meets, before it does anything; after it, for whoever made the call."""
        fault, actor.fault = actor.fault, ""
        if self._over or fault == "killed":
            actor.dead = True
            raise Gone
        if fault == "fails":
            raise StoreUnavailable("simulated", "nothing was stored")
        return fault

    @property
    def acts(self) -> bool:
        """Whether this thread is an actor's, and no thread of the engine's own."""
        return getattr(self._mine, "actor", None) is not None

    def point(self, call: str, kind: str, perform: Callable[[], Any] = lambda: None) -> Any:
        """The actor of this thread is about to make a call: it waits for its turn, and for what happens then."""
        actor: Actor | None = getattr(self._mine, "actor", None)
        if actor is None:  # a thread of the engine's own, which nobody waits for
            raise StoreUnavailable("simulated", "only actors act")
        if actor.dead:
            raise Gone
        actor.call, actor.kind = call, kind
        self.hand_on()
        actor.gate.acquire()
        fault = self.meet(actor)
        saw: Any = None
        try:
            done = saw = perform()
        except Exception as error:
            saw = type(error).__name__
            raise
        finally:
            actor.seen = hash((actor.seen, call, self.now, frozen_of(saw)))
        if fault == "killed-after":
            actor.dead = True
            raise Gone
        if fault == "fails-after":
            raise StoreUnavailable("simulated", "and yet it was stored")
        return done


def frozen_of(found: Any) -> Any:
    """What a store gave, as something that can be hashed."""
    if isinstance(found, list | tuple):
        return tuple(frozen_of(each) for each in found)
    with suppress(TypeError):
        return hash(found)
    return hash((found.state, found.seq, found.owner, found.epoch, found.lease, found.cancel_requested, found.session_state))


# -- who picks ---------------------------------------------------------------------------------------------------------------------


@define
class Search:
    """Every order, depth first: what is left to be tried, and the states that were seen."""

    left: list[tuple[int, ...]] = field(factory=lambda: [()])
    seen: set[int] = field(factory=set)

    def picks(self) -> Iterator[Pick]:
        """One picker for each order that is to be tried."""
        while self.left:
            yield self.along(self.left.pop())

    def along(self, prefix: tuple[int, ...]) -> Pick:
        """Follow a prefix; from there on whatever comes first, leaving the rest for later. None at a state that was seen."""
        path: list[int] = []

        def pick(world: World, options: Sequence[str]) -> str | None:
            n = len(path)
            if n >= len(prefix):
                key = world.key()
                if key in self.seen:
                    return None
                self.seen.add(key)
                self.left += [(*path, other) for other in range(len(options) - 1, 0, -1)]
            path.append(prefix[n] if n < len(prefix) else 0)
            return options[path[-1]]

        return pick


def sampled(seed: str) -> Pick:
    """At random: mostly somebody goes on, now and then something goes wrong or the clock jumps."""
    random = Random(seed)  # noqa: S311  # reproducible on purpose

    def pick(_: World, options: Sequence[str]) -> str:
        calm = [each for each in options if "!" not in each and each != CLOCK]
        return random.choice(calm if random.random() < 0.9 else options)

    return pick


def told(text: str) -> Pick:
    """The moves that a text says, so that a failure is seen again; when it is at its end, whatever comes first. None for what cannot be done."""
    moves = iter(text.split())

    def pick(_: World, options: Sequence[str]) -> str | None:
        move = next(moves, options[0])
        return move if move in options else None

    return pick
