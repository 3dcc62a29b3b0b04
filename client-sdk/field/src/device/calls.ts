// What a page may ask of the device's worker, and what it hears.
import type {
  Change,
  CodeList,
  Draft,
  Language,
  Outline,
  Report,
  Status,
  Stop,
  Value,
  Visit,
  VisitChange,
  VisitForm,
} from '../../../wasm/src/types.ts';

export interface Calls {
  status(): Promise<Status>;
  /** The places of this person's beats, by address. */
  round(): Promise<Stop[]>;
  outlines(): Promise<Outline[]>;
  /** The newest first: so many behind one that was shown. */
  visits(behind: string | null, limit: number): Promise<Visit[]>;
  visitsAt(place: string): Promise<Visit[]>;
  /** Those that somebody has to look at. */
  visitsAsking(): Promise<Visit[]>;
  visit(id: string): Promise<Visit>;
  history(id: string): Promise<Change[]>;
  /** The visits that are being written down, the last one written to first. */
  drafts(): Promise<Draft[]>;
  /** Begins to write one down. Its id; it is on disk. */
  beginDraft(form: VisitForm): Promise<string>;
  /** On disk when it resolves. Refused once it was logged or given up. */
  keepDraft(id: string, form: VisitForm): Promise<void>;
  dropDraft(id: string): Promise<void>;
  /** Makes a visit of a draft, once. The visit's id. */
  logDraft(id: string): Promise<string>;
  editVisit(id: string, changes: VisitChange[]): Promise<void>;
  /** Keeps what somebody is adding to a visit, as far as it is typed; nothing, once it is a note. On disk when it resolves. */
  keepNote(visit: string, text: string): Promise<void>;
  keptNote(visit: string): Promise<string>;
  choose(id: string, field: string, value: Value): Promise<void>;
  enroll(url: string, code: string): Promise<void>;
  /** `waitMs`: for how long to go on trying while the server cannot be reached. */
  sync(waitMs: number): Promise<Report>;
  /** Whether there is room for a good while. */
  hasRoom(): Promise<boolean>;
  erase(): Promise<void>;
  /** Opens a store whose key is lost under a new one: known again once it is enrolled, with every word. */
  adopt(): Promise<void>;
  /** What codes are called, and why words may be held. */
  codeLists(): Promise<CodeList[]>;
  reason(code: string, language: Language): Promise<string>;
}

/** Calls that change nothing: they may be asked again. */
export const READS: ReadonlySet<keyof Calls> = new Set([
  'status',
  'round',
  'outlines',
  'visits',
  'visitsAt',
  'visitsAsking',
  'visit',
  'history',
  'keptNote',
  'drafts',
  'hasRoom',
  'codeLists',
  'reason',
]);

/** Calls that change no more than a draft, and what a page hears of them: not of every letter. */
export const DRAFTING: ReadonlyMap<keyof Calls, DeviceEvent | null> = new Map([
  ['beginDraft', { event: 'drafted' }],
  ['keepDraft', null],
  ['keepNote', null],
  ['dropDraft', { event: 'drafted' }],
]);

export interface Asked {
  number: number;
  name: keyof Calls;
  args: unknown[];
}

export interface Failure {
  message: string;
  /** Stable. */
  code: string;
  action: string;
  detail: string;
}

export type Heard = { number: number } & ({ value: unknown } | { failure: Failure });

/** What a page hears without having asked. */
export type DeviceEvent =
  /** What is shown may read differently now. */
  | { event: 'changed' }
  /** Only which visits are being written down. */
  | { event: 'drafted' }
  /** A sync is under way: entries that came and went so far. */
  | { event: 'progress'; pulled: number; pushed: number };
