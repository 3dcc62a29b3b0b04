#!/usr/bin/env bash
# Guess: allDocs() without a range lists all documents, whatever letters their ids have.
# Instead: on PouchDB's LevelDB-shaped stores it stops at the letter U+00FF: an id that starts with a Cyrillic letter is
#   stored, counted, replicated and found by get(), and is missing from allDocs() both ways round. An open range
#   that starts with such an id is empty; with an end given it has them all.
# Who meets it: a store keyed by street or by the number of a house book, on a test bench or a server with PouchDB.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
npm install --prefix "$tmp" --loglevel=error --no-audit --no-fund --ignore-scripts pouchdb-core@9.0.0 pouchdb-adapter-memory@9.0.0 pouchdb-replication@9.0.0 >/dev/null
cat >"$tmp/try.cjs" <<'JS'
const PouchDB = require("pouchdb-core").plugin(require("pouchdb-adapter-memory")).plugin(require("pouchdb-replication"));
(async () => {
  console.log("PouchDB", PouchDB.version);
  const [phone, server] = ["phone", "server"].map((name) => new PouchDB(name, { adapter: "memory" }));
  for (const id of ["Abay-1", "abay-2", "Абай-3", "Қонаев-4", "é-5", "Ā-6"]) await phone.put({ _id: id });
  await PouchDB.replicate(phone, server);
  const ids = async (options) => (await server.allDocs(options)).rows.map((row) => row.id).join(" ");
  const seen = {
    counted: (await server.info()).doc_count,
    got: (await server.get("Қонаев-4"))._id,
    all: await ids({}),
    backwards: await ids({ descending: true }),
    "from А": await ids({ startkey: "А" }),
    "from А to the end": await ids({ startkey: "А", endkey: "\uffff" }),
  };
  console.log(seen);
  const expected = [6, "Қонаев-4", "Abay-1 abay-2 é-5", "é-5 abay-2 Abay-1", "", "Абай-3 Қонаев-4"];
  process.exit(JSON.stringify(Object.values(seen)) === JSON.stringify(expected) ? 0 : 1);
})();
JS
node "$tmp/try.cjs"
echo "allDocs leaves out documents whose id starts with a letter beyond U+00FF, though they are stored and counted."
