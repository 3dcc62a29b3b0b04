-- What is asked of many documents at once stands beside their bodies. The device's client makes all projections anew after this.
ALTER TABLE projection ADD COLUMN place BLOB;
ALTER TABLE projection ADD COLUMN outcome TEXT;
ALTER TABLE projection ADD COLUMN due TEXT;
ALTER TABLE projection ADD COLUMN asks INTEGER NOT NULL DEFAULT 0;
CREATE INDEX projection_place ON projection (place, at, document, scope, outcome, due) WHERE place IS NOT NULL;
CREATE INDEX projection_asks ON projection (at, document, scope) WHERE asks;
