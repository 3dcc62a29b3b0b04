-- What was held beside a document is found whatever became of it: what builds on something rejected is known by that.
DROP INDEX held_document;
CREATE INDEX held_document ON held (document, scope_no, state);

-- The queue is walked in its order, and counted by reason without its rows.
CREATE INDEX held_state ON held (state);
CREATE INDEX held_reason ON held (state, scope_no, reason);
