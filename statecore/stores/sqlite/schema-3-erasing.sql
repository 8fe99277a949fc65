-- What an erasure may do to the tables of format 3, and nothing else may; run after schema-3-guards.sql. One rule for all tables with bodies:
-- a body goes only under an order in force (a row of `erasure` that is not done); its commitment stays, or is put in its place; it never comes
-- back; the row's salt (16 bytes) goes along, because the erased slot's could be derived from it; what replaces it is longer, or NULL.
-- Where bodies are enciphered (the row has no salt), they may be enciphered anew while store.rotating_us is set.

CREATE TRIGGER run_erases BEFORE UPDATE OF
  session, user_id, requester, input, additional, metadata, session_c, user_c, requester_c, input_c, additional_c, metadata_c, salt
ON run
BEGIN
  SELECT RAISE(ABORT, 'only an erasure in force erases a run') WHERE
    NOT EXISTS (SELECT 1 FROM erasure WHERE run = OLD.id AND done_us IS NULL) AND (
    NEW.salt IS NOT OLD.salt
    OR (NEW.session IS NULL) <> (OLD.session IS NULL) OR NEW.session_c IS NOT OLD.session_c
    OR (NEW.user_id IS NULL) <> (OLD.user_id IS NULL) OR NEW.user_c IS NOT OLD.user_c
    OR (NEW.requester IS NULL) <> (OLD.requester IS NULL) OR NEW.requester_c IS NOT OLD.requester_c
    OR (NEW.input IS NULL) <> (OLD.input IS NULL) OR NEW.input_c IS NOT OLD.input_c
    OR (NEW.additional IS NULL) <> (OLD.additional IS NULL) OR NEW.additional_c IS NOT OLD.additional_c
    OR (NEW.metadata IS NULL) <> (OLD.metadata IS NULL) OR NEW.metadata_c IS NOT OLD.metadata_c);
  SELECT RAISE(ABORT, 'an erasure leaves the commitment, and the erased stays erased') WHERE
    (NEW.session IS NULL AND OLD.session IS NOT NULL AND NEW.session_c IS NULL) OR (OLD.session IS NULL AND NEW.session IS NOT NULL)
    OR (NEW.user_id IS NULL AND OLD.user_id IS NOT NULL AND NEW.user_c IS NULL) OR (OLD.user_id IS NULL AND NEW.user_id IS NOT NULL)
    OR (NEW.requester IS NULL AND OLD.requester IS NOT NULL AND NEW.requester_c IS NULL) OR (OLD.requester IS NULL AND NEW.requester IS NOT NULL)
    OR (NEW.input IS NULL AND OLD.input IS NOT NULL AND NEW.input_c IS NULL) OR (OLD.input IS NULL AND NEW.input IS NOT NULL)
    OR (NEW.additional IS NULL AND OLD.additional IS NOT NULL AND NEW.additional_c IS NULL) OR (OLD.additional IS NULL AND NEW.additional IS NOT NULL)
    OR (NEW.metadata IS NULL AND OLD.metadata IS NOT NULL AND NEW.metadata_c IS NULL) OR (OLD.metadata IS NULL AND NEW.metadata IS NOT NULL);
  SELECT RAISE(ABORT, 'a commitment is never changed, and takes the place of a body') WHERE
    (NEW.session_c IS NOT OLD.session_c AND (OLD.session_c IS NOT NULL OR NEW.session IS NOT NULL))
    OR (NEW.user_c IS NOT OLD.user_c AND (OLD.user_c IS NOT NULL OR NEW.user_id IS NOT NULL))
    OR (NEW.requester_c IS NOT OLD.requester_c AND (OLD.requester_c IS NOT NULL OR NEW.requester IS NOT NULL))
    OR (NEW.input_c IS NOT OLD.input_c AND (OLD.input_c IS NOT NULL OR NEW.input IS NOT NULL))
    OR (NEW.additional_c IS NOT OLD.additional_c AND (OLD.additional_c IS NOT NULL OR NEW.additional IS NOT NULL))
    OR (NEW.metadata_c IS NOT OLD.metadata_c AND (OLD.metadata_c IS NOT NULL OR NEW.metadata IS NOT NULL));
  SELECT RAISE(ABORT, 'an erasure takes the salt along') WHERE length(NEW.salt) = 16 AND (
    (NEW.session IS NULL AND OLD.session IS NOT NULL)
    OR (NEW.user_id IS NULL AND OLD.user_id IS NOT NULL)
    OR (NEW.requester IS NULL AND OLD.requester IS NOT NULL)
    OR (NEW.input IS NULL AND OLD.input IS NOT NULL)
    OR (NEW.additional IS NULL AND OLD.additional IS NOT NULL)
    OR (NEW.metadata IS NULL AND OLD.metadata IS NOT NULL));
  SELECT RAISE(ABORT, 'a salt is never replaced by another') WHERE
    NEW.salt IS NOT OLD.salt AND (OLD.salt IS NULL OR length(NEW.salt) = 16);
  SELECT RAISE(ABORT, 'a body is never changed, but enciphered anew') WHERE
    (OLD.salt IS NOT NULL OR NOT EXISTS (SELECT 1 FROM store WHERE rotating_us IS NOT NULL)) AND (
    coalesce(NEW.session <> OLD.session, 0)
    OR coalesce(NEW.user_id <> OLD.user_id, 0)
    OR coalesce(NEW.requester <> OLD.requester, 0)
    OR coalesce(NEW.input <> OLD.input, 0)
    OR coalesce(NEW.additional <> OLD.additional, 0)
    OR coalesce(NEW.metadata <> OLD.metadata, 0));
