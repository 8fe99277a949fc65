"""Postgres computes what format 3 hashes as Python does: the same vectors, the same answers to random input, the same refusals."""

from __future__ import annotations

import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.types.json import Jsonb

from statecore.errors import OutsideFormat
from statecore.stores.frames import chain, framing, questions
from statecore.stores.sql.link import shipped
from tests.format3 import reference
from tests.format3.product import RECORDS, body, values_of
from tests.format3.test_rules import HASHES, NUMBERS, PARTS, TEXTS, record_values
from tests.postgres.server import Server

VECTORS = json.loads(reference.FILE.read_text(encoding="ascii"))
SCRIPT = shipped("statecore.stores.postgres", "frames-3.sql")
FUNCTIONS = {name: f"{name}_digest" for name in RECORDS} | {"leaf": "leaf_hash", "question_id": "question_id", "call": "call_key"}
ONE = {"at": "a", "kind": "step", "facts": [], "edges": []}
TWICE = json.dumps({"entries": [], "stops": [], "components": [ONE, ONE]})
PATIENT = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def installed(server: Server) -> Iterator[psycopg.Connection]:
    """A connection to a database that has the functions, in a schema that is not on its own path."""
    server.execute("CREATE DATABASE frames STRATEGY file_copy")
    with psycopg.connect(server.url("frames"), autocommit=True) as connection:
        connection.execute("CREATE SCHEMA statecore")
        connection.execute("SET search_path = statecore, pg_temp")
        connection.execute(SCRIPT.encode())
        connection.execute((Path(__file__).parent / "keyed-seals.sql").read_bytes())
        connection.execute("RESET search_path")
        yield connection
    server.execute("DROP DATABASE frames WITH (FORCE)")


@pytest.fixture
def ask(installed):
    """Computes an expression over parameters."""

    def one(expression, *values):
        return installed.execute(f"SELECT {expression}", values).fetchone()[0]

    return one


def call_of(name, values):
    """The call that computes a record's digest, and its parameters."""
    parts, given_ = [], []
    for part, kind in RECORDS[name].parts.items():
        value = values[part]
        if kind.name == "shown":
            parts.append(f'"{part}" => statecore.shown(%s::text[], %s::text[], %s::bytea[])')
            given_ += [[each[column] for each in value] for column in range(3)]
        elif kind.name == "hash by text" and value is not None:
            parts.append(f'"{part}" => statecore.hash_by_text(%s::text[], %s::bytea[])')
            given_ += [list(value), list(value.values())]
        else:
            parts.append(f'"{part}" => %s')
            given_.append(value)
    return f"statecore.{FUNCTIONS[name]}({', '.join(parts)})", given_


def refused(ask, expression, *values):
    """Whether Postgres refuses it by name."""
    try:
        ask(expression, *values)
    except psycopg.errors.InvalidParameterValue as error:
        return "has no place in the format of the stores" in str(error)
    return False


# -- vectors -----------------------------------------------------------------------------------------------------------------------


def test_frames(ask):
    """Each frame of the vectors has its hash, and its bytes where the file shows them."""
    for vector in VECTORS["frames"]:
        parts = [None if part is None else body(part) for part in vector["parts"]]
        made = ask("statecore.frame(%s, VARIADIC %s::bytea[])", vector["tag"], parts)
        assert made.hex() == vector.get("bytes", made.hex())
        assert sha256(made).hexdigest() == vector["sha256"]


@pytest.mark.parametrize("vector", VECTORS["records"], ids=lambda vector: vector["record"])
def test_records(ask, vector):
    """Each record of the vectors has its hash."""
    expression, values = call_of(vector["record"], values_of(vector["record"], vector["values"]))
    assert ask(expression, *values).hex() == vector["sha256"]


def test_commitments(ask):
    """Each slot of the vectors has its salt and its commitment."""
    for vector in VECTORS["commitments"]:
        salt = ask("statecore.slot_salt(%s, %s, %s)", bytes.fromhex(vector["row_salt"]), vector["slot"], int(vector["index"]))
        assert salt.hex() == vector["salt"]
        assert ask("statecore.commitment(%s, %s, %s)", vector["slot"], salt, body(vector["body"])).hex() == vector["sha256"]


def test_sessions(ask):
    """Each key of a session's state in the vectors has its commitment."""
    for vector in VECTORS["sessions"]:
        for index, key in enumerate(sorted(vector["changed"])):
            value = vector["changed"][key]
            text = "statecore.session_commitment(statecore.slot_salt(%s, 'event.session', %s), %s, %s)"
            given_ = (bytes.fromhex(vector["row_salt"]), index, key.encode(), None if value is None else value.encode())
            assert ask(text, *given_).hex() == vector["commitments"][index]


