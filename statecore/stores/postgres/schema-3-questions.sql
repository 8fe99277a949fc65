-- What may never happen to the questions of format 3 in Postgres, and to what is kept when data ends; run after schema-3-guards.sql, which says
-- what differs from SQLite and why.

CREATE FUNCTION pause_opens() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  IF NEW.word IS NOT NULL OR NEW.closed IS NOT NULL OR NEW.due_us IS DISTINCT FROM NEW.deadline_us THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'a question is put undecided and open', CONSTRAINT = TG_NAME;
  END IF;
  IF NOT is_last(NEW.run, NEW.opened) OR NEW.workflow IS DISTINCT FROM (SELECT workflow FROM run WHERE id = NEW.run) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'a question is put by the last boundary of its run', CONSTRAINT = TG_NAME;
  END IF;
  IF NEW.put > 1 AND NOT EXISTS (
    SELECT FROM pause p WHERE p.run = NEW.run AND p.put = NEW.put - 1 AND p.outcome IN ('void', 'lapsed') AND NEW.pause_id =
      substr(p.pause_id, 1, length(p.pause_id) - CASE p.put WHEN 1 THEN 0 ELSE length('@' || p.put) END) || '@' || NEW.put) THEN
    RAISE integrity_constraint_violation USING CONSTRAINT = TG_NAME, MESSAGE = 'a question is put again when it was closed without an answer';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER pause_opens BEFORE INSERT ON pause FOR EACH ROW EXECUTE FUNCTION pause_opens();
CREATE TRIGGER pause_keeps BEFORE UPDATE ON pause FOR EACH ROW
WHEN ((NEW.id, NEW.run, NEW.workflow, NEW.pause_id, NEW.question_id, NEW.put, NEW.kind, NEW.at, NEW.turn, NEW.attempt, NEW.step_name, NEW.rule,
    NEW.words, NEW.max_bytes, NEW.consequences, NEW.seen, NEW.meanings, NEW.opened, NEW.opened_us, NEW.deadline_us, NEW.on_timeout)
  IS DISTINCT FROM (OLD.id, OLD.run, OLD.workflow, OLD.pause_id, OLD.question_id, OLD.put, OLD.kind, OLD.at, OLD.turn, OLD.attempt,
    OLD.step_name, OLD.rule, OLD.words, OLD.max_bytes, OLD.consequences, OLD.seen, OLD.meanings, OLD.opened, OLD.opened_us, OLD.deadline_us,
    OLD.on_timeout))
EXECUTE FUNCTION refuses('a question is never changed');
CREATE TRIGGER pause_lets_vote BEFORE UPDATE OF voter_salt ON pause FOR EACH ROW
WHEN (NEW.voter_salt IS DISTINCT FROM OLD.voter_salt AND (NEW.voter_salt IS NOT NULL OR NEW.closed IS NULL))
EXECUTE FUNCTION refuses('the salt of the voters goes when the question closes');
CREATE FUNCTION pause_extends() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  IF OLD.closed IS NOT NULL OR NEW.due_us IS NULL
    OR NEW.due_us IS DISTINCT FROM (SELECT until_us FROM act WHERE pause = OLD.id AND kind = 'extension' ORDER BY id DESC LIMIT 1) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'a deadline is moved by an extension', CONSTRAINT = TG_NAME;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER pause_extends BEFORE UPDATE OF due_us ON pause FOR EACH ROW WHEN (NEW.due_us IS DISTINCT FROM OLD.due_us)
EXECUTE FUNCTION pause_extends();

CREATE FUNCTION pause_decides() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  IF OLD.closed IS NOT NULL THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'only an open question is decided', CONSTRAINT = TG_NAME;
  END IF;
  IF NEW.word <> ALL (string_to_array(OLD.words, E'\n')) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'a question has its words', CONSTRAINT = TG_NAME;
  END IF;
  IF NEW.decided_us >= OLD.due_us AND NOT (OLD.on_timeout = 'approve' AND NEW.word = 'reject') THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'a decision comes before the deadline', CONSTRAINT = TG_NAME;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER pause_decides BEFORE UPDATE OF word ON pause FOR EACH ROW WHEN (OLD.word IS NULL AND NEW.word IS NOT NULL)
