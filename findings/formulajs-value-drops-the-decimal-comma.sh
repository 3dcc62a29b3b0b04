#!/usr/bin/env bash
# Guess: VALUE of a number written with the decimal comma of Kazakhstan is refused (#VALUE!), or is read rightly.
# Instead: the comma is thrown away: "12,5" becomes 125 and "1 234,50" becomes 123450, without an error.
# Who meets it: a form that takes a distance or an area as text and calculates with it; the result is 10 or 100 times too
#   big, and looks like a number.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
npm install --prefix "$tmp" --loglevel=error --no-audit --no-fund --ignore-scripts @formulajs/formulajs@4.5.3 >/dev/null
cat >"$tmp/try.cjs" <<'JS'
const { VALUE, NUMBERVALUE } = require("@formulajs/formulajs");
console.log("formulajs", require("@formulajs/formulajs/package.json").version);
const texts = ["12.5", "12,5", "0,75", "1 234,50", "1,234.50"];
const seen = texts.map((text) => VALUE(text));
texts.forEach((text, at) => console.log(`VALUE("${text}") =`, seen[at]));
console.log('NUMBERVALUE("12,5", ",", " ") =', NUMBERVALUE("12,5", ",", " "));
process.exit(JSON.stringify(seen) === JSON.stringify([12.5, 125, 75, 123450, 1234.5]) ? 0 : 1);
JS
node "$tmp/try.cjs"
echo "VALUE takes a comma for a thousands mark wherever it stands: 12,5 is 125."
