import { ed25519 } from '@noble/curves/ed25519.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { describe, expect, test } from 'vitest';
import type { RowProof } from '$ui/state/proof';
import {
  consistency,
  DEPLOYMENT,
  hex,
  inclusion,
  key,
  leaf,
  note,
  root,
  rows,
  SCOPE,
  secret,
} from '$ui/state/proof.fixture';
import { witness, type Known } from './receipts';
import { tone, verify } from './verify';

/** A server whose log has these rows. */
function server(log: RowProof[], settings?: Parameters<typeof note>[1]) {
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
const known = (log: RowProof[], epoch = 1): Known => ({
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
