-- Four roles of a store of format 3 that can do what their processes have to, and no more. Run it as the owner of the schema (psql -f), after
-- vote-3.sql, and again after a release has changed it. Give the roles to those who log in: GRANT statecore_decider TO ...
DO $$ DECLARE name TEXT; BEGIN
  FOREACH name IN ARRAY ARRAY['statecore_worker', 'statecore_decider', 'statecore_gateway', 'statecore_keeper'] LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN EXECUTE format('CREATE ROLE %I NOLOGIN', name); END IF;
  END LOOP;
END $$;
GRANT USAGE ON SCHEMA statecore TO statecore_worker, statecore_decider, statecore_keeper;

-- a decider reads what it needs to show a question, and executes two functions; it writes no table, and so locks no row but by these.
-- A gateway (an inbox) is a decider whose login may speak for others.
GRANT SELECT ON statecore.store, statecore.workflow, statecore.session, statecore.definition, statecore.legal, statecore.shape,
  statecore.shape_move, statecore.run, statecore.session_value, statecore.hot, statecore.event, statecore.move, statecore.value, statecore.pause,
  statecore.act, statecore.audience TO statecore_decider;
GRANT SELECT (run_id, purged_us) ON statecore.tombstone TO statecore_decider; -- a run that was purged is named so
GRANT EXECUTE ON FUNCTION statecore.statecore_decide, statecore.statecore_vote TO statecore_decider, statecore_worker;
GRANT statecore_decider TO statecore_gateway;

-- a worker (and what starts runs) adds to the journal and takes runs along; it changes no definition and no lifecycle, and deletes nothing of a run
GRANT SELECT ON ALL TABLES IN SCHEMA statecore TO statecore_worker, statecore_keeper;
GRANT EXECUTE ON FUNCTION statecore.is_last, statecore.listed_end TO statecore_worker, statecore_keeper;
GRANT INSERT ON statecore.workflow, statecore.session, statecore.definition, statecore.shape, statecore.shape_move, statecore.run,
  statecore.start_key, statecore.session_value, statecore.hot, statecore.event, statecore.move, statecore.value, statecore.pause, statecore.act,
  statecore.audience, statecore.notice, statecore.delivery TO statecore_worker;
GRANT UPDATE (phase, claim_order, owner, epoch, lease_us, wake_us, definition, number, head, state, held, updated_us, ended_us, quarantined, kid,
  seal, cancel_us, cancel_by, cancel_salt, cancel_by_c, cancel_kid, cancel_seal) ON statecore.hot TO statecore_worker;
GRANT UPDATE (due_us, voter_salt, kid, seal, word, decided_us, answer, "by", login, comment, via, key, decided_seen, meaning, last_act,
  decision_salt, decision_kid, decision_seal, closed, outcome) ON statecore.pause TO statecore_worker;
GRANT UPDATE (times, kid, seal) ON statecore.act TO statecore_worker;
GRANT UPDATE, DELETE ON statecore.session_value, statecore.audience, statecore.notice, statecore.delivery TO statecore_worker;
GRANT USAGE ON SEQUENCE statecore.claim_order TO statecore_worker;

-- a keeper erases and purges what the guards let go, and anchors the chain; it starts, moves and decides nothing
GRANT INSERT ON statecore.tombstone, statecore.erasure, statecore.leaf TO statecore_keeper;
GRANT DELETE ON statecore.run, statecore.session_value, statecore.hot, statecore.event, statecore.move, statecore.value, statecore.pause,
  statecore.act, statecore.audience, statecore.notice, statecore.delivery, statecore.tombstone, statecore.erasure, statecore.session
  TO statecore_keeper;
GRANT UPDATE (session, user_id, requester, input, additional, metadata, session_c, user_c, requester_c, input_c, additional_c, metadata_c, salt)
  ON statecore.run TO statecore_keeper;
GRANT UPDATE ("by", note, value, by_c, note_c, value_c, salt) ON statecore.event TO statecore_keeper;
GRANT UPDATE (message, form, choices, names, shown, message_c, form_c, choices_c, names_c, shown_c, salt, answer, "by", login, comment, answer_c,
  by_c, login_c, comment_c, decision_salt) ON statecore.pause TO statecore_keeper;
GRANT UPDATE ("by", login, delegate, answer, comment, by_c, login_c, delegate_c, answer_c, comment_c, salt) ON statecore.act TO statecore_keeper;
GRANT UPDATE (cancel_by, cancel_by_c, cancel_salt, session) ON statecore.hot TO statecore_keeper;
GRANT UPDATE ("by", by_c, salt, kid, seal) ON statecore.tombstone TO statecore_keeper;
GRANT UPDATE (done_us, "by", reason, by_c, reason_c, salt, kid, seal) ON statecore.erasure TO statecore_keeper;
GRANT UPDATE (body, salt) ON statecore.session_value TO statecore_keeper;
