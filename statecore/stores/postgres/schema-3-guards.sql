-- What may never happen to the tables of format 3 in Postgres; run after schema-3.sql. The triggers of
-- statecore/stores/sqlite/schema-3-guards.sql, by the same names and in the same words; a test tries the same statements on both. What is not the
-- same has its reason here:
-- * SQLite has one writer. Here transactions overlap, so a guard that reads another row locks it first, and looks afterwards: what is looked at
--   stays until the end. The order of locks is hot, run, pause, erasure; FOR NO KEY UPDATE, which a reference to the row does not wait for.
-- * TRUNCATE passes by the triggers of rows: `..._remains` refuses it.
-- * What a shape or an event of another transaction, not yet committed, is made of cannot be seen: `shape_move_counts` looks at the commit.
-- * Workers are told that there is work by a notification, a hint: `hot_tells`, `pause_wakes`.
-- Each refusal is an integrity_constraint_violation (of a move that comes too late a unique_violation) with the name of its trigger as the constraint. Bodies, commitments and salts are guarded in
-- schema-3-erasing.sql. Not guarded: audience, notice, delivery, which can be made anew, and seals, which `verify` reads.

-- refuses what the condition of its trigger says; the words are its argument
CREATE FUNCTION refuses() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  RAISE integrity_constraint_violation USING MESSAGE = TG_ARGV[0], CONSTRAINT = TG_NAME;
END $$;

-- refuses to delete a row of a run that has no tombstone
CREATE FUNCTION stays() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE purged BIGINT;
BEGIN
  IF TG_TABLE_NAME = 'run' THEN purged := OLD.id;
  ELSIF TG_TABLE_NAME IN ('move', 'value') THEN purged := OLD.event >> 24;
  ELSIF TG_TABLE_NAME = 'act' THEN purged := (SELECT run FROM pause WHERE id = OLD.pause);
  ELSE purged := OLD.run;
  END IF;
  IF NOT EXISTS (SELECT FROM tombstone WHERE run = purged) THEN
    RAISE integrity_constraint_violation USING MESSAGE = TG_ARGV[0], CONSTRAINT = TG_NAME;
  END IF;
  RETURN OLD;
END $$;

-- whether a boundary that an event belongs to is the last one of its run; the run is locked until the end
CREATE FUNCTION is_last(run_number BIGINT, event_id BIGINT) RETURNS BOOLEAN LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  PERFORM FROM hot WHERE run = run_number FOR NO KEY UPDATE;
  RETURN coalesce((SELECT boundary FROM event WHERE id = event_id AND run = run_number) = (SELECT boundary FROM event
    WHERE id BETWEEN run_number << 24 AND (run_number << 24) + 16777215 ORDER BY id DESC LIMIT 1), false);
END $$;

-- the phase to which the moves of an event lead that is no shape's; NULL where the run does not move
CREATE FUNCTION listed_end(event_id BIGINT) RETURNS TEXT LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
BEGIN
  RETURN (SELECT l.dest FROM move m JOIN legal l ON l.id = m.legal WHERE m.event = event_id AND m.at = '' ORDER BY m.k DESC LIMIT 1);
END $$;

-- names and lists ------------------------------------------------------------------------------------------------------------------

