import { expect, test } from 'vitest';
import { COLUMNS, readColumns, USUAL } from './columns.svelte';

test('columns are kept by their names, in their own order, and the place is always one', () => {
  expect(readColumns('received,started')).toEqual(['started', 'place', 'received']);
  expect(readColumns(COLUMNS.join())).toEqual(COLUMNS);
});

test('what names no column is no choice', () => {
  for (const text of [null, '', 'colour,size', ',']) expect(readColumns(text)).toBeNull();
  expect(USUAL).toContain('place');
});
