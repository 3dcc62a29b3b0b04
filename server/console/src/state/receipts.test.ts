import { beforeEach, expect, test } from 'vitest';
import { witness, type Receipt } from './receipts';

let kept: Map<string, string>;
const storage = {
  getItem: (key: string) => kept.get(key) ?? null,
  setItem: (key: string, value: string) => void kept.set(key, value),
} as Storage;

const receipt = (size: number, root: string, epoch = 1): Receipt => ({
  scope: 's',
  epoch,
  size,
  root,
  rows: [1],
});

beforeEach(() => {
  kept = new Map();
});

test('a log that grows is the same log', () => {
  expect(witness(receipt(5, 'a'), storage)).toBe('first');
  expect(witness(receipt(5, 'a'), storage)).toBe('seen');
  expect(witness(receipt(9, 'b'), storage)).toBe('seen');
});

test('another root over as many rows is an alarm, and stays one', () => {
  witness(receipt(5, 'a'), storage);
  expect(witness(receipt(5, 'b'), storage)).toBe('alarm');
  expect(witness(receipt(5, 'b'), storage)).toBe('alarm');
});

test('a log that lost rows is an alarm, unless a restore has begun a new epoch', () => {
  witness(receipt(5, 'a'), storage);
  expect(witness(receipt(4, 'c'), storage)).toBe('alarm');
  expect(witness(receipt(4, 'c', 2), storage)).toBe('first');
});

test('what a browser remembers may be anything', () => {
  kept.set('aralau.receipt.s', '{broken');
  expect(witness(receipt(5, 'a'), storage)).toBe('first');
});
