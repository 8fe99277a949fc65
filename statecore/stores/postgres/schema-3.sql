-- Format 3 for Postgres 14 or later. No store writes it yet. The tables of statecore/stores/sqlite/schema-3.sql, with the same names and the same
-- columns in the same order; a test compares them. What the two databases do not share has its reason here:
-- * INTEGER is BIGINT and BLOB is BYTEA: a Postgres INTEGER has 32 bits.
-- * A number that the database gives is GENERATED ALWAYS AS IDENTITY: from a sequence, so that it is never given again, and no caller chooses it.
-- * Each TEXT in an index is COLLATE "C": the order of its UTF-8 bytes, as in SQLite, so that a range finds the beginning of an id, and no new
--   version of the server's locales makes an index wrong.
-- * `claim_order` comes from a sequence: a counter in a row would make all claims wait for each other.
-- * What is changed often leaves room on its pages (fillfactor), so that a change stays on its page.
-- It is run by the owner of the schema, in one transaction, with search_path set to "that_schema, pg_temp"; after frames-3.sql. Then
-- schema-3-guards.sql, schema-3-erasing.sql, decide-3.sql, vote-3.sql, and roles-3.sql where logins are not the owner's.
-- Names: _us is an instant, whole microseconds since 1970, UTC. _c is a commitment, 32 bytes, stored where it cannot be computed from body and
-- salt: erased, enciphered, or apart. Bodies are BYTEA: UTF-8, or what the cipher made. salt is 16 bytes, or the salts that an erasure left.

-- one row: which store this is
CREATE TABLE store (
  one         BIGINT PRIMARY KEY CHECK (one = 1),
  uuid        BYTEA NOT NULL CHECK (length(uuid) = 16),
  created_us  BIGINT NOT NULL,
  version     BIGINT NOT NULL CHECK (version >= 3), -- in the fence of each writing statement
  migrated_from BIGINT,
  kid         TEXT,               -- the key that seals now; NULL: seals are plain
  rotating_us BIGINT             -- since when bodies are enciphered anew under another key; NULL: they are not
);

-- long names by number
CREATE TABLE workflow (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, workflow_id TEXT COLLATE "C" NOT NULL UNIQUE);
CREATE TABLE session (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, session_id TEXT COLLATE "C" NOT NULL UNIQUE);

-- workflows as they were compiled
CREATE TABLE definition (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, fingerprint TEXT COLLATE "C" NOT NULL UNIQUE, canonical TEXT NOT NULL);

-- the rows of the lifecycles; ids are this file's own and never change
CREATE TABLE legal (
  id        BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  machine   TEXT COLLATE "C" NOT NULL,
  source    TEXT COLLATE "C" NOT NULL,
  "trigger" TEXT COLLATE "C" NOT NULL,
  dest      TEXT COLLATE "C" NOT NULL,
  UNIQUE (machine, source, "trigger", dest)
);

-- lists of moves, without turns and attempts. The moves are inserted first, then the shape that closes them: a shape that is there is complete.
CREATE TABLE shape (
  id     BIGINT PRIMARY KEY CHECK (id >= 0), -- the first 63 bits of the digest
  digest BYTEA NOT NULL CHECK (length(digest) = 32),
  moves  BIGINT NOT NULL,
  begins TEXT,                    -- the phase from which the run's own first move leads; NULL where the run does not move
  ends   TEXT                     -- and the one to which its last move leads
);
CREATE TABLE shape_move (
  shape BIGINT NOT NULL REFERENCES shape DEFERRABLE INITIALLY DEFERRED,
  k     BIGINT NOT NULL,
  at    TEXT NOT NULL,
  legal BIGINT NOT NULL REFERENCES legal,
  PRIMARY KEY (shape, k)
);