def test_erasures(ask):
    """What is left of salts in the vectors, and that a slot's salt is found in it or is gone."""
    for vector in VECTORS["erasures"]:
        salt, staying = bytes.fromhex(vector["row_salt"]), [(slot, int(index)) for slot, index in vector["staying"]]
        columns = [slot for slot, _ in staying], [index for _, index in staying]
        left = ask("statecore.salts_left(%s, %s::text[], %s::bigint[])", salt, *columns)
        assert (left.hex() if left is not None else None) == vector["left"]
        for place in {*staying, ("event.value", 0), ("event.session", 1)}:
            expected = framing.slot_salt(salt, *place) if place in staying else None
            assert ask("statecore.slot_salt(%s, %s, %s)", left, *place) == expected
        assert ask("statecore.salts_left(%s, %s::text[], %s::bigint[])", left, *columns) == left


def test_moves(ask):
    """Each list of moves in the vectors has its digest, its number and its place."""
    for vector in VECTORS["moves"]:
        moves = [ask("statecore.listed_move(%s, %s, %s, %s, %s)", *move[:5]) for move in vector["moves"]]
        digest = ask("statecore.moves_digest(VARIADIC %s::bytea[])", moves)
        assert digest.hex() == vector["sha256"]
        assert ask("statecore.shape_number(%s)", digest) == int(vector["shape"])
        turns, attempts = [move[5] for move in vector["moves"]], [int(move[6]) for move in vector["moves"]]
        assert ask("statecore.placed(%s::text[], %s::bigint[])", turns, attempts) == vector["place"]


def test_slices(ask):
    """Each slice of the vectors has its digest."""
    for vector in VECTORS["slices"]:
        assert ask("statecore.slice_digest(%s)", Jsonb(vector["slice"])).hex() == vector["sha256"]


def test_seals(ask):
    """Each seal of the vectors; with a key, by the function that only tests have."""
    for vector in VECTORS["seals"]:
        key = bytes.fromhex(vector["key"]) if vector["key"] is not None else None
        assert ask("statecore.keyed_seal(%s, %s, %s)", bytes.fromhex(vector["digest"]), vector["kid"], key).hex() == vector["seal"]


def test_roots(ask):
    """Each root of the vectors."""
    for vector in VECTORS["roots"]:
        assert ask("statecore.leaf_root(%s::bytea[])", [bytes.fromhex(each) for each in vector["leaves"]]).hex() == vector["root"]


def test_names(ask):
    """The short names and the numbers of events in the vectors."""
    for kind, rows in (("question_id", VECTORS["question_ids"]), ("call", VECTORS["call_keys"])):
        for vector in rows:
            expression, values = call_of(kind, values_of(kind, vector["values"]))
            assert ask(expression, *values) == vector["name"]
    for vector in VECTORS["event_ids"]:
        assert ask("statecore.event_id(%s, %s)", int(vector["run"]), int(vector["number"])) == int(vector["id"])


# -- any input ---------------------------------------------------------------------------------------------------------------------


@PATIENT
@given(PARTS)
def test_any_frame(ask, parts):
    """Frames of random parts are the same bytes."""
    assert ask("statecore.frame('event', VARIADIC %s::bytea[])", parts) == framing.frame("event", *parts)


@pytest.mark.parametrize("name", sorted(set(RECORDS) - {"question_id", "call", "leaf"}))
@settings(PATIENT, max_examples=25)
@given(data=st.data())
def test_any_record(ask, name, data):
    """Records of random values have the same digests."""
    values = data.draw(record_values(name))
    expression, given_ = call_of(name, values)
    assert ask(expression, *given_) == RECORDS[name].digest(**values)


@PATIENT
@given(st.binary(min_size=16, max_size=16), st.sampled_from(sorted(framing.SLOTS - {"event.session"})), st.binary(max_size=40))
def test_any_commitment(ask, salt, slot, what):
    """Salts and commitments of random bodies are the same."""
    own = framing.slot_salt(salt, slot)
    assert ask("statecore.slot_salt(%s, %s)", salt, slot) == own
    assert ask("statecore.commitment(%s, %s, %s)", slot, own, what) == framing.commitment(slot, own or b"", what)


@PATIENT
@given(HASHES, st.lists(HASHES, max_size=20))
def test_any_shape_and_root(ask, digest, found):
    """The number of a shape and the root over random leaves are the same."""
    assert ask("statecore.shape_number(%s)", digest) == chain.shape_number(digest)
    assert ask("statecore.leaf_root(%s::bytea[])", found) == chain.root(found)


@PATIENT
@given(TEXTS, TEXTS, NUMBERS, st.integers(0, 2**25))
def test_any_name_and_number(ask, run_id, pause_id, run, number):
    """Short names are the same; numbers of events are, and what one refuses the other refuses."""
    assert ask("statecore.question_id(%s, %s)", run_id, pause_id) == questions.question_id(run_id, pause_id)
    try:
        expected = questions.event_id(run, number)
    except OutsideFormat:
        assert refused(ask, "statecore.event_id(%s, %s)", run, number)
    else:
        assert ask("statecore.event_id(%s, %s)", run, number) == expected


