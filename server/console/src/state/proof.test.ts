import { ed25519 } from '@noble/curves/ed25519.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { describe, expect, test } from 'vitest';
import type { Schemas } from '../api/client';
import { isConsistent, isIncluded, isSigned, readNote } from './proof';
import { witness, type Known } from './receipts';
import { tone, verify } from './verify';

/* RFC 6962 §2.1, word for word, as the server would make it. */

const node = (left: Uint8Array, right: Uint8Array) => sha256(concatBytes(Uint8Array.of(1), left, right));
const half = (count: number) => 2 ** Math.floor(Math.log2(count - 1));

function root(leaves: Uint8Array[]): Uint8Array {
  const [first] = leaves;
  if (!first) return sha256(Uint8Array.of());
  if (leaves.length === 1) return first;
  const split = half(leaves.length);
  return node(root(leaves.slice(0, split)), root(leaves.slice(split)));
}

function inclusion(leaves: Uint8Array[], at: number): Uint8Array[] {
  if (leaves.length === 1) return [];
  const split = half(leaves.length);
  const [left, right] = [leaves.slice(0, split), leaves.slice(split)];
  return at < split ? [...inclusion(left, at), root(right)] : [...inclusion(right, at - split), root(left)];
}

function consistency(leaves: Uint8Array[], from: number, known = true): Uint8Array[] {
  if (from === leaves.length) return known ? [] : [root(leaves)];
  const split = half(leaves.length);
  const [left, right] = [leaves.slice(0, split), leaves.slice(split)];
  return from <= split
    ? [...consistency(left, from, known), root(right)]
    : [...consistency(right, from - split, false), root(left)];
}

type Row = Schemas['RowProof'];

const hash = (text: string) => bytesToHex(sha256(utf8ToBytes(text)));
const hex = (path: Uint8Array[]) => path.map((bytes) => bytesToHex(bytes));

function row(sequence: number, version = ''): Row {
  const received_at = `2026-11-0${(sequence % 9) + 1}T06:30:00.123Z`;
  return {
    sequence,
    kind: 1,
    received_at,
    entry: hash(`entry ${sequence}${version}`),
    verdict: hash(''),
    path: [],
  };
}

function leaf({ kind, received_at, entry, verdict }: Row): Uint8Array {
  const time = Date.parse(received_at).toString(16).padStart(16, '0');
  const head = concatBytes(Uint8Array.of(0), utf8ToBytes('aralau/leaf/1\0'), Uint8Array.of(kind));
  return sha256(concatBytes(head, hexToBytes(time), hexToBytes(entry), hexToBytes(verdict)));
}

const rows = (size: number, version = '') => Array.from({ length: size }, (_, at) => row(at + 1, version));

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

const secret = new Uint8Array(32).fill(7);
const key = bytesToHex(ed25519.getPublicKey(secret));
const DEPLOYMENT = '019f0000-0000-7000-8000-000000000001';
const SCOPE = '019f0000-0000-7000-8000-000000000002';

function note(leaves: Uint8Array[], { epoch = 1, scope = SCOPE, by = secret } = {}): string {
  const base64 = (bytes: Uint8Array) => btoa(String.fromCharCode(...bytes));
  const head = `aralau/${DEPLOYMENT}/${scope}\n${leaves.length}\n${base64(root(leaves))}\nepoch ${epoch}\n`;
  const text = `${head}time 1780000000000\ndurable ${leaves.length}\nbacked-up 0\n`;
  const name = `aralau/${DEPLOYMENT}`;
  const publicKey = ed25519.getPublicKey(by);
  const keyHash = sha256(concatBytes(utf8ToBytes(`${name}\n`), Uint8Array.of(1), publicKey)).slice(0, 4);
  return `${text}\n\u2014 ${name} ${base64(concatBytes(keyHash, ed25519.sign(utf8ToBytes(text), by)))}\n`;
}

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

/** A server whose log has these rows. */
function server(log: Row[], settings?: Parameters<typeof note>[1]) {
  const leaves = log.map(leaf);
  return (since?: number) =>
    Promise.resolve({
      receipt: note(leaves, settings),
      server_key: bytesToHex(ed25519.getPublicKey(settings?.by ?? secret)),
      rows: log.slice(1, 3).map((one, at) => ({ ...one, path: hex(inclusion(leaves, at + 1)) })),
      consistency: since && since <= leaves.length ? hex(consistency(leaves, since)) : null,
    });
}

