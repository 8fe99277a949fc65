-- Format 3 of a file. No store writes it unasked. specs/format-3.md says what is hashed; what may never happen is refused here, not only in Python.
-- Before the first table, in this order: PRAGMA page_size = 4096; PRAGMA auto_vacuum = 0; PRAGMA encoding = 'UTF-8'.
-- Then schema-3-guards.sql and schema-3-erasing.sql.
-- Each connection: foreign_keys = 1, recursive_triggers = 1 (else REPLACE deletes past the triggers), secure_delete = 1, trusted_schema = 0.
-- Names: _us is an instant, whole microseconds since 1970, UTC. _c is a commitment, 32 bytes, stored where it cannot be computed from body and
-- salt: erased, enciphered, or apart. Bodies are BLOB: UTF-8, or what the cipher made. salt is 16 bytes, or the salts that an erasure left.

-- one row: which store this is
CREATE TABLE store (
  one         INTEGER PRIMARY KEY CHECK (one = 1),
  uuid        BLOB NOT NULL CHECK (length(uuid) = 16),
  created_us  INTEGER NOT NULL,
  version     INTEGER NOT NULL CHECK (version >= 3), -- in the fence of each writing statement
  migrated_from INTEGER,
  kid         TEXT,               -- the key that seals now; NULL: seals are plain
  rotating_us INTEGER             -- since when bodies are enciphered anew under another key; NULL: they are not
) STRICT;

