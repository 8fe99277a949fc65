-- Two roles that can do what their processes have to, and no more. Run it as the owner of the schema (psql -f roles.sql), after the schema
-- was made, and again after a release has changed it. Give the roles to those who log in: GRANT statecore_worker TO ...
CREATE ROLE statecore_worker NOLOGIN;
CREATE ROLE statecore_decider NOLOGIN;
GRANT USAGE ON SCHEMA statecore TO statecore_worker, statecore_decider;
GRANT SELECT ON ALL TABLES IN SCHEMA statecore TO statecore_worker, statecore_decider;

-- a worker (and whoever starts runs) adds to the journal and takes runs along; it changes no definition, no lifecycle and nothing that was written
GRANT INSERT ON statecore.value, statecore.definition, statecore.run, statecore.session_state, statecore.journal, statecore.pause,
  statecore.decision TO statecore_worker;
GRANT UPDATE (owner, epoch, lease, cancel_by, cancel_requested, turned, phase, state, held, updated, seq, head, claimed, definition, seal, knock)
  ON statecore.run TO statecore_worker;
GRANT UPDATE ON statecore.session_state TO statecore_worker;
GRANT UPDATE (closed, decided) ON statecore.pause TO statecore_worker;
GRANT USAGE ON SEQUENCE statecore.run_turns TO statecore_worker;

-- a decider reads, and adds a decision with its value. It locks the run's row meanwhile (knock), and marks the question as decided (decided),
-- which a trigger keeps to the truth.
GRANT INSERT ON statecore.value, statecore.decision TO statecore_decider;
GRANT UPDATE (decided) ON statecore.pause TO statecore_decider;
GRANT UPDATE (knock) ON statecore.run TO statecore_decider;
