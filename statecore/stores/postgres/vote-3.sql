-- What a decider may do about a question with a rule, in a store of format 3: EXECUTE statecore_vote. Run after decide-3.sql, whose words about
-- locks, codes and logins hold here, too. A vote, a withdrawal and a refusal is a row of act, sealed as Python seals it.
--
-- The person is the login, and its roles are the roles of the database that it is a member of; a gateway names the person, how the person is
-- known and the roles. The rule is judged by why_not, the twin of may_vote in statecore/core/authority.py. What the votes say together is judged
-- by who executes the run: votes that may satisfy or refuse wake it.
--
-- code             detail
-- stored           the instant, in microseconds
-- same             the instant: this vote is stored already
-- refused          the reason: the attempt is kept, or counted
-- no_vote          there is no vote that could be withdrawn, or the question has no rule: statecore_decide answers it
-- and unknown_run, unknown_pause, already_decided, closed, expired, stale, unknown_word, unfit, too_large, not_you, replaced, isolation as there

-- whether a text is blank: of the white space of Unicode alone
CREATE FUNCTION is_blank(given TEXT) RETURNS BOOLEAN LANGUAGE plpgsql IMMUTABLE SET search_path FROM CURRENT AS $$
BEGIN
  RETURN given IS NULL OR encode(convert_to(given, 'UTF8'), 'hex')
    ~ '^(09|0a|0b|0c|0d|1c|1d|1e|1f|20|c285|c2a0|e19a80|e280(8[0-9a]|a8|a9|af)|e2819f|e38080)*$';
END $$;

-- the people and roles of a part of a rule, in which a person is the place of the name in a list; without names where they were erased
CREATE FUNCTION people_of(part JSON, names JSON) RETURNS TEXT[] LANGUAGE plpgsql IMMUTABLE SET search_path FROM CURRENT AS $$
BEGIN
  IF part IS NULL THEN RETURN '{}'; END IF;
  RETURN ARRAY(SELECT CASE WHEN each LIKE 'person:%' THEN coalesce(names -> 0 ->> substr(each, 8)::int, each) ELSE each END
    FROM json_array_elements_text(part) WITH ORDINALITY AS u (each, o) ORDER BY o);
END $$;

-- whether a person may fill a seat: one for every person, for a name, or for a role
CREATE FUNCTION fits_seat(seat TEXT[], who TEXT, roles TEXT[]) RETURNS BOOLEAN LANGUAGE plpgsql IMMUTABLE SET search_path FROM CURRENT AS $$
BEGIN
  RETURN cardinality(seat) = 0 OR who = ANY (seat)
    OR EXISTS (SELECT FROM unnest(seat) AS u (each) WHERE left(each, 5) = 'role:' AND substr(each, 6) = ANY (roles));
END $$;

-- whether a person is among those who may decide at an instant
CREATE FUNCTION is_among(rule JSON, names JSON, who TEXT, roles TEXT[], asked_us BIGINT, at_us BIGINT) RETURNS BOOLEAN LANGUAGE plpgsql IMMUTABLE
SET search_path FROM CURRENT AS $$
DECLARE seat TEXT[] := people_of(rule -> 'of', names); due JSON; others TEXT[];
BEGIN
  FOR due IN SELECT each FROM json_array_elements(coalesce(rule -> 'escalations', '[]')) WITH ORDINALITY AS u (each, o)
             WHERE at_us - asked_us >= (each ->> 0)::bigint ORDER BY o LOOP
    others := people_of(due -> 1, names);
    seat := CASE WHEN due ->> 3 = 'true' THEN others WHEN cardinality(seat) = 0 THEN seat ELSE seat || others END;
  END LOOP;
  RETURN fits_seat(seat, who, roles)
    OR EXISTS (SELECT FROM unnest(people_of(rule -> 'also', names)) AS u (each) WHERE fits_seat(ARRAY[each], who, roles));
