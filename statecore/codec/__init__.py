"""Values and states as text, so that what is read equals what was written, in value and in type, or is refused by name.

A *value* is what user code takes and returns. `encode` writes it as ASCII JSON without spaces; `decode` reads
it back. JSON's own types stand for themselves; every other type that Python data is made of has a tag: an object whose only key
begins with `$`. The set of tags is closed (`tags`, `values` and `reading` are the whole list):

    $tuple [..]   $set [..]   $frozenset [..]   $dict [[key, value], ..]   where JSON has only lists, and only str keys
    $int "0x.."   beyond 2**53, which other readers of JSON would round
    $float "nan"  $bytes  $decimal  $uuid  $date  $time  $datetime  $timedelta
    $erased "" (`ERASED`, where an erasure took the value)
    $path  $posixpath  $windowspath  $fraction  $complex  $bytearray  $range
    $ordereddict [[key, value], ..]   $counter   $defaultdict [factory, pairs]   $deque [greatest length, items]
    $type [tag, plain]   a user's own type, through a codec that the user registered
    $type [tag, plain, rest]   a class of a family (`families`): its fields, and its state beside them where there is any

Three rules make it safe. The type decides, exactly: a subclass (a kind of str, a numpy float) is not its base, and is refused
rather than flattened; an enum or a named tuple is stored as itself. Nothing stored names code: an unknown tag is refused, no
import, no fallback. A tag has one spelling: a text that is read must be written the same way again, so a lenient parser underneath
cannot guess.

The text is canonical for a value *with its order*: a dict keeps the order of its keys, because Python promises it and user code may
depend on it, while a set, which has none, is sorted by text. So equal texts are equal values, and two dicts that differ in
order only have two texts. A NaN comes back as a NaN. A lone surrogate survives; a surrogate pair in halves is refused, since JSON would join it.

`UnstorableValue` carries the path of what was refused (`$.a[3]: a lock cannot be stored`; `.keys()[2]` is the third key, `{}` an
element of a set, `<money>` the inside of a codec). Cycles, depth and size are refused the same way. `UnreadableValue` is all that
`decode` and `load_state` raise for a text, however damaged or hostile; only a want of memory passes through.

A *state* of the core is written by `dump_state` and read by `load_state` (`records`): arrays whose order is that of the classes'
fields. A definition needs no codec: `Program.canonical` is its stored form.

Owns: the texts of values and states: `values` writes, `reading` reads, `tags` has the built-in scalars, `families` the classes that
are stored by their fields, `registry` the types that a process knows, `annotated` those that annotations name, `erased` the value that stands for an
erased one, `science` numpy and
pandas.

May enter: the core, lifecycles, errors, and the media of definitions, which are known in every process. No store, no user code but registered codecs.

Start with `values.encode`.
"""

from .erased import ERASED, Erased
from .reading import decode, decode_plain
from .records import FORMAT, dump_state, load_state
from .registry import CODECS, Codec, Registry, learn_from, register_codec, register_type
from .science import register_numpy, register_pandas
from .values import DEPTH, LIMIT, encode

__all__ = [
    "CODECS",
    "DEPTH",
    "ERASED",
    "FORMAT",
    "LIMIT",
    "Codec",
    "Erased",
    "Registry",
    "decode",
    "decode_plain",
    "dump_state",
    "encode",
    "learn_from",
    "load_state",
    "register_codec",
    "register_numpy",
    "register_pandas",
    "register_type",
]
