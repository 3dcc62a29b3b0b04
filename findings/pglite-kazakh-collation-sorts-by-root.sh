#!/usr/bin/env bash
# One would guess: PGlite is PostgreSQL with ICU, so a collation for Kazakh sorts as Kazakhs do, or cannot be made.
# What happens: CREATE COLLATION (provider = icu, locale = 'kk') warns that the language is unknown and makes it all the same;
#   it then sorts by ICU's root rules, and so does one for Swedish: the languages' own rules are not in this build. Node's
#   ICU has them.
# Who meets it: an app that keeps its lists in PGlite on the phone and in PostgreSQL at headquarters: the same ORDER BY gives
#   two orders, and whoever pages by the last name seen skips people. Migrations that ran are rarely read for warnings.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --prefix "$work" --silent --no-audit --no-fund --ignore-scripts @electric-sql/pglite@0.5.17 >&2

cat >seen.mjs <<'JS'
import assert from 'node:assert/strict';
import { PGlite } from '@electric-sql/pglite';

const database = await PGlite.create();
const { rows: [{ version }] } = await database.query('select version()');
console.log(version.split(' on ')[0], '- Node', process.version, 'with ICU', process.versions.icu);

const CASES = [
  ['kk', ['Ілияс', 'Ұлан', 'Үміт', 'Умар', 'Аян']],
  ['sv', ['Åsa', 'Ärla', 'Anna', 'Zara']],
];
for (const [language, names] of CASES) {
  const warnings = [];
  await database.query(`create collation own_${language} (provider = icu, locale = '${language}')`, [], {
    onNotice: (notice) => warnings.push(`${notice.severity}: ${notice.message}`),
  });
  assert.match(warnings.join(), /unknown language/);
  const ordered = async (collation) => {
    const { rows } = await database.query(`select name from unnest($1::text[]) name order by name collate ${collation}`, [names]);
    return rows.map((row) => row.name).join(' ');
  };
  const own = await ordered(`own_${language}`);
  const root = await ordered('"und-x-icu"');
  const node = [...names].sort(new Intl.Collator(language).compare).join(' ');
  console.log(`\nlocale = '${language}': made, with ${warnings.join()}`);
  console.log('  PGlite, by that collation:', own);
  console.log('  PGlite, by the root:      ', root);
  console.log('  Node, by the language:    ', node);
  assert.equal(own, root);
  assert.notEqual(own, node);
}
await database.close();
JS
TMPDIR=$work node seen.mjs || { echo 'This is no longer what happens.' >&2; exit 1; }
