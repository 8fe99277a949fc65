-- What may never happen to the tables of format 3; run after schema-3.sql. Each trigger is named after its table and what it sees to.
-- Bodies, commitments and salts are guarded in schema-3-erasing.sql. Seals (kid, seal) may be replaced: a digest depends on no key, and a seal
-- that is wrong is found by `verify`. Not guarded: audience, notice, delivery, which can be made anew.

-- names and lists ------------------------------------------------------------------------------------------------------------------

CREATE TRIGGER store_keeps BEFORE UPDATE ON store
WHEN (NEW.uuid, NEW.created_us, NEW.migrated_from) IS NOT (OLD.uuid, OLD.created_us, OLD.migrated_from) OR NEW.version < OLD.version
BEGIN SELECT RAISE(ABORT, 'a store stays what it is'); END;
CREATE TRIGGER store_stays BEFORE DELETE ON store BEGIN SELECT RAISE(ABORT, 'a store stays what it is'); END;
CREATE TRIGGER workflow_keeps BEFORE UPDATE ON workflow BEGIN SELECT RAISE(ABORT, 'a workflow is never changed'); END;
CREATE TRIGGER workflow_stays BEFORE DELETE ON workflow BEGIN SELECT RAISE(ABORT, 'a workflow is never deleted'); END;
CREATE TRIGGER session_keeps BEFORE UPDATE ON session BEGIN SELECT RAISE(ABORT, 'a session is never changed'); END;
CREATE TRIGGER definition_keeps BEFORE UPDATE ON definition BEGIN SELECT RAISE(ABORT, 'a definition is never changed'); END;
CREATE TRIGGER definition_stays BEFORE DELETE ON definition BEGIN SELECT RAISE(ABORT, 'a definition is never deleted'); END;
CREATE TRIGGER legal_keeps BEFORE UPDATE ON legal BEGIN SELECT RAISE(ABORT, 'a row of a lifecycle is never changed'); END;
CREATE TRIGGER legal_stays BEFORE DELETE ON legal BEGIN SELECT RAISE(ABORT, 'a row of a lifecycle is never deleted'); END;
CREATE TRIGGER start_key_keeps BEFORE UPDATE ON start_key BEGIN SELECT RAISE(ABORT, 'the key of a start is never changed'); END;
CREATE TRIGGER start_key_stays BEFORE DELETE ON start_key BEGIN SELECT RAISE(ABORT, 'the key of a start is never deleted'); END;
CREATE TRIGGER session_value_keeps BEFORE UPDATE OF run, session, workflow, key ON session_value
BEGIN SELECT RAISE(ABORT, 'a value of a session stays where it is'); END;

CREATE TRIGGER shape_closes BEFORE INSERT ON shape
BEGIN
  SELECT RAISE(ABORT, 'a shape is all of its moves') WHERE
    (NEW.moves, NEW.moves - 1, 0) IS NOT (SELECT count(*), coalesce(max(k), -1), coalesce(min(k), 0) FROM shape_move WHERE shape = NEW.id);
  SELECT RAISE(ABORT, 'only the run moves at the root') WHERE
    EXISTS (SELECT 1 FROM shape_move m JOIN legal l ON l.id = m.legal WHERE m.shape = NEW.id AND (m.at = '') <> (l.machine = 'run'));
  SELECT RAISE(ABORT, 'a shape begins and ends where its moves do') WHERE
    NEW.begins IS NOT (SELECT l.source FROM shape_move m JOIN legal l ON l.id = m.legal WHERE m.shape = NEW.id AND m.at = '' ORDER BY m.k LIMIT 1)
    OR NEW.ends IS NOT (SELECT l.dest FROM shape_move m JOIN legal l ON l.id = m.legal WHERE m.shape = NEW.id AND m.at = ''
                       ORDER BY m.k DESC LIMIT 1);
  SELECT RAISE(ABORT, 'a run moves on from where it is') WHERE EXISTS (
    SELECT 1 FROM (SELECT l.source, lag(l.dest) OVER (ORDER BY m.k) AS before FROM shape_move m JOIN legal l ON l.id = m.legal
                   WHERE m.shape = NEW.id AND m.at = '') WHERE before <> source);