END;

CREATE TRIGGER event_erases BEFORE UPDATE OF
  "by", note, value, by_c, note_c, value_c, salt
ON event
BEGIN
  SELECT RAISE(ABORT, 'only an erasure in force erases an event') WHERE
    NOT EXISTS (SELECT 1 FROM erasure WHERE run = OLD.run AND done_us IS NULL) AND (
    NEW.salt IS NOT OLD.salt
    OR (NEW."by" IS NULL) <> (OLD."by" IS NULL) OR NEW.by_c IS NOT OLD.by_c
    OR (NEW.note IS NULL) <> (OLD.note IS NULL) OR NEW.note_c IS NOT OLD.note_c
    OR (NEW.value IS NULL) <> (OLD.value IS NULL) OR NEW.value_c IS NOT OLD.value_c);
  SELECT RAISE(ABORT, 'an erasure leaves the commitment, and the erased stays erased') WHERE
    (NEW."by" IS NULL AND OLD."by" IS NOT NULL AND NEW.by_c IS NULL) OR (OLD."by" IS NULL AND NEW."by" IS NOT NULL)
    OR (NEW.note IS NULL AND OLD.note IS NOT NULL AND NEW.note_c IS NULL) OR (OLD.note IS NULL AND NEW.note IS NOT NULL)
    OR (NEW.value IS NULL AND OLD.value IS NOT NULL AND NEW.value_c IS NULL) OR (OLD.value IS NULL AND NEW.value IS NOT NULL);
  SELECT RAISE(ABORT, 'a commitment is never changed, and takes the place of a body') WHERE
    (NEW.by_c IS NOT OLD.by_c AND (OLD.by_c IS NOT NULL OR NEW."by" IS NOT NULL))
    OR (NEW.note_c IS NOT OLD.note_c AND (OLD.note_c IS NOT NULL OR NEW.note IS NOT NULL))
    OR (NEW.value_c IS NOT OLD.value_c AND (OLD.value_c IS NOT NULL OR NEW.value IS NOT NULL));
  SELECT RAISE(ABORT, 'an erasure takes the salt along') WHERE length(NEW.salt) = 16 AND (
    (NEW."by" IS NULL AND OLD."by" IS NOT NULL)
    OR (NEW.note IS NULL AND OLD.note IS NOT NULL)
    OR (NEW.value IS NULL AND OLD.value IS NOT NULL));
  SELECT RAISE(ABORT, 'a salt is never replaced by another') WHERE
    NEW.salt IS NOT OLD.salt AND (OLD.salt IS NULL OR length(NEW.salt) = 16);
  SELECT RAISE(ABORT, 'a body is never changed, but enciphered anew') WHERE
    (OLD.salt IS NOT NULL OR NOT EXISTS (SELECT 1 FROM store WHERE rotating_us IS NOT NULL)) AND (
    coalesce(NEW."by" <> OLD."by", 0)
    OR coalesce(NEW.note <> OLD.note, 0)
    OR coalesce(NEW.value <> OLD.value, 0));