EXECUTE FUNCTION pause_decides();
CREATE TRIGGER pause_decided BEFORE UPDATE ON pause FOR EACH ROW
WHEN (OLD.word IS NOT NULL AND (NEW.word, NEW.decided_us, NEW.via, NEW.key, NEW.decided_seen, NEW.meaning, NEW.last_act)
  IS DISTINCT FROM (OLD.word, OLD.decided_us, OLD.via, OLD.key, OLD.decided_seen, OLD.meaning, OLD.last_act))
EXECUTE FUNCTION refuses('a decision is never changed');
CREATE FUNCTION pause_closes() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  IF OLD.closed IS NOT NULL THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'a question closes once', CONSTRAINT = TG_NAME;
  END IF;
  IF NOT is_last(OLD.run, NEW.closed) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'a question is closed by the last boundary of its run', CONSTRAINT = TG_NAME;
  END IF;
  IF NEW.outcome = 'expired' AND NEW.word IS NOT NULL THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'what was decided does not expire', CONSTRAINT = TG_NAME;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER pause_closes BEFORE UPDATE OF closed, outcome ON pause FOR EACH ROW
WHEN (NEW.closed IS DISTINCT FROM OLD.closed OR NEW.outcome IS DISTINCT FROM OLD.outcome) EXECUTE FUNCTION pause_closes();
-- Where a run is executed, its owner is told, too. What decides locks hot before the question, as boundaries do: or they wait for each other.
CREATE FUNCTION pause_wakes() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  UPDATE hot SET wake_us = 0 WHERE run = NEW.run;
  PERFORM pg_notify('statecore.' || TG_TABLE_SCHEMA, '');
  RETURN NULL;
END $$;
CREATE TRIGGER pause_wakes AFTER UPDATE OF word ON pause FOR EACH ROW WHEN (NEW.word IS NOT NULL AND OLD.word IS NULL)
EXECUTE FUNCTION pause_wakes();
CREATE TRIGGER pause_stays BEFORE DELETE ON pause FOR EACH ROW EXECUTE FUNCTION stays('a question is deleted only behind its tombstone');

CREATE FUNCTION act_follows() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  PERFORM FROM hot WHERE run = (SELECT run FROM pause WHERE id = NEW.pause) FOR NO KEY UPDATE;
  IF NOT EXISTS (SELECT FROM pause WHERE id = NEW.pause AND closed IS NULL) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'an act is about an open question', CONSTRAINT = TG_NAME;
  END IF;
  IF NEW.kind = 'vote' AND NEW.round > 0
    AND NOT EXISTS (SELECT FROM act WHERE pause = NEW.pause AND voter = NEW.voter AND round = NEW.round - 1 AND kind = 'vote') THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'a voter votes once a round', CONSTRAINT = TG_NAME;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER act_follows BEFORE INSERT ON act FOR EACH ROW EXECUTE FUNCTION act_follows();
CREATE TRIGGER act_keeps BEFORE UPDATE ON act FOR EACH ROW
WHEN ((NEW.id, NEW.pause, NEW.kind, NEW.word, NEW.voter, NEW.round, NEW.time_us, NEW.via, NEW.roles, NEW.seen, NEW.meaning, NEW.until_us,
    NEW.detail)
  IS DISTINCT FROM (OLD.id, OLD.pause, OLD.kind, OLD.word, OLD.voter, OLD.round, OLD.time_us, OLD.via, OLD.roles, OLD.seen, OLD.meaning,
    OLD.until_us, OLD.detail))
EXECUTE FUNCTION refuses('an act is never changed');
CREATE TRIGGER act_counts BEFORE UPDATE OF times ON act FOR EACH ROW
WHEN (NEW.times <> OLD.times AND (OLD.kind <> 'refusal' OR NEW.times < OLD.times)) EXECUTE FUNCTION refuses('an act is never changed');
CREATE TRIGGER act_stays BEFORE DELETE ON act FOR EACH ROW EXECUTE FUNCTION stays('an act is deleted only behind its tombstone');