/** What a page that was loaded before says of the log. */
const shown = { scope: SCOPE, epoch: 1, size: 3, root: '', rows: [2, 3] };
const known = (log: Row[], epoch = 1): Known => ({
  epoch,
  size: log.length,
  root: bytesToHex(root(log.map(leaf))),
  key,
});

async function outcomes(before: Known | null, pasted: string, prove: ReturnType<typeof server>) {
  const { findings, proven } = await verify(shown, before, pasted, prove);
  return { outcomes: findings.map(({ outcome }) => outcome), proven: proven?.size ?? null };
}

describe('verifying', () => {
  test('a log that has grown is proven, and remembered', async () => {
    const now = server(rows(12));
    expect(await outcomes(null, '', now)).toEqual({ outcomes: ['signed', 'included'], proven: 12 });
    const grown = await outcomes(known(rows(7)), note(rows(9).map(leaf)), now);
    expect(grown).toEqual({ outcomes: ['signed', 'included', 'continued', 'phone_continued'], proven: 12 });
  });

  test('a log that was rewritten is an alarm and is not remembered', async () => {
    const now = server(rows(12, 'rewritten'));
    expect(await outcomes(known(rows(7)), '', now)).toMatchObject({
      outcomes: ['signed', 'included', 'rewritten'],
      proven: null,
    });
    const phone = await outcomes(null, note(rows(9).map(leaf)), now);
    expect(phone.outcomes).toContain('phone_rewritten');
    const lost = await outcomes(known(rows(13)), '', server(rows(12)));
    expect(lost).toMatchObject({ outcomes: ['signed', 'included', 'rewritten'], proven: null });
  });

  test('a restore explains what is missing, in a new epoch only', async () => {
    const restored = server(rows(12), { epoch: 2 });
    expect(await outcomes(known(rows(13)), note(rows(14).map(leaf)), restored)).toEqual({
      outcomes: ['signed', 'included', 'restored', 'phone_restored'],
      proven: 12,
    });
    expect((await outcomes(known(rows(7)), '', restored)).outcomes).toContain('continued');
  });

  test('another key, a missing row and a strange receipt are told apart', async () => {
    const another = new Uint8Array(32).fill(8);
    const other = await outcomes(known(rows(7)), '', server(rows(12), { by: another }));
    expect(other).toEqual({ outcomes: ['unsigned'], proven: null });

    const elsewhere = server(rows(12), { scope: DEPLOYMENT });
    expect(await outcomes(null, '', elsewhere)).toEqual({ outcomes: ['unsigned'], proven: null });
    const { findings } = await verify({ ...shown, size: 12, root: 'shown' }, null, '', server(rows(12)));
    expect(findings.map(({ outcome }) => outcome)).toEqual(['unsigned']);

    const fewer = async (since?: number) => {
      const proof = await server(rows(12))(since);
      return { ...proof, rows: proof.rows.slice(1) };
    };
    expect(await outcomes(null, '', fewer)).toEqual({ outcomes: ['signed', 'excluded'], proven: null });

    const leaves = rows(9).map(leaf);
    const pasted = {
      phone_unsigned: note(leaves, { by: another }),
      phone_other: note(leaves, { scope: DEPLOYMENT }),
      phone_unreadable: 'a root',
    };
    for (const [outcome, text] of Object.entries(pasted)) {
      const found = await outcomes(null, text, server(rows(12)));
      expect(found).toEqual({ outcomes: ['signed', 'included', outcome], proven: 12 });
    }
    expect((['continued', 'restored', 'rewritten'] as const).map(tone)).toEqual(['good', 'open', 'bad']);
  });
});

test('at a glance a log is compared with what is known of it', () => {
  const now = (size: number, root: string, epoch = 1) => ({ scope: SCOPE, epoch, size, root, rows: [1] });
  const before: Known = { epoch: 1, size: 5, root: 'a', key: null };
  expect(witness(now(5, 'a'), null)).toBe('first');
  expect(witness(now(5, 'a'), before)).toBe('same');
  expect(witness(now(5, 'b'), before)).toBe('alarm');
  expect(witness(now(9, 'c'), before)).toBe('grown');
  expect(witness(now(4, 'c'), before)).toBe('behind');
  expect(witness(now(4, 'c', 2), before)).toBe('restored');
});
