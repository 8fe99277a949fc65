-- What format 3 of the stores hashes, computed by Postgres (14 or later). specs/format-3.md is the rule, specs/format-3.json the test vectors,
-- statecore/stores/frames the same in Python. No store installs this script yet.
-- It is run by the owner of the schema with search_path set to "that_schema, pg_temp": each function keeps this path, so that nothing that a
-- caller creates is found instead. No function takes a key: what is typed into a statement stands in logs, so only Python seals with a key.

DO $$ BEGIN
  IF current_setting('search_path') !~ ', *pg_temp$' THEN
    RAISE EXCEPTION 'search_path has to end in pg_temp here, and is %', current_setting('search_path');
  END IF;
  IF current_setting('server_encoding') <> 'UTF8' THEN
    RAISE EXCEPTION 'the database has to be of the encoding UTF8, and is of %', current_setting('server_encoding');
  END IF;
END $$;

-- Functions that refuse are VOLATILE, so that no planner calls them beforehand.

-- parts ---------------------------------------------------------------------------------------------------------------------------

CREATE FUNCTION refuse(what TEXT, why TEXT) RETURNS BYTEA LANGUAGE plpgsql VOLATILE PARALLEL SAFE SET search_path FROM CURRENT AS $$
BEGIN
  RAISE EXCEPTION '% has no place in the format of the stores: %', what, why USING ERRCODE = 'invalid_parameter_value';
END $$;

-- parts without a tag: for each its length (8 bytes, big endian) and its bytes; NULL is the length 2^64 - 1
CREATE FUNCTION listed(VARIADIC parts BYTEA[]) RETURNS BYTEA LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path FROM CURRENT AS $$
BEGIN
  RETURN (SELECT coalesce(string_agg(CASE WHEN p IS NULL THEN '\xffffffffffffffff'::bytea ELSE int8send(octet_length(p)) || p END, ''::bytea
                                     ORDER BY o), ''::bytea) FROM unnest(parts) WITH ORDINALITY AS u (p, o));
END $$;

CREATE FUNCTION frame(tag TEXT, VARIADIC parts BYTEA[]) RETURNS BYTEA LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path FROM CURRENT AS $$
BEGIN
  IF tag IS NULL OR tag !~ '^[a-z_]+(\.[a-z_]+)?$' THEN
    RETURN refuse('a tag', 'it is lower-case letters and underscores, with at most one dot between them');
  END IF;
  RETURN listed(VARIADIC convert_to('statecore/3/' || tag, 'UTF8') || parts);
END $$;

CREATE FUNCTION must(name TEXT, part BYTEA) RETURNS BYTEA LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path FROM CURRENT AS $$
BEGIN
  RETURN coalesce(part, refuse_null(name, part));
END $$;

CREATE FUNCTION refuse_null(name TEXT, part BYTEA) RETURNS BYTEA LANGUAGE plpgsql VOLATILE PARALLEL SAFE SET search_path FROM CURRENT AS $$
BEGIN
  RETURN CASE WHEN part IS NULL THEN refuse(name, 'it is NULL') END;
END $$;

CREATE FUNCTION a_text(name TEXT, value TEXT) RETURNS BYTEA LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path FROM CURRENT AS $$
BEGIN
  RETURN must(name, convert_to(value, 'UTF8'));
END $$;

CREATE FUNCTION a_number(name TEXT, value BIGINT) RETURNS BYTEA LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path FROM CURRENT AS $$
BEGIN
  RETURN must(name, int8send(value));
END $$;

CREATE FUNCTION maybe_hash(name TEXT, value BYTEA) RETURNS BYTEA LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path FROM CURRENT AS $$
BEGIN
  RETURN CASE WHEN octet_length(value) <> 32 THEN refuse(name, 'a hash has 32 bytes') ELSE value END;
END $$;

CREATE FUNCTION a_hash(name TEXT, value BYTEA) RETURNS BYTEA LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path FROM CURRENT AS $$
BEGIN
  RETURN must(name, maybe_hash(name, value));
END $$;

CREATE FUNCTION maybe_hashes(name TEXT, value BYTEA[]) RETURNS BYTEA LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path FROM CURRENT AS $$
BEGIN
  IF cardinality(value) = 0 THEN RETURN refuse(name, 'it is an empty list; where there is no hash, NULL is wanted'); END IF;
  RETURN (SELECT string_agg(a_hash(name, p), ''::bytea ORDER BY o) FROM unnest(value) WITH ORDINALITY AS u (p, o));