END;

CREATE TRIGGER pause_erases BEFORE UPDATE OF
  message, form, choices, names, shown, message_c, form_c, choices_c, names_c, shown_c, salt
ON pause
BEGIN
  SELECT RAISE(ABORT, 'only an erasure in force erases a question') WHERE
    NOT EXISTS (SELECT 1 FROM erasure WHERE run = OLD.run AND done_us IS NULL) AND (
    NEW.salt IS NOT OLD.salt
    OR (NEW.message IS NULL) <> (OLD.message IS NULL) OR NEW.message_c IS NOT OLD.message_c
    OR (NEW.form IS NULL) <> (OLD.form IS NULL) OR NEW.form_c IS NOT OLD.form_c
    OR (NEW.choices IS NULL) <> (OLD.choices IS NULL) OR NEW.choices_c IS NOT OLD.choices_c
    OR (NEW.names IS NULL) <> (OLD.names IS NULL) OR NEW.names_c IS NOT OLD.names_c
    OR (NEW.shown IS NULL) <> (OLD.shown IS NULL) OR NEW.shown_c IS NOT OLD.shown_c);
  SELECT RAISE(ABORT, 'an erasure leaves the commitment, and the erased stays erased') WHERE
    (NEW.message IS NULL AND OLD.message IS NOT NULL AND NEW.message_c IS NULL) OR (OLD.message IS NULL AND NEW.message IS NOT NULL)
    OR (NEW.form IS NULL AND OLD.form IS NOT NULL AND NEW.form_c IS NULL) OR (OLD.form IS NULL AND NEW.form IS NOT NULL)
    OR (NEW.choices IS NULL AND OLD.choices IS NOT NULL AND NEW.choices_c IS NULL) OR (OLD.choices IS NULL AND NEW.choices IS NOT NULL)
    OR (NEW.names IS NULL AND OLD.names IS NOT NULL AND NEW.names_c IS NULL) OR (OLD.names IS NULL AND NEW.names IS NOT NULL)
    OR (NEW.shown IS NULL AND OLD.shown IS NOT NULL AND NEW.shown_c IS NULL) OR (OLD.shown IS NULL AND NEW.shown IS NOT NULL);
  SELECT RAISE(ABORT, 'a commitment is never changed, and takes the place of a body') WHERE
    (NEW.message_c IS NOT OLD.message_c AND (OLD.message_c IS NOT NULL OR NEW.message IS NOT NULL))
    OR (NEW.form_c IS NOT OLD.form_c AND (OLD.form_c IS NOT NULL OR NEW.form IS NOT NULL))
    OR (NEW.choices_c IS NOT OLD.choices_c AND (OLD.choices_c IS NOT NULL OR NEW.choices IS NOT NULL))
    OR (NEW.names_c IS NOT OLD.names_c AND (OLD.names_c IS NOT NULL OR NEW.names IS NOT NULL))
    OR (NEW.shown_c IS NOT OLD.shown_c AND (OLD.shown_c IS NOT NULL OR NEW.shown IS NOT NULL));
  SELECT RAISE(ABORT, 'an erasure takes the salt along') WHERE length(NEW.salt) = 16 AND (
    (NEW.message IS NULL AND OLD.message IS NOT NULL)
    OR (NEW.form IS NULL AND OLD.form IS NOT NULL)
    OR (NEW.choices IS NULL AND OLD.choices IS NOT NULL)
    OR (NEW.names IS NULL AND OLD.names IS NOT NULL)
    OR (NEW.shown IS NULL AND OLD.shown IS NOT NULL));
  SELECT RAISE(ABORT, 'a salt is never replaced by another') WHERE
    NEW.salt IS NOT OLD.salt AND (OLD.salt IS NULL OR length(NEW.salt) = 16);
  SELECT RAISE(ABORT, 'a body is never changed, but enciphered anew') WHERE
    (OLD.salt IS NOT NULL OR NOT EXISTS (SELECT 1 FROM store WHERE rotating_us IS NOT NULL)) AND (
    coalesce(NEW.message <> OLD.message, 0)
    OR coalesce(NEW.form <> OLD.form, 0)
    OR coalesce(NEW.choices <> OLD.choices, 0)
    OR coalesce(NEW.names <> OLD.names, 0)
    OR coalesce(NEW.shown <> OLD.shown, 0));