END;
CREATE TRIGGER shape_keeps BEFORE UPDATE ON shape BEGIN SELECT RAISE(ABORT, 'a shape is never changed'); END;
CREATE TRIGGER shape_stays BEFORE DELETE ON shape BEGIN SELECT RAISE(ABORT, 'a shape is never deleted'); END;
CREATE TRIGGER shape_move_precedes BEFORE INSERT ON shape_move WHEN EXISTS (SELECT 1 FROM shape WHERE id = NEW.shape)
BEGIN SELECT RAISE(ABORT, 'a shape is never changed'); END;
CREATE TRIGGER shape_move_keeps BEFORE UPDATE ON shape_move BEGIN SELECT RAISE(ABORT, 'a shape is never changed'); END;
CREATE TRIGGER shape_move_stays BEFORE DELETE ON shape_move BEGIN SELECT RAISE(ABORT, 'a shape is never deleted'); END;

-- a run ----------------------------------------------------------------------------------------------------------------------------

CREATE TRIGGER run_begins AFTER INSERT ON run WHEN EXISTS (SELECT 1 FROM tombstone WHERE run = NEW.id OR run_id = NEW.run_id)
BEGIN SELECT RAISE(ABORT, 'a purged run does not begin again'); END;
CREATE TRIGGER run_keeps BEFORE UPDATE ON run
WHEN (NEW.id, NEW.run_id, NEW.workflow, NEW.workflow_name, NEW.created_us, NEW.definition, NEW.workflow_version, NEW.rules, NEW.start_key,
    NEW.traceparent)
  IS NOT (OLD.id, OLD.run_id, OLD.workflow, OLD.workflow_name, OLD.created_us, OLD.definition, OLD.workflow_version, OLD.rules, OLD.start_key,
    OLD.traceparent) OR coalesce(NEW.session <> OLD.session, 0) OR coalesce(NEW.user_id <> OLD.user_id, 0)
BEGIN SELECT RAISE(ABORT, 'a run is never changed'); END;
CREATE TRIGGER run_stays BEFORE DELETE ON run WHEN NOT EXISTS (SELECT 1 FROM tombstone WHERE run = OLD.id)
BEGIN SELECT RAISE(ABORT, 'a run is deleted only behind its tombstone'); END;

CREATE TRIGGER hot_begins BEFORE INSERT ON hot
WHEN NEW.phase <> 'pending' OR NEW.number <> 0 OR NEW.ended_us IS NOT NULL OR NEW.workflow IS NOT (SELECT workflow FROM run WHERE id = NEW.run)
  OR NEW.session IS NOT (SELECT session FROM run WHERE id = NEW.run)
BEGIN SELECT RAISE(ABORT, 'a run begins at its beginning'); END;
CREATE TRIGGER hot_keeps BEFORE UPDATE OF run, workflow, session ON hot
WHEN NEW.run <> OLD.run OR NEW.workflow <> OLD.workflow OR (NEW.session IS NOT NULL AND NEW.session IS NOT OLD.session)
BEGIN SELECT RAISE(ABORT, 'a run stays what it is'); END;
CREATE TRIGGER hot_claims BEFORE UPDATE OF epoch, claim_order ON hot WHEN NEW.epoch < OLD.epoch OR NEW.claim_order < OLD.claim_order
BEGIN SELECT RAISE(ABORT, 'an epoch never goes back'); END;
CREATE TRIGGER hot_heads BEFORE UPDATE OF number, head ON hot
WHEN (NEW.number <> OLD.number OR NEW.head <> OLD.head) AND (NEW.number < OLD.number OR NEW.head IS NOT (SELECT hash FROM event
  WHERE id = NEW.run << 24 | NEW.number))