END $$;

CREATE FUNCTION texts(name TEXT, value TEXT[]) RETURNS BYTEA LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path FROM CURRENT AS $$
BEGIN
  IF value IS NULL THEN RETURN refuse_null(name, NULL); END IF;
  RETURN listed(VARIADIC ARRAY(SELECT a_text(name, p) FROM unnest(value) WITH ORDINALITY AS u (p, o) ORDER BY o));
END $$;

-- a hash for each of several texts, ordered by the UTF-8 of the texts
CREATE FUNCTION hash_by_text(keys TEXT[], hashes BYTEA[]) RETURNS BYTEA LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path FROM CURRENT AS $$
BEGIN
  RETURN listed(VARIADIC ARRAY(SELECT listed(a_text('a key', k), a_hash('a value', h)) FROM unnest(keys, hashes) AS u (k, h)
                               ORDER BY convert_to(k, 'UTF8')));
END $$;

-- the values that a question shows: names, steps (or NULL), commitments
CREATE FUNCTION shown(names TEXT[], steps TEXT[], hashes BYTEA[]) RETURNS BYTEA LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path FROM CURRENT AS $$
BEGIN
  RETURN listed(VARIADIC ARRAY(SELECT listed(a_text('a name', n), convert_to(s, 'UTF8'), a_hash('a commitment', h))
                               FROM unnest(names, steps, hashes) WITH ORDINALITY AS u (n, s, h, o) ORDER BY o));
END $$;

-- salts and commitments -----------------------------------------------------------------------------------------------------------

CREATE FUNCTION slot_part(slot TEXT, index BIGINT) RETURNS BYTEA LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path FROM CURRENT AS $$
BEGIN
  IF slot IS NULL OR slot <> ALL (ARRAY['run.session', 'run.user', 'run.requester', 'run.input', 'run.additional', 'run.metadata', 'event.by',
      'event.note', 'event.value', 'event.session', 'pause.message', 'pause.form', 'pause.choices', 'pause.names', 'pause.shown',
      'pause.voter', 'decision.by', 'decision.login', 'decision.answer', 'decision.comment', 'act.by', 'act.login', 'act.delegate',
      'act.answer', 'act.comment', 'cancel.by', 'tombstone.by', 'erasure.by', 'erasure.reason']) THEN
    RETURN refuse('the slot', 'there is none of that name');
  END IF;
  IF index IS NULL OR index < 0 OR (index > 0 AND slot NOT IN ('event.session', 'pause.shown')) THEN
    RETURN refuse(slot, 'only event.session and pause.shown are several, numbered from 0');
  END IF;
  RETURN listed(convert_to(slot, 'UTF8'), int8send(index));
END $$;

CREATE FUNCTION a_salt(value BYTEA) RETURNS BYTEA LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path FROM CURRENT AS $$
BEGIN
  RETURN CASE WHEN value IS NULL OR octet_length(value) <> 16 THEN refuse('a salt', 'it has 16 bytes') ELSE value END;
END $$;

-- the salt of a slot, from a row's salt or from what an erasure left; NULL where the slot was erased
CREATE FUNCTION slot_salt(salts BYTEA, slot TEXT, index BIGINT DEFAULT 0) RETURNS BYTEA LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path FROM CURRENT AS $$
DECLARE place BYTEA := slot_part(slot, index); rest BYTEA := salts; salt BYTEA; size INT;
BEGIN
  IF salts IS NULL THEN RETURN NULL; END IF;
  IF octet_length(salts) = 16 THEN RETURN substr(sha256(frame('salt', salts) || place), 1, 16); END IF;
  IF octet_length(salts) = 0 THEN RETURN refuse('the salts of a row', 'where no slot is left, NULL is wanted'); END IF;
  WHILE octet_length(rest) > 0 LOOP
    IF octet_length(rest) < 8 OR substr(rest, 1, 7) <> '\x00000000000000' THEN RETURN refuse('the salts of a row', 'they end too early'); END IF;
    size := 24 + get_byte(rest, 7); -- a slot's name with its length, and the number with its length
    IF octet_length(rest) < size + 24 OR substr(rest, size + 1, 8) <> int8send(16) THEN
      RETURN refuse('the salts of a row', 'they end too early');
    END IF;
    IF substr(rest, 1, size) = place THEN salt := substr(rest, size + 9, 16); END IF;
    rest := substr(rest, size + 25);
  END LOOP;
  RETURN salt;
