-- All that a decider may do in a store of format 3: EXECUTE statecore_decide. Run after schema-3-erasing.sql. The function is its owner's (SECURITY
-- DEFINER), so a decider needs no INSERT, UPDATE or DELETE on any table. It stores the server's clock and the login, and judges each decision.
--
-- Refusals are codes, not errors. Words that cannot be true are judged before anything is locked; for the rest the run is locked, then the
-- question, then the clock is read: clock_timestamp(), for now() is when the caller's transaction began. A refusal gives its locks back, so that a
-- caller who does not commit holds up only runs whose questions it answered. Nothing takes a key; the worker that applies a decision countersigns.
--
-- code             detail
-- stored           the instant, in microseconds
-- same             the instant: this decision is stored already
-- unknown_run, unknown_pause
-- already_decided  the word that is stored
-- closed           the outcome
-- expired          the deadline, in microseconds
-- stale            the digest of the question that stands, in hex
-- unknown_word     the words of the question, one a line
-- unfit            what is wrong with the answer
-- too_large        what is too large
-- key_reused       the pause id of the other decision
-- not_you          the login
-- needs_votes      who may decide: a question with a rule takes votes, which statecore_vote stores (vote-3.sql)
-- replaced         the version of the store
-- isolation        that of the transaction: under another one than "read committed" the function would judge what has changed meanwhile

-- what is wrong with the names of choices; NULL: nothing
CREATE FUNCTION wrong_choices(answer JSON, form JSON) RETURNS TEXT LANGUAGE plpgsql IMMUTABLE SET search_path FROM CURRENT AS $$
DECLARE names TEXT[]; known TEXT[];
BEGIN
  IF json_typeof(answer) <> 'array' THEN RETURN 'names of choices are wanted'; END IF;
  names := ARRAY(SELECT name FROM json_array_elements_text(answer) AS u (name));
  known := ARRAY(SELECT name FROM json_array_elements_text(form -> 'choices') AS u (name));
  RETURN CASE
    WHEN cardinality(names) = 0 THEN 'nothing was selected'
    WHEN EXISTS (SELECT FROM json_array_elements(answer) AS u (each) WHERE json_typeof(each) <> 'string') OR NOT names <@ known
      THEN 'a choice is none of those that there are'
    WHEN cardinality(names) > (SELECT count(DISTINCT name) FROM unnest(names) AS u (name)) THEN 'a choice is selected twice'
    WHEN cardinality(names) > 1 AND form ->> 'multiple' IS DISTINCT FROM 'true' THEN 'one choice is asked for'
  END;
END $$;

-- whether a value, or each item of a list, is one of the allowed ones; what has a tag is judged by the worker alone
CREATE FUNCTION is_allowed(value JSON, allowed JSON) RETURNS BOOLEAN LANGUAGE plpgsql IMMUTABLE SET search_path FROM CURRENT AS $$
BEGIN
  IF json_typeof(value) <> 'array' THEN value := json_build_array(value); END IF;
  RETURN NOT EXISTS (SELECT FROM json_array_elements(value) AS u (given) WHERE json_typeof(given) <> 'object'
    AND given::jsonb NOT IN (SELECT each::jsonb FROM json_array_elements(allowed) AS v (each)));
END $$;

