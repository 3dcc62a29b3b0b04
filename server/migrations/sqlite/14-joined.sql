-- Places and people that turned out to be one. All of it follows from the log.

-- `goes_as`: the end of the chain.
CREATE TABLE joined_place (
    place BLOB NOT NULL,
    scope_no INTEGER NOT NULL,
    into_place BLOB NOT NULL,
    goes_as BLOB NOT NULL,
    PRIMARY KEY (place, scope_no)
) STRICT, WITHOUT ROWID;
CREATE INDEX joined_place_into ON joined_place (into_place, scope_no);

CREATE TABLE joined_person (
    person BLOB PRIMARY KEY,
    into_person BLOB NOT NULL,
    goes_as BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX joined_person_into ON joined_person (into_person);

-- What a visit says itself of its place and its author, where its row in `visit` names those that these go as.
CREATE TABLE visit_said (
    document_no INTEGER PRIMARY KEY,
    place BLOB,
    author BLOB
) STRICT;
CREATE INDEX visit_said_place ON visit_said (place) WHERE place IS NOT NULL;
CREATE INDEX visit_said_author ON visit_said (author) WHERE author IS NOT NULL;