END $$;

-- what replaces a row's salts when all slots but these are erased
CREATE FUNCTION salts_left(salts BYTEA, slots TEXT[], indexes BIGINT[]) RETURNS BYTEA LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path FROM CURRENT AS $$
BEGIN
  RETURN (SELECT string_agg(slot_part(s, i) || listed(must(s, slot_salt(salts, s, i))), ''::bytea ORDER BY convert_to(s, 'UTF8'), i)
          FROM (SELECT DISTINCT s, i FROM unnest(slots, indexes) AS u (s, i)) AS staying);
END $$;

CREATE FUNCTION commitment(slot TEXT, salt BYTEA, body BYTEA) RETURNS BYTEA LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path FROM CURRENT AS $$
BEGIN
  IF slot_part(slot, 0) IS NULL OR slot = 'event.session' THEN RETURN refuse(slot, 'it is committed to with its key: session_commitment'); END IF;
  RETURN sha256(frame(slot, a_salt(salt), must(slot, body)));
END $$;

CREATE FUNCTION session_commitment(salt BYTEA, key BYTEA, body BYTEA) RETURNS BYTEA LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path FROM CURRENT AS $$
BEGIN
  RETURN sha256(frame('event.session', a_salt(salt), must('a key', key), body));
END $$;

-- the chain of a run --------------------------------------------------------------------------------------------------------------

CREATE FUNCTION listed_move(at TEXT, machine TEXT, source TEXT, trigger TEXT, dest TEXT) RETURNS BYTEA LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path FROM CURRENT AS $$
BEGIN
  RETURN texts('a move', ARRAY[at, machine, source, trigger, dest]);
END $$;

CREATE FUNCTION moves_digest(VARIADIC moves BYTEA[]) RETURNS BYTEA LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path FROM CURRENT AS $$
BEGIN
  RETURN sha256(frame('moves', VARIADIC moves));
END $$;

-- the first 63 bits of a digest
CREATE FUNCTION shape_number(digest BYTEA) RETURNS BIGINT LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path FROM CURRENT AS $$
BEGIN
  RETURN ('x' || encode(substr(a_hash('the digest of a list of moves', digest), 1, 8), 'hex'))::bit(64)::bigint >> 1 & 9223372036854775807;
END $$;

CREATE FUNCTION placed(turns TEXT[], attempts BIGINT[]) RETURNS TEXT LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path FROM CURRENT AS $$
BEGIN
  RETURN (SELECT CASE WHEN bool_or(t <> '' OR a <> 0) THEN string_agg(t || ':' || a, ';' ORDER BY o) END
          FROM unnest(turns, attempts) WITH ORDINALITY AS u (t, a, o));
END $$;

CREATE FUNCTION run_digest(run_id TEXT, workflow_id TEXT, workflow_name TEXT, session BYTEA, "user" BYTEA, requester BYTEA, created_us BIGINT,
  input BYTEA, additional BYTEA, metadata BYTEA, definition TEXT, workflow_version BIGINT, rules BIGINT, start_key TEXT)
RETURNS BYTEA LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path FROM CURRENT AS $$
BEGIN
  RETURN sha256(frame('run', a_text('run_id', run_id), a_text('workflow_id', workflow_id), a_text('workflow_name', workflow_name),
    a_hash('session', session), maybe_hash('user', "user"), maybe_hash('requester', requester), a_number('created_us', created_us),
    a_hash('input', input), a_hash('additional', additional), a_hash('metadata', metadata), a_text('definition', definition),
    int8send(workflow_version), a_number('rules', rules), convert_to(start_key, 'UTF8')));
END $$;

CREATE FUNCTION event_digest(previous BYTEA, run_id TEXT, number BIGINT, boundary BIGINT, epoch BIGINT, moves BYTEA, place TEXT, time_us BIGINT,
  fact TEXT, by BYTEA, note BYTEA, value BYTEA, session BYTEA[], asked BYTEA[], decided BYTEA)
