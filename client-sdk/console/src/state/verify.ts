import type { Schemas } from '../api/client';
import { isConsistent, isIncluded, isSigned, readNote, type Note } from '$ui/state/proof';
import type { Known, Receipt } from './receipts';

type VisitProof = Schemas['VisitProof'];

/** Asks the server for its proof; `since` rows are known already. */
export type Prove = (since?: number) => Promise<VisitProof>;

export type Outcome =
  | 'signed'
  | 'unsigned'
  | 'included'
  | 'excluded'
  | 'continued'
  | 'restored'
  | 'rewritten'
  | 'phone_continued'
  | 'phone_restored'
  | 'phone_rewritten'
  | 'phone_unsigned'
  | 'phone_other'
  | 'phone_unreadable';

/** One thing that was checked. */
export interface Finding {
  outcome: Outcome;
  /** Rows that it is about. */
  rows: number;
}

const GOOD: Outcome[] = ['signed', 'included', 'continued', 'phone_continued'];
/** Nothing is wrong, and nothing proven. */
const OPEN: Outcome[] = ['restored', 'phone_restored', 'phone_other', 'phone_unreadable'];

export type Tone = 'good' | 'open' | 'bad';

export function tone(outcome: Outcome): Tone {
  if (GOOD.includes(outcome)) return 'good';
  return OPEN.includes(outcome) ? 'open' : 'bad';
}

export interface Verified {
  findings: Finding[];
  /** What the browser may remember from now on; null where the proof does not hold. */
  proven: Known | null;
}

/**
 * Checks that the server signed a root over the log that is shown, that the rows of the visit are under it, that the log begins
 * with what this browser knows of it, and with what the receipt of a phone vouches for.
 */
export async function verify(
  shown: Receipt,
  known: Known | null,
  pasted: string,
  prove: Prove,
): Promise<Verified> {
  const proof = await prove(known?.size);
  const note = signedNote(proof, shown, known?.key ?? null);
  if (!note) return { findings: [{ outcome: 'unsigned', rows: 0 }], proven: null };
  const findings: Finding[] = [{ outcome: 'signed', rows: note.size }];

  const included = proof.rows.filter((row) => isIncluded(row, note)).map((row) => row.sequence);
  const isWhole = shown.rows.every((row) => included.includes(row));
  findings.push({ outcome: isWhole ? 'included' : 'excluded', rows: shown.rows.length });

  if (known) findings.push({ outcome: continues(known, note, proof), rows: known.size });
  const holds = findings.every(({ outcome }) => tone(outcome) !== 'bad');

  if (pasted.trim()) findings.push(await ofPhone(pasted, note, shown, proof.server_key, prove));
  const { epoch, size, root } = note;
  return { findings, proven: holds ? { epoch, size, root, key: proof.server_key } : null };
}

/** The proof's receipt, where the key that is expected signed it, and it is of the log that is shown. */
function signedNote(proof: VisitProof, shown: Receipt, key: string | null): Note | null {
  const note = readNote(proof.receipt);
  if (!note || (key !== null && key !== proof.server_key) || !isSigned(note, proof.server_key)) return null;
  const isShown = note.scope === shown.scope && (note.size !== shown.size || note.root === shown.root);
  return isShown ? note : null;
}

function continues(
  old: Pick<Known, 'epoch' | 'size' | 'root'>,
  now: Note,
  proof: VisitProof,
): 'continued' | 'restored' | 'rewritten' {
  if (proof.consistency && isConsistent(old, now, proof.consistency)) return 'continued';
  return old.epoch < now.epoch ? 'restored' : 'rewritten';
}

async function ofPhone(
  pasted: string,
  now: Note,
  shown: Receipt,
  key: string,
  prove: Prove,
): Promise<Finding> {
  const receipt = readNote(pasted);
  if (!receipt) return { outcome: 'phone_unreadable', rows: 0 };
  const rows = receipt.size;
  if (receipt.deployment !== now.deployment || receipt.scope !== now.scope)
    return { outcome: 'phone_other', rows };
  if (!isSigned(receipt, key)) return { outcome: 'phone_unsigned', rows };
  const proof = await prove(rows);
  const note = signedNote(proof, shown, key);
  return { outcome: note ? (`phone_${continues(receipt, note, proof)}` as const) : 'unsigned', rows };
}
