#!/usr/bin/env bash
# Guess: a filter on an empty list of districts finds nothing, or is refused.
# Instead: with the short form the condition is left out, so the query asks for all records; with `in` it becomes
#   "in ()", which the language does not have. The short form with two entries is no "or" but the words "a district b",
#   which no server understands.
# Who meets it: a screen of headquarters where the user unticks the last district: it shows the whole country's visits.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
npm install --prefix "$tmp" --loglevel=error --no-audit --no-fund --ignore-scripts odata-query@8.1.0 >/dev/null
cat >"$tmp/try.cjs" <<'JS'
const query = require("odata-query").default;
console.log("odata-query", JSON.parse(require("fs").readFileSync(`${__dirname}/node_modules/odata-query/package.json`)).version);
const filters = [{ district: [], status: "open" }, { district: [] }, { district: { in: [] } }, { district: ["a", "b"] }, { district: { in: ["a", "b"] } }];
const seen = filters.map((filter) => query({ filter }));
filters.forEach((filter, at) => console.log(JSON.stringify(filter), "gives", JSON.stringify(seen[at])));
const expected = ["?$filter=status eq 'open'", "", "?$filter=district in ()", "?$filter=a district b", "?$filter=district in ('a','b')"];
process.exit(JSON.stringify(seen) === JSON.stringify(expected) ? 0 : 1);
JS
node "$tmp/try.cjs"
echo "An empty list as the value of a filter drops the filter: the query asks for everything."