CREATE TRIGGER store_keeps BEFORE UPDATE ON store FOR EACH ROW
WHEN ((NEW.uuid, NEW.created_us, NEW.migrated_from) IS DISTINCT FROM (OLD.uuid, OLD.created_us, OLD.migrated_from) OR NEW.version < OLD.version)
EXECUTE FUNCTION refuses('a store stays what it is');
CREATE TRIGGER store_stays BEFORE DELETE ON store FOR EACH ROW EXECUTE FUNCTION refuses('a store stays what it is');
CREATE TRIGGER workflow_keeps BEFORE UPDATE ON workflow FOR EACH ROW EXECUTE FUNCTION refuses('a workflow is never changed');
CREATE TRIGGER workflow_stays BEFORE DELETE ON workflow FOR EACH ROW EXECUTE FUNCTION refuses('a workflow is never deleted');
CREATE TRIGGER session_keeps BEFORE UPDATE ON session FOR EACH ROW EXECUTE FUNCTION refuses('a session is never changed');
CREATE TRIGGER definition_keeps BEFORE UPDATE ON definition FOR EACH ROW EXECUTE FUNCTION refuses('a definition is never changed');
CREATE TRIGGER definition_stays BEFORE DELETE ON definition FOR EACH ROW EXECUTE FUNCTION refuses('a definition is never deleted');
CREATE TRIGGER legal_keeps BEFORE UPDATE ON legal FOR EACH ROW EXECUTE FUNCTION refuses('a row of a lifecycle is never changed');
CREATE TRIGGER legal_stays BEFORE DELETE ON legal FOR EACH ROW EXECUTE FUNCTION refuses('a row of a lifecycle is never deleted');
CREATE TRIGGER start_key_keeps BEFORE UPDATE ON start_key FOR EACH ROW EXECUTE FUNCTION refuses('the key of a start is never changed');
CREATE TRIGGER start_key_stays BEFORE DELETE ON start_key FOR EACH ROW EXECUTE FUNCTION refuses('the key of a start is never deleted');
CREATE TRIGGER session_value_keeps BEFORE UPDATE OF run, session, workflow, key ON session_value FOR EACH ROW
EXECUTE FUNCTION refuses('a value of a session stays where it is');

CREATE FUNCTION shape_closes() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE own RECORD;
BEGIN
  IF NOT EXISTS (SELECT FROM shape_move WHERE shape = NEW.id
                 HAVING count(*) = NEW.moves AND coalesce(max(k), -1) = NEW.moves - 1 AND coalesce(min(k), 0) = 0) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'a shape is all of its moves', CONSTRAINT = TG_NAME;
  END IF;
  IF EXISTS (SELECT FROM shape_move m JOIN legal l ON l.id = m.legal WHERE m.shape = NEW.id AND (m.at = '') <> (l.machine = 'run')) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'only the run moves at the root', CONSTRAINT = TG_NAME;
  END IF;
  SELECT (array_agg(source ORDER BY k))[1] AS begins, (array_agg(dest ORDER BY k DESC))[1] AS ends, coalesce(bool_or(before <> source), false) AS jumps
  INTO own FROM (SELECT m.k, l.source, l.dest, lag(l.dest) OVER (ORDER BY m.k) AS before FROM shape_move m JOIN legal l ON l.id = m.legal
                 WHERE m.shape = NEW.id AND m.at = '') AS moves;
  IF (NEW.begins, NEW.ends) IS DISTINCT FROM (own.begins, own.ends) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'a shape begins and ends where its moves do', CONSTRAINT = TG_NAME;
  END IF;
  IF own.jumps THEN RAISE integrity_constraint_violation USING MESSAGE = 'a run moves on from where it is', CONSTRAINT = TG_NAME; END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER shape_closes BEFORE INSERT ON shape FOR EACH ROW EXECUTE FUNCTION shape_closes();
CREATE TRIGGER shape_keeps BEFORE UPDATE ON shape FOR EACH ROW EXECUTE FUNCTION refuses('a shape is never changed');
CREATE TRIGGER shape_stays BEFORE DELETE ON shape FOR EACH ROW EXECUTE FUNCTION refuses('a shape is never deleted');

-- Two transactions may intern one list at once. The later one is told as by a unique key: made again, it finds the shape.
CREATE FUNCTION shape_move_precedes() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  IF EXISTS (SELECT FROM shape WHERE id = NEW.shape) THEN
    RAISE unique_violation USING MESSAGE = 'a shape is never changed', CONSTRAINT = TG_NAME;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER shape_move_precedes BEFORE INSERT ON shape_move FOR EACH ROW EXECUTE FUNCTION shape_move_precedes();
CREATE FUNCTION shape_move_counts() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM shape WHERE id = NEW.shape AND NEW.k < moves) THEN
    RAISE unique_violation USING MESSAGE = 'a shape is never changed', CONSTRAINT = TG_NAME;
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER shape_move_counts AFTER INSERT ON shape_move DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
EXECUTE FUNCTION shape_move_counts();
CREATE TRIGGER shape_move_keeps BEFORE UPDATE ON shape_move FOR EACH ROW EXECUTE FUNCTION refuses('a shape is never changed');
CREATE TRIGGER shape_move_stays BEFORE DELETE ON shape_move FOR EACH ROW EXECUTE FUNCTION refuses('a shape is never deleted');

