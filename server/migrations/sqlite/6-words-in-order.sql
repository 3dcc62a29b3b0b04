-- The search index is numbered in the order of the list, newest visit first (store/words.rs): a page of what words find
-- ends where the page is full. All projections are made anew after this (store/open.rs).
DROP TABLE note_text;
CREATE VIRTUAL TABLE note_text USING fts5 (
    folded, content = '', contentless_delete = 1, detail = none, tokenize = 'ascii'
);

-- Every word that a note has ever had, for finding those that begin as somebody types: asked for a beginning, FTS5 reads
-- all that it has of every such word before it answers.
CREATE TABLE note_word (word TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