END;

CREATE TRIGGER pause_forgets BEFORE UPDATE OF
  answer, "by", login, comment, answer_c, by_c, login_c, comment_c, decision_salt
ON pause WHEN OLD.word IS NOT NULL
BEGIN
  SELECT RAISE(ABORT, 'only an erasure in force erases a decision') WHERE
    NOT EXISTS (SELECT 1 FROM erasure WHERE run = OLD.run AND done_us IS NULL) AND (
    NEW.decision_salt IS NOT OLD.decision_salt
    OR (NEW.answer IS NULL) <> (OLD.answer IS NULL) OR NEW.answer_c IS NOT OLD.answer_c
    OR (NEW."by" IS NULL) <> (OLD."by" IS NULL) OR NEW.by_c IS NOT OLD.by_c
    OR (NEW.login IS NULL) <> (OLD.login IS NULL) OR NEW.login_c IS NOT OLD.login_c
    OR (NEW.comment IS NULL) <> (OLD.comment IS NULL) OR NEW.comment_c IS NOT OLD.comment_c);
  SELECT RAISE(ABORT, 'an erasure leaves the commitment, and the erased stays erased') WHERE
    (NEW.answer IS NULL AND OLD.answer IS NOT NULL AND NEW.answer_c IS NULL) OR (OLD.answer IS NULL AND NEW.answer IS NOT NULL)
    OR (NEW."by" IS NULL AND OLD."by" IS NOT NULL AND NEW.by_c IS NULL) OR (OLD."by" IS NULL AND NEW."by" IS NOT NULL)
    OR (NEW.login IS NULL AND OLD.login IS NOT NULL AND NEW.login_c IS NULL) OR (OLD.login IS NULL AND NEW.login IS NOT NULL)
    OR (NEW.comment IS NULL AND OLD.comment IS NOT NULL AND NEW.comment_c IS NULL) OR (OLD.comment IS NULL AND NEW.comment IS NOT NULL);
  SELECT RAISE(ABORT, 'a commitment is never changed, and takes the place of a body') WHERE
    (NEW.answer_c IS NOT OLD.answer_c AND (OLD.answer_c IS NOT NULL OR NEW.answer IS NOT NULL))
    OR (NEW.by_c IS NOT OLD.by_c AND (OLD.by_c IS NOT NULL OR NEW."by" IS NOT NULL))
    OR (NEW.login_c IS NOT OLD.login_c AND (OLD.login_c IS NOT NULL OR NEW.login IS NOT NULL))
    OR (NEW.comment_c IS NOT OLD.comment_c AND (OLD.comment_c IS NOT NULL OR NEW.comment IS NOT NULL));
  SELECT RAISE(ABORT, 'an erasure takes the salt along') WHERE length(NEW.decision_salt) = 16 AND (
    (NEW.answer IS NULL AND OLD.answer IS NOT NULL)
    OR (NEW."by" IS NULL AND OLD."by" IS NOT NULL)
    OR (NEW.login IS NULL AND OLD.login IS NOT NULL)
    OR (NEW.comment IS NULL AND OLD.comment IS NOT NULL));
  SELECT RAISE(ABORT, 'a salt is never replaced by another') WHERE
    NEW.decision_salt IS NOT OLD.decision_salt AND (OLD.decision_salt IS NULL OR length(NEW.decision_salt) = 16);
  SELECT RAISE(ABORT, 'a body is never changed, but enciphered anew') WHERE
    (OLD.decision_salt IS NOT NULL OR NOT EXISTS (SELECT 1 FROM store WHERE rotating_us IS NOT NULL)) AND (
    coalesce(NEW.answer <> OLD.answer, 0)
    OR coalesce(NEW."by" <> OLD."by", 0)
    OR coalesce(NEW.login <> OLD.login, 0)
    OR coalesce(NEW.comment <> OLD.comment, 0));
