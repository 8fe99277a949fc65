-- Schema 1 for Postgres: what schema 2 of the SQLite file is. What may never happen is refused here, not only in Python: the database is the model.
-- It is run by the owner of the schema, inside one transaction, with search_path set to that schema.

-- whose schema this is, and of which version: one row
CREATE TABLE edition (
  product TEXT PRIMARY KEY CHECK (product = 'statecore'),
  version BIGINT NOT NULL
);

-- payloads by content: the same text is kept once, at its own hash (a text with a NUL is written otherwise than it is: see dialect.py)
CREATE TABLE value (
  hash BYTEA PRIMARY KEY,
  text TEXT NOT NULL,
  CONSTRAINT value_is_at_its_hash CHECK (position(E'\x10' IN text) > 0 OR hash = sha256(convert_to(text, 'UTF8')))
);

-- workflows as they were compiled
CREATE TABLE definition (
  id          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  fingerprint TEXT NOT NULL UNIQUE,
  canonical   TEXT NOT NULL
);

-- the rows of the lifecycles, as `transitions` runs them; ids are this schema's own and never change
CREATE TABLE legal (
  id        BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  machine   TEXT NOT NULL,
  source    TEXT NOT NULL,
  "trigger" TEXT NOT NULL,
  dest      TEXT NOT NULL,
  UNIQUE (machine, source, "trigger", dest)
);

-- counts claims across runs: the order of runs, whatever the clocks say
CREATE SEQUENCE run_turns;

-- runs as they stand; small, because a boundary rewrites the row (there is room for that on its page)
CREATE TABLE run (
  id               BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  run_id           TEXT NOT NULL UNIQUE,
  workflow_id      TEXT NOT NULL,
  workflow_name    TEXT NOT NULL,
  session_id       TEXT NOT NULL,
  user_id          TEXT,
  created          BIGINT NOT NULL,   -- times are whole microseconds since 1970, UTC
  input            BYTEA NOT NULL REFERENCES value,
  additional_data  BYTEA NOT NULL REFERENCES value,
  metadata         BYTEA NOT NULL REFERENCES value,
  definition       BIGINT NOT NULL REFERENCES definition,
  rules            BIGINT NOT NULL,
  start_key        TEXT,
  owner            TEXT,
  epoch            BIGINT NOT NULL,
  lease            BIGINT,
  cancel_by        TEXT,
  cancel_requested BIGINT,
  turned           BIGINT NOT NULL,
  phase            TEXT NOT NULL,
  state            TEXT NOT NULL,     -- what the core knows of the run
  held             TEXT NOT NULL,     -- at which journal rows the outputs lie that the state refers to
  updated          BIGINT NOT NULL,
  seq              BIGINT NOT NULL,   -- the journal's last row
  head             BYTEA NOT NULL,    -- and its hash
  seal             BYTEA,             -- who the run is: what never changes
  claimed          BYTEA,             -- whose it is: owner, epoch, turned, cancel_by, cancel_requested
  knock            BOOLEAN            -- nobody reads it: a role that may write it may lock the row, and change nothing else
) WITH (fillfactor = 50);
CREATE UNIQUE INDEX run_start ON run (workflow_id, start_key) WHERE start_key IS NOT NULL;
CREATE INDEX run_turned ON run (turned);
CREATE INDEX run_phase ON run (phase, turned);
CREATE INDEX run_session ON run (session_id, turned);
CREATE INDEX run_workflow ON run (workflow_id, turned);
CREATE INDEX run_workflow_phase ON run (workflow_id, phase, turned);
CREATE INDEX run_free ON run (workflow_id, phase) WHERE owner IS NULL AND phase IN ('pending', 'running');
CREATE INDEX run_held ON run (workflow_id) WHERE owner IS NOT NULL;
CREATE INDEX run_uncancelled ON run (workflow_id) WHERE phase = 'paused' AND cancel_requested IS NOT NULL;

-- apart from its run because it may be large and seldom changes
CREATE TABLE session_state (
  run  BIGINT PRIMARY KEY REFERENCES run,
  text TEXT NOT NULL,
  hash BYTEA
);

CREATE TABLE journal (
  run     BIGINT NOT NULL REFERENCES run,
  seq     BIGINT NOT NULL,
  legal   BIGINT NOT NULL REFERENCES legal,
  at      TEXT NOT NULL,
  turn    TEXT NOT NULL,              -- "2.1"; "" outside of loops
  attempt BIGINT NOT NULL,
  time    BIGINT NOT NULL,
  detail  TEXT NOT NULL,
  value   BYTEA REFERENCES value,
  hash    BYTEA NOT NULL,             -- the chain's link: over the link before and this row
  PRIMARY KEY (run, seq)
);