BEGIN SELECT RAISE(ABORT, 'a head is a row of the journal'); END;
CREATE TRIGGER hot_moves BEFORE UPDATE OF phase ON hot
WHEN NEW.phase <> OLD.phase AND NEW.phase IS NOT (SELECT CASE WHEN e.shape IS NOT NULL THEN (SELECT ends FROM shape WHERE id = e.shape)
  ELSE (SELECT l.dest FROM move m JOIN legal l ON l.id = m.legal WHERE m.event = e.id AND m.at = '' ORDER BY m.k DESC LIMIT 1) END
  FROM event e WHERE e.id = NEW.run << 24 | NEW.number)
BEGIN SELECT RAISE(ABORT, 'a run moves by its journal'); END;
CREATE TRIGGER hot_ends BEFORE UPDATE OF ended_us ON hot WHEN NEW.ended_us IS NOT NULL AND NEW.phase NOT IN ('completed', 'cancelled', 'failed')
BEGIN SELECT RAISE(ABORT, 'a run that goes on has not ended'); END;
CREATE TRIGGER hot_stays BEFORE DELETE ON hot WHEN NOT EXISTS (SELECT 1 FROM tombstone WHERE run = OLD.run)
BEGIN SELECT RAISE(ABORT, 'a run is deleted only behind its tombstone'); END;

-- the journal ----------------------------------------------------------------------------------------------------------------------

CREATE TRIGGER event_follows BEFORE INSERT ON event
BEGIN
  SELECT RAISE(ABORT, 'an event must follow the last one') WHERE
    NEW.id IS NOT (SELECT coalesce(max(id), NEW.run << 24) + 1 FROM event WHERE id BETWEEN NEW.run << 24 AND (NEW.run << 24) + 16777215);
  SELECT RAISE(ABORT, 'a boundary must follow the last one') WHERE
    NEW.boundary - (SELECT coalesce(max(boundary), 0) FROM event WHERE id = NEW.id - 1) NOT IN (0, 1) OR NEW.boundary < 1;
  SELECT RAISE(ABORT, 'another claim is in force') WHERE NEW.epoch IS NOT (SELECT epoch FROM hot WHERE run = NEW.run);
END;
CREATE TRIGGER event_moves_on BEFORE INSERT ON event WHEN NEW.shape IS NOT NULL
BEGIN
  SELECT RAISE(ABORT, 'an event has its moves in one place') WHERE EXISTS (SELECT 1 FROM move WHERE event = NEW.id);
  SELECT CASE WHEN iif(s.begins IS NULL, hot.phase IN ('completed', 'cancelled', 'failed'), s.begins <> hot.phase)
      THEN RAISE(ABORT, 'a run moves on from where it is')
    WHEN NEW.seq <> s.moves + iif(NEW.id & 16777215 = 1, 0, (SELECT seq FROM event WHERE id = NEW.id - 1)) THEN RAISE(ABORT, 'an event counts its moves') END
    FROM hot JOIN shape s ON s.id = NEW.shape WHERE hot.run = NEW.run;
END;
CREATE TRIGGER event_lists_moves BEFORE INSERT ON event WHEN NEW.shape IS NULL
BEGIN
  SELECT RAISE(ABORT, 'an event has its moves') WHERE (SELECT count(*) = 0 OR max(k) + 1 <> count(*) OR min(k) < 0 FROM move WHERE event = NEW.id);
  SELECT RAISE(ABORT, 'an event counts its moves') WHERE
    NEW.seq <> (SELECT count(*) FROM move WHERE event = NEW.id) + iif(NEW.id & 16777215 = 1, 0, (SELECT seq FROM event WHERE id = NEW.id - 1));
  SELECT RAISE(ABORT, 'only the run moves at the root') WHERE
    EXISTS (SELECT 1 FROM move m JOIN legal l ON l.id = m.legal WHERE m.event = NEW.id AND (m.at = '') <> (l.machine = 'run'));
  SELECT RAISE(ABORT, 'a run moves on from where it is') FROM hot WHERE run = NEW.run AND (
    EXISTS (SELECT 1 FROM (SELECT l.source, lag(l.dest, 1, hot.phase) OVER (ORDER BY m.k) AS before FROM move m JOIN legal l ON l.id = m.legal
                           WHERE m.event = NEW.id AND m.at = '') WHERE before <> source)
    OR (hot.phase IN ('completed', 'cancelled', 'failed') AND NOT EXISTS (SELECT 1 FROM move WHERE event = NEW.id AND at = '')));
