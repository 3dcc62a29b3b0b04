-- What headquarters' console asks for. The two tables of counts follow from the log like every projection, so that the
-- projections are made anew after this (store/open.rs).

-- A browser that signed in with a token; ends with it.
CREATE TABLE session (
    session_hash BLOB PRIMARY KEY,
    session_id BLOB NOT NULL UNIQUE,
    token_id BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The outline of a beat, as GeoJSON: an operator's map, which no log row records.
CREATE TABLE beat_area (scope_no INTEGER PRIMARY KEY, area TEXT NOT NULL) STRICT;

-- Active visits of a beat by the local day on which they began; days count from 1970-01-01.
CREATE TABLE coverage (
    scope_no INTEGER NOT NULL,
    day INTEGER NOT NULL,
    visits INTEGER NOT NULL,
    contacted INTEGER NOT NULL,
    attempted INTEGER NOT NULL,
    late INTEGER NOT NULL,
    PRIMARY KEY (scope_no, day)
) STRICT, WITHOUT ROWID;

-- When somebody was last met at a place, and when last not.
CREATE TABLE place_contact (
    scope_no INTEGER NOT NULL,
    place BLOB NOT NULL,
    contacted_at INTEGER,
    attempted_at INTEGER,
    PRIMARY KEY (scope_no, place)
) STRICT, WITHOUT ROWID;