END;

CREATE TRIGGER act_erases BEFORE UPDATE OF
  "by", login, delegate, answer, comment, by_c, login_c, delegate_c, answer_c, comment_c, salt
ON act
BEGIN
  SELECT RAISE(ABORT, 'only an erasure in force erases an act') WHERE
    NOT EXISTS (SELECT 1 FROM erasure WHERE run = (SELECT run FROM pause WHERE id = OLD.pause) AND done_us IS NULL) AND (
    NEW.salt IS NOT OLD.salt
    OR (NEW."by" IS NULL) <> (OLD."by" IS NULL) OR NEW.by_c IS NOT OLD.by_c
    OR (NEW.login IS NULL) <> (OLD.login IS NULL) OR NEW.login_c IS NOT OLD.login_c
    OR (NEW.delegate IS NULL) <> (OLD.delegate IS NULL) OR NEW.delegate_c IS NOT OLD.delegate_c
    OR (NEW.answer IS NULL) <> (OLD.answer IS NULL) OR NEW.answer_c IS NOT OLD.answer_c
    OR (NEW.comment IS NULL) <> (OLD.comment IS NULL) OR NEW.comment_c IS NOT OLD.comment_c);
  SELECT RAISE(ABORT, 'an erasure leaves the commitment, and the erased stays erased') WHERE
    (NEW."by" IS NULL AND OLD."by" IS NOT NULL AND NEW.by_c IS NULL) OR (OLD."by" IS NULL AND NEW."by" IS NOT NULL)
    OR (NEW.login IS NULL AND OLD.login IS NOT NULL AND NEW.login_c IS NULL) OR (OLD.login IS NULL AND NEW.login IS NOT NULL)
    OR (NEW.delegate IS NULL AND OLD.delegate IS NOT NULL AND NEW.delegate_c IS NULL) OR (OLD.delegate IS NULL AND NEW.delegate IS NOT NULL)
    OR (NEW.answer IS NULL AND OLD.answer IS NOT NULL AND NEW.answer_c IS NULL) OR (OLD.answer IS NULL AND NEW.answer IS NOT NULL)
    OR (NEW.comment IS NULL AND OLD.comment IS NOT NULL AND NEW.comment_c IS NULL) OR (OLD.comment IS NULL AND NEW.comment IS NOT NULL);
  SELECT RAISE(ABORT, 'a commitment is never changed, and takes the place of a body') WHERE
    (NEW.by_c IS NOT OLD.by_c AND (OLD.by_c IS NOT NULL OR NEW."by" IS NOT NULL))
    OR (NEW.login_c IS NOT OLD.login_c AND (OLD.login_c IS NOT NULL OR NEW.login IS NOT NULL))
    OR (NEW.delegate_c IS NOT OLD.delegate_c AND (OLD.delegate_c IS NOT NULL OR NEW.delegate IS NOT NULL))
    OR (NEW.answer_c IS NOT OLD.answer_c AND (OLD.answer_c IS NOT NULL OR NEW.answer IS NOT NULL))
    OR (NEW.comment_c IS NOT OLD.comment_c AND (OLD.comment_c IS NOT NULL OR NEW.comment IS NOT NULL));
  SELECT RAISE(ABORT, 'an erasure takes the salt along') WHERE length(NEW.salt) = 16 AND (
    (NEW."by" IS NULL AND OLD."by" IS NOT NULL)
    OR (NEW.login IS NULL AND OLD.login IS NOT NULL)
    OR (NEW.delegate IS NULL AND OLD.delegate IS NOT NULL)
    OR (NEW.answer IS NULL AND OLD.answer IS NOT NULL)
    OR (NEW.comment IS NULL AND OLD.comment IS NOT NULL));
  SELECT RAISE(ABORT, 'a salt is never replaced by another') WHERE
    NEW.salt IS NOT OLD.salt AND (OLD.salt IS NULL OR length(NEW.salt) = 16);
  SELECT RAISE(ABORT, 'a body is never changed, but enciphered anew') WHERE
    (OLD.salt IS NOT NULL OR NOT EXISTS (SELECT 1 FROM store WHERE rotating_us IS NOT NULL)) AND (
    coalesce(NEW."by" <> OLD."by", 0)
    OR coalesce(NEW.login <> OLD.login, 0)
    OR coalesce(NEW.delegate <> OLD.delegate, 0)
    OR coalesce(NEW.answer <> OLD.answer, 0)
    OR coalesce(NEW.comment <> OLD.comment, 0));