END;
CREATE TRIGGER event_takes_along AFTER INSERT ON event WHEN (SELECT ends FROM shape WHERE id = NEW.shape) IS NOT NULL
BEGIN
  UPDATE hot SET number = NEW.id & 16777215, head = NEW.hash, phase = (SELECT ends FROM shape WHERE id = NEW.shape) WHERE run = NEW.run;
END;
CREATE TRIGGER event_takes_listed_along AFTER INSERT ON event WHEN NEW.shape IS NULL AND EXISTS (SELECT 1 FROM move WHERE event = NEW.id AND at = '')
BEGIN
  UPDATE hot SET number = NEW.id & 16777215, head = NEW.hash, phase = (
    SELECT l.dest FROM move m JOIN legal l ON l.id = m.legal WHERE m.event = NEW.id AND m.at = '' ORDER BY m.k DESC LIMIT 1) WHERE run = NEW.run;
END;
CREATE TRIGGER event_keeps BEFORE UPDATE ON event
WHEN (NEW.id, NEW.run, NEW.boundary, NEW.epoch, NEW.shape, NEW.place, NEW.seq, NEW.time_us, NEW.fact, NEW.session, NEW.traceparent, NEW.hash)
  IS NOT (OLD.id, OLD.run, OLD.boundary, OLD.epoch, OLD.shape, OLD.place, OLD.seq, OLD.time_us, OLD.fact, OLD.session, OLD.traceparent, OLD.hash)
BEGIN SELECT RAISE(ABORT, 'an event is never changed'); END;
CREATE TRIGGER event_stays BEFORE DELETE ON event WHEN NOT EXISTS (SELECT 1 FROM tombstone WHERE run = OLD.run)
BEGIN SELECT RAISE(ABORT, 'an event is deleted only behind its tombstone'); END;

CREATE TRIGGER move_precedes BEFORE INSERT ON move WHEN EXISTS (SELECT 1 FROM event WHERE id = NEW.event)
BEGIN SELECT RAISE(ABORT, 'an event is never changed'); END;
CREATE TRIGGER move_keeps BEFORE UPDATE ON move BEGIN SELECT RAISE(ABORT, 'an event is never changed'); END;
CREATE TRIGGER move_stays BEFORE DELETE ON move WHEN NOT EXISTS (SELECT 1 FROM tombstone WHERE run = OLD.event >> 24)
BEGIN SELECT RAISE(ABORT, 'an event is deleted only behind its tombstone'); END;

CREATE TRIGGER value_follows BEFORE INSERT ON value
WHEN NOT EXISTS (SELECT 1 FROM event WHERE id = NEW.event AND CASE NEW.slot WHEN 'by' THEN "by" IS NULL AND by_c IS NOT NULL
  WHEN 'note' THEN note IS NULL AND note_c IS NOT NULL ELSE value IS NULL AND value_c IS NOT NULL END)
  OR (SELECT boundary FROM event WHERE id = NEW.event) IS NOT (
    SELECT boundary FROM event WHERE id BETWEEN NEW.event & ~16777215 AND NEW.event | 16777215 ORDER BY id DESC LIMIT 1)
BEGIN SELECT RAISE(ABORT, 'a value is one that the last boundary committed to'); END;
CREATE TRIGGER value_keeps BEFORE UPDATE ON value
WHEN NEW.id <> OLD.id OR NEW.event <> OLD.event OR NEW.slot <> OLD.slot OR NOT EXISTS (SELECT 1 FROM store WHERE rotating_us IS NOT NULL)
BEGIN SELECT RAISE(ABORT, 'a value is never changed'); END;
CREATE TRIGGER value_stays BEFORE DELETE ON value
WHEN NOT EXISTS (SELECT 1 FROM tombstone WHERE run = OLD.event >> 24) AND (
  NOT EXISTS (SELECT 1 FROM erasure WHERE run = OLD.event >> 24 AND done_us IS NULL) OR (SELECT length(salt) FROM event WHERE id = OLD.event) = 16)
