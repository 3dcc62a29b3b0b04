-- The tree over a scope's log after every 1,024th of its rows: the root of an earlier size is made anew from few of them.
CREATE TABLE checkpoint (
    row_id   INTEGER PRIMARY KEY,
    frontier BLOB NOT NULL
) STRICT;