-- a run ----------------------------------------------------------------------------------------------------------------------------

CREATE FUNCTION run_begins() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  IF EXISTS (SELECT FROM tombstone WHERE run = NEW.id OR run_id = NEW.run_id) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'a purged run does not begin again', CONSTRAINT = TG_NAME;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER run_begins AFTER INSERT ON run FOR EACH ROW EXECUTE FUNCTION run_begins();
CREATE TRIGGER run_keeps BEFORE UPDATE ON run FOR EACH ROW
WHEN ((NEW.id, NEW.run_id, NEW.workflow, NEW.workflow_name, NEW.created_us, NEW.definition, NEW.workflow_version, NEW.rules, NEW.start_key,
    NEW.traceparent)
  IS DISTINCT FROM (OLD.id, OLD.run_id, OLD.workflow, OLD.workflow_name, OLD.created_us, OLD.definition, OLD.workflow_version, OLD.rules,
    OLD.start_key, OLD.traceparent) OR NEW.session <> OLD.session OR NEW.user_id <> OLD.user_id)
EXECUTE FUNCTION refuses('a run is never changed');
CREATE TRIGGER run_stays BEFORE DELETE ON run FOR EACH ROW EXECUTE FUNCTION stays('a run is deleted only behind its tombstone');

CREATE FUNCTION hot_begins() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  IF NEW.phase <> 'pending' OR NEW.number <> 0 OR NEW.ended_us IS NOT NULL
    OR NEW.workflow IS DISTINCT FROM (SELECT workflow FROM run WHERE id = NEW.run)
    OR NEW.session IS DISTINCT FROM (SELECT session FROM run WHERE id = NEW.run) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'a run begins at its beginning', CONSTRAINT = TG_NAME;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER hot_begins BEFORE INSERT ON hot FOR EACH ROW EXECUTE FUNCTION hot_begins();
CREATE TRIGGER hot_keeps BEFORE UPDATE OF run, workflow, session ON hot FOR EACH ROW WHEN (NEW.run <> OLD.run OR NEW.workflow <> OLD.workflow
  OR (NEW.session IS NOT NULL AND NEW.session IS DISTINCT FROM OLD.session))
EXECUTE FUNCTION refuses('a run stays what it is');
CREATE TRIGGER hot_claims BEFORE UPDATE OF epoch, claim_order ON hot FOR EACH ROW
WHEN (NEW.epoch < OLD.epoch OR NEW.claim_order < OLD.claim_order) EXECUTE FUNCTION refuses('an epoch never goes back');
CREATE FUNCTION hot_heads() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  IF NEW.number < OLD.number OR NEW.head IS DISTINCT FROM (SELECT hash FROM event WHERE id = NEW.run << 24 | NEW.number) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'a head is a row of the journal', CONSTRAINT = TG_NAME;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER hot_heads BEFORE UPDATE OF number, head ON hot FOR EACH ROW WHEN (NEW.number <> OLD.number OR NEW.head <> OLD.head)
EXECUTE FUNCTION hot_heads();
CREATE FUNCTION hot_moves() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  IF NEW.phase IS DISTINCT FROM (
    SELECT CASE WHEN e.shape IS NOT NULL THEN (SELECT ends FROM shape WHERE id = e.shape) ELSE listed_end(e.id) END
    FROM event e WHERE e.id = NEW.run << 24 | NEW.number) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'a run moves by its journal', CONSTRAINT = TG_NAME;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER hot_moves BEFORE UPDATE OF phase ON hot FOR EACH ROW WHEN (NEW.phase <> OLD.phase) EXECUTE FUNCTION hot_moves();
CREATE TRIGGER hot_ends BEFORE UPDATE OF ended_us ON hot FOR EACH ROW
WHEN (NEW.ended_us IS NOT NULL AND NEW.phase NOT IN ('completed', 'cancelled', 'failed'))
EXECUTE FUNCTION refuses('a run that goes on has not ended');
CREATE TRIGGER hot_stays BEFORE DELETE ON hot FOR EACH ROW EXECUTE FUNCTION stays('a run is deleted only behind its tombstone');
CREATE FUNCTION hot_tells() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  PERFORM pg_notify('statecore.' || TG_TABLE_SCHEMA, '');
  RETURN NULL;