RETURNS BYTEA LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path FROM CURRENT AS $$
BEGIN
  RETURN sha256(frame('event', a_hash('previous', previous), a_text('run_id', run_id), a_number('number', number),
    a_number('boundary', boundary), a_number('epoch', epoch), a_hash('moves', moves), convert_to(place, 'UTF8'), a_number('time_us', time_us),
    convert_to(fact, 'UTF8'), maybe_hash('by', by), maybe_hash('note', note), maybe_hash('value', value), maybe_hashes('session', session),
    maybe_hashes('asked', asked), maybe_hash('decided', decided)));
END $$;

CREATE FUNCTION hot_digest(run_id TEXT, phase TEXT, claim_order BIGINT, owner TEXT, epoch BIGINT, definition TEXT, number BIGINT, head BYTEA,
  state TEXT, held TEXT, ended_us BIGINT)
RETURNS BYTEA LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path FROM CURRENT AS $$
BEGIN
  RETURN sha256(frame('hot', a_text('run_id', run_id), a_text('phase', phase), a_number('claim_order', claim_order), convert_to(owner, 'UTF8'),
    a_number('epoch', epoch), a_text('definition', definition), a_number('number', number), a_hash('head', head), a_text('state', state),
    a_text('held', held), int8send(ended_us)));
END $$;

CREATE FUNCTION cancel_digest(run_id TEXT, by BYTEA, time_us BIGINT)
RETURNS BYTEA LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path FROM CURRENT AS $$
BEGIN
  RETURN sha256(frame('cancel', a_text('run_id', run_id), maybe_hash('by', by), a_number('time_us', time_us)));
END $$;

CREATE FUNCTION tombstone_digest(run_id TEXT, workflow_id TEXT, identity BYTEA, phase TEXT, number BIGINT, head BYTEA, created_us BIGINT,
  ended_us BIGINT, purged_us BIGINT, by BYTEA)
RETURNS BYTEA LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path FROM CURRENT AS $$
BEGIN
  RETURN sha256(frame('tombstone', a_text('run_id', run_id), a_text('workflow_id', workflow_id), a_hash('identity', identity),
    a_text('phase', phase), a_number('number', number), a_hash('head', head), a_number('created_us', created_us),
    a_number('ended_us', ended_us), a_number('purged_us', purged_us), maybe_hash('by', by)));
END $$;

CREATE FUNCTION erasure_digest(run_id TEXT, what TEXT, by BYTEA, reason BYTEA, time_us BIGINT)
RETURNS BYTEA LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path FROM CURRENT AS $$
BEGIN
  RETURN sha256(frame('erasure', a_text('run_id', run_id), a_text('what', what), maybe_hash('by', by), maybe_hash('reason', reason),
    a_number('time_us', time_us)));
END $$;

-- questions -----------------------------------------------------------------------------------------------------------------------

CREATE FUNCTION edges(value JSONB) RETURNS BYTEA LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path FROM CURRENT AS $$
BEGIN
  RETURN listed(VARIADIC ARRAY(SELECT texts('an edge', ARRAY[e ->> 0, e ->> 1]) FROM jsonb_array_elements(value) WITH ORDINALITY AS u (e, o) ORDER BY o));
END $$;

CREATE FUNCTION component(c JSONB) RETURNS BYTEA LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path FROM CURRENT AS $$
BEGIN
  RETURN listed(a_text('an address', c ->> 'at'), a_text('a kind', c ->> 'kind'), convert_to(c ->> 'callable', 'UTF8'),
    int8send((c ->> 'version')::bigint),
    listed(VARIADIC ARRAY(SELECT DISTINCT convert_to(f, 'UTF8') AS b FROM jsonb_array_elements_text(c -> 'facts') AS u (f) ORDER BY b)),
    int8send((c ->> 'iterations')::bigint), int8send((c ->> 'reviews')::bigint), int8send((c ->> 'seats')::bigint), edges(c -> 'edges'));
END $$;