# -- refusals and settings ---------------------------------------------------------------------------------------------------------


def test_each_missing_part_is_refused(ask):
    """Of each record each part that has to be there is refused where it is NULL, and a hash of another length is."""
    seen = set()
    for vector in VECTORS["records"]:
        name, values = vector["record"], values_of(vector["record"], vector["values"])
        for part, kind in RECORDS[name].parts.items():
            wrong: list[Any] = [None] if not kind.optional and kind.name not in {"shown", "hash by text"} else []
            wrong += [b"x" * 31] if kind.name == "hash" else [[], [b"x"]] if kind.name == "hashes" else []
            for each in wrong if (name, part) not in seen else []:
                expression, given_ = call_of(name, {**values, part: each})
                assert refused(ask, expression, *given_), f"{name}.{part} = {each!r}"
            seen.add((name, part))
    assert len(seen) == sum(len(record.parts) for name, record in RECORDS.items() if name not in {"question_id", "call"})


@pytest.mark.parametrize(
    "expression",
    [
        "statecore.frame('Event', 'x')",
        "statecore.frame(NULL, 'x')",
        "statecore.slot_salt('', 'event.value')",
        "statecore.slot_salt('\\x00', 'event.value')",
        "statecore.slot_salt(sha256(''), 'event.value')",
        "statecore.slot_salt(substr(sha256(''), 1, 16), 'event.none')",
        "statecore.slot_salt(substr(sha256(''), 1, 16), 'event.value', 1)",
        "statecore.slot_salt(substr(sha256(''), 1, 16), 'event.session', -1)",
        "statecore.commitment('event.value', '\\x00', 'x')",
        "statecore.commitment('event.session', substr(sha256(''), 1, 16), 'x')",
        "statecore.commitment('event.value', substr(sha256(''), 1, 16), NULL)",
        "statecore.session_commitment(NULL, 'k', 'x')",
        "statecore.salts_left(NULL, '{event.by}', '{0}')",
        "statecore.shape_number('x')",
        "statecore.leaf_root('{x}')",
        "statecore.hash_by_text('{a}', '{}')",
        "statecore.texts('roles', '{a,NULL}')",
        "statecore.event_id(549755813888, 1)",
        "statecore.event_id(1, 0)",
        "statecore.event_id(549755813887, 16777216)",
        "statecore.commitment('event.value', substr(sha256(''), 1, 17), 'x')",
        "statecore.question_digest('r', 'p', 'k', NULL, NULL, NULL, NULL, NULL, '', NULL)",
        "statecore.question_digest('r', 'p', 'k', NULL, NULL, NULL, NULL, NULL, NULL, '')",
        f"statecore.slice_digest('{TWICE}')",
    ],
)
def test_what_is_outside_of_the_format_is_refused(ask, expression):
    """Postgres refuses by name what Python refuses."""
    assert refused(ask, expression.replace("%", "%%"))


def test_each_function_keeps_its_path(installed):
    """Each function has a search_path of its own, with the schema of what a caller creates at its end."""
    rows = installed.execute("SELECT proname, proconfig FROM pg_proc WHERE pronamespace = 'statecore'::regnamespace").fetchall()
    assert len(rows) > 40
    assert [name for name, config in rows if config != ["search_path=statecore, pg_temp"]] == []


def test_what_a_caller_creates_is_not_found(installed, ask):
    """A type or a function of the caller's own, in front of all others, changes no hash."""
    before = ask("statecore.frame('event', 'x')")
    with installed.transaction(force_rollback=True):
        installed.execute("CREATE SCHEMA evil")
        installed.execute("CREATE FUNCTION evil.sha256(bytea) RETURNS bytea LANGUAGE sql AS $$ SELECT '\\x00'::bytea $$")
        installed.execute("CREATE DOMAIN pg_temp.bytea AS text")
        listed = "CREATE FUNCTION evil.listed(VARIADIC pg_catalog.bytea[]) RETURNS pg_catalog.bytea LANGUAGE sql"
        installed.execute(f"{listed} AS $$ SELECT NULL::pg_catalog.bytea $$".encode())
        installed.execute("SET LOCAL search_path = evil, pg_temp, pg_catalog, statecore")
        assert ask("statecore.frame('event', 'x'::pg_catalog.bytea)") == before
        assert ask("statecore.question_id('r', 'p')") == questions.question_id("r", "p")


def test_another_path_or_encoding_is_refused(server):
    """The script is not installed where its functions would look into a schema of the caller's first, or where texts are not UTF-8."""
    server.execute("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0 STRATEGY file_copy")
    for name, path in (("postgres", "public"), ("latin", "public, pg_temp")):
        with psycopg.connect(server.url(name)) as connection:
            connection.execute(f"SET search_path = {path}")
            with pytest.raises(psycopg.errors.RaiseException, match="search_path" if name == "postgres" else "UTF8"):
                connection.execute(SCRIPT.encode())
    server.execute("DROP DATABASE latin")