-- long names by number
CREATE TABLE workflow (id INTEGER PRIMARY KEY, workflow_id TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE session (id INTEGER PRIMARY KEY, session_id TEXT NOT NULL UNIQUE) STRICT;

-- workflows as they were compiled
CREATE TABLE definition (id INTEGER PRIMARY KEY, fingerprint TEXT NOT NULL UNIQUE, canonical TEXT NOT NULL) STRICT;

-- the rows of the lifecycles; ids are this file's own and never change
CREATE TABLE legal (
  id        INTEGER PRIMARY KEY,
  machine   TEXT NOT NULL,
  source    TEXT NOT NULL,
  "trigger" TEXT NOT NULL,
  dest      TEXT NOT NULL,
  UNIQUE (machine, source, "trigger", dest)
) STRICT;

-- lists of moves, without turns and attempts. The moves are inserted first, then the shape that closes them: a shape that is there is complete.
CREATE TABLE shape (
  id     INTEGER PRIMARY KEY CHECK (id >= 0), -- the first 63 bits of the digest
  digest BLOB NOT NULL CHECK (length(digest) = 32),
  moves  INTEGER NOT NULL,
  begins TEXT,                    -- the phase from which the run's own first move leads; NULL where the run does not move
  ends   TEXT                     -- and the one to which its last move leads
) STRICT;
CREATE TABLE shape_move (
  shape INTEGER NOT NULL REFERENCES shape DEFERRABLE INITIALLY DEFERRED,
  k     INTEGER NOT NULL,
  at    TEXT NOT NULL,
  legal INTEGER NOT NULL REFERENCES legal,
  PRIMARY KEY (shape, k)
) STRICT, WITHOUT ROWID;

-- who a run is; written once
CREATE TABLE run (
  id               INTEGER PRIMARY KEY AUTOINCREMENT CHECK (id BETWEEN 1 AND 549755813887), -- never used again, also after a purge
  run_id           TEXT NOT NULL UNIQUE,
  workflow         INTEGER NOT NULL REFERENCES workflow,
  workflow_name    TEXT NOT NULL,
  session          INTEGER REFERENCES session, -- NULL: erased; so with the next two
  user_id          TEXT,
  requester        BLOB,
  created_us       INTEGER NOT NULL,
  input            BLOB,
  additional       BLOB,
  metadata         BLOB,
  salt             BLOB,
  session_c        BLOB CHECK (length(session_c) = 32),
  user_c           BLOB CHECK (length(user_c) = 32),
  requester_c      BLOB CHECK (length(requester_c) = 32),
  input_c          BLOB CHECK (length(input_c) = 32),
  additional_c     BLOB CHECK (length(additional_c) = 32),
  metadata_c       BLOB CHECK (length(metadata_c) = 32),
  definition       INTEGER NOT NULL REFERENCES definition,
  workflow_version INTEGER,
  rules            INTEGER NOT NULL,
  start_key        TEXT,
  traceparent      TEXT,
  kid              TEXT,
  seal             BLOB NOT NULL CHECK (length(seal) = 32),
  CHECK (session IS NOT NULL OR session_c IS NOT NULL),
  CHECK (input IS NOT NULL OR input_c IS NOT NULL),
  CHECK (additional IS NOT NULL OR additional_c IS NOT NULL),
  CHECK (metadata IS NOT NULL OR metadata_c IS NOT NULL)
) STRICT;
CREATE INDEX run_session ON run (session, id);
CREATE INDEX run_workflow ON run (workflow, id);
CREATE INDEX run_user ON run (user_id, id) WHERE user_id IS NOT NULL;

-- outlives its run, so that a purged start does not happen twice
CREATE TABLE start_key (
  workflow INTEGER NOT NULL REFERENCES workflow,
  key      TEXT NOT NULL CHECK (length(CAST(key AS BLOB)) BETWEEN 1 AND 1024),
  run_id   TEXT NOT NULL,
  PRIMARY KEY (workflow, key)
) STRICT, WITHOUT ROWID;

-- the session state of each run, by key, in the order of id: the run of a session that was claimed last hands it on to the next one. A purge
-- keeps these rows of the run that a session's next one begins with.
CREATE TABLE session_value (
  id       INTEGER PRIMARY KEY,
  run      INTEGER NOT NULL,      -- no REFERENCES, for it may be purged
  session  INTEGER NOT NULL REFERENCES session,
  workflow INTEGER NOT NULL REFERENCES workflow,
  key      TEXT,                  -- NULL: the body is the whole state, which is no object of keys
  event    INTEGER NOT NULL,      -- the one that wrote it
  body     BLOB,                  -- NULL: erased
  salt     BLOB,
  c        BLOB NOT NULL CHECK (length(c) = 32),
  UNIQUE (run, key)
) STRICT;
CREATE INDEX session_value_of ON session_value (session, workflow);

-- what changes of a run: by claim, renewal, release, cancel request, decision, park and end, and at each 256th boundary; never by a plain step
CREATE TABLE hot (
  run         INTEGER PRIMARY KEY REFERENCES run,
  workflow    INTEGER NOT NULL REFERENCES workflow,
  phase       TEXT NOT NULL,
  claim_order INTEGER NOT NULL,   -- counts claims across runs: the order of runs, whatever the clocks say
  owner       TEXT,
  epoch       INTEGER NOT NULL,
  lease_us    INTEGER,
  wake_us     INTEGER,            -- from when on somebody has something to do: 0 now; a due time, a deadline; NULL never
  definition  INTEGER NOT NULL REFERENCES definition,
  number      INTEGER NOT NULL,   -- an event, and its hash: the one up to which the state is stored
  head        BLOB NOT NULL CHECK (length(head) = 32),
  state       TEXT NOT NULL,
  held        TEXT NOT NULL,
  updated_us  INTEGER NOT NULL,
  ended_us    INTEGER,
  quarantined TEXT,
  kid         TEXT,
  seal        BLOB NOT NULL CHECK (length(seal) = 32),
  cancel_us   INTEGER,
  cancel_by   BLOB,
  cancel_salt BLOB,
  cancel_by_c BLOB CHECK (length(cancel_by_c) = 32),
  cancel_kid  TEXT,
  cancel_seal BLOB CHECK (length(cancel_seal) = 32),
  session     INTEGER REFERENCES session, -- that of the run; NULL: erased
  CHECK ((cancel_us IS NULL) = (cancel_seal IS NULL))
) STRICT;
CREATE INDEX hot_wake ON hot (workflow, wake_us, claim_order) WHERE wake_us IS NOT NULL AND owner IS NULL;
CREATE INDEX hot_owned ON hot (workflow, lease_us) WHERE owner IS NOT NULL;
CREATE INDEX hot_order ON hot (claim_order);
CREATE INDEX hot_session ON hot (session, workflow, claim_order);
CREATE INDEX hot_phase ON hot (phase, run);
CREATE INDEX hot_workflow_phase ON hot (workflow, phase, run);
CREATE INDEX hot_ended ON hot (ended_us, run) WHERE ended_us IS NOT NULL;
CREATE INDEX hot_aside ON hot (run) WHERE quarantined IS NOT NULL;

-- the journal: one row an event. A rowid table, for a row of a WITHOUT ROWID table leaves its page at 1,002 bytes. `run` leads no index, so it
-- refers to nothing; the triggers look.
CREATE TABLE event (
  id       INTEGER PRIMARY KEY,   -- run << 24 | number
  run      INTEGER NOT NULL,
  boundary INTEGER NOT NULL,
  epoch    INTEGER NOT NULL,
  shape    INTEGER REFERENCES shape, -- NULL: its moves lie in `move`
  place    TEXT,                  -- turns and attempts, where they are not the first
  seq      INTEGER NOT NULL,      -- how many moves the run has up to here: the number of its last one in the journal
  time_us  INTEGER NOT NULL,
  fact     TEXT,                  -- what happened besides, in words of the product; no text of a person
  "by"     BLOB,
  note     BLOB,
  value    BLOB,
  salt     BLOB,
  by_c     BLOB CHECK (length(by_c) = 32),
  note_c   BLOB CHECK (length(note_c) = 32),
  value_c  BLOB CHECK (length(value_c) = 32),
  session  BLOB CHECK (length(session) > 0 AND length(session) % 32 = 0), -- commitments of the session's keys that it changed
  traceparent TEXT,
  hash     BLOB NOT NULL CHECK (length(hash) = 32),
  CHECK (id >> 24 = run AND run > 0 AND id & 16777215 > 0)
) STRICT;

-- the moves of an event with more than 32 of them, inserted before it
CREATE TABLE move (
  event INTEGER NOT NULL REFERENCES event DEFERRABLE INITIALLY DEFERRED,
  k     INTEGER NOT NULL,
  at    TEXT NOT NULL,
  legal INTEGER NOT NULL REFERENCES legal,
  PRIMARY KEY (event, k)
) STRICT, WITHOUT ROWID;

-- larger bodies of an event, inserted after it
CREATE TABLE value (
  id    INTEGER PRIMARY KEY,
  event INTEGER NOT NULL REFERENCES event,
  slot  TEXT NOT NULL CHECK (slot IN ('by', 'note', 'value')),
  body  BLOB NOT NULL,
  UNIQUE (event, slot)
) STRICT;

-- one putting of a question, and the one decision of it
CREATE TABLE pause (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  run          INTEGER NOT NULL REFERENCES run,
  workflow     INTEGER NOT NULL REFERENCES workflow,
  pause_id     TEXT NOT NULL,
  question_id  TEXT NOT NULL UNIQUE,
  put          INTEGER NOT NULL CHECK (put >= 1),
  kind         TEXT NOT NULL,
  at           TEXT NOT NULL,
  turn         TEXT NOT NULL,
  attempt      INTEGER NOT NULL,
  step_name    TEXT NOT NULL,
  rule         TEXT,              -- who may decide, without names
  words        TEXT NOT NULL,     -- one a line
  max_bytes    INTEGER NOT NULL,
  consequences TEXT,
  message      BLOB,
  form         BLOB,
  choices      BLOB,
  names        BLOB,
  shown        BLOB,              -- which values are shown, and where they lie
  salt         BLOB,
  voter_salt   BLOB CHECK (length(voter_salt) = 16), -- while it is open
  message_c    BLOB CHECK (length(message_c) = 32),
  form_c       BLOB CHECK (length(form_c) = 32),
  choices_c    BLOB CHECK (length(choices_c) = 32),
  names_c      BLOB CHECK (length(names_c) = 32),
  shown_c      BLOB CHECK (length(shown_c) % 32 = 0),
  seen         BLOB CHECK (length(seen) = 32),
  meanings     BLOB,              -- the digest of each word, as it is hashed
  opened       INTEGER NOT NULL,  -- the event that puts it; no REFERENCES, which would need an index: the triggers look
  opened_us    INTEGER NOT NULL,
  deadline_us  INTEGER,
  due_us       INTEGER,           -- the deadline, or what an extension made of it
  on_timeout   TEXT NOT NULL,
  kid          TEXT,
  seal         BLOB NOT NULL CHECK (length(seal) = 32),
  word         TEXT,
  decided_us   INTEGER,
  answer       BLOB,
  "by"         BLOB,
  login        BLOB,
  comment      BLOB,
  via          TEXT,
  key          TEXT CHECK (length(CAST(key AS BLOB)) BETWEEN 1 AND 1024),
  decided_seen BLOB CHECK (length(decided_seen) = 32),
  meaning      BLOB CHECK (length(meaning) = 32),
  last_act     INTEGER,           -- the act after which it was made
  decision_salt BLOB,
  answer_c     BLOB CHECK (length(answer_c) = 32),
  by_c         BLOB CHECK (length(by_c) = 32),
  login_c      BLOB CHECK (length(login_c) = 32),
  comment_c    BLOB CHECK (length(comment_c) = 32),
  decision_kid TEXT,
  decision_seal BLOB CHECK (length(decision_seal) = 32),
  closed       INTEGER,           -- the event that closes it
  outcome      TEXT CHECK (outcome IN ('decided', 'expired', 'void', 'lapsed', 'cancelled')),
  UNIQUE (run, pause_id),
  CHECK (word IS NOT NULL OR coalesce(answer, "by", login, comment, via, key, decided_seen, meaning, last_act, decision_salt, answer_c, by_c, login_c,
    comment_c, decision_kid) IS NULL),
  CHECK ((word IS NULL) = (decided_us IS NULL) AND (word IS NULL) = (decision_seal IS NULL)),
  CHECK ((closed IS NULL) = (outcome IS NULL)),
  CHECK (outcome IS NOT 'decided' OR word IS NOT NULL)
) STRICT;
CREATE UNIQUE INDEX pause_open ON pause (run, at, turn) WHERE closed IS NULL;
CREATE UNIQUE INDEX pause_key ON pause (run, key) WHERE key IS NOT NULL;
CREATE INDEX pause_inbox ON pause (opened_us, run, id) WHERE closed IS NULL AND word IS NULL;
CREATE INDEX pause_inbox_of ON pause (workflow, opened_us, run, id) WHERE closed IS NULL AND word IS NULL;
CREATE INDEX pause_waits ON pause (workflow, opened_us, run, id) WHERE closed IS NULL AND word IS NOT NULL;
CREATE INDEX pause_answered ON pause (opened_us, run, id) WHERE closed IS NULL AND word IS NOT NULL;
CREATE INDEX pause_due ON pause (due_us, run, id) WHERE closed IS NULL AND word IS NULL AND due_us IS NOT NULL;

-- what people did about a question: appended, a chain of each question
CREATE TABLE act (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  pause      INTEGER NOT NULL REFERENCES pause,
  kind       TEXT NOT NULL CHECK (kind IN ('vote', 'withdrawal', 'delegation', 'extension', 'void', 'lapse', 'refusal')),
  word       TEXT,
  voter      BLOB CHECK (length(voter) = 32),
  round      INTEGER NOT NULL CHECK (round >= 0), -- of this voter: a lapse, a withdrawal and a yes turned into a no open the next
  time_us    INTEGER NOT NULL,
  "by"       BLOB,
  login      BLOB,
  delegate   BLOB,
  via        TEXT,
  roles      TEXT NOT NULL,       -- one a line
  answer     BLOB,
  comment    BLOB,
  salt       BLOB,
  by_c       BLOB CHECK (length(by_c) = 32),
  login_c    BLOB CHECK (length(login_c) = 32),
  delegate_c BLOB CHECK (length(delegate_c) = 32),
  answer_c   BLOB CHECK (length(answer_c) = 32),
  comment_c  BLOB CHECK (length(comment_c) = 32),
  seen       BLOB CHECK (length(seen) = 32),
  meaning    BLOB CHECK (length(meaning) = 32),
  until_us   INTEGER,
  detail     TEXT,
  times      INTEGER NOT NULL DEFAULT 1 CHECK (times >= 1), -- refusals beyond those that are kept are counted here
  kid        TEXT,
  seal       BLOB NOT NULL CHECK (length(seal) = 32),
  CHECK (kind <> 'vote' OR (voter IS NOT NULL AND word IS NOT NULL)),
  CHECK (kind <> 'extension' OR until_us IS NOT NULL)
) STRICT;
CREATE UNIQUE INDEX act_vote ON act (pause, voter, round) WHERE kind = 'vote';
CREATE INDEX act_pause ON act (pause, id);

-- who may decide, from when to when: what "mine" reads
CREATE TABLE audience (
  who      TEXT NOT NULL,         -- person:... or role:...
  pause    INTEGER NOT NULL REFERENCES pause,
  since_us INTEGER NOT NULL,
  until_us INTEGER,
  PRIMARY KEY (who, pause, since_us)
) STRICT, WITHOUT ROWID;
CREATE INDEX audience_pause ON audience (pause);

-- what is to be told, in the transaction of what it tells of
CREATE TABLE notice (
  id     INTEGER PRIMARY KEY AUTOINCREMENT,
  run    INTEGER NOT NULL REFERENCES run,
  pause  INTEGER NOT NULL DEFAULT 0, -- 0: of the run, for NULLs are never equal
  event  TEXT NOT NULL,           -- asked, reminder, escalated, decided, expired, ended, failed
  n      INTEGER NOT NULL,
  due_us INTEGER NOT NULL,
  UNIQUE (run, pause, event, n)
) STRICT;
CREATE INDEX notice_due ON notice (due_us, id);
CREATE TABLE delivery (
  notice  INTEGER NOT NULL REFERENCES notice,
  channel TEXT NOT NULL,
  tries   INTEGER NOT NULL DEFAULT 0,
  next_us INTEGER,
  done_us INTEGER,                -- delivered, or given up with an error
  error   TEXT,
  PRIMARY KEY (notice, channel)
) STRICT, WITHOUT ROWID;
CREATE INDEX delivery_next ON delivery (next_us) WHERE done_us IS NULL;

-- what is left of a purged run
CREATE TABLE tombstone (
  run        INTEGER PRIMARY KEY,
  run_id     TEXT NOT NULL UNIQUE,
  workflow   INTEGER NOT NULL REFERENCES workflow,
  identity   BLOB NOT NULL CHECK (length(identity) = 32),
  phase      TEXT NOT NULL,
  number     INTEGER NOT NULL,
  head       BLOB NOT NULL CHECK (length(head) = 32),
  created_us INTEGER NOT NULL,
  ended_us   INTEGER NOT NULL,
  purged_us  INTEGER NOT NULL,
  "by"       BLOB,
  salt       BLOB,
  by_c       BLOB CHECK (length(by_c) = 32),
  kid        TEXT,
  seal       BLOB NOT NULL CHECK (length(seal) = 32)
) STRICT;
CREATE INDEX tombstone_purged ON tombstone (purged_us);

-- who erased what, and why; a row of which done_us is NULL is an order in force
CREATE TABLE erasure (
  id       INTEGER PRIMARY KEY AUTOINCREMENT,
  run      INTEGER NOT NULL,
  what     TEXT NOT NULL,
  "by"     BLOB,
  reason   BLOB,
  salt     BLOB,
  by_c     BLOB CHECK (length(by_c) = 32),
  reason_c BLOB CHECK (length(reason_c) = 32),
  time_us  INTEGER NOT NULL,
  done_us  INTEGER,
  kid      TEXT,
  seal     BLOB NOT NULL CHECK (length(seal) = 32)
) STRICT;
CREATE INDEX erasure_run ON erasure (run);
CREATE INDEX erasure_open ON erasure (run) WHERE done_us IS NULL;

-- what `audit --anchor` has noted, gap free; the root over the first n never changes
CREATE TABLE leaf (
  number INTEGER PRIMARY KEY,
  kind   TEXT NOT NULL CHECK (kind IN ('begun', 'ended')),
  run    INTEGER NOT NULL,
  run_id TEXT NOT NULL,
  event  INTEGER NOT NULL,        -- the number of the last event; 0 where it is begun
  digest BLOB NOT NULL CHECK (length(digest) = 32),
  hash   BLOB NOT NULL CHECK (length(hash) = 32),
  UNIQUE (run, kind, event),
  CHECK ((kind = 'begun') = (event = 0))
) STRICT;