-- {"entries": [[trigger, address], ...], "components": [{"at", "kind", "edges", "callable", "version", "facts", ...}, ...], "stops": [[address, kind], ...]}
CREATE FUNCTION slice_digest(slice JSONB) RETURNS BYTEA LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path FROM CURRENT AS $$
BEGIN
  IF (SELECT count(*) > count(DISTINCT c ->> 'at') FROM jsonb_array_elements(slice -> 'components') AS u (c)) THEN
    RETURN refuse('a slice', 'two of its components have one address');
  END IF;
  RETURN sha256(frame('slice', edges(slice -> 'entries'),
    listed(VARIADIC ARRAY(SELECT component(c) FROM jsonb_array_elements(slice -> 'components') AS u (c) ORDER BY convert_to(c ->> 'at', 'UTF8'))),
    listed(VARIADIC ARRAY(SELECT texts('a stop', ARRAY[a, k])
      FROM (SELECT DISTINCT s ->> 0, s ->> 1 FROM jsonb_array_elements(slice -> 'stops') AS u (s)) AS v (a, k)
      ORDER BY convert_to(a, 'UTF8'), convert_to(k, 'UTF8')))));
END $$;

CREATE FUNCTION asked(run_id TEXT, pause_id TEXT, kind TEXT, rule TEXT, message BYTEA, form BYTEA, choices BYTEA, names BYTEA, shown BYTEA)
RETURNS BYTEA[] LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path FROM CURRENT AS $$
BEGIN
  RETURN ARRAY[a_text('run_id', run_id), a_text('pause_id', pause_id), a_text('kind', kind), convert_to(rule, 'UTF8'),
    maybe_hash('message', message), maybe_hash('form', form), maybe_hash('choices', choices), maybe_hash('names', names), must('shown', shown)];
END $$;

CREATE FUNCTION question_digest(run_id TEXT, pause_id TEXT, kind TEXT, rule TEXT, message BYTEA, form BYTEA, choices BYTEA, names BYTEA,
  shown BYTEA, slices BYTEA)
RETURNS BYTEA LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path FROM CURRENT AS $$
BEGIN
  RETURN sha256(frame('question', VARIADIC asked(run_id, pause_id, kind, rule, message, form, choices, names, shown) || must('slices', slices)));
END $$;

CREATE FUNCTION word_digest(run_id TEXT, pause_id TEXT, kind TEXT, rule TEXT, message BYTEA, form BYTEA, choices BYTEA, names BYTEA,
  shown BYTEA, word TEXT, slice BYTEA)
RETURNS BYTEA LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path FROM CURRENT AS $$
BEGIN
  RETURN sha256(frame('word', VARIADIC asked(run_id, pause_id, kind, rule, message, form, choices, names, shown)
    || ARRAY[a_text('word', word), a_hash('slice', slice)]));
END $$;

CREATE FUNCTION pause_digest(run_id TEXT, pause_id TEXT, kind TEXT, rule TEXT, message BYTEA, form BYTEA, choices BYTEA, names BYTEA,
  shown BYTEA, put BIGINT, at TEXT, turn TEXT, attempt BIGINT, step_name TEXT, opened BIGINT, opened_us BIGINT, deadline_us BIGINT,
  on_timeout TEXT, words TEXT[], max_bytes BIGINT, consequences TEXT, seen BYTEA, meanings BYTEA)
RETURNS BYTEA LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path FROM CURRENT AS $$
BEGIN
  RETURN sha256(frame('pause', VARIADIC asked(run_id, pause_id, kind, rule, message, form, choices, names, shown)
    || ARRAY[a_number('put', put), a_text('at', at), a_text('turn', turn), a_number('attempt', attempt), a_text('step_name', step_name),
      a_number('opened', opened), a_number('opened_us', opened_us), int8send(deadline_us), a_text('on_timeout', on_timeout),
      texts('words', words), a_number('max_bytes', max_bytes), convert_to(consequences, 'UTF8'), maybe_hash('seen', seen), meanings]));
END $$;

CREATE FUNCTION decision_digest(pause BYTEA, word TEXT, decided_us BIGINT, by BYTEA, login BYTEA, via TEXT, answer BYTEA, comment BYTEA,
  key TEXT, seen BYTEA, meaning BYTEA, last_act BYTEA)
RETURNS BYTEA LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path FROM CURRENT AS $$
BEGIN
  RETURN sha256(frame('decision', a_hash('pause', pause), a_text('word', word), a_number('decided_us', decided_us), maybe_hash('by', by),
    maybe_hash('login', login), convert_to(via, 'UTF8'), maybe_hash('answer', answer), maybe_hash('comment', comment), convert_to(key, 'UTF8'),
    maybe_hash('seen', seen), maybe_hash('meaning', meaning), maybe_hash('last_act', last_act)));
END $$;

