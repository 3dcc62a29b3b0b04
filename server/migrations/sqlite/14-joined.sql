-- Places and people that turned out to be one. All of it follows from the log. Few are: what has to be found by anything but its
-- key is read through, when something is joined or parted.

-- `goes_as`: the end of the chain.
CREATE TABLE joined_place (
    place BLOB NOT NULL,
    scope_no INTEGER NOT NULL,
    into_place BLOB NOT NULL,
    goes_as BLOB NOT NULL,
    PRIMARY KEY (place, scope_no)
) STRICT, WITHOUT ROWID;

CREATE TABLE joined_person (
    person BLOB PRIMARY KEY,
    into_person BLOB NOT NULL,
    goes_as BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- What a visit says itself of its place and its author, where its row in `visit` names those that these go as.
CREATE TABLE visit_said (
    document_no INTEGER PRIMARY KEY,
    place BLOB,
    author BLOB
) STRICT;