END $$;
CREATE TRIGGER hot_tells AFTER UPDATE OF owner, wake_us ON hot FOR EACH ROW WHEN (NEW.owner IS NULL AND NEW.wake_us = 0)
EXECUTE FUNCTION hot_tells();

-- the journal ----------------------------------------------------------------------------------------------------------------------

CREATE FUNCTION event_follows() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE claim BIGINT; last BIGINT;
BEGIN
  SELECT epoch INTO claim FROM hot WHERE run = NEW.run FOR NO KEY UPDATE;
  last := (SELECT max(id) FROM event WHERE id BETWEEN NEW.run << 24 AND (NEW.run << 24) + 16777215);
  IF NEW.id IS DISTINCT FROM coalesce(last, NEW.run << 24) + 1 THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'an event must follow the last one', CONSTRAINT = TG_NAME;
  END IF;
  IF NEW.boundary < 1 OR NEW.boundary - coalesce((SELECT boundary FROM event WHERE id = last), 0) NOT IN (0, 1) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'a boundary must follow the last one', CONSTRAINT = TG_NAME;
  END IF;
  IF NEW.epoch IS DISTINCT FROM claim THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'another claim is in force', CONSTRAINT = TG_NAME;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER event_follows BEFORE INSERT ON event FOR EACH ROW EXECUTE FUNCTION event_follows();

CREATE FUNCTION event_moves_on() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  IF EXISTS (SELECT FROM move WHERE event = NEW.id) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'an event has its moves in one place', CONSTRAINT = TG_NAME;
  END IF;
  IF EXISTS (SELECT FROM hot JOIN shape s ON s.id = NEW.shape WHERE hot.run = NEW.run
             AND CASE WHEN s.begins IS NULL THEN hot.phase IN ('completed', 'cancelled', 'failed') ELSE s.begins <> hot.phase END) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'a run moves on from where it is', CONSTRAINT = TG_NAME;
  END IF;
  IF NEW.seq - (CASE NEW.id & 16777215 WHEN 1 THEN 0 ELSE (SELECT seq FROM event WHERE id = NEW.id - 1) END)
    <> (SELECT moves FROM shape WHERE id = NEW.shape) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'an event counts its moves', CONSTRAINT = TG_NAME;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER event_moves_on BEFORE INSERT ON event FOR EACH ROW WHEN (NEW.shape IS NOT NULL) EXECUTE FUNCTION event_moves_on();

CREATE FUNCTION event_lists_moves() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE stands TEXT := (SELECT phase FROM hot WHERE run = NEW.run);
BEGIN
  IF (SELECT count(*) = 0 OR max(k) + 1 <> count(*) OR min(k) < 0 FROM move WHERE event = NEW.id) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'an event has its moves', CONSTRAINT = TG_NAME;
  END IF;
  IF NEW.seq - (CASE NEW.id & 16777215 WHEN 1 THEN 0 ELSE (SELECT seq FROM event WHERE id = NEW.id - 1) END)
    <> (SELECT count(*) FROM move WHERE event = NEW.id) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'an event counts its moves', CONSTRAINT = TG_NAME;
  END IF;
  IF EXISTS (SELECT FROM move m JOIN legal l ON l.id = m.legal WHERE m.event = NEW.id AND (m.at = '') <> (l.machine = 'run')) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'only the run moves at the root', CONSTRAINT = TG_NAME;
  END IF;
  IF EXISTS (SELECT FROM (SELECT l.source, lag(l.dest, 1, stands) OVER (ORDER BY m.k) AS before FROM move m JOIN legal l ON l.id = m.legal
                          WHERE m.event = NEW.id AND m.at = '') AS moves WHERE before <> source)
    OR (stands IN ('completed', 'cancelled', 'failed') AND NOT EXISTS (SELECT FROM move WHERE event = NEW.id AND at = '')) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'a run moves on from where it is', CONSTRAINT = TG_NAME;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER event_lists_moves BEFORE INSERT ON event FOR EACH ROW WHEN (NEW.shape IS NULL) EXECUTE FUNCTION event_lists_moves();

