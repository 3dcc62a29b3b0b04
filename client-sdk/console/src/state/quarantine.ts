import { api, body, type HeldRow, type Schemas } from '../api/client';
import { t, tCode } from '../i18n';

export type Verb = 'release' | 'reject';

/** What one request decides about, at most. */
const AT_ONCE = 200;

/** Whoever decided where a grant did: no person's word was needed. */
const BY_GRANT = 'grant';

type Which = Schemas['Which'];
type Judged = Schemas['Judged'];

/** What somebody says about many entries. */
export interface Word {
  note: string;
  /** Whether rejected entries that they build on are released too. */
  withRejected: boolean;
}

/** All that pass a filter, as far as somebody has looked at them. */
export interface AllOf {
  beat?: string;
  reason?: string;
  until: string;
}

export function reasonName(code: string): string {
  return tCode('reason', code) ?? t('reason.other', { code });
}

export function decidedBy(name: string): string {
  return name === BY_GRANT ? t('history.by_grant') : t('history.by', { name });
}

/** What names an entry on this page. */
export function keyOf({ replica, scope, index }: Pick<HeldRow, 'replica' | 'scope' | 'index'>): string {
  return `${replica} ${scope} ${index}`;
}

function ask(verb: Verb, which: Which, { note, withRejected }: Word): Promise<Judged> {
  return verb === 'release'
    ? body(api.POST('/v1/quarantine/release', { body: { which, note, with_rejected: withRejected } }))
    : body(api.POST('/v1/quarantine/reject', { body: { which, note } }));
}

/** Decides about these entries, as many requests as that takes. */
export async function judgeThese(verb: Verb, rows: HeldRow[], word: Word): Promise<Judged> {
  const entries = rows.map(({ replica, scope, index }) => ({ replica, scope, index }));
  let judged: Judged = { decided: 0, kept: [] };
  for (let at = 0; at < entries.length; at += AT_ONCE)
    judged = together(judged, await ask(verb, { entries: entries.slice(at, at + AT_ONCE) }, word));
  return judged;
}

/** Decides about all that pass, also what no page has shown yet. */
export async function judgeAll(verb: Verb, all: AllOf, word: Word): Promise<Judged> {
  let judged: Judged = { decided: 0, kept: [] };
  let cursor: string | null = null;
  do {
    const some: Judged = await ask(verb, { all: { ...all, ...(cursor !== null && { cursor }) } }, word);
    judged = together(judged, some);
    cursor = some.next ?? null;
  } while (cursor !== null);
  return judged;
}

function together(one: Judged, other: Judged): Judged {
  return { decided: one.decided + other.decided, kept: [...one.kept, ...other.kept] };
}
