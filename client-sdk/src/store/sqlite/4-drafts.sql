-- Visits that are being written down. A body is the JSON of a form, as far as it is filled in; nothing of it has left the device.
CREATE TABLE draft (
    id   BLOB PRIMARY KEY,
    at   INTEGER NOT NULL,
    body BLOB NOT NULL
) STRICT, WITHOUT ROWID;
