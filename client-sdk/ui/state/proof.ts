import { ed25519 } from '@noble/curves/ed25519.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';

/*
 * What a browser checks for itself, without believing the server: signatures of receipts and paths of RFC 6962 through
 * the tree over a beat's log. The formats are those of docs/reference/protocol.md. Loaded when somebody asks.
 */

/** A row of a log, and the hashes beside its way up to the root. Hashes are in hex. */
export interface RowProof {
  sequence: number;
  kind: number;
  received_at: string;
  entry: string;
  verdict: string;
  path: string[];
}

/** What is known of a log: its first `size` rows have this root, in hex. */
export interface Root {
  size: number;
  root: string;
}

/** A receipt as it is read; what it says counts only if {@link isSigned}. */
export interface Note extends Root {
  deployment: string;
  scope: string;
  epoch: number;
  /** What is signed. */
  text: string;
  /** Key hash and signature of each signature in the deployment's name. */
  signatures: Uint8Array[];
}

/** Longer than any receipt may be. */
const MAX_NOTE = 64 * 1024;

/** Reads a receipt, a C2SP signed note around a checkpoint; null for anything else. */
export function readNote(pasted: string): Note | null {
  // Whatever a clipboard did to line ends and around the text.
  const note = `${pasted.replaceAll('\r\n', '\n').trim()}\n`;
  const end = note.lastIndexOf('\n\n');
  if (end < 0 || note.length > MAX_NOTE) return null;
  const text = note.slice(0, end + 1);
  const [head = '', size = '', root = '', epoch = ''] = text.split('\n');
  const name = /^aralau\/([0-9a-f-]{36})\/([0-9a-f-]{36})$/.exec(head);
  const hash = base64(root);
  const number = /^epoch (\d{1,15})$/.exec(epoch);
  if (!name?.[1] || !name[2] || !/^\d{1,15}$/.test(size) || hash?.length !== 32 || !number) return null;
  const [, deployment, scope] = name;
  const prefix = `\u2014 aralau/${deployment} `;
  const lines = note.slice(end + 2).split('\n');
  const encoded = lines
    .filter((line) => line.startsWith(prefix))
    .map((line) => base64(line.slice(prefix.length)));
  const signatures = encoded.filter((bytes) => bytes?.length === 4 + 64) as Uint8Array[];
  return {
    deployment,
    scope,
    size: Number(size),
    root: bytesToHex(hash),
    epoch: Number(number[1]),
    text,
    signatures,
  };
}

/** Whether the server of this key (in hex) signed a receipt. */
export function isSigned(note: Note, key: string): boolean {
  const publicKey = hexToBytes(key);
  const name = utf8ToBytes(`aralau/${note.deployment}\n`);
  const keyHash = bytesToHex(sha256(concatBytes(name, Uint8Array.of(1), publicKey)).slice(0, 4));
  return note.signatures.some(
    (signature) =>
      bytesToHex(signature.slice(0, 4)) === keyHash &&
      ed25519.verify(signature.slice(4), utf8ToBytes(note.text), publicKey),
  );
}

/** Whether a row is under a root. */
export function isIncluded(row: RowProof, { size, root }: Root): boolean {
  const path = climb(row.sequence - 1, size - 1, row.path);
  return path !== null && bytesToHex(path.reduce(up, leafOf(row))) === root;
}

/** Whether the log of `now` begins with that of `old`. */
export function isConsistent(old: Root, now: Root, path: string[]): boolean {
  if (old.size > now.size) return false;
  if (old.size === now.size) return old.root === now.root && path.length === 0;
  if (old.size === 0) return path.length === 0;
  // The level of the largest subtree that ends where the old tree does: where it is all of the old tree, we have its root.
  let [at, last] = [old.size - 1, now.size - 1];
  while (at % 2 === 1) [at, last] = [half(at), half(last)];
  const [start, ...rest] = at === 0 ? [old.root, ...path] : path;
  const steps = climb(at, last, rest);
  if (start === undefined || steps === null) return false;
  const from = hexToBytes(start);
  const first = steps.filter((step) => step.isLeft).reduce(up, from);
  return bytesToHex(first) === old.root && bytesToHex(steps.reduce(up, from)) === now.root;
}

interface Step {
  sibling: Uint8Array;
  isLeft: boolean;
}

/** Where each hash of a path belongs (RFC 9162 §2.1.3.2); null where the path is of no such tree. */
function climb(leaf: number, lastLeaf: number, path: string[]): Step[] | null {
  let [at, last] = [leaf, lastLeaf];
  if (at < 0 || at > last) return null;
  const steps: Step[] = [];
  for (const sibling of path) {
    if (last === 0) return null;
    const isLeft = at % 2 === 1 || at === last;
    steps.push({ sibling: hexToBytes(sibling), isLeft });
    if (isLeft) while (at % 2 === 0 && at !== 0) [at, last] = [half(at), half(last)];
    [at, last] = [half(at), half(last)];
  }
  return last === 0 ? steps : null;
}

function up(hash: Uint8Array, { sibling, isLeft }: Step): Uint8Array {
  return sha256(concatBytes(Uint8Array.of(1), ...(isLeft ? [sibling, hash] : [hash, sibling])));
}

function leafOf({ kind, received_at, entry, verdict }: RowProof): Uint8Array {
  const time = new DataView(new ArrayBuffer(8));
  time.setBigInt64(0, BigInt(Date.parse(received_at)));
  const clock = new Uint8Array(time.buffer);
  const parts = [Uint8Array.of(0), utf8ToBytes('aralau/leaf/1\0'), Uint8Array.of(kind), clock];
  return sha256(concatBytes(...parts, hexToBytes(entry), hexToBytes(verdict)));
}

/** Sizes may exceed what shifts take. */
function half(number: number): number {
  return Math.floor(number / 2);
}

function base64(text: string): Uint8Array | null {
  try {
    return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  } catch {
    return null;
  }
}