END;

CREATE TRIGGER hot_erases BEFORE UPDATE OF
  cancel_by, cancel_by_c, cancel_salt
ON hot WHEN OLD.cancel_us IS NOT NULL AND NEW.cancel_us IS OLD.cancel_us
BEGIN
  SELECT RAISE(ABORT, 'only an erasure in force erases who cancelled') WHERE
    NOT EXISTS (SELECT 1 FROM erasure WHERE run = OLD.run AND done_us IS NULL) AND (
    NEW.cancel_salt IS NOT OLD.cancel_salt
    OR (NEW.cancel_by IS NULL) <> (OLD.cancel_by IS NULL) OR NEW.cancel_by_c IS NOT OLD.cancel_by_c);
  SELECT RAISE(ABORT, 'an erasure leaves the commitment, and the erased stays erased') WHERE
    (NEW.cancel_by IS NULL AND OLD.cancel_by IS NOT NULL AND NEW.cancel_by_c IS NULL) OR (OLD.cancel_by IS NULL AND NEW.cancel_by IS NOT NULL);
  SELECT RAISE(ABORT, 'a commitment is never changed, and takes the place of a body') WHERE
    (NEW.cancel_by_c IS NOT OLD.cancel_by_c AND (OLD.cancel_by_c IS NOT NULL OR NEW.cancel_by IS NOT NULL));
  SELECT RAISE(ABORT, 'an erasure takes the salt along') WHERE length(NEW.cancel_salt) = 16 AND (
    (NEW.cancel_by IS NULL AND OLD.cancel_by IS NOT NULL));
  SELECT RAISE(ABORT, 'a salt is never replaced by another') WHERE
    NEW.cancel_salt IS NOT OLD.cancel_salt AND (OLD.cancel_salt IS NULL OR length(NEW.cancel_salt) = 16);
  SELECT RAISE(ABORT, 'a body is never changed, but enciphered anew') WHERE
    (OLD.cancel_salt IS NOT NULL OR NOT EXISTS (SELECT 1 FROM store WHERE rotating_us IS NOT NULL)) AND (
    coalesce(NEW.cancel_by <> OLD.cancel_by, 0));
END;

CREATE TRIGGER tombstone_erases BEFORE UPDATE OF
  "by", by_c, salt
