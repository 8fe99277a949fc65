-- What an erasure may do to the tables of format 3 in Postgres, and nothing else may; run after schema-3-guards.sql. One rule for all tables with
-- bodies: a body goes only under an order in force (a row of `erasure` that is not done); its commitment stays, or is put in its place; it never
-- comes back; the row's salt (16 bytes) goes along, because the erased slot's could be derived from it; what replaces it is longer, or NULL.
-- Where bodies are enciphered (the row has no salt), they may be enciphered anew while store.rotating_us is set.
-- SQLite has the rule once for each table, for its triggers have no arguments. Here it is one function, which compares rows as JSON: a BYTEA is
-- two digits a byte behind "\x", so bytea_output is fixed.

-- the arguments: what is erased, the column of its salt, its bodies; the commitment of x is x_c, and that of user_id is user_c
CREATE FUNCTION erases() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT SET bytea_output = 'hex' AS $$
DECLARE
  was JSONB := to_jsonb(OLD); is_ JSONB := to_jsonb(NEW); salt_was TEXT := was ->> TG_ARGV[1]; salt_is TEXT := is_ ->> TG_ARGV[1];
  salt_length CONSTANT INT := 2 + 2 * 16; salted BOOLEAN := coalesce(length(salt_is) = salt_length, false);
  touched BOOLEAN; unkept BOOLEAN; replaced BOOLEAN; guessable BOOLEAN; changed BOOLEAN; of_run BIGINT; why TEXT;
BEGIN
  SELECT bool_or((body_is IS NULL) <> (body_was IS NULL) OR c_is IS DISTINCT FROM c_was) OR salt_is IS DISTINCT FROM salt_was,
    bool_or((body_is IS NULL AND body_was IS NOT NULL AND c_is IS NULL) OR (body_was IS NULL AND body_is IS NOT NULL)),
    bool_or(c_is IS DISTINCT FROM c_was AND (c_was IS NOT NULL OR body_is IS NOT NULL)),
    bool_or(salted AND body_is IS NULL AND body_was IS NOT NULL),
    coalesce(bool_or(body_is <> body_was), false)
  INTO touched, unkept, replaced, guessable, changed
  FROM (SELECT was ->> body AS body_was, is_ ->> body AS body_is, was ->> c AS c_was, is_ ->> c AS c_is
        FROM (SELECT body, regexp_replace(body, '_id$', '') || '_c' AS c FROM unnest(TG_ARGV[2:]) AS u (body)) AS slots) AS bodies;
  IF touched THEN
    of_run := CASE TG_TABLE_NAME WHEN 'run' THEN was ->> 'id' WHEN 'act' THEN (SELECT run::text FROM pause WHERE id = (was ->> 'pause')::bigint)
      ELSE was ->> 'run' END;
    PERFORM FROM erasure WHERE run = of_run AND done_us IS NULL FOR SHARE;
  END IF;
  why := CASE
    WHEN touched AND NOT FOUND THEN 'only an erasure in force erases ' || TG_ARGV[0]
    WHEN unkept THEN 'an erasure leaves the commitment, and the erased stays erased'
    WHEN replaced THEN 'a commitment is never changed, and takes the place of a body'
    WHEN guessable THEN 'an erasure takes the salt along'
    WHEN salt_is IS DISTINCT FROM salt_was AND (salt_was IS NULL OR salted) THEN 'a salt is never replaced by another'
    WHEN changed AND (salt_was IS NOT NULL OR NOT EXISTS (SELECT FROM store WHERE rotating_us IS NOT NULL)) THEN
      'a body is never changed, but enciphered anew'
  END;
  IF why IS NOT NULL THEN RAISE integrity_constraint_violation USING MESSAGE = why, CONSTRAINT = TG_NAME; END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER run_erases BEFORE UPDATE OF
  session, user_id, requester, input, additional, metadata, session_c, user_c, requester_c, input_c, additional_c, metadata_c, salt
ON run FOR EACH ROW EXECUTE FUNCTION erases('a run', 'salt', 'session', 'user_id', 'requester', 'input', 'additional', 'metadata');
CREATE TRIGGER event_erases BEFORE UPDATE OF "by", note, value, by_c, note_c, value_c, salt
ON event FOR EACH ROW EXECUTE FUNCTION erases('an event', 'salt', 'by', 'note', 'value');
CREATE TRIGGER pause_erases BEFORE UPDATE OF message, form, choices, names, shown, message_c, form_c, choices_c, names_c, shown_c, salt
ON pause FOR EACH ROW EXECUTE FUNCTION erases('a question', 'salt', 'message', 'form', 'choices', 'names', 'shown');
CREATE TRIGGER pause_forgets BEFORE UPDATE OF answer, "by", login, comment, answer_c, by_c, login_c, comment_c, decision_salt
ON pause FOR EACH ROW WHEN (OLD.word IS NOT NULL)
EXECUTE FUNCTION erases('a decision', 'decision_salt', 'answer', 'by', 'login', 'comment');
CREATE TRIGGER act_erases BEFORE UPDATE OF "by", login, delegate, answer, comment, by_c, login_c, delegate_c, answer_c, comment_c, salt
ON act FOR EACH ROW EXECUTE FUNCTION erases('an act', 'salt', 'by', 'login', 'delegate', 'answer', 'comment');
CREATE TRIGGER hot_erases BEFORE UPDATE OF cancel_by, cancel_by_c, cancel_salt
ON hot FOR EACH ROW WHEN (OLD.cancel_us IS NOT NULL AND NEW.cancel_us IS NOT DISTINCT FROM OLD.cancel_us)
EXECUTE FUNCTION erases('who cancelled', 'cancel_salt', 'cancel_by');
CREATE TRIGGER tombstone_erases BEFORE UPDATE OF "by", by_c, salt ON tombstone FOR EACH ROW EXECUTE FUNCTION erases('a tombstone', 'salt', 'by');
CREATE TRIGGER erasure_erases BEFORE UPDATE OF "by", reason, by_c, reason_c, salt
ON erasure FOR EACH ROW EXECUTE FUNCTION erases('an erasure', 'salt', 'by', 'reason');
