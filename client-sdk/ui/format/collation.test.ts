import { expect, test } from 'vitest';
import cases from '../../../sync-core/tests/collation/cases.json';
import { inOrder, sortKey } from './collation';

test('every text of a list comes after those before it, as it does on the server', () => {
  for (const list of cases.ordered) {
    list.slice(1).forEach((text, at) => {
      expect(sortKey(list[at] ?? '') < sortKey(text), `${list[at]} before ${text}`).toBe(true);
    });
    expect(inOrder([...list].reverse(), (text) => text)).toEqual(list);
  }
});

test('what reads alike stands alike', () => {
  for (const group of cases.alike)
    for (const text of group) expect(sortKey(text), text).toBe(sortKey(group[0] ?? ''));
});