END $$;

-- why a person may not vote with a word; NULL where they may. names: those in the rule, and those who decided earlier gates; mine: the word of the
-- person's vote that stands; remark: the comment, or the feedback of a rejection
CREATE FUNCTION why_not(rule JSON, names JSON, who TEXT, via TEXT, roles TEXT[], word TEXT, mine TEXT, seen TEXT, remark TEXT, requester TEXT,
  asked_us BIGINT, at_us BIGINT) RETURNS TEXT LANGUAGE plpgsql IMMUTABLE SET search_path FROM CURRENT AS $$
DECLARE known TEXT[] := ARRAY(SELECT each FROM json_array_elements_text(rule -> 'via') AS u (each)); asks TEXT := coalesce(rule ->> 'comment', '');
BEGIN
  RETURN CASE
    WHEN is_blank(who) THEN 'nobody'
    WHEN via IN ('agent', 'mcp') THEN 'agent'
    WHEN via = 'declared' AND (rule ->> 'identified' = 'true' OR (cardinality(known) > 0 AND via <> ALL (known))) THEN 'declared'
    WHEN cardinality(known) > 0 AND via <> ALL (known) THEN 'via'
    WHEN rule ->> 'requester' = 'true' AND is_blank(requester) THEN 'no_requester'
    WHEN rule ->> 'requester' = 'true' AND who = requester THEN 'requester'
    WHEN rule -> 'gates' IS NOT NULL AND who IN (SELECT each FROM json_array_elements_text(names -> 1) AS u (each)) THEN 'earlier_gate'
    WHEN json_typeof(rule -> 'of') = 'null' THEN 'uncomputed'
    WHEN NOT is_among(rule, names, who, roles, asked_us, at_us) THEN 'not_among'
    WHEN mine IS NOT NULL AND (word <> 'reject' OR mine = 'reject') THEN 'voted'
    WHEN coalesce(seen, '') = '' THEN 'unseen'
    WHEN (asks = 'always' OR (asks = 'on_reject' AND word = 'reject')) AND is_blank(remark) THEN 'comment'
  END;
END $$;

-- why a person may not take a vote back; NULL where they may: the login has to be one that counts
CREATE FUNCTION why_unknown(rule JSON, who TEXT, via TEXT) RETURNS TEXT LANGUAGE plpgsql IMMUTABLE SET search_path FROM CURRENT AS $$
DECLARE why TEXT := why_not(rule, NULL, who, via, '{}', '', NULL, NULL, NULL, NULL, 0, 0);
BEGIN
  RETURN CASE WHEN why IN ('nobody', 'agent', 'declared', 'via') THEN why END;
END $$;

-- the vote of a person that stands; NULL where there is none: the last one that was neither withdrawn nor has lapsed
CREATE FUNCTION vote_that_stands(of_pause BIGINT, of_voter BYTEA) RETURNS act LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
DECLARE found_ act;
BEGIN
  SELECT * INTO found_ FROM act WHERE pause = of_pause AND voter = of_voter AND kind IN ('vote', 'withdrawal', 'lapse') ORDER BY id DESC LIMIT 1;
  IF found_.kind <> 'vote' THEN found_ := NULL; END IF;
  RETURN found_;
END $$;

-- whether a person's no to the former question holds one that was put again: until they say it again, or withdraw it. A form that is enciphered
-- (the row has no salt) is judged by who executes the run.
CREATE FUNCTION holds_by_no(p pause, who TEXT, of_voter BYTEA) RETURNS BOOLEAN LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
BEGIN
  IF p.put = 1 OR p.form IS NULL OR p.salt IS NULL THEN RETURN false; END IF;
  RETURN who IN (SELECT each FROM json_array_elements_text((convert_from(p.form, 'UTF8')::json -> 'again' ->> 'held')::json) AS u (each))
    AND NOT EXISTS (SELECT FROM act WHERE pause = p.id AND voter = of_voter AND kind IN ('vote', 'withdrawal'));
