-- What rows of the past bring, moved out of them into compressed packs, each of which is also what a device is sent. The
-- rows stay; that their header and body stand here is seen by their being NULL.
CREATE TABLE segment (
    first_row INTEGER PRIMARY KEY,
    last_row INTEGER NOT NULL,
    -- As an answer's limits count them.
    bytes INTEGER NOT NULL,
    -- The streams named, with the first and the last index of each.
    streams BLOB NOT NULL,
    pack BLOB NOT NULL
) STRICT;
