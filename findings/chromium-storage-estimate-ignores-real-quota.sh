#!/usr/bin/env bash
# One would guess: navigator.storage.estimate() says how much the origin may still write: quota less usage.
# What happens: Chromium answers what is used and a round number of GiB more, 10 on most disks, whatever the origin's real
#   quota. With 5 MiB in all it still tells of gigabytes, while the next file is refused.
# Who meets it: an app that keeps a day's work on a phone that is nearly full and asks first whether there is room. It is told that
#   there is until the write fails. What helps is to try: to reserve the room, or to write.
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
npm install --prefix "$work" --silent --no-audit --no-fund --ignore-scripts playwright-core@1.65.1 >&2

cat >seen.mjs <<'JS'
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { chromium } from 'playwright-core';

const MIB = 2 ** 20;
const GIB = 2 ** 30;
const QUOTA_BYTES = 5 * MIB;
const server = createServer((_, answer) => answer.setHeader('content-type', 'text/html').end('<title>empty</title>'));
await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
const origin = `http://127.0.0.1:${server.address().port}`;
const browser = await chromium.launchPersistentContext('profile', { executablePath: process.argv[2] });

/** Writes files of 1 MiB until one is refused. */
async function writeFiles() {
  const folder = await navigator.storage.getDirectory();
  for (let count = 0; ; count += 1) {
    try {
      const file = await folder.getFileHandle(`photo-${count}`, { create: true });
      const writer = await file.createWritable();
      await writer.write(new Uint8Array(2 ** 20));
      await writer.close();
    } catch (error) {
      return { count, error: error.name };
    }
    if (count === 20) return { count, error: 'none' };
  }
}
try {
  const page = await browser.newPage();
  await page.goto(origin);
  const tools = await browser.newCDPSession(page);
  const estimate = async () => {
    const { quota, usage } = await page.evaluate(() => navigator.storage.estimate());
    console.log(`  estimate: usage ${usage}, quota ${quota}, which leaves ${(quota - usage) / GIB} GiB`);
    return { quota, usage };
  };
  console.log((await tools.send('Browser.getVersion')).product);
  console.log('\nAs it is:');
  const before = await estimate();

  await tools.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: QUOTA_BYTES });
  const { quota: real } = await tools.send('Storage.getUsageAndQuota', { origin });
  console.log(`\nThe origin's quota is now ${real / MIB} MiB, says the browser's own tool:`);
  const limited = await estimate();
  assert.equal(real, QUOTA_BYTES);

  const { count, error } = await page.evaluate(writeFiles);
  console.log(`\nFiles of 1 MiB written: ${count}, then ${error}`);
  const full = await estimate();
  assert.equal(error, 'QuotaExceededError');
  assert.ok(count >= 1 && count <= 5);
  assert.ok(full.usage >= count * MIB);
  for (const { quota, usage } of [before, limited, full]) {
    assert.ok(quota - usage >= GIB && (quota - usage) % GIB === 0);
  }
} finally {
  await browser.close();
  server.close();
}
JS
TMPDIR=$work node seen.mjs "$browser" || { echo 'This is no longer what happens.' >&2; exit 1; }