END $$;

-- the roles of the login in the database, without those of this schema and of the server
CREATE FUNCTION login_roles() RETURNS TEXT[] LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
BEGIN
  RETURN ARRAY(SELECT rolname::text FROM pg_roles WHERE pg_has_role(session_user, oid, 'MEMBER') AND rolname <> session_user
    AND rolname !~ '^(pg|statecore)_' ORDER BY rolname COLLATE "C");
END $$;

-- appends an act that was judged; hot and the question are locked. A refusal beyond the eighth of a person, and the hundredth of all, is counted
CREATE FUNCTION store_act(p pause, of_run TEXT, new act) RETURNS VOID LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
  salt_ BYTEA := decode(replace(gen_random_uuid()::text, '-', ''), 'hex'); question BYTEA := digest_of_pause(p, of_run); row_ BIGINT;
  who BYTEA := convert_to(session_user, 'UTF8');
BEGIN
  IF new.kind = 'refusal' THEN
    IF (SELECT count(*) FROM act WHERE pause = p.id AND kind = 'refusal' AND voter IS NOT DISTINCT FROM new.voter) >= 8 THEN
      row_ := (SELECT max(id) FROM act WHERE pause = p.id AND kind = 'refusal' AND voter IS NOT DISTINCT FROM new.voter);
    ELSIF (SELECT count(*) FROM act WHERE pause = p.id AND kind = 'refusal') >= 100 THEN
      row_ := (SELECT max(id) FROM act WHERE pause = p.id AND kind = 'refusal');
    END IF;
    IF row_ IS NOT NULL THEN UPDATE act SET times = times + 1 WHERE id = row_; RETURN; END IF;
  END IF;
  salt_ := substr(sha256(salt_ || uuid_send(gen_random_uuid())), 1, 16);
  INSERT INTO act (pause, kind, word, voter, round, time_us, "by", login, via, roles, answer, comment, salt, seen, meaning, detail, seal)
  VALUES (p.id, new.kind, new.word, new.voter, new.round, new.time_us, new."by", who, new.via, new.roles, new.answer, new.comment, salt_,
    new.seen, new.meaning, new.detail,
    act_digest(coalesce(digest_of_acts(p.id, question), question), new.kind, new.word, new.voter, new.round, new.time_us,
      kept_commitment(NULL, 'act.by', salt_, new."by"), kept_commitment(NULL, 'act.login', salt_, who), NULL, new.via,
      CASE new.roles WHEN '' THEN '{}' ELSE string_to_array(new.roles, E'\n') END, kept_commitment(NULL, 'act.answer', salt_, new.answer),
      kept_commitment(NULL, 'act.comment', salt_, new.comment), new.seen, new.meaning, NULL, new.detail));
END $$;

-- wakes the run where the votes of a question may satisfy or refuse by now: as many stand as its rule wants at least, or a no does
CREATE FUNCTION wake_voted(p pause) RETURNS VOID LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
  rule JSON := p.rule::json;
  least BIGINT := (SELECT min(each) FROM (SELECT coalesce((rule ->> 'k')::bigint, 1) UNION ALL
    SELECT (each ->> 2)::bigint FROM json_array_elements(rule -> 'escalations') AS u (each)) AS v (each));
  words TEXT[] := ARRAY(SELECT (vote_that_stands(p.id, v.voter)).word FROM (SELECT DISTINCT voter FROM act WHERE pause = p.id AND kind = 'vote') v);
BEGIN
  words := array_remove(words, NULL);
  IF 'reject' = ANY (words) OR cardinality(words) >= least THEN
    UPDATE hot SET wake_us = 0 WHERE run = p.run;
    PERFORM pg_notify('statecore.' || current_schema(), '');
  END IF;
END $$;