CREATE FUNCTION event_takes_along() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE moved TEXT;
BEGIN
  IF NEW.shape IS NULL THEN moved := listed_end(NEW.id); ELSE moved := (SELECT ends FROM shape WHERE id = NEW.shape); END IF;
  IF moved IS NOT NULL THEN UPDATE hot SET number = NEW.id & 16777215, head = NEW.hash, phase = moved WHERE run = NEW.run; END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER event_takes_along AFTER INSERT ON event FOR EACH ROW WHEN (NEW.shape IS NOT NULL) EXECUTE FUNCTION event_takes_along();
CREATE TRIGGER event_takes_listed_along AFTER INSERT ON event FOR EACH ROW WHEN (NEW.shape IS NULL) EXECUTE FUNCTION event_takes_along();
CREATE TRIGGER event_keeps BEFORE UPDATE ON event FOR EACH ROW
WHEN ((NEW.id, NEW.run, NEW.boundary, NEW.epoch, NEW.shape, NEW.place, NEW.seq, NEW.time_us, NEW.fact, NEW.session, NEW.traceparent, NEW.hash)
  IS DISTINCT FROM (OLD.id, OLD.run, OLD.boundary, OLD.epoch, OLD.shape, OLD.place, OLD.seq, OLD.time_us, OLD.fact, OLD.session, OLD.traceparent, OLD.hash))
EXECUTE FUNCTION refuses('an event is never changed');
CREATE TRIGGER event_stays BEFORE DELETE ON event FOR EACH ROW EXECUTE FUNCTION stays('an event is deleted only behind its tombstone');

CREATE FUNCTION move_precedes() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  PERFORM FROM hot WHERE run = NEW.event >> 24 FOR NO KEY UPDATE;
  IF EXISTS (SELECT FROM event WHERE id = NEW.event) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'an event is never changed', CONSTRAINT = TG_NAME;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER move_precedes BEFORE INSERT ON move FOR EACH ROW EXECUTE FUNCTION move_precedes();
CREATE TRIGGER move_keeps BEFORE UPDATE ON move FOR EACH ROW EXECUTE FUNCTION refuses('an event is never changed');
CREATE TRIGGER move_stays BEFORE DELETE ON move FOR EACH ROW EXECUTE FUNCTION stays('an event is deleted only behind its tombstone');

CREATE FUNCTION value_follows() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  IF NOT is_last(NEW.event >> 24, NEW.event) OR NOT EXISTS (SELECT FROM event WHERE id = NEW.event AND CASE NEW.slot
    WHEN 'by' THEN "by" IS NULL AND by_c IS NOT NULL WHEN 'note' THEN note IS NULL AND note_c IS NOT NULL
    ELSE value IS NULL AND value_c IS NOT NULL END) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'a value is one that the last boundary committed to', CONSTRAINT = TG_NAME;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER value_follows BEFORE INSERT ON value FOR EACH ROW EXECUTE FUNCTION value_follows();
CREATE FUNCTION value_keeps() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  IF NEW.id <> OLD.id OR NEW.event <> OLD.event OR NEW.slot <> OLD.slot OR NOT EXISTS (SELECT FROM store WHERE rotating_us IS NOT NULL) THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'a value is never changed', CONSTRAINT = TG_NAME;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER value_keeps BEFORE UPDATE ON value FOR EACH ROW EXECUTE FUNCTION value_keeps();
CREATE FUNCTION value_stays() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE of_run BIGINT := OLD.event >> 24;
BEGIN
  IF NOT EXISTS (SELECT FROM tombstone WHERE run = of_run) AND ((SELECT length(salt) FROM event WHERE id = OLD.event) = 16
    OR NOT EXISTS (SELECT FROM erasure WHERE run = of_run AND done_us IS NULL)) THEN
    RAISE integrity_constraint_violation USING CONSTRAINT = TG_NAME,
      MESSAGE = 'a value is deleted by an erasure that took the salt along, or behind a tombstone';
  END IF;
  RETURN OLD;
END $$;
CREATE TRIGGER value_stays BEFORE DELETE ON value FOR EACH ROW EXECUTE FUNCTION value_stays();