-- what is wrong with the values of a form; NULL: nothing. Values that the codec writes with a tag are judged by the worker alone.
CREATE FUNCTION wrong_values(answer JSON, form JSON) RETURNS TEXT LANGUAGE plpgsql IMMUTABLE SET search_path FROM CURRENT AS $$
DECLARE field JSON; value JSON; kind TEXT;
BEGIN
  IF json_typeof(answer) <> 'object' THEN RETURN 'values by name are wanted'; END IF;
  IF answer -> '$dict' IS NOT NULL OR form -> 'schema' IS NULL THEN RETURN NULL; END IF;
  IF EXISTS (SELECT FROM json_object_keys(answer) AS u (name)
             WHERE name NOT IN (SELECT each ->> 'name' FROM json_array_elements(form -> 'schema') AS v (each))) THEN
    RETURN 'a value is not asked for';
  END IF;
  FOR field IN SELECT each FROM json_array_elements(form -> 'schema') AS u (each) LOOP
    value := answer -> (field ->> 'name'); kind := coalesce(json_typeof(value), 'null');
    IF kind = 'null' THEN
      IF (field ->> 'required')::boolean THEN RETURN format('%s is required', field ->> 'name'); END IF;
    ELSIF NOT (CASE field ->> 'field_type'
      WHEN 'str' THEN kind = 'string' WHEN 'text' THEN kind = 'string' WHEN 'email' THEN kind = 'string' WHEN 'bool' THEN kind = 'boolean'
      WHEN 'list' THEN kind = 'array' WHEN 'dict' THEN kind = 'object'
      WHEN 'int' THEN (kind = 'number' AND value::text ~ '^-?[0-9]+$') OR value -> '$int' IS NOT NULL
      WHEN 'float' THEN kind = 'number' OR value -> '$float' IS NOT NULL OR value -> '$int' IS NOT NULL
      ELSE kind = 'object' END) THEN -- a date, a decimal number or a file: with a tag
      RETURN format('%s must be of type %s', field ->> 'name', field ->> 'field_type');
    ELSIF json_typeof(field -> 'allowed_values') = 'array' AND NOT is_allowed(value, field -> 'allowed_values') THEN
      RETURN format('%s is none of the allowed values', field ->> 'name');
    END IF;
  END LOOP;
  RETURN NULL;
END $$;

-- what is wrong with the answer that comes with a word; NULL: nothing. A form that is enciphered (the row has no salt) is judged by the worker.
CREATE FUNCTION wrong_answer(word TEXT, answer BYTEA, form BYTEA, salted BOOLEAN) RETURNS TEXT LANGUAGE plpgsql IMMUTABLE
SET search_path FROM CURRENT AS $$
DECLARE given JSON; asked JSON;
BEGIN
  IF word IN ('confirm', 'retry', 'skip') THEN RETURN CASE WHEN answer IS NOT NULL THEN 'the word carries no value' END; END IF;
  IF word NOT IN ('input', 'select', 'edit', 'provide', 'reject') THEN RETURN 'the word is not known here'; END IF;
  IF answer IS NULL THEN RETURN CASE WHEN word <> 'reject' THEN 'the word carries a value' END; END IF;
  given := convert_from(answer, 'UTF8')::json;
  IF word IN ('edit', 'provide', 'reject') OR NOT salted THEN RETURN NULL; END IF;
  asked := coalesce(convert_from(form, 'UTF8'), '{}')::json;
  RETURN CASE word WHEN 'select' THEN wrong_choices(given, asked) ELSE wrong_values(given, asked) END;
EXCEPTION WHEN data_exception OR program_limit_exceeded THEN
  RETURN 'it is no value in JSON';
END $$;

-- the digest of one word of a question, out of all of them as they are hashed (hash by text); NULL where there is none
CREATE FUNCTION meaning_of(meanings BYTEA, word TEXT) RETURNS BYTEA LANGUAGE plpgsql IMMUTABLE SET search_path FROM CURRENT AS $$
DECLARE rest BYTEA := meanings; size INT; named BYTEA := a_text('a key', word);
BEGIN
  WHILE octet_length(rest) > 0 LOOP
    size := ('x' || encode(substr(rest, 5, 4), 'hex'))::bit(32)::int;
    IF substr(rest, 9, size) = listed(named, substr(rest, 9 + size - 32, 32)) THEN RETURN substr(rest, 9 + size - 32, 32); END IF;
    rest := substr(rest, 9 + size);
  END LOOP;
  RETURN NULL;
END $$;

-- the commitment of a body that lies in its row, or the one that is stored in its place
CREATE FUNCTION kept_commitment(stored BYTEA, slot TEXT, salts BYTEA, body BYTEA) RETURNS BYTEA LANGUAGE plpgsql IMMUTABLE
SET search_path FROM CURRENT AS $$
BEGIN
  RETURN CASE WHEN stored IS NOT NULL OR body IS NULL THEN stored ELSE commitment(slot, must(slot, slot_salt(salts, slot)), body) END;
END $$;

