-- A visit took five trees and its notes' words stood on disk twice. What follows here follows from the log: after this
-- the projections are made anew (store/open.rs).

-- The words are read from the log; what finds them is note_text.
DROP TABLE note;

-- A document's first change is the log row that numbers it; only what came after needs rows of its own. That a change
-- and an (actor, sequence) count once is decided with the whole document at hand, by the one writer.
DROP TABLE change;
CREATE TABLE later_change (
    document_no INTEGER NOT NULL,
    row_id INTEGER NOT NULL,
    PRIMARY KEY (document_no, row_id)
) STRICT, WITHOUT ROWID;

-- A list of one beat walks that beat's visits only.
CREATE INDEX visit_scope ON visit (scope_no, started_at, document_no);

-- Words come folded and parted by spaces, and every search is for single words: no positions, no second opinion about
-- what a word is.
DROP TABLE note_text;
CREATE VIRTUAL TABLE note_text USING fts5 (
    folded, content = '', contentless_delete = 1, detail = none,
    tokenize = "unicode61 remove_diacritics 2 categories 'L* M* N* P* S* C*'"
);
