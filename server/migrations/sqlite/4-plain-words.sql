-- Words come folded and parted by spaces (store/words.rs), so that the index needs no opinion of its own about letters.
DROP TABLE note_text;
CREATE VIRTUAL TABLE note_text USING fts5 (
    folded, content = '', contentless_delete = 1, detail = none, tokenize = 'ascii'
);

-- A list of one person's visits walks those only.
CREATE INDEX visit_author ON visit (author, started_at, document_no);