CREATE TABLE pause (
  id         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  run        BIGINT NOT NULL REFERENCES run,
  pause_id   TEXT NOT NULL,
  kind       TEXT NOT NULL,
  at         TEXT NOT NULL,
  turn       TEXT NOT NULL,
  attempt    BIGINT NOT NULL,
  step_name  TEXT NOT NULL,
  message    TEXT,
  detail     TEXT NOT NULL,
  opened     BIGINT NOT NULL,
  closed     BIGINT,
  deadline   BIGINT,
  on_timeout TEXT NOT NULL,
  seal       BYTEA,                   -- the question; not when it was closed
  decided    BIGINT,                  -- when it was decided, so that a decision that is gone is missed
  UNIQUE (run, pause_id)
);
CREATE UNIQUE INDEX pause_open ON pause (run, at, turn) WHERE closed IS NULL;
CREATE INDEX pause_inbox ON pause (opened, run) WHERE closed IS NULL;
CREATE INDEX pause_due ON pause (deadline) WHERE closed IS NULL AND deadline IS NOT NULL;
CREATE INDEX pause_decided ON pause (run) WHERE closed IS NULL AND decided IS NOT NULL;

CREATE TABLE decision (
  run      BIGINT NOT NULL,
  pause_id TEXT NOT NULL,
  word     TEXT NOT NULL,
  time     BIGINT NOT NULL,
  value    BYTEA REFERENCES value,
  "by"     TEXT,
  comment  TEXT,
  "key"    TEXT,
  seal     BYTEA,
  PRIMARY KEY (run, pause_id),
  FOREIGN KEY (run, pause_id) REFERENCES pause (run, pause_id)
);
CREATE INDEX decision_key ON decision (run, "key") WHERE "key" IS NOT NULL;

-- the journal only grows, one row after the other, and takes its run along; a row of the run's own lifecycle begins where the run is
CREATE FUNCTION journal_grows() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE move legal%ROWTYPE;
BEGIN
  IF NEW.at = '' THEN
    SELECT * INTO move FROM legal WHERE id = NEW.legal;
    UPDATE run SET seq = NEW.seq, head = NEW.hash, phase = move.dest WHERE id = NEW.run AND seq = NEW.seq - 1 AND phase = move.source;
  ELSE
    UPDATE run SET seq = NEW.seq, head = NEW.hash WHERE id = NEW.run AND seq = NEW.seq - 1;
  END IF;
  IF NOT FOUND THEN
    IF NEW.seq IS DISTINCT FROM (SELECT seq + 1 FROM run WHERE id = NEW.run) THEN
      RAISE EXCEPTION 'a journal row must follow the last one' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RAISE EXCEPTION 'a run moves on from where it is' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER journal_grows BEFORE INSERT ON journal FOR EACH ROW EXECUTE FUNCTION journal_grows();

CREATE FUNCTION is_kept() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  RAISE EXCEPTION 'a row of % is never changed or deleted', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER journal_keeps BEFORE UPDATE OR DELETE ON journal FOR EACH ROW EXECUTE FUNCTION is_kept();
CREATE TRIGGER journal_remembers BEFORE TRUNCATE ON journal FOR EACH STATEMENT EXECUTE FUNCTION is_kept();
CREATE TRIGGER decision_keeps BEFORE UPDATE OR DELETE ON decision FOR EACH ROW EXECUTE FUNCTION is_kept();
CREATE TRIGGER decision_remembers BEFORE TRUNCATE ON decision FOR EACH STATEMENT EXECUTE FUNCTION is_kept();

-- a role that may only decide may insert a decision of an open question, and may say of that question when it was decided: the truth
CREATE FUNCTION decision_fits() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM pause WHERE run = NEW.run AND pause_id = NEW.pause_id AND closed IS NULL) THEN
    RAISE EXCEPTION 'only an open question is decided' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  PERFORM pg_notify('statecore.' || TG_TABLE_SCHEMA, '');  -- a hint for workers; whoever misses it looks by himself
  RETURN NEW;
END $$;
CREATE TRIGGER decision_fits BEFORE INSERT ON decision FOR EACH ROW EXECUTE FUNCTION decision_fits();

CREATE FUNCTION pause_tells() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  IF NEW.decided IS DISTINCT FROM (SELECT time FROM decision WHERE run = NEW.run AND pause_id = NEW.pause_id) THEN
    RAISE EXCEPTION 'a question was decided when its decision says so' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER pause_tells BEFORE UPDATE OF decided ON pause FOR EACH ROW EXECUTE FUNCTION pause_tells();

-- work that nobody has: the same hint
CREATE FUNCTION run_is_free() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  PERFORM pg_notify('statecore.' || TG_TABLE_SCHEMA, '');
  RETURN NULL;
END $$;
CREATE TRIGGER run_is_free AFTER UPDATE OF owner ON run FOR EACH ROW
WHEN (NEW.owner IS NULL AND NEW.phase IN ('pending', 'running')) EXECUTE FUNCTION run_is_free();
