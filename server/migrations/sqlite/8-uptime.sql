-- By the server's clock, when a session of a device's monotonic clock began: what the device's clock should have said at an
-- entry of that session. Told with each sync; no log row records it.
CREATE TABLE clock_session (
    device BLOB NOT NULL,
    session INTEGER NOT NULL,
    began_at INTEGER NOT NULL,
    told_at INTEGER NOT NULL,
    PRIMARY KEY (device, session)
) STRICT, WITHOUT ROWID;