-- who a run is; written once
CREATE TABLE run (
  id               BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY CHECK (id BETWEEN 1 AND 549755813887), -- never used again, also after a purge
  run_id           TEXT COLLATE "C" NOT NULL UNIQUE,
  workflow         BIGINT NOT NULL REFERENCES workflow,
  workflow_name    TEXT NOT NULL,
  session          BIGINT REFERENCES session, -- NULL: erased; so with the next two
  user_id          TEXT COLLATE "C",
  requester        BYTEA,
  created_us       BIGINT NOT NULL,
  input            BYTEA,
  additional       BYTEA,
  metadata         BYTEA,
  salt             BYTEA,
  session_c        BYTEA CHECK (length(session_c) = 32),
  user_c           BYTEA CHECK (length(user_c) = 32),
  requester_c      BYTEA CHECK (length(requester_c) = 32),
  input_c          BYTEA CHECK (length(input_c) = 32),
  additional_c     BYTEA CHECK (length(additional_c) = 32),
  metadata_c       BYTEA CHECK (length(metadata_c) = 32),
  definition       BIGINT NOT NULL REFERENCES definition,
  workflow_version BIGINT,
  rules            BIGINT NOT NULL,
  start_key        TEXT,
  traceparent      TEXT,
  kid              TEXT,
  seal             BYTEA NOT NULL CHECK (length(seal) = 32),
  CHECK (session IS NOT NULL OR session_c IS NOT NULL),
  CHECK (input IS NOT NULL OR input_c IS NOT NULL),
  CHECK (additional IS NOT NULL OR additional_c IS NOT NULL),
  CHECK (metadata IS NOT NULL OR metadata_c IS NOT NULL)
);
CREATE INDEX run_session ON run (session, id);
CREATE INDEX run_workflow ON run (workflow, id);
CREATE INDEX run_user ON run (user_id, id) WHERE user_id IS NOT NULL;

-- outlives its run, so that a purged start does not happen twice
CREATE TABLE start_key (
  workflow BIGINT NOT NULL REFERENCES workflow,
  key      TEXT COLLATE "C" NOT NULL CHECK (octet_length(key) BETWEEN 1 AND 1024),
  run_id   TEXT NOT NULL,
  PRIMARY KEY (workflow, key)
);

-- the session state of each run, by key, in the order of id: the run of a session that was claimed last hands it on to the next one. A purge
-- keeps these rows of the run that a session's next one begins with.
CREATE TABLE session_value (
  id       BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  run      BIGINT NOT NULL,       -- no REFERENCES, for it may be purged
  session  BIGINT NOT NULL REFERENCES session,
  workflow BIGINT NOT NULL REFERENCES workflow,
  key      TEXT COLLATE "C",      -- NULL: the body is the whole state, which is no object of keys
  event    BIGINT NOT NULL,       -- the one that wrote it
  body     BYTEA,                 -- NULL: erased
  salt     BYTEA,
  c        BYTEA NOT NULL CHECK (length(c) = 32),
  UNIQUE (run, key)
);
CREATE INDEX session_value_of ON session_value (session, workflow);

-- the order of claims
CREATE SEQUENCE claim_order;

-- what changes of a run: by claim, renewal, release, cancel request, decision, park and end, and at each 256th boundary; never by a plain step
CREATE TABLE hot (
  run         BIGINT PRIMARY KEY REFERENCES run,
  workflow    BIGINT NOT NULL REFERENCES workflow,
  phase       TEXT COLLATE "C" NOT NULL,
  claim_order BIGINT NOT NULL,   -- counts claims across runs: the order of runs, whatever the clocks say
  owner       TEXT,
  epoch       BIGINT NOT NULL,
  lease_us    BIGINT,
  wake_us     BIGINT,            -- from when on somebody has something to do: 0 now; a due time, a deadline; NULL never
  definition  BIGINT NOT NULL REFERENCES definition,
  number      BIGINT NOT NULL,   -- an event, and its hash: the one up to which the state is stored
  head        BYTEA NOT NULL CHECK (length(head) = 32),
  state       TEXT NOT NULL,
  held        TEXT NOT NULL,
  updated_us  BIGINT NOT NULL,
  ended_us    BIGINT,
  quarantined TEXT,
  kid         TEXT,
  seal        BYTEA NOT NULL CHECK (length(seal) = 32),
  cancel_us   BIGINT,
  cancel_by   BYTEA,
  cancel_salt BYTEA,
  cancel_by_c BYTEA CHECK (length(cancel_by_c) = 32),
  cancel_kid  TEXT,
  cancel_seal BYTEA CHECK (length(cancel_seal) = 32),
  session     BIGINT REFERENCES session, -- that of the run; NULL: erased
  CHECK ((cancel_us IS NULL) = (cancel_seal IS NULL))
) WITH (fillfactor = 50);
CREATE INDEX hot_wake ON hot (workflow, wake_us, claim_order) WHERE wake_us IS NOT NULL AND owner IS NULL;
CREATE INDEX hot_owned ON hot (workflow, lease_us) WHERE owner IS NOT NULL;
CREATE INDEX hot_order ON hot (claim_order);
CREATE INDEX hot_session ON hot (session, workflow, claim_order);
CREATE INDEX hot_phase ON hot (phase, run);
CREATE INDEX hot_workflow_phase ON hot (workflow, phase, run);
CREATE INDEX hot_ended ON hot (ended_us, run) WHERE ended_us IS NOT NULL;
CREATE INDEX hot_aside ON hot (run) WHERE quarantined IS NOT NULL;