-- the digest of a question, from its row; `shown` is a JSON array of names and steps, in the order of the commitments in shown_c
CREATE FUNCTION digest_of_pause(p pause, of_run TEXT) RETURNS BYTEA LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
DECLARE names TEXT[]; steps TEXT[]; hashes BYTEA[];
BEGIN
  IF length(p.shown_c) > 0 THEN
    SELECT array_agg(each ->> 0 ORDER BY o), array_agg(each ->> 1 ORDER BY o), array_agg(substr(p.shown_c, (o::int - 1) * 32 + 1, 32) ORDER BY o)
    INTO names, steps, hashes FROM json_array_elements(convert_from(p.shown, 'UTF8')::json) WITH ORDINALITY AS u (each, o);
    IF cardinality(hashes) IS DISTINCT FROM length(p.shown_c) / 32 THEN PERFORM refuse('what a question shows', 'names and commitments differ'); END IF;
  END IF;
  RETURN pause_digest(of_run, p.pause_id, p.kind, p.rule, kept_commitment(p.message_c, 'pause.message', p.salt, p.message),
    kept_commitment(p.form_c, 'pause.form', p.salt, p.form), kept_commitment(p.choices_c, 'pause.choices', p.salt, p.choices),
    kept_commitment(p.names_c, 'pause.names', p.salt, p.names), shown(coalesce(names, '{}'), coalesce(steps, '{}'), coalesce(hashes, '{}')),
    p.put, p.at, p.turn, p.attempt, p.step_name, p.opened & 16777215, p.opened_us, p.deadline_us, p.on_timeout,
    string_to_array(p.words, E'\n'), p.max_bytes, p.consequences, p.seen, p.meanings);
END $$;

-- the digest of the last act about a question, each linked to the one before, the first to the digest of the question; NULL where there is none
CREATE FUNCTION digest_of_acts(of_pause BIGINT, question BYTEA) RETURNS BYTEA LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
DECLARE a act; found_ BYTEA;
BEGIN
  FOR a IN SELECT * FROM act WHERE pause = of_pause ORDER BY id LOOP
    found_ := act_digest(coalesce(found_, question), a.kind, a.word, a.voter, a.round, a.time_us, kept_commitment(a.by_c, 'act.by', a.salt, a."by"),
      kept_commitment(a.login_c, 'act.login', a.salt, a.login), kept_commitment(a.delegate_c, 'act.delegate', a.salt, a.delegate), a.via,
      CASE a.roles WHEN '' THEN '{}' ELSE string_to_array(a.roles, E'\n') END, kept_commitment(a.answer_c, 'act.answer', a.salt, a.answer),
      kept_commitment(a.comment_c, 'act.comment', a.salt, a.comment), a.seen, a.meaning, a.until_us, a.detail);
  END LOOP;
  RETURN found_;
END $$;

-- whether the login may speak for others: an inbox that knows who is signed in. Roles are read when the call is made.
CREATE FUNCTION is_gateway() RETURNS BOOLEAN LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
BEGIN
  RETURN EXISTS (SELECT FROM pg_roles WHERE rolname = 'statecore_gateway' AND pg_has_role(session_user, oid, 'MEMBER'));
END $$;

-- stores a decision that was judged; hot and the question are locked
CREATE FUNCTION store_decision(p pause, of_run TEXT, word_ TEXT, at_us BIGINT, answer_ BYTEA, by_ BYTEA, comment_ BYTEA, key_ TEXT, via_ TEXT)
RETURNS VOID LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
  salt_ BYTEA := decode(replace(gen_random_uuid()::text, '-', ''), 'hex'); who BYTEA := convert_to(session_user, 'UTF8');
  question BYTEA := digest_of_pause(p, of_run); meaning_ BYTEA := meaning_of(p.meanings, word_);
BEGIN
  salt_ := substr(sha256(salt_ || uuid_send(gen_random_uuid())), 1, 16); -- a UUID has six bits that are always the same
  UPDATE pause SET word = word_, decided_us = at_us, answer = answer_, "by" = by_, login = who, comment = comment_, via = via_, key = key_,
    decided_seen = p.seen, meaning = meaning_, last_act = (SELECT max(id) FROM act WHERE pause = p.id), decision_salt = salt_,
    decision_seal = decision_digest(question, word_, at_us, kept_commitment(NULL, 'decision.by', salt_, by_),
      kept_commitment(NULL, 'decision.login', salt_, who), via_, kept_commitment(NULL, 'decision.answer', salt_, answer_),
      kept_commitment(NULL, 'decision.comment', salt_, comment_), key_, p.seen, meaning_, digest_of_acts(p.id, question))
  WHERE id = p.id;
END $$;

