-- Who writes a stream, in the server's signed word: brought back to a server that has forgotten it.
ALTER TABLE stream ADD COLUMN introduction BLOB;