-- the journal: one row an event. `run` leads no index, so it refers to nothing; the triggers look.
CREATE TABLE event (
  id       BIGINT PRIMARY KEY,   -- run << 24 | number
  run      BIGINT NOT NULL,
  boundary BIGINT NOT NULL,
  epoch    BIGINT NOT NULL,
  shape    BIGINT REFERENCES shape, -- NULL: its moves lie in `move`
  place    TEXT,                  -- turns and attempts, where they are not the first
  seq      BIGINT NOT NULL,       -- how many moves the run has up to here: the number of its last one in the journal
  time_us  BIGINT NOT NULL,
  fact     TEXT,                  -- what happened besides, in words of the product; no text of a person
  "by"     BYTEA,
  note     BYTEA,
  value    BYTEA,
  salt     BYTEA,
  by_c     BYTEA CHECK (length(by_c) = 32),
  note_c   BYTEA CHECK (length(note_c) = 32),
  value_c  BYTEA CHECK (length(value_c) = 32),
  session  BYTEA CHECK (length(session) > 0 AND length(session) % 32 = 0), -- commitments of the session's keys that it changed
  traceparent TEXT,
  hash     BYTEA NOT NULL CHECK (length(hash) = 32),
  CHECK (id >> 24 = run AND run > 0 AND id & 16777215 > 0)
);

-- the moves of an event with more than 32 of them, inserted before it
CREATE TABLE move (
  event BIGINT NOT NULL REFERENCES event DEFERRABLE INITIALLY DEFERRED,
  k     BIGINT NOT NULL,
  at    TEXT NOT NULL,
  legal BIGINT NOT NULL REFERENCES legal,
  PRIMARY KEY (event, k)
);

-- larger bodies of an event, inserted after it
CREATE TABLE value (
  id    BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  event BIGINT NOT NULL REFERENCES event,
  slot  TEXT COLLATE "C" NOT NULL CHECK (slot IN ('by', 'note', 'value')),
  body  BYTEA NOT NULL,
  UNIQUE (event, slot)
);