BEGIN SELECT RAISE(ABORT, 'a value is deleted by an erasure that took the salt along, or behind a tombstone'); END;

-- questions ------------------------------------------------------------------------------------------------------------------------

CREATE TRIGGER pause_opens BEFORE INSERT ON pause
BEGIN
  SELECT RAISE(ABORT, 'a question is put undecided and open') WHERE NEW.word IS NOT NULL OR NEW.closed IS NOT NULL
    OR NEW.due_us IS NOT NEW.deadline_us;
  SELECT RAISE(ABORT, 'a question is put by the last boundary of its run') WHERE NEW.workflow IS NOT (SELECT workflow FROM run WHERE id = NEW.run)
    OR (SELECT boundary FROM event WHERE id = NEW.opened AND run = NEW.run) IS NOT (
      SELECT boundary FROM event WHERE id BETWEEN NEW.run << 24 AND (NEW.run << 24) + 16777215 ORDER BY id DESC LIMIT 1)
    OR NOT EXISTS (SELECT 1 FROM event WHERE id = NEW.opened);
  SELECT RAISE(ABORT, 'a question is put again when it was closed without an answer') WHERE NEW.put > 1 AND NOT EXISTS (
    SELECT 1 FROM pause p WHERE p.run = NEW.run AND p.put = NEW.put - 1 AND p.outcome IN ('void', 'lapsed')
    AND NEW.pause_id = substr(p.pause_id, 1, length(p.pause_id) - iif(p.put = 1, 0, length('@' || p.put))) || '@' || NEW.put);
END;
CREATE TRIGGER pause_keeps BEFORE UPDATE ON pause
WHEN (NEW.id, NEW.run, NEW.workflow, NEW.pause_id, NEW.question_id, NEW.put, NEW.kind, NEW.at, NEW.turn, NEW.attempt, NEW.step_name, NEW.rule,
    NEW.words, NEW.max_bytes, NEW.consequences, NEW.seen, NEW.meanings, NEW.opened, NEW.opened_us, NEW.deadline_us, NEW.on_timeout)
  IS NOT (OLD.id, OLD.run, OLD.workflow, OLD.pause_id, OLD.question_id, OLD.put, OLD.kind, OLD.at, OLD.turn, OLD.attempt, OLD.step_name,
    OLD.rule, OLD.words, OLD.max_bytes, OLD.consequences, OLD.seen, OLD.meanings, OLD.opened, OLD.opened_us, OLD.deadline_us, OLD.on_timeout)
BEGIN SELECT RAISE(ABORT, 'a question is never changed'); END;
CREATE TRIGGER pause_lets_vote BEFORE UPDATE OF voter_salt ON pause WHEN NEW.voter_salt IS NOT OLD.voter_salt AND (NEW.voter_salt IS NOT NULL
  OR NEW.closed IS NULL)
BEGIN SELECT RAISE(ABORT, 'the salt of the voters goes when the question closes'); END;
CREATE TRIGGER pause_extends BEFORE UPDATE OF due_us ON pause
WHEN NEW.due_us IS NOT OLD.due_us AND (OLD.closed IS NOT NULL OR NEW.due_us IS NULL
  OR NEW.due_us IS NOT (SELECT until_us FROM act WHERE pause = OLD.id AND kind = 'extension' ORDER BY id DESC LIMIT 1))
BEGIN SELECT RAISE(ABORT, 'a deadline is moved by an extension'); END;
CREATE TRIGGER pause_decides BEFORE UPDATE OF word ON pause WHEN OLD.word IS NULL AND NEW.word IS NOT NULL
BEGIN
  SELECT RAISE(ABORT, 'only an open question is decided') WHERE OLD.closed IS NOT NULL;
  SELECT RAISE(ABORT, 'a question has its words') WHERE instr(NEW.word, char(10)) > 0
    OR instr(char(10) || OLD.words || char(10), char(10) || NEW.word || char(10)) = 0;
  SELECT RAISE(ABORT, 'a decision comes before the deadline') WHERE
    NEW.decided_us >= OLD.due_us AND NOT (OLD.on_timeout = 'approve' AND NEW.word = 'reject');
