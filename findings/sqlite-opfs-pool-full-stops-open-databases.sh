#!/usr/bin/env bash
# One would guess: a pool of six files holds six databases; where it is full, opening a seventh fails and the others go on.
# What happens: in the OPFS "SAH pool" of SQLite's own WebAssembly build a database takes one place and, while it writes, its
#   journal another. The sixth is opened without an error, keeps the last place, and from then on no database that was open
#   before can be written: SQLITE_CANTOPEN, until a file is unlinked or addCapacity() called. Closing frees nothing.
# Who meets it: an offline app with a database for each district, account or draft. The one too many is opened in the field, and
#   what fails is the next save of the visit that was open all along.
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
/** What SQLite answers to a call. */
function answer(call) {
  try {
    call();
    return 'done';
  } catch (error) {
    return error.message.split(':')[0];
  }
}
try {
  const sqlite = await start({ printErr() {} });
  said.push(`SQLite ${sqlite.version.libVersion} (@sqlite.org/sqlite-wasm 3.54.1-build1)`, '');
  const pool = await sqlite.installOpfsSAHPoolVfs({});
  expect('places in the pool', pool.getCapacity(), 6);

  const open = [];
  for (let number = 1; number <= 5; number += 1) {
    const database = new pool.OpfsSAHPoolDb(`/district-${number}`);
    database.exec('CREATE TABLE visits (note TEXT)');
    open.push(database);
  }
  const [first] = open;
  const write = () => answer(() => first.exec("INSERT INTO visits VALUES ('a visit')"));
  expect('five databases open, files', pool.getFileCount(), 5);
  expect('the first is written', write(), 'done');

  let sixth;
  expect('a sixth is opened', answer(() => { sixth = new pool.OpfsSAHPoolDb('/district-6'); }), 'done');
  expect('it is written', answer(() => sixth.exec('CREATE TABLE visits (note TEXT)')), 'SQLITE_CANTOPEN');
  expect('the first is written', write(), 'SQLITE_CANTOPEN');
  sixth.close();
  expect('the sixth is closed, files', pool.getFileCount(), 6);
  expect('the first is written', write(), 'SQLITE_CANTOPEN');
  await pool.addCapacity(1);
  expect('one more place, the first is written', write(), 'done');
  expect('and holds visits', first.selectValue('SELECT count(*) FROM visits'), 2);
  postMessage({ said });
} catch (error) {
  postMessage({ said, failed: error.message });
}
JS
TMPDIR=$work node seen.mjs "$browser" || { echo 'This is no longer what happens.' >&2; exit 1; }
