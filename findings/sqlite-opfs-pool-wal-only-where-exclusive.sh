#!/usr/bin/env bash
# One would guess: PRAGMA journal_mode = WAL either works on SQLite's OPFS "SAH pool" or raises.
# What happens: by itself it changes nothing and raises nothing: the mode stays "delete". After PRAGMA locking_mode = EXCLUSIVE it
#   works; then the file remembers WAL, and whoever opens it without asking for EXCLUSIVE first cannot read a row:
#   SQLITE_CANTOPEN, as if the file were gone.
# Who meets it: an offline app that takes up the settings of its server ("WAL is faster"), and a later release, an export or a
#   repair tool that opens the same file plainly. The visits are all there; the message says that they are not.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# The Chromium of this system, if it is one that this was tried with; else one of Debian's packages, unpacked here.
browser=$(command -v chromium || true)
if ! { [ -n "$browser" ] && "$browser" --version 2>/dev/null | grep -Eq '^Chromium (148|156)\.'; }; then
    version=156.0.8078.114-1~deb12u1
    apt-get -qq download "chromium=$version" "chromium-common=$version" 2>apt.log || {
        cat apt.log >&2
        echo "Needs Chromium 148 or 156, or Debian 12's package $version; perhaps: sudo apt-get update" >&2
        exit 1
    }
    for package in chromium*.deb; do dpkg-deb -x "$package" debian; done
    browser=$work/debian/usr/lib/chromium/chromium
fi
npm install --prefix "$work" --silent --no-audit --no-fund --ignore-scripts \
    playwright-core@1.65.1 @sqlite.org/sqlite-wasm@3.54.1-build1 >&2

cat >seen.mjs <<'JS'
import { createReadStream, existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { chromium } from 'playwright-core';

const TYPES = { html: 'text/html', wasm: 'application/wasm', mjs: 'text/javascript' };
const server = createServer((request, answer) => {
  const file = request.url === '/' ? 'page.html' : `.${request.url}`;
  if (!existsSync(file)) return answer.writeHead(404).end();
  answer.setHeader('content-type', TYPES[file.split('.').at(-1)] ?? 'text/javascript');
  return createReadStream(file).pipe(answer);
});
await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
const browser = await chromium.launch({ executablePath: process.argv[2] });
try {
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  console.log('Chromium', browser.version());
  const { said, failed } = await page.evaluate(
    () =>
      new Promise((done) => {
        const worker = new Worker('/worker.mjs', { type: 'module' });
        worker.onmessage = ({ data }) => done(data);
        worker.onerror = ({ message }) => done({ said: [], failed: message });
      }),
  );
  console.log(said.join('\n'));
  if (failed) console.error(failed);
  process.exitCode = failed ? 1 : 0;
} finally {
  await browser.close();
  server.close();
}
JS
echo '<!doctype html><title>empty</title>' >page.html
cat >worker.mjs <<'JS'
import start from '/node_modules/@sqlite.org/sqlite-wasm/dist/index.mjs';

const said = [];
function expect(what, is, should) {
  said.push(`  ${what}: ${is}`);
  if (is !== should) throw new Error(`${what}: ${is}, not ${should}`);
}
/** The one value that a query gives, or what SQLite answers instead. */
function ask(database, query) {
  try {
    return database.selectValue(query);
  } catch (error) {
    return error.message.split(':')[0];
  }
}
const COUNT = 'SELECT count(*) FROM visits';
try {
  const sqlite = await start({ printErr() {} });
  said.push(`SQLite ${sqlite.version.libVersion} (@sqlite.org/sqlite-wasm 3.54.1-build1)`, '');
  const pool = await sqlite.installOpfsSAHPoolVfs({});
  const open = (name) => new pool.OpfsSAHPoolDb(name);

  const plain = open('/plain');
  expect('WAL asked for, mode', ask(plain, 'PRAGMA journal_mode = WAL'), 'delete');
  plain.close();

  const exclusive = open('/exclusive');
  exclusive.exec('PRAGMA locking_mode = EXCLUSIVE');
  expect('WAL asked for after EXCLUSIVE, mode', ask(exclusive, 'PRAGMA journal_mode = WAL'), 'wal');
  exclusive.exec("CREATE TABLE visits (note TEXT); INSERT INTO visits VALUES ('a visit')");
  exclusive.close();

  const later = open('/exclusive');
  expect('opened again as usual, visits', ask(later, COUNT), 'SQLITE_CANTOPEN');
  later.close();
  const right = open('/exclusive');
  right.exec('PRAGMA locking_mode = EXCLUSIVE');
  expect('opened again with EXCLUSIVE, visits', ask(right, COUNT), 1);
  expect('mode', ask(right, 'PRAGMA journal_mode'), 'wal');
  right.close();
  postMessage({ said });
} catch (error) {
  postMessage({ said, failed: error.message });
}
JS
TMPDIR=$work node seen.mjs "$browser" || { echo 'This is no longer what happens.' >&2; exit 1; }
