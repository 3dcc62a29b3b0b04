#!/usr/bin/env bash
# Guess: a device that edited one document alone, while nobody else did, has no conflict after the next sync.
# Instead: with more offline edits than revs_limit keeps, the new history no longer reaches the server's revision. The
#   server takes the two for rivals: the document's own old state stays for ever as a conflict, and each trip adds one.
# Who meets it: a visit saved at each keystroke offline, with a small revs_limit to spare the phone's storage.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
npm install --prefix "$tmp" --loglevel=error --no-audit --no-fund --ignore-scripts pouchdb-core@9.0.0 pouchdb-adapter-memory@9.0.0 pouchdb-replication@9.0.0 >/dev/null
cat >"$tmp/try.cjs" <<'JS'
const PouchDB = require("pouchdb-core").plugin(require("pouchdb-adapter-memory")).plugin(require("pouchdb-replication"));
(async () => {
  console.log("PouchDB", PouchDB.version);
  const conflictsAfter = async (edits, trips) => {
    const name = `${edits}-${trips}`;
    const phone = new PouchDB(`phone-${name}`, { adapter: "memory", revs_limit: 10 });
    const server = new PouchDB(`server-${name}`, { adapter: "memory" });
    await phone.put({ _id: "visit", edit: 0 });
    await PouchDB.sync(phone, server);
    for (let trip = 0; trip < trips; trip++) {
      for (let edit = 0; edit < edits; edit++) await phone.put({ ...(await phone.get("visit")), edit });
      await PouchDB.sync(phone, server);
    }
    return ((await server.get("visit", { conflicts: true }))._conflicts ?? []).length;
  };
  const seen = [await conflictsAfter(9, 3), await conflictsAfter(15, 1), await conflictsAfter(15, 3)];
  console.log("revs_limit 10; conflicts after 3 trips of 9 edits, 1 trip of 15, 3 trips of 15:", ...seen);
  process.exit(JSON.stringify(seen) === JSON.stringify([0, 1, 3]) ? 0 : 1);
})();
JS
node "$tmp/try.cjs"
echo "More offline edits than revs_limit leave a conflict with the document's own past at every sync."