-- the end of data ------------------------------------------------------------------------------------------------------------------

-- A reference to a run (of a notice, a question) waits for FOR UPDATE: what is not committed yet is seen here, or comes after the tombstone.
CREATE FUNCTION tombstone_fits() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  PERFORM FROM hot WHERE run = NEW.run FOR NO KEY UPDATE;
  PERFORM FROM run WHERE id = NEW.run FOR UPDATE;
  IF NOT EXISTS (
    SELECT FROM hot JOIN run ON run.id = hot.run WHERE hot.run = NEW.run AND run.run_id = NEW.run_id AND run.workflow = NEW.workflow
      AND run.created_us = NEW.created_us
    AND hot.phase = NEW.phase AND hot.ended_us = NEW.ended_us AND hot.owner IS NULL AND hot.number = NEW.number AND hot.head = NEW.head) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'only an ended run that nobody executes is purged', CONSTRAINT = TG_NAME;
  END IF;
  IF EXISTS (SELECT FROM notice n LEFT JOIN delivery d ON d.notice = n.id WHERE n.run = NEW.run AND d.done_us IS NULL) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'what is to be told is told first', CONSTRAINT = TG_NAME;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER tombstone_fits BEFORE INSERT ON tombstone FOR EACH ROW EXECUTE FUNCTION tombstone_fits();
CREATE TRIGGER tombstone_keeps BEFORE UPDATE ON tombstone FOR EACH ROW
WHEN ((NEW.run, NEW.run_id, NEW.workflow, NEW.identity, NEW.phase, NEW.number, NEW.head, NEW.created_us, NEW.ended_us, NEW.purged_us)
  IS DISTINCT FROM (OLD.run, OLD.run_id, OLD.workflow, OLD.identity, OLD.phase, OLD.number, OLD.head, OLD.created_us, OLD.ended_us,
    OLD.purged_us))
EXECUTE FUNCTION refuses('a tombstone is never changed');
CREATE FUNCTION tombstone_stays() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  IF EXISTS (SELECT FROM run WHERE id = OLD.run) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'a tombstone stays while a row of its run does', CONSTRAINT = TG_NAME;
  END IF;
  RETURN OLD;
END $$;
CREATE TRIGGER tombstone_stays BEFORE DELETE ON tombstone FOR EACH ROW EXECUTE FUNCTION tombstone_stays();

CREATE FUNCTION erasure_orders() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  PERFORM FROM run WHERE id = NEW.run FOR KEY SHARE;
  IF NEW.done_us IS NOT NULL OR NOT FOUND THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'an erasure is ordered first, of a run that is there', CONSTRAINT = TG_NAME;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER erasure_orders BEFORE INSERT ON erasure FOR EACH ROW EXECUTE FUNCTION erasure_orders();
CREATE TRIGGER erasure_keeps BEFORE UPDATE ON erasure FOR EACH ROW
WHEN ((NEW.id, NEW.run, NEW.what, NEW.time_us) IS DISTINCT FROM (OLD.id, OLD.run, OLD.what, OLD.time_us))
EXECUTE FUNCTION refuses('an erasure is never changed');
CREATE TRIGGER erasure_ends BEFORE UPDATE OF done_us ON erasure FOR EACH ROW WHEN (OLD.done_us IS NOT NULL)
EXECUTE FUNCTION refuses('an erasure is done once');
CREATE TRIGGER erasure_stays BEFORE DELETE ON erasure FOR EACH ROW EXECUTE FUNCTION stays('an erasure is deleted only behind a tombstone');

