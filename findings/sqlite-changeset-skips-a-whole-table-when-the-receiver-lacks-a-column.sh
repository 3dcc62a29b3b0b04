#!/usr/bin/env bash
# Guess: applying a changeset to a database whose table has one column less fails, or calls the conflict handler.
# Instead: every change to that table is left out, no handler is called, other tables are applied and the call succeeds.
# Who meets it: phones that update on different days and exchange changesets of SQLite's session extension. The older
#   phone reports a good sync and has none of the visits.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
python3 -m venv "$tmp/venv"
"$tmp/venv/bin/pip" -q --disable-pip-version-check install --no-deps apsw==3.54.1.0
cat >"$tmp/try.py" <<'PY'
import sys

import apsw

print("apsw with SQLite", apsw.sqlite_lib_version())
OLD = "create table visit(id integer primary key, note text); create table street(id integer primary key, name text);"
NEW = OLD + "alter table visit add column weather text;"


def database(schema):
    db = apsw.Connection(":memory:")
    db.execute(schema)
    return db


def carried(source_schema, target_schema):
    source, target, calls = database(source_schema), database(target_schema), []
    session = apsw.Session(source, "main")
    session.attach()
    source.execute("insert into street(id, name) values(1, 'Street 1')")
    source.execute("insert into visit(id, note) values(1, 'first'), (2, 'second')")

    def conflict(kind, change):
        calls.append(kind)
        return apsw.SQLITE_CHANGESET_ABORT

    apsw.Changeset.apply(session.changeset(), target, conflict=conflict)
    count = lambda table: target.execute(f"select count(*) from {table}").get
    return count("street"), count("visit"), len(calls)


older = carried(NEW, OLD)
newer = carried(OLD, NEW)
print("from a newer phone to an older one: streets, visits, calls of the handler =", older)
print("from an older phone to a newer one: streets, visits, calls of the handler =", newer)
sys.exit((older, newer) != ((1, 0, 0), (1, 2, 0)))
PY
"$tmp/venv/bin/python" "$tmp/try.py"
echo "A receiver that lacks a column loses all changes of that table without an error or a call of the conflict handler."