END;
CREATE TRIGGER pause_decided BEFORE UPDATE ON pause
WHEN OLD.word IS NOT NULL AND (NEW.word, NEW.decided_us, NEW.via, NEW.key, NEW.decided_seen, NEW.meaning, NEW.last_act)
  IS NOT (OLD.word, OLD.decided_us, OLD.via, OLD.key, OLD.decided_seen, OLD.meaning, OLD.last_act)
BEGIN SELECT RAISE(ABORT, 'a decision is never changed'); END;
CREATE TRIGGER pause_closes BEFORE UPDATE OF closed, outcome ON pause WHEN NEW.closed IS NOT OLD.closed OR NEW.outcome IS NOT OLD.outcome
BEGIN
  SELECT RAISE(ABORT, 'a question closes once') WHERE OLD.closed IS NOT NULL;
  SELECT RAISE(ABORT, 'a question is closed by the last boundary of its run') WHERE NOT EXISTS (SELECT 1 FROM event WHERE id = NEW.closed)
    OR (SELECT boundary FROM event WHERE id = NEW.closed AND run = OLD.run) IS NOT (
      SELECT boundary FROM event WHERE id BETWEEN OLD.run << 24 AND (OLD.run << 24) + 16777215 ORDER BY id DESC LIMIT 1);
  SELECT RAISE(ABORT, 'what was decided does not expire') WHERE NEW.outcome = 'expired' AND NEW.word IS NOT NULL;
END;
CREATE TRIGGER pause_wakes AFTER UPDATE OF word ON pause WHEN NEW.word IS NOT NULL AND OLD.word IS NULL
BEGIN UPDATE hot SET wake_us = 0 WHERE run = NEW.run; END;
CREATE TRIGGER pause_stays BEFORE DELETE ON pause WHEN NOT EXISTS (SELECT 1 FROM tombstone WHERE run = OLD.run)
BEGIN SELECT RAISE(ABORT, 'a question is deleted only behind its tombstone'); END;

CREATE TRIGGER act_follows BEFORE INSERT ON act
BEGIN
  SELECT RAISE(ABORT, 'an act is about an open question') WHERE NOT EXISTS (SELECT 1 FROM pause WHERE id = NEW.pause AND closed IS NULL);
  SELECT RAISE(ABORT, 'a voter votes once a round') WHERE NEW.kind = 'vote' AND NEW.round > 0
    AND NOT EXISTS (SELECT 1 FROM act WHERE pause = NEW.pause AND voter = NEW.voter AND round = NEW.round - 1 AND kind = 'vote');
END;
CREATE TRIGGER act_keeps BEFORE UPDATE ON act
WHEN (NEW.id, NEW.pause, NEW.kind, NEW.word, NEW.voter, NEW.round, NEW.time_us, NEW.via, NEW.roles, NEW.seen, NEW.meaning, NEW.until_us, NEW.detail)
  IS NOT (OLD.id, OLD.pause, OLD.kind, OLD.word, OLD.voter, OLD.round, OLD.time_us, OLD.via, OLD.roles, OLD.seen, OLD.meaning, OLD.until_us,
    OLD.detail)
BEGIN SELECT RAISE(ABORT, 'an act is never changed'); END;
CREATE TRIGGER act_counts BEFORE UPDATE OF times ON act WHEN NEW.times <> OLD.times AND (OLD.kind <> 'refusal' OR NEW.times < OLD.times)
BEGIN SELECT RAISE(ABORT, 'an act is never changed'); END;
CREATE TRIGGER act_stays BEFORE DELETE ON act WHEN NOT EXISTS (SELECT 1 FROM pause p JOIN tombstone t ON t.run = p.run WHERE p.id = OLD.pause)
BEGIN SELECT RAISE(ABORT, 'an act is deleted only behind its tombstone'); END;