CREATE FUNCTION act_digest(previous BYTEA, kind TEXT, word TEXT, voter BYTEA, round BIGINT, time_us BIGINT, by BYTEA, login BYTEA,
  delegate BYTEA, via TEXT, roles TEXT[], answer BYTEA, comment BYTEA, seen BYTEA, meaning BYTEA, until_us BIGINT, detail TEXT)
RETURNS BYTEA LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path FROM CURRENT AS $$
BEGIN
  RETURN sha256(frame('act', a_hash('previous', previous), a_text('kind', kind), convert_to(word, 'UTF8'), maybe_hash('voter', voter),
    a_number('round', round), a_number('time_us', time_us), maybe_hash('by', by), maybe_hash('login', login), maybe_hash('delegate', delegate),
    convert_to(via, 'UTF8'), texts('roles', roles), maybe_hash('answer', answer), maybe_hash('comment', comment), maybe_hash('seen', seen),
    maybe_hash('meaning', meaning), int8send(until_us), convert_to(detail, 'UTF8')));
END $$;

-- leaves --------------------------------------------------------------------------------------------------------------------------

CREATE FUNCTION leaf_hash(kind TEXT, run_id TEXT, number BIGINT, digest BYTEA)
RETURNS BYTEA LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path FROM CURRENT AS $$
BEGIN
  RETURN sha256('\x00'::bytea || frame('leaf', a_text('kind', kind), a_text('run_id', run_id), a_number('number', number), a_hash('digest', digest)));
END $$;

CREATE FUNCTION leaf_root(leaves BYTEA[]) RETURNS BYTEA LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path FROM CURRENT AS $$
DECLARE trees BYTEA[] := '{}'; top INT := 0; size INT; count INT := 0; each BYTEA;
BEGIN
  FOREACH each IN ARRAY leaves LOOP
    count := count + 1; size := count; top := top + 1; trees[top] := a_hash('a leaf', each);
    WHILE size % 2 = 0 LOOP
      top := top - 1; size := size / 2;
      trees[top] := sha256('\x01'::bytea || trees[top] || trees[top + 1]);
    END LOOP;
  END LOOP;
  IF top = 0 THEN RETURN sha256(''::bytea); END IF;
  WHILE top > 1 LOOP
    top := top - 1;
    trees[top] := sha256('\x01'::bytea || trees[top] || trees[top + 1]);
  END LOOP;
  RETURN trees[1];
END $$;

-- numbers and names ---------------------------------------------------------------------------------------------------------------

CREATE FUNCTION event_id(run BIGINT, event BIGINT) RETURNS BIGINT LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path FROM CURRENT AS $$
BEGIN
  IF run IS NULL OR run NOT BETWEEN 1 AND 549755813887 THEN PERFORM refuse('the number of a run', 'runs are numbered from 1 to 2^39 - 1'); END IF;
  IF event IS NULL OR event NOT BETWEEN 1 AND 16777215 THEN PERFORM refuse('the number of an event', 'events are numbered from 1 to 2^24 - 1'); END IF;
  RETURN run << 24 | event;
END $$;

-- the first 128 bits of a hash: base32 in lower case, without padding
CREATE FUNCTION short(digest BYTEA) RETURNS TEXT LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path FROM CURRENT AS $$
DECLARE bits TEXT := ('x' || encode(substr(digest, 1, 16), 'hex'))::bit(128)::text || '00';
BEGIN
  RETURN (SELECT string_agg(substr('abcdefghijklmnopqrstuvwxyz234567', substr(bits, i * 5 + 1, 5)::bit(5)::int + 1, 1), '' ORDER BY i)
          FROM generate_series(0, 25) AS i);
END $$;

CREATE FUNCTION question_id(run_id TEXT, pause_id TEXT) RETURNS TEXT LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path FROM CURRENT AS $$
BEGIN
  RETURN 'q_' || short(sha256(frame('question_id', a_text('run_id', run_id), a_text('pause_id', pause_id))));
END $$;

CREATE FUNCTION call_key(identity BYTEA, at TEXT, turn TEXT, rejected BIGINT, rounds BIGINT) RETURNS TEXT LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path FROM CURRENT AS $$
BEGIN
  RETURN 'c_' || short(sha256(frame('call', a_hash('identity', identity), a_text('at', at), a_text('turn', turn), a_number('rejected', rejected),
    a_number('rounds', rounds))));
END $$;
