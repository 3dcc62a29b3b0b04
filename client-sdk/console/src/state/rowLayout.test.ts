import { expect, test } from 'vitest';
import { COLUMNS, USUAL, type ColumnName } from './columns.svelte';
import { lay } from './rowLayout';

const laid = (columns: readonly ColumnName[], framePx: number) => lay(columns, framePx).layout;

test('the usual columns stand side by side, in pairs or as cards, as the frame is wide', () => {
  expect(laid(USUAL, 1280)).toBe('wide');
  expect(laid(USUAL, 1279)).toBe('stacked');
  expect(lay(USUAL, 1108).columns).toContain('received');
  expect(lay(USUAL, 1107).columns).not.toContain('received');
  expect(laid(USUAL, 880)).toBe('stacked');
  expect(laid(USUAL, 879)).toBe('cards');
});

test('fewer columns stand side by side where more would not', () => {
  const few: ColumnName[] = ['started', 'place', 'outcome', 'author'];
  expect(laid(few, 974)).toBe('wide');
  expect(laid(COLUMNS, 974)).toBe('cards');
});

test('every column that is left has a place of its own in a row', () => {
  for (const columns of [
    USUAL,
    COLUMNS,
    ['place'],
    ['place', 'type'],
    ['ended', 'place', 'marks'],
  ] as ColumnName[][])
    for (const framePx of [300, 900, 1100, 2000]) {
      const { columns: shown, template } = lay(columns, framePx);
      const areas = new Set([...template.matchAll(/'([^']+)'/g)].flatMap(([, row]) => row?.split(' ') ?? []));
      expect([...areas].sort(), template).toEqual([...shown].sort());
      const widths = [...template.matchAll(/'([^']+)'/g)].map(([, row]) => row?.split(' ').length);
      expect(new Set(widths).size, template).toBe(1);
    }
});