-- the end of data ------------------------------------------------------------------------------------------------------------------

CREATE TRIGGER tombstone_fits BEFORE INSERT ON tombstone
BEGIN
  SELECT RAISE(ABORT, 'only an ended run that nobody executes is purged') WHERE NOT EXISTS (
    SELECT 1 FROM hot JOIN run ON run.id = hot.run WHERE hot.run = NEW.run AND run.run_id = NEW.run_id AND run.workflow = NEW.workflow
      AND run.created_us = NEW.created_us
    AND hot.phase = NEW.phase AND hot.ended_us = NEW.ended_us AND hot.owner IS NULL AND hot.number = NEW.number AND hot.head = NEW.head);
  SELECT RAISE(ABORT, 'what is to be told is told first') WHERE EXISTS (
    SELECT 1 FROM notice n LEFT JOIN delivery d ON d.notice = n.id WHERE n.run = NEW.run AND d.done_us IS NULL);
END;
CREATE TRIGGER tombstone_keeps BEFORE UPDATE ON tombstone
WHEN (NEW.run, NEW.run_id, NEW.workflow, NEW.identity, NEW.phase, NEW.number, NEW.head, NEW.created_us, NEW.ended_us, NEW.purged_us)
  IS NOT (OLD.run, OLD.run_id, OLD.workflow, OLD.identity, OLD.phase, OLD.number, OLD.head, OLD.created_us, OLD.ended_us, OLD.purged_us)
BEGIN SELECT RAISE(ABORT, 'a tombstone is never changed'); END;
CREATE TRIGGER tombstone_stays BEFORE DELETE ON tombstone WHEN EXISTS (SELECT 1 FROM run WHERE id = OLD.run)
BEGIN SELECT RAISE(ABORT, 'a tombstone stays while a row of its run does'); END;

CREATE TRIGGER erasure_orders BEFORE INSERT ON erasure WHEN NEW.done_us IS NOT NULL OR NOT EXISTS (SELECT 1 FROM run WHERE id = NEW.run)
BEGIN SELECT RAISE(ABORT, 'an erasure is ordered first, of a run that is there'); END;
CREATE TRIGGER erasure_keeps BEFORE UPDATE ON erasure
WHEN (NEW.id, NEW.run, NEW.what, NEW.time_us)
  IS NOT (OLD.id, OLD.run, OLD.what, OLD.time_us)
BEGIN SELECT RAISE(ABORT, 'an erasure is never changed'); END;
CREATE TRIGGER erasure_ends BEFORE UPDATE OF done_us ON erasure WHEN OLD.done_us IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'an erasure is done once'); END;
CREATE TRIGGER erasure_stays BEFORE DELETE ON erasure WHEN NOT EXISTS (SELECT 1 FROM tombstone WHERE run = OLD.run)
BEGIN SELECT RAISE(ABORT, 'an erasure is deleted only behind a tombstone'); END;

CREATE TRIGGER leaf_follows BEFORE INSERT ON leaf
BEGIN
  SELECT RAISE(ABORT, 'a leaf must follow the last one') WHERE NEW.number IS NOT (SELECT coalesce(max(number), 0) + 1 FROM leaf);
  SELECT RAISE(ABORT, 'a leaf is of a run as it stands') WHERE NOT EXISTS (SELECT 1 FROM run WHERE id = NEW.run AND run_id = NEW.run_id)
    OR (NEW.kind = 'ended' AND NOT EXISTS (SELECT 1 FROM hot WHERE run = NEW.run AND ended_us IS NOT NULL AND number = NEW.event
      AND head = NEW.digest));
END;
CREATE TRIGGER leaf_keeps BEFORE UPDATE ON leaf BEGIN SELECT RAISE(ABORT, 'a leaf is never changed'); END;
CREATE TRIGGER leaf_stays BEFORE DELETE ON leaf BEGIN SELECT RAISE(ABORT, 'a leaf is never deleted'); END;
