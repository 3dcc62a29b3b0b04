-- Words of notes are found without Kazakh letters and apostrophes (sync-core/src/fold.rs). All projections are made anew after
-- this (store/open.rs): what is left here is the words that nothing is written in any more.
DELETE FROM note_word;
