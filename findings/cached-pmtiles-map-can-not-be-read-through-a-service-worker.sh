#!/usr/bin/env bash
# Guess: a PMTiles file put in the Cache API at install is served offline by the usual caches.match(request), in ranges as
#   the map asks; or the ranges seen online can be cached one by one.
# Instead: the cache answers a range request with the whole file and status 200, which pmtiles refuses; and a 206 answer can
#   not be put in a cache at all. The map works online and is gone offline, until the worker cuts the ranges itself.
# Who meets it: the base map of a district in an installed web app.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
chromium=${CHROMIUM:-$(command -v chromium)}
python3 -m venv "$tmp/venv"
"$tmp/venv/bin/pip" -q --disable-pip-version-check install --no-deps pmtiles==3.5.0
npm install --prefix "$tmp" --loglevel=error --no-audit --no-fund --ignore-scripts pmtiles@4.3.0 playwright-core@1.55.0 >/dev/null
cat >"$tmp/map.py" <<'PY'
import sys

from pmtiles.tile import Compression, TileType, zxy_to_tileid
from pmtiles.writer import Writer

corners = {f"{side}_{axis}_e7": 0 for side in ("min", "max", "center") for axis in ("lon", "lat")}
with open(sys.argv[1], "wb") as file:
    writer = Writer(file)
    for at, (z, x, y) in enumerate([(0, 0, 0), (1, 1, 0), (2, 2, 1)]):
        writer.write_tile(zxy_to_tileid(z, x, y), bytes([at]) * 20000)
    header = {"tile_type": TileType.PNG, "tile_compression": Compression.NONE, "min_zoom": 0, "max_zoom": 2, "center_zoom": 0}
    writer.finalize(header | corners, {})
PY
"$tmp/venv/bin/python" "$tmp/map.py" "$tmp/map.pmtiles"
cat >"$tmp/try.mjs" <<'JS'
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { chromium } from "playwright-core";
const here = new URL(".", import.meta.url);
const map = readFileSync(new URL("map.pmtiles", here));
const worker = `
  addEventListener("install", (event) => event.waitUntil(caches.open("map").then((cache) => cache.add("/map.pmtiles")).then(() => skipWaiting())));
  addEventListener("activate", (event) => event.waitUntil(clients.claim()));
  addEventListener("fetch", (event) => event.respondWith(caches.match(event.request).then((kept) => kept ?? fetch(event.request))));`;
const pages = {
  "/": ["text/html", '<!doctype html><title>map</title><script src="/pmtiles.js"></script>'],
  "/pmtiles.js": ["text/javascript", readFileSync(new URL("node_modules/pmtiles/dist/pmtiles.js", here))],
  "/worker.js": ["text/javascript", worker],
};
const server = createServer(({ url, headers }, response) => {
  if (pages[url]) return response.setHeader("content-type", pages[url][0]).end(pages[url][1]);
  if (url !== "/map.pmtiles") return response.writeHead(404).end();
  const range = /bytes=(\d+)-(\d+)/.exec(headers.range ?? "");
  if (!range) return response.setHeader("content-length", map.length).end(map);
  const part = map.subarray(Number(range[1]), Number(range[2]) + 1);
  response.writeHead(206, { "content-range": `bytes ${range[1]}-${Number(range[1]) + part.length - 1}/${map.length}`, "content-length": part.length }).end(part);
});
await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
const browser = await chromium.launch({ executablePath: process.argv[2], args: ["--no-sandbox"] });
const page = await browser.newPage();
await page.goto(`http://localhost:${server.address().port}/`);
const tile = () => page.evaluate(async () => {
  try {
    const found = await new pmtiles.PMTiles("/map.pmtiles").getZxy(1, 1, 0);
    return `a tile of ${found.data.byteLength} bytes`;
  } catch (error) {
    return `${error.name}: ${error.message}`;
  }
});
const part = () => page.evaluate(async () => {
  const response = await fetch("/map.pmtiles", { headers: { range: "bytes=0-99" } });
  return `status ${response.status}, ${(await response.arrayBuffer()).byteLength} bytes`;
});
const online = [await part(), await tile()];
const put = await page.evaluate(async () => {
  const cache = await caches.open("parts");
  return cache.put("/part", await fetch("/map.pmtiles", { headers: { range: "bytes=0-99" } })).then(() => "kept", (error) => `${error.name}: ${error.message}`);
});
await page.evaluate(() => navigator.serviceWorker.register("/worker.js").then(() => navigator.serviceWorker.ready));
await page.reload();
const cached = [await part(), await tile()];
console.log(`Chromium ${browser.version()}, pmtiles 4.3.0, a file of ${map.length} bytes`);
console.log("online, bytes 0 to 99 and a tile:", online);
console.log("put of a range's answer in a cache:", put);
console.log("from the cache, bytes 0 to 99 and a tile:", cached);
await browser.close();
server.close();
const asSeen = online.join() === "status 206, 100 bytes,a tile of 20000 bytes" && put.startsWith("TypeError") && cached[0] === `status 200, ${map.length} bytes` && cached[1].startsWith("Error");
process.exit(asSeen ? 0 : 1);
JS
node "$tmp/try.mjs" "$chromium"
echo "A cached PMTiles file is handed out whole, which its reader refuses, and parts of it can not be cached."
