-- The epochs that led a scope to its cursor, a CBOR array of [number, rows carried over], ascending. A phone of before does not
-- remember them; should it ever need to, it takes its scopes in from the start.
ALTER TABLE scope ADD COLUMN followed BLOB NOT NULL DEFAULT x'80';
