import { ed25519 } from '@noble/curves/ed25519.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import type { RowProof } from './proof';

/* RFC 6962 §2.1, word for word, as the server would make it. */

const node = (left: Uint8Array, right: Uint8Array) => sha256(concatBytes(Uint8Array.of(1), left, right));
const half = (count: number) => 2 ** Math.floor(Math.log2(count - 1));

export function root(leaves: Uint8Array[]): Uint8Array {
  const [first] = leaves;
  if (!first) return sha256(Uint8Array.of());
  if (leaves.length === 1) return first;
  const split = half(leaves.length);
  return node(root(leaves.slice(0, split)), root(leaves.slice(split)));
}

export function inclusion(leaves: Uint8Array[], at: number): Uint8Array[] {
  if (leaves.length === 1) return [];
  const split = half(leaves.length);
  const [left, right] = [leaves.slice(0, split), leaves.slice(split)];
  return at < split ? [...inclusion(left, at), root(right)] : [...inclusion(right, at - split), root(left)];
}

export function consistency(leaves: Uint8Array[], from: number, known = true): Uint8Array[] {
  if (from === leaves.length) return known ? [] : [root(leaves)];
  const split = half(leaves.length);
  const [left, right] = [leaves.slice(0, split), leaves.slice(split)];
  return from <= split
    ? [...consistency(left, from, known), root(right)]
    : [...consistency(right, from - split, false), root(left)];
}

export const hash = (text: string) => bytesToHex(sha256(utf8ToBytes(text)));
export const hex = (path: Uint8Array[]) => path.map((bytes) => bytesToHex(bytes));

function row(sequence: number, version = ''): RowProof {
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

export function leaf({ kind, received_at, entry, verdict }: RowProof): Uint8Array {
  const time = Date.parse(received_at).toString(16).padStart(16, '0');
  const head = concatBytes(Uint8Array.of(0), utf8ToBytes('aralau/leaf/1\0'), Uint8Array.of(kind));
  return sha256(concatBytes(head, hexToBytes(time), hexToBytes(entry), hexToBytes(verdict)));
}

export const rows = (size: number, version = '') =>
  Array.from({ length: size }, (_, at) => row(at + 1, version));

export const secret = new Uint8Array(32).fill(7);
export const key = bytesToHex(ed25519.getPublicKey(secret));
export const DEPLOYMENT = '019f0000-0000-7000-8000-000000000001';
export const SCOPE = '019f0000-0000-7000-8000-000000000002';

export function note(leaves: Uint8Array[], { epoch = 1, scope = SCOPE, by = secret } = {}): string {
  const base64 = (bytes: Uint8Array) => btoa(String.fromCharCode(...bytes));
  const head = `aralau/${DEPLOYMENT}/${scope}\n${leaves.length}\n${base64(root(leaves))}\nepoch ${epoch}\n`;
  const text = `${head}time 1780000000000\ndurable ${leaves.length}\nbacked-up 0\n`;
  const name = `aralau/${DEPLOYMENT}`;
  const publicKey = ed25519.getPublicKey(by);
  const keyHash = sha256(concatBytes(utf8ToBytes(`${name}\n`), Uint8Array.of(1), publicKey)).slice(0, 4);
  return `${text}\n\u2014 ${name} ${base64(concatBytes(keyHash, ed25519.sign(utf8ToBytes(text), by)))}\n`;
}
