import { expect, test } from 'vitest';
import { recall, remember } from './receipts';

test('what a browser remembers may be anything', () => {
  const kept = new Map<string, string>();
  const storage = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
  } as Storage;
  expect(recall('s', storage)).toBe(null);
  remember('s', { epoch: 1, size: 5, root: 'a', key: null }, storage);
  expect(recall('s', storage)).toEqual({ epoch: 1, size: 5, root: 'a', key: null });
  for (const broken of ['{broken', '7', '"a"', '{"size":"x"}']) {
    kept.set('aralau.receipt.s', broken);
    expect(recall('s', storage), broken).toBe(null);
  }
});