ON tombstone
BEGIN
  SELECT RAISE(ABORT, 'only an erasure in force erases a tombstone') WHERE
    NOT EXISTS (SELECT 1 FROM erasure WHERE run = OLD.run AND done_us IS NULL) AND (
    NEW.salt IS NOT OLD.salt
    OR (NEW."by" IS NULL) <> (OLD."by" IS NULL) OR NEW.by_c IS NOT OLD.by_c);
  SELECT RAISE(ABORT, 'an erasure leaves the commitment, and the erased stays erased') WHERE
    (NEW."by" IS NULL AND OLD."by" IS NOT NULL AND NEW.by_c IS NULL) OR (OLD."by" IS NULL AND NEW."by" IS NOT NULL);
  SELECT RAISE(ABORT, 'a commitment is never changed, and takes the place of a body') WHERE
    (NEW.by_c IS NOT OLD.by_c AND (OLD.by_c IS NOT NULL OR NEW."by" IS NOT NULL));
  SELECT RAISE(ABORT, 'an erasure takes the salt along') WHERE length(NEW.salt) = 16 AND (
    (NEW."by" IS NULL AND OLD."by" IS NOT NULL));
  SELECT RAISE(ABORT, 'a salt is never replaced by another') WHERE
    NEW.salt IS NOT OLD.salt AND (OLD.salt IS NULL OR length(NEW.salt) = 16);
  SELECT RAISE(ABORT, 'a body is never changed, but enciphered anew') WHERE
    (OLD.salt IS NOT NULL OR NOT EXISTS (SELECT 1 FROM store WHERE rotating_us IS NOT NULL)) AND (
    coalesce(NEW."by" <> OLD."by", 0));
END;

CREATE TRIGGER erasure_erases BEFORE UPDATE OF
  "by", reason, by_c, reason_c, salt
ON erasure
BEGIN
  SELECT RAISE(ABORT, 'only an erasure in force erases an erasure') WHERE
    NOT EXISTS (SELECT 1 FROM erasure WHERE run = OLD.run AND done_us IS NULL) AND (
    NEW.salt IS NOT OLD.salt
    OR (NEW."by" IS NULL) <> (OLD."by" IS NULL) OR NEW.by_c IS NOT OLD.by_c
    OR (NEW.reason IS NULL) <> (OLD.reason IS NULL) OR NEW.reason_c IS NOT OLD.reason_c);
  SELECT RAISE(ABORT, 'an erasure leaves the commitment, and the erased stays erased') WHERE
    (NEW."by" IS NULL AND OLD."by" IS NOT NULL AND NEW.by_c IS NULL) OR (OLD."by" IS NULL AND NEW."by" IS NOT NULL)
    OR (NEW.reason IS NULL AND OLD.reason IS NOT NULL AND NEW.reason_c IS NULL) OR (OLD.reason IS NULL AND NEW.reason IS NOT NULL);
  SELECT RAISE(ABORT, 'a commitment is never changed, and takes the place of a body') WHERE
    (NEW.by_c IS NOT OLD.by_c AND (OLD.by_c IS NOT NULL OR NEW."by" IS NOT NULL))
    OR (NEW.reason_c IS NOT OLD.reason_c AND (OLD.reason_c IS NOT NULL OR NEW.reason IS NOT NULL));
  SELECT RAISE(ABORT, 'an erasure takes the salt along') WHERE length(NEW.salt) = 16 AND (
    (NEW."by" IS NULL AND OLD."by" IS NOT NULL)
    OR (NEW.reason IS NULL AND OLD.reason IS NOT NULL));
  SELECT RAISE(ABORT, 'a salt is never replaced by another') WHERE
    NEW.salt IS NOT OLD.salt AND (OLD.salt IS NULL OR length(NEW.salt) = 16);
  SELECT RAISE(ABORT, 'a body is never changed, but enciphered anew') WHERE
    (OLD.salt IS NOT NULL OR NOT EXISTS (SELECT 1 FROM store WHERE rotating_us IS NOT NULL)) AND (
    coalesce(NEW."by" <> OLD."by", 0)
    OR coalesce(NEW.reason <> OLD.reason, 0));
END;