CREATE FUNCTION leaf_follows() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  PERFORM FROM hot WHERE run = NEW.run FOR NO KEY UPDATE;
  IF NEW.number IS DISTINCT FROM (SELECT coalesce(max(number), 0) + 1 FROM leaf) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'a leaf must follow the last one', CONSTRAINT = TG_NAME;
  END IF;
  IF NOT EXISTS (SELECT FROM run WHERE id = NEW.run AND run_id = NEW.run_id) OR (NEW.kind = 'ended' AND NOT EXISTS (
    SELECT FROM hot WHERE run = NEW.run AND ended_us IS NOT NULL AND number = NEW.event AND head = NEW.digest)) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'a leaf is of a run as it stands', CONSTRAINT = TG_NAME;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER leaf_follows BEFORE INSERT ON leaf FOR EACH ROW EXECUTE FUNCTION leaf_follows();
CREATE TRIGGER leaf_keeps BEFORE UPDATE ON leaf FOR EACH ROW EXECUTE FUNCTION refuses('a leaf is never changed');
CREATE TRIGGER leaf_stays BEFORE DELETE ON leaf FOR EACH ROW EXECUTE FUNCTION refuses('a leaf is never deleted');

-- nothing is emptied ---------------------------------------------------------------------------------------------------------------

CREATE TRIGGER store_remains BEFORE TRUNCATE ON store FOR EACH STATEMENT EXECUTE FUNCTION refuses('rows are deleted one by one, or not at all');
CREATE TRIGGER workflow_remains BEFORE TRUNCATE ON workflow FOR EACH STATEMENT EXECUTE FUNCTION refuses('rows are deleted one by one, or not at all');
CREATE TRIGGER definition_remains BEFORE TRUNCATE ON definition FOR EACH STATEMENT EXECUTE FUNCTION refuses('rows are deleted one by one, or not at all');
CREATE TRIGGER legal_remains BEFORE TRUNCATE ON legal FOR EACH STATEMENT EXECUTE FUNCTION refuses('rows are deleted one by one, or not at all');
CREATE TRIGGER start_key_remains BEFORE TRUNCATE ON start_key FOR EACH STATEMENT EXECUTE FUNCTION refuses('rows are deleted one by one, or not at all');
CREATE TRIGGER shape_remains BEFORE TRUNCATE ON shape FOR EACH STATEMENT EXECUTE FUNCTION refuses('rows are deleted one by one, or not at all');
CREATE TRIGGER shape_move_remains BEFORE TRUNCATE ON shape_move FOR EACH STATEMENT EXECUTE FUNCTION refuses('rows are deleted one by one, or not at all');
CREATE TRIGGER run_remains BEFORE TRUNCATE ON run FOR EACH STATEMENT EXECUTE FUNCTION refuses('rows are deleted one by one, or not at all');
CREATE TRIGGER hot_remains BEFORE TRUNCATE ON hot FOR EACH STATEMENT EXECUTE FUNCTION refuses('rows are deleted one by one, or not at all');
CREATE TRIGGER event_remains BEFORE TRUNCATE ON event FOR EACH STATEMENT EXECUTE FUNCTION refuses('rows are deleted one by one, or not at all');
CREATE TRIGGER move_remains BEFORE TRUNCATE ON move FOR EACH STATEMENT EXECUTE FUNCTION refuses('rows are deleted one by one, or not at all');
CREATE TRIGGER value_remains BEFORE TRUNCATE ON value FOR EACH STATEMENT EXECUTE FUNCTION refuses('rows are deleted one by one, or not at all');
CREATE TRIGGER pause_remains BEFORE TRUNCATE ON pause FOR EACH STATEMENT EXECUTE FUNCTION refuses('rows are deleted one by one, or not at all');
CREATE TRIGGER act_remains BEFORE TRUNCATE ON act FOR EACH STATEMENT EXECUTE FUNCTION refuses('rows are deleted one by one, or not at all');
CREATE TRIGGER tombstone_remains BEFORE TRUNCATE ON tombstone FOR EACH STATEMENT EXECUTE FUNCTION refuses('rows are deleted one by one, or not at all');
CREATE TRIGGER erasure_remains BEFORE TRUNCATE ON erasure FOR EACH STATEMENT EXECUTE FUNCTION refuses('rows are deleted one by one, or not at all');
CREATE TRIGGER leaf_remains BEFORE TRUNCATE ON leaf FOR EACH STATEMENT EXECUTE FUNCTION refuses('rows are deleted one by one, or not at all');
