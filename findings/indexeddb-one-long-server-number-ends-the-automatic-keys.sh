#!/usr/bin/env bash
# Guess: a store with automatic keys also takes records that bring their own number, and goes on with free ones.
# Instead: the counter jumps behind the greatest number it was given. One 18-digit server id, above 2 to the power of 53,
#   uses the counter up: no record without a key can be added any more, not after clear() either. A text key does
#   not move it, and neither does the deletion of the record bring it back.
# Who meets it: an outbox with autoIncrement into which records from the server are copied under their own ids.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
chromium=${CHROMIUM:-$(command -v chromium)}
npm install --prefix "$tmp" --loglevel=error --no-audit --no-fund --ignore-scripts playwright-core@1.55.0 >/dev/null
cat >"$tmp/try.mjs" <<'JS'
import { chromium } from "playwright-core";
const browser = await chromium.launch({ executablePath: process.argv[2], args: ["--no-sandbox"] });
const page = await browser.newPage();
await page.route("**/*", (route) => route.fulfill({ contentType: "text/html", body: "<!doctype html><title>store</title>" }));
await page.goto("http://localhost/");
const seen = await page.evaluate(async () => {
  const opening = indexedDB.open("outbox", 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore("visits", { autoIncrement: true });
  const db = await new Promise((done) => { opening.onsuccess = () => done(opening.result); });
  const run = (step) => new Promise((done) => {
    const request = step(db.transaction("visits", "readwrite").objectStore("visits"));
    request.onsuccess = () => done(request.result);
    request.onerror = (event) => { event.preventDefault(); done(request.error.name); };
  });
  const add = (...key) => run((store) => store.add({}, ...key));
  const keys = [await add(), await add("v-1000"), await add(), await add(1000), await add(), await add(173298240000000001)];
  const after = [await add()];
  await run((store) => store.delete(173298240000000001));
  after.push(await add());
  await run((store) => store.clear());
  after.push(await add(), await add("v-1001"));
  return { keys, after };
});
console.log("Chromium", browser.version());
console.log("keys of records without, with text, without, with 1000, without, with a long number:", ...seen.keys);
console.log("then a record without a key: at once, after delete(), after clear(), and one with a text:", ...seen.after);
await browser.close();
const expected = { keys: [1, "v-1000", 2, 1000, 1001, 173298240000000001], after: ["ConstraintError", "ConstraintError", "ConstraintError", "v-1001"] };
process.exit(JSON.stringify(seen) === JSON.stringify(expected) ? 0 : 1);
JS
node "$tmp/try.mjs" "$chromium"
echo "After one key of 2^53 or more, a store's automatic keys are used up for good, also once it is emptied."
