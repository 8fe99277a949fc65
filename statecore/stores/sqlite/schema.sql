-- Schema 1. What may never happen is refused here, not only in Python: the database is the model.

-- payloads by content: the same text is kept once
CREATE TABLE value (
  hash BLOB PRIMARY KEY,              -- SHA-256 of the text
  text TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- workflows as they were compiled
CREATE TABLE definition (
  id          INTEGER PRIMARY KEY,
  fingerprint TEXT NOT NULL UNIQUE,
  canonical   TEXT NOT NULL
) STRICT;

-- the rows of the lifecycles, as `transitions` runs them; ids are this file's own and never change
CREATE TABLE legal (
  id        INTEGER PRIMARY KEY,
  machine   TEXT NOT NULL,
  source    TEXT NOT NULL,
  "trigger" TEXT NOT NULL,
  dest      TEXT NOT NULL,
  UNIQUE (machine, source, "trigger", dest)
) STRICT;

-- runs as they stand; small, because a boundary rewrites the row
CREATE TABLE run (
  id               INTEGER PRIMARY KEY,
  run_id           TEXT NOT NULL UNIQUE,
  workflow_id      TEXT NOT NULL,
  workflow_name    TEXT NOT NULL,
  session_id       TEXT NOT NULL,
  user_id          TEXT,
  created          INTEGER NOT NULL,  -- times are whole microseconds since 1970, UTC
  input            BLOB NOT NULL REFERENCES value,
  additional_data  BLOB NOT NULL REFERENCES value,
  metadata         BLOB NOT NULL REFERENCES value,
  definition       INTEGER NOT NULL REFERENCES definition,
  rules            INTEGER NOT NULL,
  owner            TEXT,
  epoch            INTEGER NOT NULL,
  lease            INTEGER,
  cancel_by        TEXT,
  cancel_requested INTEGER,
  turned           INTEGER NOT NULL,  -- counts claims across runs: the order of runs, whatever the clocks say
  phase            TEXT NOT NULL,
  state            TEXT NOT NULL,     -- what the core knows of the run
  held             TEXT NOT NULL,     -- at which journal rows the outputs lie that the state refers to
  updated          INTEGER NOT NULL,
  seq              INTEGER NOT NULL,  -- the journal's last row
  head             BLOB NOT NULL      -- and its hash
) STRICT;
CREATE INDEX run_turned ON run (turned);
CREATE INDEX run_phase ON run (phase, turned);
CREATE INDEX run_session ON run (session_id, turned);
CREATE INDEX run_workflow ON run (workflow_id, turned);
CREATE INDEX run_workflow_phase ON run (workflow_id, phase, turned);

-- apart from its run because it may be large and seldom changes
CREATE TABLE session_state (
  run  INTEGER PRIMARY KEY REFERENCES run,
  text TEXT NOT NULL
) STRICT;

CREATE TABLE journal (
  run     INTEGER NOT NULL REFERENCES run,
  seq     INTEGER NOT NULL,
  legal   INTEGER NOT NULL REFERENCES legal,
  at      TEXT NOT NULL,
  turn    TEXT NOT NULL,              -- "2.1"; "" outside of loops
  attempt INTEGER NOT NULL,
  time    INTEGER NOT NULL,
  detail  TEXT NOT NULL,
  value   BLOB REFERENCES value,
  hash    BLOB NOT NULL,              -- the chain's link: over the link before and this row
  PRIMARY KEY (run, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE pause (
  id        INTEGER PRIMARY KEY,
  run       INTEGER NOT NULL REFERENCES run,
  pause_id  TEXT NOT NULL,
  kind      TEXT NOT NULL,
  at        TEXT NOT NULL,
  turn      TEXT NOT NULL,
  attempt   INTEGER NOT NULL,
  step_name TEXT NOT NULL,
  message   TEXT,
  detail    TEXT NOT NULL,
  opened    INTEGER NOT NULL,
  closed    INTEGER,
  deadline  INTEGER,
  on_timeout TEXT NOT NULL,
  UNIQUE (run, pause_id)
) STRICT;
CREATE UNIQUE INDEX pause_open ON pause (run, at, turn) WHERE closed IS NULL;
CREATE INDEX pause_inbox ON pause (opened, run) WHERE closed IS NULL;

CREATE TABLE decision (
  run      INTEGER NOT NULL,
  pause_id TEXT NOT NULL,
  word     TEXT NOT NULL,
  time     INTEGER NOT NULL,
  value    BLOB REFERENCES value,
  "by"     TEXT,
  comment  TEXT,
  "key"    TEXT,
  PRIMARY KEY (run, pause_id),
  FOREIGN KEY (run, pause_id) REFERENCES pause (run, pause_id)
) STRICT, WITHOUT ROWID;

-- the journal only grows, one row after the other, and takes its run along
CREATE TRIGGER journal_follows BEFORE INSERT ON journal
WHEN NEW.seq IS NOT (SELECT seq + 1 FROM run WHERE id = NEW.run)
BEGIN SELECT RAISE(ABORT, 'a journal row must follow the last one'); END;

CREATE TRIGGER journal_advances AFTER INSERT ON journal
BEGIN UPDATE run SET seq = NEW.seq, head = NEW.hash WHERE id = NEW.run; END;

CREATE TRIGGER journal_keeps BEFORE UPDATE ON journal
BEGIN SELECT RAISE(ABORT, 'a journal row is never changed'); END;

CREATE TRIGGER journal_remembers BEFORE DELETE ON journal
BEGIN SELECT RAISE(ABORT, 'a journal row is never deleted'); END;

CREATE TRIGGER decision_keeps BEFORE UPDATE ON decision
BEGIN SELECT RAISE(ABORT, 'a decision is never changed'); END;

CREATE TRIGGER decision_remembers BEFORE DELETE ON decision
BEGIN SELECT RAISE(ABORT, 'a decision is never deleted'); END;
