import { expect, test } from 'vitest';
import cases from '../../../sync-core/tests/collation/cases.json';
import { finds } from './fold';

test('a name is found by its beginnings however they are typed, as it is on the server', () => {
  for (const { typed, finds: found, passes } of cases.found) {
    for (const name of found) expect(finds(typed, name), `${typed} finds ${name}`).toBe(true);
    for (const name of passes) expect(finds(typed, name), `${typed} does not find ${name}`).toBe(false);
  }
});
