import { bytesToHex } from '@noble/hashes/utils.js';
import { describe, expect, test } from 'vitest';
import { isConsistent, isIncluded, isSigned, readNote } from './proof';
import {
  consistency,
  DEPLOYMENT,
  hash,
  hex,
  inclusion,
  key,
  leaf,
  note,
  root,
  rows,
  SCOPE,
} from './proof.fixture';

const SIZES = Array.from({ length: 21 }, (_, size) => size);

describe('a tree', () => {
  test('a row is under the root at its own place and at no other', () => {
    for (const size of SIZES) {
      const all = rows(size);
      const leaves = all.map(leaf);
      const now = { size, root: bytesToHex(root(leaves)) };
      for (const [at, one] of all.entries()) {
        const proven = { ...one, path: hex(inclusion(leaves, at)) };
        expect(isIncluded(proven, now)).toBe(true);
        expect(isIncluded({ ...proven, sequence: at + 2 }, now)).toBe(false);
        expect(isIncluded({ ...proven, kind: 3 }, now)).toBe(false);
        expect(isIncluded({ ...proven, received_at: '2026-11-01T06:30:00.124Z' }, now)).toBe(false);
        expect(isIncluded({ ...proven, path: [...proven.path, now.root] }, now)).toBe(false);
      }
    }
  });

  test('begins with each smaller one, and with no other', () => {
    for (const size of SIZES) {
      const leaves = rows(size).map(leaf);
      const now = { size, root: bytesToHex(root(leaves)) };
      for (let from = 1; from <= size; from += 1) {
        const path = hex(consistency(leaves, from));
        const old = { size: from, root: bytesToHex(root(leaves.slice(0, from))) };
        expect(isConsistent(old, now, path)).toBe(true);
        expect(isConsistent({ ...old, root: hash('another') }, now, path)).toBe(false);
        expect(isConsistent({ ...old, size: size + 1 }, now, path)).toBe(false);
        expect(isConsistent(old, now, [...path, now.root])).toBe(false);
      }
    }
  });
});

describe('a receipt', () => {
  const whole = note(rows(5).map(leaf));

  test('is read and its signature checked, whatever the clipboard did to its line ends', () => {
    for (const pasted of [whole, `\n ${whole}\n\n`, whole.replaceAll('\n', '\r\n')]) {
      const read = readNote(pasted);
      expect(read).toMatchObject({ size: 5, epoch: 1, deployment: DEPLOYMENT, scope: SCOPE });
      expect(read && isSigned(read, key)).toBe(true);
    }
  });

  test('that says something else is not signed', () => {
    const read = readNote(whole.replace('\n5\n', '\n4\n'));
    expect(read?.size).toBe(4);
    expect(read && isSigned(read, key)).toBe(false);
    expect(read && isSigned(read, hash('another key'))).toBe(false);
  });

  test('is not anything', () => {
    for (const pasted of [
      '',
      'abc',
      '\n\n',
      whole.slice(0, 90),
      whole.replace('epoch', 'ipoch'),
      'x'.repeat(70_000),
    ])
      expect(readNote(pasted)).toBe(null);
  });
});