-- one putting of a question, and the one decision of it
CREATE TABLE pause (
  id           BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  run          BIGINT NOT NULL REFERENCES run,
  workflow     BIGINT NOT NULL REFERENCES workflow,
  pause_id     TEXT COLLATE "C" NOT NULL,
  question_id  TEXT COLLATE "C" NOT NULL UNIQUE,
  put          BIGINT NOT NULL CHECK (put >= 1),
  kind         TEXT NOT NULL,
  at           TEXT COLLATE "C" NOT NULL,
  turn         TEXT COLLATE "C" NOT NULL,
  attempt      BIGINT NOT NULL,
  step_name    TEXT NOT NULL,
  rule         TEXT,              -- who may decide, without names
  words        TEXT NOT NULL,     -- one a line
  max_bytes    BIGINT NOT NULL,
  consequences TEXT,
  message      BYTEA,
  form         BYTEA,
  choices      BYTEA,
  names        BYTEA,
  shown        BYTEA,              -- which values are shown, and where they lie
  salt         BYTEA,
  voter_salt   BYTEA CHECK (length(voter_salt) = 16), -- while it is open
  message_c    BYTEA CHECK (length(message_c) = 32),
  form_c       BYTEA CHECK (length(form_c) = 32),
  choices_c    BYTEA CHECK (length(choices_c) = 32),
  names_c      BYTEA CHECK (length(names_c) = 32),
  shown_c      BYTEA CHECK (length(shown_c) % 32 = 0),
  seen         BYTEA CHECK (length(seen) = 32),
  meanings     BYTEA,              -- the digest of each word, as it is hashed
  opened       BIGINT NOT NULL,  -- the event that puts it; no REFERENCES, which would need an index: the triggers look
  opened_us    BIGINT NOT NULL,
  deadline_us  BIGINT,
  due_us       BIGINT,           -- the deadline, or what an extension made of it
  on_timeout   TEXT NOT NULL,
  kid          TEXT,
  seal         BYTEA NOT NULL CHECK (length(seal) = 32),
  word         TEXT,
  decided_us   BIGINT,
  answer       BYTEA,
  "by"         BYTEA,
  login        BYTEA,
  comment      BYTEA,
  via          TEXT,
  key          TEXT COLLATE "C" CHECK (octet_length(key) BETWEEN 1 AND 1024),
  decided_seen BYTEA CHECK (length(decided_seen) = 32),
  meaning      BYTEA CHECK (length(meaning) = 32),
  last_act     BIGINT,           -- the act after which it was made
  decision_salt BYTEA,
  answer_c     BYTEA CHECK (length(answer_c) = 32),
  by_c         BYTEA CHECK (length(by_c) = 32),
  login_c      BYTEA CHECK (length(login_c) = 32),
  comment_c    BYTEA CHECK (length(comment_c) = 32),
  decision_kid TEXT,
  decision_seal BYTEA CHECK (length(decision_seal) = 32),
  closed       BIGINT,           -- the event that closes it
  outcome      TEXT CHECK (outcome IN ('decided', 'expired', 'void', 'lapsed', 'cancelled')),
  UNIQUE (run, pause_id),
  CHECK (word IS NOT NULL OR num_nonnulls(answer, "by", login, comment, via, key, decided_seen, meaning, last_act, decision_salt, answer_c, by_c,
    login_c, comment_c, decision_kid) = 0),
  CHECK ((word IS NULL) = (decided_us IS NULL) AND (word IS NULL) = (decision_seal IS NULL)),
  CHECK ((closed IS NULL) = (outcome IS NULL)),
  CHECK (outcome IS DISTINCT FROM 'decided' OR word IS NOT NULL)
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX pause_open ON pause (run, at, turn) WHERE closed IS NULL;
CREATE UNIQUE INDEX pause_key ON pause (run, key) WHERE key IS NOT NULL;
CREATE INDEX pause_inbox ON pause (opened_us, run, id) WHERE closed IS NULL AND word IS NULL;
CREATE INDEX pause_inbox_of ON pause (workflow, opened_us, run, id) WHERE closed IS NULL AND word IS NULL;
CREATE INDEX pause_waits ON pause (workflow, opened_us, run, id) WHERE closed IS NULL AND word IS NOT NULL;
CREATE INDEX pause_answered ON pause (opened_us, run, id) WHERE closed IS NULL AND word IS NOT NULL;
CREATE INDEX pause_due ON pause (due_us, run, id) WHERE closed IS NULL AND word IS NULL AND due_us IS NOT NULL;

-- what people did about a question: appended, a chain of each question
CREATE TABLE act (
  id         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  pause      BIGINT NOT NULL REFERENCES pause,
  kind       TEXT NOT NULL CHECK (kind IN ('vote', 'withdrawal', 'delegation', 'extension', 'void', 'lapse', 'refusal')),
  word       TEXT,
  voter      BYTEA CHECK (length(voter) = 32),
  round      BIGINT NOT NULL CHECK (round >= 0), -- of this voter: a lapse, a withdrawal and a yes turned into a no open the next
  time_us    BIGINT NOT NULL,
  "by"       BYTEA,
  login      BYTEA,
  delegate   BYTEA,
  via        TEXT,
  roles      TEXT NOT NULL,       -- one a line
  answer     BYTEA,
  comment    BYTEA,
  salt       BYTEA,
  by_c       BYTEA CHECK (length(by_c) = 32),
  login_c    BYTEA CHECK (length(login_c) = 32),
  delegate_c BYTEA CHECK (length(delegate_c) = 32),
  answer_c   BYTEA CHECK (length(answer_c) = 32),
  comment_c  BYTEA CHECK (length(comment_c) = 32),
  seen       BYTEA CHECK (length(seen) = 32),
  meaning    BYTEA CHECK (length(meaning) = 32),
  until_us   BIGINT,
  detail     TEXT,
  times      BIGINT NOT NULL DEFAULT 1 CHECK (times >= 1), -- refusals beyond those that are kept are counted here
  kid        TEXT,
  seal       BYTEA NOT NULL CHECK (length(seal) = 32),
  CHECK (kind <> 'vote' OR (voter IS NOT NULL AND word IS NOT NULL)),
  CHECK (kind <> 'extension' OR until_us IS NOT NULL)
);
CREATE UNIQUE INDEX act_vote ON act (pause, voter, round) WHERE kind = 'vote';
CREATE INDEX act_pause ON act (pause, id);

-- who may decide, from when to when: what "mine" reads
CREATE TABLE audience (
  who      TEXT COLLATE "C" NOT NULL,         -- person:... or role:...
  pause    BIGINT NOT NULL REFERENCES pause,
  since_us BIGINT NOT NULL,
  until_us BIGINT,
  PRIMARY KEY (who, pause, since_us)
);
CREATE INDEX audience_pause ON audience (pause);

-- what is to be told, in the transaction of what it tells of
CREATE TABLE notice (
  id     BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  run    BIGINT NOT NULL REFERENCES run,
  pause  BIGINT NOT NULL DEFAULT 0, -- 0: of the run, for NULLs are never equal
  event  TEXT COLLATE "C" NOT NULL,           -- asked, reminder, escalated, decided, expired, ended, failed
  n      BIGINT NOT NULL,
  due_us BIGINT NOT NULL,
  UNIQUE (run, pause, event, n)
);
CREATE INDEX notice_due ON notice (due_us, id);
CREATE TABLE delivery (
  notice  BIGINT NOT NULL REFERENCES notice,
  channel TEXT COLLATE "C" NOT NULL,
  tries   BIGINT NOT NULL DEFAULT 0,
  next_us BIGINT,
  done_us BIGINT,                -- delivered, or given up with an error
  error   TEXT,
  PRIMARY KEY (notice, channel)
);
CREATE INDEX delivery_next ON delivery (next_us) WHERE done_us IS NULL;

-- what is left of a purged run
CREATE TABLE tombstone (
  run        BIGINT PRIMARY KEY,
  run_id     TEXT COLLATE "C" NOT NULL UNIQUE,
  workflow   BIGINT NOT NULL REFERENCES workflow,
  identity   BYTEA NOT NULL CHECK (length(identity) = 32),
  phase      TEXT NOT NULL,
  number     BIGINT NOT NULL,
  head       BYTEA NOT NULL CHECK (length(head) = 32),
  created_us BIGINT NOT NULL,
  ended_us   BIGINT NOT NULL,
  purged_us  BIGINT NOT NULL,
  "by"       BYTEA,
  salt       BYTEA,
  by_c       BYTEA CHECK (length(by_c) = 32),
  kid        TEXT,
  seal       BYTEA NOT NULL CHECK (length(seal) = 32)
);
CREATE INDEX tombstone_purged ON tombstone (purged_us);

-- who erased what, and why; a row of which done_us is NULL is an order in force
CREATE TABLE erasure (
  id       BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  run      BIGINT NOT NULL,
  what     TEXT NOT NULL,
  "by"     BYTEA,
  reason   BYTEA,
  salt     BYTEA,
  by_c     BYTEA CHECK (length(by_c) = 32),
  reason_c BYTEA CHECK (length(reason_c) = 32),
  time_us  BIGINT NOT NULL,
  done_us  BIGINT,
  kid      TEXT,
  seal     BYTEA NOT NULL CHECK (length(seal) = 32)
);
CREATE INDEX erasure_run ON erasure (run);
CREATE INDEX erasure_open ON erasure (run) WHERE done_us IS NULL;

-- what `audit --anchor` has noted, gap free; the root over the first n never changes
CREATE TABLE leaf (
  number BIGINT PRIMARY KEY,
  kind   TEXT COLLATE "C" NOT NULL CHECK (kind IN ('begun', 'ended')),
  run    BIGINT NOT NULL,
  run_id TEXT NOT NULL,
  event  BIGINT NOT NULL,        -- the number of the last event; 0 where it is begun
  digest BYTEA NOT NULL CHECK (length(digest) = 32),
  hash   BYTEA NOT NULL CHECK (length(hash) = 32),
  UNIQUE (run, kind, event),
  CHECK ((kind = 'begun') = (event = 0))
);