CREATE FUNCTION statecore_vote(run_id TEXT, pause_id TEXT, word TEXT DEFAULT NULL, answer BYTEA DEFAULT NULL, "by" TEXT DEFAULT NULL,
  comment TEXT DEFAULT NULL, seen BYTEA DEFAULT NULL, via TEXT DEFAULT NULL, roles TEXT[] DEFAULT NULL, withdraws BOOLEAN DEFAULT false,
  OUT code TEXT, OUT detail TEXT, OUT person TEXT)
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
#variable_conflict use_column
DECLARE
  p pause; mine act; new act; run_number BIGINT; phase_ TEXT; asked_for TEXT; holds BOOLEAN; given TEXT := statecore_vote.word; value_ BYTEA := statecore_vote.answer;
  remark TEXT := statecore_vote.comment; shown_ BYTEA := statecore_vote.seen; taken BOOLEAN := statecore_vote.withdraws;
  held TEXT[] := CASE WHEN is_gateway() THEN coalesce(statecore_vote.roles, '{}') ELSE login_roles() END;
BEGIN
  code := 'replaced';
  detail := (SELECT version::text FROM store WHERE version <> 3);
  IF detail IS NOT NULL THEN RETURN; END IF;
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    code := 'isolation'; detail := current_setting('transaction_isolation'); RETURN;
  END IF;
  IF NOT is_gateway() AND (coalesce(statecore_vote."by", session_user) <> session_user OR statecore_vote.via IS NOT NULL
                           OR statecore_vote.roles IS NOT NULL) THEN
    code := 'not_you'; detail := session_user; RETURN;
  END IF;
  person := CASE WHEN is_gateway() THEN coalesce(statecore_vote."by", '') ELSE session_user END;
  IF getdatabaseencoding() = 'UTF8' THEN person := normalize(person, NFC); END IF;
  SELECT id, coalesce(convert_from(requester, 'UTF8'), user_id) INTO run_number, asked_for FROM run WHERE run_id = statecore_vote.run_id;
  IF NOT FOUND THEN code := 'unknown_run'; RETURN; END IF;
  IF getdatabaseencoding() = 'UTF8' THEN asked_for := normalize(asked_for, NFC); END IF; -- a user id is spelt as it was given
  SELECT * INTO p FROM pause WHERE run = run_number AND pause_id = statecore_vote.pause_id;
  IF NOT FOUND THEN code := 'unknown_pause'; RETURN; END IF;
  IF p.rule IS NULL THEN code := 'no_vote'; RETURN; END IF;
  code := 'unknown_word'; detail := p.words;
  IF NOT taken AND (given IS NULL OR given <> ALL (string_to_array(p.words, E'\n'))) THEN RETURN; END IF;
  code := 'too_large';
  detail := CASE
    WHEN octet_length(value_) > p.max_bytes THEN 'answer' WHEN octet_length(remark) > 65536 THEN 'comment'
    WHEN octet_length(person) > 1024 THEN 'by' WHEN octet_length(statecore_vote.via) > 64 THEN 'via'
    WHEN octet_length(array_to_string(held, E'\n')) > 65536 THEN 'roles' END;
  IF detail IS NOT NULL THEN RETURN; END IF;
  code := 'unfit';
  detail := CASE WHEN octet_length(shown_) <> 32 THEN 'seen is no digest'
    WHEN EXISTS (SELECT FROM unnest(held) AS u (each) WHERE each IS NULL OR each ~ E'\n' OR each = '') THEN 'a role has a name of one line'
    WHEN NOT taken THEN wrong_answer(given, value_, p.form, p.salt IS NOT NULL) END;
  IF detail IS NOT NULL THEN RETURN; END IF;
  BEGIN
    SELECT phase INTO phase_ FROM hot WHERE run = run_number FOR NO KEY UPDATE;
    SELECT * INTO p FROM pause WHERE id = p.id FOR NO KEY UPDATE;
    new.time_us := (extract(epoch FROM clock_timestamp()) * 1000000)::bigint;
    new.voter := CASE WHEN p.voter_salt IS NOT NULL AND person <> '' THEN commitment('pause.voter', p.voter_salt, convert_to(person, 'UTF8')) END;
    mine := vote_that_stands(p.id, new.voter);
    holds := holds_by_no(p, person, new.voter);
    code := CASE
      WHEN NOT taken AND mine.word = given AND mine.answer IS NOT DISTINCT FROM value_ AND mine.answer_c IS NULL THEN 'same'
      WHEN p.word IS NOT NULL THEN 'already_decided'
      WHEN p.closed IS NOT NULL OR phase_ IN ('completed', 'cancelled', 'failed') THEN 'closed'
      WHEN taken AND mine.id IS NULL AND NOT holds THEN 'no_vote'
      WHEN taken THEN 'stored'
      WHEN holds AND given <> 'reject' THEN 'already_decided'
      WHEN p.due_us <= new.time_us THEN 'expired'
      WHEN shown_ IS DISTINCT FROM p.seen AND shown_ IS NOT NULL AND p.seen IS NOT NULL THEN 'stale'
      ELSE 'stored' END;
    new.kind := CASE WHEN taken THEN 'withdrawal' ELSE 'vote' END;
    new.word := CASE WHEN taken THEN coalesce(mine.word, 'reject') ELSE given END;
    new.round := (SELECT count(*) FROM act WHERE pause = p.id AND kind = 'vote' AND voter = new.voter);
    new.via := CASE WHEN is_gateway() THEN coalesce(statecore_vote.via, 'declared') ELSE 'login' END;
    IF code = 'stored' THEN
      detail := CASE WHEN taken THEN why_unknown(p.rule::json, person, new.via) ELSE
        why_not(p.rule::json, convert_from(p.names, 'UTF8')::json, person, new.via, held, given, mine.word,
          CASE WHEN p.seen IS NULL THEN 'none' ELSE encode(shown_, 'hex') END,
          CASE WHEN is_blank(remark) AND given = 'reject' THEN convert_from(value_, 'UTF8') ELSE remark END, asked_for, p.opened_us, new.time_us) END;
      code := CASE WHEN detail = 'voted' THEN 'already_decided' WHEN detail IS NOT NULL THEN 'refused' ELSE 'stored' END;
    END IF;
    detail := CASE code WHEN 'same' THEN mine.time_us::text WHEN 'already_decided' THEN coalesce(p.word, mine.word, 'reject')
      WHEN 'closed' THEN coalesce(p.outcome, phase_) WHEN 'expired' THEN p.due_us::text WHEN 'stale' THEN encode(p.seen, 'hex')
      WHEN 'refused' THEN detail WHEN 'stored' THEN new.time_us::text END;
    IF code NOT IN ('stored', 'refused') THEN RAISE EXCEPTION SQLSTATE 'ST003'; END IF; -- which gives the locks back
    new."by" := convert_to(nullif(person, ''), 'UTF8');
    new.roles := array_to_string(held, E'\n');
    new.seen := shown_;
    IF code = 'refused' THEN
      new.kind := 'refusal'; new.detail := detail;
    ELSE
      new.comment := convert_to(remark, 'UTF8');
      new.answer := CASE WHEN NOT taken THEN value_ END;
      new.meaning := CASE WHEN NOT taken THEN meaning_of(p.meanings, given) END;
    END IF;
    PERFORM store_act(p, statecore_vote.run_id, new);
    IF code = 'stored' THEN PERFORM wake_voted(p); END IF;
  EXCEPTION WHEN SQLSTATE 'ST003' THEN NULL;
  END;
END $$;

-- what is not granted by name is nobody's
DO $$ BEGIN EXECUTE format('REVOKE ALL ON ALL FUNCTIONS IN SCHEMA %I FROM PUBLIC', current_schema()); END $$;
