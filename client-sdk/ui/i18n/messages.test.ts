import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const FOLDERS = { ui: 'ui/i18n', console: 'console/src/i18n', field: 'field/src/i18n' };

function keys(folder: string, locale: string): string[] {
  return Object.keys(JSON.parse(readFileSync(join(ROOT, folder, `${locale}.json`), 'utf8')) as object);
}

test.each(Object.entries(FOLDERS))('the messages of %s are there in all three languages', (_, folder) => {
  for (const locale of ['ru', 'kk']) expect(keys(folder, locale)).toEqual(keys(folder, 'en'));
});

test('no app says in its own words what both say', () => {
  const shared = new Set(keys(FOLDERS.ui, 'en'));
  for (const folder of [FOLDERS.console, FOLDERS.field])
    expect(keys(folder, 'en').filter((key) => shared.has(key))).toEqual([]);
});
