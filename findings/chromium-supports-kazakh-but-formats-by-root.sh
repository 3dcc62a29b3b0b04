#!/usr/bin/env bash
# One would guess: where Intl.DateTimeFormat.supportedLocalesOf('kk') names Kazakh, dates, numbers and days come out in Kazakh.
# What happens: Chromium says yes, says that it uses 'kk', and formats by the root's data: "2026 M03 1, Sun", "1,234,567.5",
#   "-3 d". Only Intl.Collator admits that it has nothing. Russian, or Kazakh in Node, is as expected.
# Who meets it: an app in Kazakh (or Uzbek) that asks before it formats, as it should, and is tested in Node. On the
#   inspector's phone the comma, which begins the decimals in Kazakh, parts the thousands.
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
import { chromium } from 'playwright-core';

const browser = await chromium.launch({ executablePath: process.argv[2] });
const page = await browser.newPage();

function said(language) {
  const day = new Date(Date.UTC(2026, 2, 1));
  const long = { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric', timeZone: 'UTC' };
  return {
    supported: Intl.DateTimeFormat.supportedLocalesOf(language).length === 1,
    used: new Intl.DateTimeFormat(language).resolvedOptions().locale,
    date: new Intl.DateTimeFormat(language, long).format(day),
    number: new Intl.NumberFormat(language).format(1234567.5),
    ago: new Intl.RelativeTimeFormat(language).format(-3, 'day'),
    collated: Intl.Collator.supportedLocalesOf(language).length === 1,
  };
}
try {
  console.log('Chromium', browser.version(), '- Node', process.version, 'with ICU', process.versions.icu);
  const seen = {};
  for (const language of ['ru', 'kk', 'uz']) {
    seen[language] = { chromium: await page.evaluate(said, language), node: said(language) };
    console.log(`\n${language} in Chromium:`, seen[language].chromium, `\n${language} in Node:`, seen[language].node);
  }
  for (const language of ['kk', 'uz']) {
    const { chromium: there, node: here } = seen[language];
    assert.ok(there.supported && here.supported);
    assert.deepEqual([there.used, here.used], [language, language]);
    assert.deepEqual([there.date, there.number, there.ago], ['2026 M03 1, Sun', '1,234,567.5', '-3 d']);
    assert.deepEqual([there.collated, here.collated], [false, true]);
  }
  assert.match(seen.kk.node.date, /наурыз/);
  assert.match(seen.ru.chromium.date, /марта/);
} finally {
  await browser.close();
}
JS
TMPDIR=$work node seen.mjs "$browser" || { echo 'This is no longer what happens.' >&2; exit 1; }