CREATE FUNCTION statecore_decide(run_id TEXT, pause_id TEXT, word TEXT, answer BYTEA DEFAULT NULL, "by" TEXT DEFAULT NULL, comment TEXT DEFAULT NULL,
  key TEXT DEFAULT NULL, seen BYTEA DEFAULT NULL, via TEXT DEFAULT NULL, OUT code TEXT, OUT detail TEXT)
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
#variable_conflict use_column
DECLARE
  p pause; other pause; run_number BIGINT; at_us BIGINT; phase_ TEXT; person TEXT := coalesce(statecore_decide."by", session_user);
  given_key TEXT := statecore_decide.key; given TEXT := statecore_decide.word; value_ BYTEA := statecore_decide.answer;
BEGIN
  code := 'replaced';
  detail := (SELECT version::text FROM store WHERE version <> 3);
  IF detail IS NOT NULL THEN RETURN; END IF;
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    code := 'isolation'; detail := current_setting('transaction_isolation'); RETURN;
  END IF;
  IF NOT is_gateway() AND (person <> session_user OR statecore_decide.via IS NOT NULL) THEN
    code := 'not_you'; detail := session_user; RETURN;
  END IF;
  run_number := (SELECT id FROM run WHERE run_id = statecore_decide.run_id);
  IF run_number IS NULL THEN code := 'unknown_run'; RETURN; END IF;
  SELECT * INTO p FROM pause WHERE run = run_number AND pause_id = statecore_decide.pause_id;
  IF NOT FOUND THEN code := 'unknown_pause'; RETURN; END IF;
  IF p.rule IS NOT NULL THEN code := 'needs_votes'; detail := p.rule; RETURN; END IF;
  IF given IS NULL OR given <> ALL (string_to_array(p.words, E'\n')) THEN code := 'unknown_word'; detail := p.words; RETURN; END IF;
  code := 'too_large';
  detail := CASE
    WHEN octet_length(value_) > p.max_bytes THEN 'answer' WHEN octet_length(comment) > 65536 THEN 'comment'
    WHEN octet_length(person) > 1024 THEN 'by' WHEN octet_length(statecore_decide.via) > 64 THEN 'via'
    WHEN octet_length(given_key) NOT BETWEEN 1 AND 1024 THEN 'key' END;
  IF detail IS NOT NULL THEN RETURN; END IF;
  code := 'unfit';
  detail := CASE WHEN person = '' THEN 'by is empty' ELSE wrong_answer(given, value_, p.form, p.salt IS NOT NULL) END;
  IF detail IS NOT NULL THEN RETURN; END IF;
  BEGIN
    SELECT phase INTO phase_ FROM hot WHERE run = run_number FOR NO KEY UPDATE;
    SELECT * INTO p FROM pause WHERE id = p.id FOR NO KEY UPDATE;
    at_us := (extract(epoch FROM clock_timestamp()) * 1000000)::bigint;
    SELECT * INTO other FROM pause WHERE run = run_number AND key = given_key AND id <> p.id;
    code := CASE
      WHEN other.id IS NOT NULL THEN 'key_reused'
      WHEN p.word = given AND p.answer IS NOT DISTINCT FROM value_ AND p.answer_c IS NULL THEN 'same'
      WHEN p.word IS NOT NULL THEN 'already_decided'
      WHEN p.closed IS NOT NULL OR phase_ IN ('completed', 'cancelled', 'failed') THEN 'closed'
      WHEN p.due_us <= at_us AND NOT (p.on_timeout = 'approve' AND given = 'reject') THEN 'expired'
      WHEN seen IS DISTINCT FROM p.seen AND seen IS NOT NULL THEN 'stale'
      ELSE 'stored' END;
    detail := CASE code
      WHEN 'key_reused' THEN other.pause_id WHEN 'same' THEN p.decided_us::text WHEN 'already_decided' THEN p.word
      WHEN 'closed' THEN coalesce(p.outcome, phase_) WHEN 'expired' THEN p.due_us::text WHEN 'stale' THEN encode(p.seen, 'hex') ELSE at_us::text END;
    IF code <> 'stored' THEN RAISE EXCEPTION SQLSTATE 'ST003'; END IF; -- which gives the locks back
    PERFORM store_decision(p, statecore_decide.run_id, given, at_us, value_, convert_to(person, 'UTF8'), convert_to(comment, 'UTF8'), given_key,
      CASE WHEN is_gateway() THEN statecore_decide.via ELSE 'login' END);
  EXCEPTION WHEN SQLSTATE 'ST003' THEN NULL;
  END;
END $$;
