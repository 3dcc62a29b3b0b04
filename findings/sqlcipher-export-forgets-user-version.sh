#!/usr/bin/env bash
# One would guess: sqlcipher_export copies a database, as VACUUM INTO does, so that afterwards only the key differs.
# What happens: tables and rows are copied; user_version and application_id are 0 in the copy, and auto_vacuum is off. VACUUM
#   INTO keeps all three.
# Who meets it: an app that begins to encrypt the store that is already on its phones. It finds user_version 0, takes the store for
#   a new one, and runs its first migration over a table full of visits.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m pip install --quiet --root-user-action ignore --no-deps --target "$work/lib" sqlcipher3==0.6.4 >&2

PYTHONPATH=$work/lib python3 - <<'PY' || { echo 'This is no longer what happens.' >&2; exit 1; }
from sqlcipher3 import dbapi2 as sqlcipher

plain = sqlcipher.connect("plain.db", isolation_level=None)
(version,) = plain.execute("PRAGMA cipher_version").fetchone()
print("SQLCipher", version, "with SQLite", sqlcipher.sqlite_version, "(sqlcipher3 0.6.4)")
plain.executescript(
    """
    PRAGMA auto_vacuum = FULL;
    CREATE TABLE visits (note TEXT);
    INSERT INTO visits VALUES ('nobody at home');
    PRAGMA application_id = 1447644532;
    PRAGMA user_version = 42;
    ATTACH 'exported.db' AS exported KEY 'a key';
    SELECT sqlcipher_export('exported');
    VACUUM INTO 'vacuumed.db';
    ATTACH 'vacuumed.db' AS vacuumed KEY '';
    """
)
KEPT = ("user_version", "application_id", "auto_vacuum")


def seen(database):
    assert plain.execute(f"SELECT note FROM {database}.visits").fetchall() == [("nobody at home",)]
    return {name: int(plain.execute(f"PRAGMA {database}.{name}").fetchone()[0]) for name in KEPT}


for database in ("main", "exported", "vacuumed"):
    print(f"  {database}: {seen(database)}")
assert all(seen("main").values())
assert seen("vacuumed") == seen("main")
assert not any(seen("exported").values())
PY
