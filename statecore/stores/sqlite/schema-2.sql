-- Schema 2. Starts by key, deadlines by index, seals of the rows that no chain covers, and a run that moves only from where it is.

-- the caller's idempotency key of a start: one run a workflow and key
ALTER TABLE run ADD COLUMN start_key TEXT;
CREATE UNIQUE INDEX run_start ON run (workflow_id, start_key) WHERE start_key IS NOT NULL;

-- what has expired is found without looking through all that is open
CREATE INDEX pause_due ON pause (deadline) WHERE closed IS NULL AND deadline IS NOT NULL;

-- a key names one decision of a run; old files may hold a key twice, so it is looked for, not constrained
CREATE INDEX decision_key ON decision (run, "key") WHERE "key" IS NOT NULL;

-- SHA-256 over a row's columns; what schema 1 wrote is sealed when it is migrated
ALTER TABLE run ADD COLUMN seal BLOB;             -- who the run is: what never changes
ALTER TABLE run ADD COLUMN claimed BLOB;          -- whose it is: owner, epoch, turned, cancel_by, cancel_requested
ALTER TABLE session_state ADD COLUMN hash BLOB;
ALTER TABLE pause ADD COLUMN seal BLOB;           -- the question; not when it was closed
ALTER TABLE pause ADD COLUMN decided INTEGER;   -- when it was decided, so that a decision that is gone is missed
ALTER TABLE decision ADD COLUMN seal BLOB;

-- the rows of the run's own lifecycle begin where the run is, and take it along
CREATE TRIGGER run_moves BEFORE INSERT ON journal
WHEN NEW.at = '' AND (SELECT source FROM legal WHERE id = NEW.legal) IS NOT (SELECT phase FROM run WHERE id = NEW.run)
BEGIN SELECT RAISE(ABORT, 'a run moves on from where it is'); END;

CREATE TRIGGER run_moved AFTER INSERT ON journal WHEN NEW.at = ''
BEGIN UPDATE run SET phase = (SELECT dest FROM legal WHERE id = NEW.legal) WHERE id = NEW.run; END;
